"""What the page draws equals a plain computation from canonical rows, for random timelines, periods and bins."""

from collections import Counter
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.tables.report import COUNTED
from schemas.time import HOUR, MINUTE, SECOND, from_micros
from tests.support import plain_report as plain
from tests.support.build import rows, to_batch
from tests.support.timelines import Timeline, timelines
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.report.causes import cause_sums, causes
from transforms.core.report.charts.heat import (
    by_day_and_hour,
    by_weekday_and_hour,
    by_weekday_and_week,
    hours_of,
)
from transforms.core.report.charts.marks import marks_of, outages_of
from transforms.core.report.charts.timeline import bin_edges
from transforms.core.report.charts.timeline import timelines as bins
from transforms.core.report.series import clipped, runs_of

Row = dict[str, Any]
FEWER = settings(max_examples=max(20, settings.default.max_examples // 40))
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns")
TIME = "counted_seconds"
NAMES = ("excused_seconds", "removed_seconds", TIME)


class Case:
    """The tables of a timeline, and a part of it."""

    def __init__(self, timeline: Timeline, cuts: tuple[int, int]) -> None:
        tables = evaluate(to_batch(timeline.events), timeline.policy, timeline.T)
        self.timeline, self.series = timeline, rows(tables.availability)
        assume(self.series)
        first = min(row["start"] for row in self.series)
        self.since, self.until = (first + (timeline.T - first) * cut // 1000 for cut in cuts)
        assume(self.since < self.until)
        self.attributions, self.operations = (pa.Table.from_batches([t]) for t in (tables.attributions, tables.operations))
        self.runs = clipped(runs_of(pa.Table.from_batches([tables.availability])), self.since, self.until)
        self.T = timeline.T
        here = [row for row in rows(self.attributions) if meets(row, self)]
        with_instances = {row["scale_set_id"] for row in here if row["instance_id"] is not None}
        self.told = [row for row in here if row["instance_id"] is not None or row["scale_set_id"] not in with_instances]
        """Attributions of the period; those of a scale set itself only where none of its instances has any."""

    def __repr__(self) -> str:
        return f"[{self.since}, {self.until})\n{self.timeline!r}"

    @property
    def period(self) -> tuple[int, int, int]:
        return self.since, self.until, self.T


@st.composite
def cases(draw: st.DrawFn) -> Case:
    low = draw(st.integers(0, 990))
    return Case(draw(timelines()), (low, draw(st.integers(low + 1, 1000))))


@FEWER
@given(cases(), st.integers(1, 40))
def test_a_bin_holds_the_time_of_its_scale_set(case: Case, most: int) -> None:
    sets = tuple(sorted({row["scale_set_id"] for row in case.series}, reverse=True))
    edges = bin_edges(case.since, case.until, most)
    made = bins(case.runs, sets, edges)
    for place, scale_set_id in enumerate(sets):
        own = [row for row in case.series if row["scale_set_id"] == scale_set_id]
        inside = [row for row in own if plain.overlap((row["start"], row["end"]), (case.since, case.until))]
        if not any(row["raw_available"] + row["raw_degraded"] + row["raw_unavailable"] + row["raw_unknown"] for row in inside):
            continue  # told by its own states
        for times, span in zip(made.times[place].tolist(), pairwise(edges), strict=True):
            expected = plain.class_times(own, span)
            assert times == [expected[name] for name in plain_order()]


def plain_order() -> tuple[str, ...]:
    return ("raw_available", "raw_degraded", "raw_unavailable", "raw_unknown", "up", "degraded", "unavailable", "overrun",
            "excused", "unknown", "removed")  # fmt: skip


@FEWER
@given(cases(), st.sampled_from(ZONES))
def test_an_hour_holds_the_time_of_all_scale_sets(case: Case, name: str) -> None:
    zone = ZoneInfo(name)
    hours = hours_of(case.runs, case.since, case.until, zone)
    by_day: Counter[tuple[Any, int]] = Counter()
    by_week: Counter[tuple[int, int]] = Counter()
    for place, span in enumerate(pairwise(hours.edges)):
        times = plain.class_times(case.series, span)
        bad = sum(times[c] for c in plain.BAD)
        assert (hours.bad[place], hours.expected[place], hours.excused[place]) == (bad, bad + times["up"], times["excused"])
        local = from_micros(span[0]).astimezone(zone)
        by_day[local.date(), local.hour] += bad
        by_week[local.weekday(), local.hour] += bad
    days, cells = by_day_and_hour(hours)
    assert {(days[r], c): bad for r, c, bad, _ in zip(*(x.tolist() for x in cells), strict=True)} == by_day
    assert {(r, c): bad for r, c, bad, _ in zip(*(x.tolist() for x in by_weekday_and_hour(hours)), strict=True)} == by_week
    mondays, weeks = by_weekday_and_week(hours)
    assert {m.weekday() for m in mondays} == {0}
    per_day = Counter[Any]()
    for (day, _), bad in by_day.items():
        per_day[day] += bad
    found = {mondays[c].toordinal() + r: bad for r, c, bad, _ in zip(*(x.tolist() for x in weeks), strict=True)}
    assert found == {day.toordinal(): bad for day, bad in per_day.items()}


@FEWER
@given(cases())
def test_marks_are_what_the_attributions_and_operations_say(case: Case) -> None:
    marks = marks_of(case.attributions, case.operations, case.period, 10**6)
    check_marks_share_out_the_time_of_the_causes(case, marks)
    check_each_operation_of_the_period_has_one_mark(case, marks)
    check_troubles_without_operation_are_gathered_where_they_meet(case, marks)
    check_a_mark_tells_whose_trouble_its_operation_explains_and_when(case, marks)


def check_marks_share_out_the_time_of_the_causes(case: Case, marks: pa.Table) -> None:
    whose = [row["scale_set_id"] for row in case.told if row["instance_id"] is not None]
    told = pc.is_in(marks["scale_set_id"], pa.array(sorted(set(whose)), pa.string()))
    made = causes([cause_sums(case.attributions, *case.period)])
    for name in NAMES:
        kept = marks.filter(told)[name].to_pylist()
        assert round(sum(kept) * SECOND) == round(sum(made[name].to_pylist()) * SECOND)
    spells = [n for of, counts in zip(told.to_pylist(), marks["episodes"].to_pylist(), strict=True) if of for n in counts or []]
    assert sum(spells) == len(whose)


def check_each_operation_of_the_period_has_one_mark(case: Case, marks: pa.Table) -> None:
    told = rows(marks)
    keys = [key(row) for row in told if row["verb"] is not None]
    explaining = {key(row, "operation_start") for row in case.told if row["verb"]}
    here = {key(row) for row in rows(case.operations) if row["start"] < case.until and row["limit"] > case.since}
    assert len(keys) == len(set(keys))
    assert set(keys) == here | explaining


def check_troubles_without_operation_are_gathered_where_they_meet(case: Case, marks: pa.Table) -> None:
    """As an operation-free plain computation: one group a scale set and verdict for as long as one of its spells lasts."""
    expected: list[list[Any]] = []
    alone = [row for row in case.told if row["verb"] is None]
    for row in sorted(alone, key=lambda row: (row["scale_set_id"], row["verdict"], row["start"])):
        end = float("inf") if row["end"] is None else row["end"]
        kind = [row["scale_set_id"], row["verdict"]]
        if expected and expected[-1][:2] == kind and row["start"] <= expected[-1][3]:
            expected[-1][3] = max(expected[-1][3], end)
            expected[-1][4] |= {row["instance_id"]} - {None}
            expected[-1][5] += 1
        else:
            expected.append([*kind, row["start"], end, {row["instance_id"]} - {None}, 1])
    made = [
        [row["scale_set_id"], row["verdict"], row["start"], float("inf") if row["end"] is None else row["end"],
         set(row["instances"]), row["episodes"][0]]
        for row in rows(marks) if row["verb"] is None
    ]  # fmt: skip
    assert sorted(made, key=str) == sorted(expected, key=str)


@FEWER
@given(cases())
def test_outages_are_the_marks_because_of_which_time_of_machines_counts(case: Case) -> None:
    marks = [row for row in rows(marks_of(case.attributions, case.operations, case.period, 10**6)) if row["machines"]]
    of_machines = case.attributions.filter(pc.is_valid(case.attributions["instance_id"]))
    counting = of_machines.filter(pc.is_in(of_machines["verdict"].cast(pa.string()), pa.array(COUNTED)))
    found = rows(outages_of(counting, case.period, 10**6))
    told = ("scale_set_id", "operation_key", "verb", "start", "verdict", "counted_from", "counted_until", "machines", TIME)
    made, expected = (sorted(str([row[name] for name in told]) for row in several) for several in (found, marks))
    assert made == expected
    assert [row[TIME] for row in found] == sorted((row[TIME] for row in marks), reverse=True)
    assert all(row["of"] == len(found) and row["counted_from"] >= case.since for row in found)


def check_a_mark_tells_whose_trouble_its_operation_explains_and_when(case: Case, marks: pa.Table) -> None:
    for mark in rows(marks):
        if mark["verb"] is None:
            continue
        mine = [row for row in case.told if row["verb"] and key(row, "operation_start") == key(mark)]
        ends = [row["end"] for row in mine]
        assert set(mark["instances"] or []) == {row["instance_id"] for row in mine} - {None}
        assert mark["first"] == min((row["start"] for row in mine), default=None)
        assert mark["last"] == (None if None in ends else max(ends, default=None))
        told = dict(zip(mark["verdicts"] or [], mark["episodes"] or [], strict=True))
        assert told == Counter(row["verdict"] for row in mine)


def key(row: Row, start: str = "start") -> tuple[Any, ...]:
    return row["scale_set_id"], row["operation_key"], row["verb"], row[start]


def meets(row: Row, case: Case) -> bool:
    end = min(case.until, case.T) if row["end"] is None else row["end"]
    return bool(row["start"] < case.until and end > case.since)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 400))
def test_bins_cover_the_period_and_are_no_more_than_asked_for(since: int, length: int, most: int) -> None:
    since, until = since * MINUTE, (since + length) * MINUTE
    edges = bin_edges(since, until, most)
    gaps = [b - a for a, b in pairwise(edges)]
    assert (edges[0], edges[-1]) == (since, until)
    assert min(gaps) > 0
    assert len(set(gaps[1:-1])) <= 1
    assert len(gaps) <= most + 1 or max(gaps) >= 28 * 24 * HOUR
