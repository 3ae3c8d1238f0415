"""Every figure of the report equals a plain computation from canonical rows, for random timelines, periods and cuts."""

import random
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.tables.report import VM_YEAR
from schemas.time import MINUTE, SECOND, to_micros
from tests.support import plain_report as plain
from tests.support.build import rows, to_batch
from tests.support.report_rows import report_rows
from tests.support.timelines import Timeline, timelines
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.report.report import build_report
from transforms.core.report.request import Report, ReportRequest
from transforms.core.report.series import clipped, runs_of
from transforms.core.report.steps import Steps, steps_of, summed
from transforms.core.report.windows import rates_of, worst_windows
from transforms.core.score.availability import class_times as table_times

Row = dict[str, Any]
Span = tuple[int, int]
SKEW = 2 * MINUTE
FEWER = settings(max_examples=max(20, settings.default.max_examples // 40))
"""The plain computation is slow."""


@dataclass(frozen=True, repr=False)
class Case:
    """A report and the rows that it was made of."""

    timeline: Timeline
    report: Report
    series: list[Row]
    attributions: list[Row]
    operations: list[Row]
    table: pa.Table

    def __repr__(self) -> str:
        return f"{self.report.request}\n{self.timeline!r}"

    @property
    def span(self) -> tuple[int, int]:
        return self.report.request.since, self.report.request.until

    @property
    def sets(self) -> list[str]:
        return sorted({row["scale_set_id"] for row in self.series})

    def of(self, scale_set_id: str | None) -> tuple[list[Row], list[Row], list[Row]]:
        tables = (self.series, self.attributions, self.operations)
        a, b, c = ([row for row in table if scale_set_id in (None, row["scale_set_id"])] for table in tables)
        return a, b, c


def case_of(timeline: Timeline, cuts: list[int], shift: int = 0) -> Case:
    """The report of a part of a timeline: cuts are thousandths of its length."""
    tables = evaluate(to_batch(timeline.events), timeline.policy, timeline.T)
    series = rows(tables.availability)
    assume(series)
    first = min(row["start"] for row in series)
    places = sorted({first + (timeline.T - first) * cut // 1000 + shift for cut in cuts} | {first})[-len(cuts) :]
    edges = tuple(places) if len(places) > 1 else (first, timeline.T)
    a, b, c = (pa.Table.from_batches([t]) for t in (tables.availability, tables.attributions, tables.operations))
    report = build_report(report_rows(a, b, c), ReportRequest(edges, "hour", "UTC", 0.999, SKEW))
    return Case(timeline, report, series, rows(tables.attributions), rows(tables.operations), a)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    cuts = draw(st.lists(st.integers(0, 1100), min_size=2, max_size=5))
    return case_of(draw(timelines()), cuts, draw(st.sampled_from([0, 0, 1])))


def micros(seconds: float) -> int:
    return round(seconds * SECOND)


def close(value: float | None, expected: Fraction | None) -> bool:
    return (
        value is None if expected is None else value is not None and value == pytest.approx(float(expected), rel=1e-9, abs=1e-12)
    )


def check_line(
    line: Row, series: list[Row], attributions: list[Row], operations: dict[str, list[Row]], span: tuple[int, int]
) -> None:
    times = plain.class_times(series, span)
    assert {name: micros(line[f"{name}_seconds"]) for name in plain.COUNTS} == {name: times[name] for name in plain.COUNTS}
    bad, raw_bad = (sum(times[name] for name in names) for names in (plain.BAD, plain.RAW_BAD))
    up, excused = times["up"], times["excused"]
    by_set = [plain.outside([r for r in series if r["scale_set_id"] == s], own, span) for s, own in operations.items()]
    up_out, bad_out = (sum(column) for column in zip(*by_set, strict=True)) if by_set else (0, 0)
    begun, repaired, took, still_open = plain.outages(attributions, series, span)
    assert (line["interruptions"], line["repaired"], micros(line["repair_seconds"])) == (begun, repaired, took)
    assert line["still_open"] == still_open
    expected = {
        "bad_seconds": Fraction(bad, SECOND),
        "outside_up_seconds": Fraction(up_out, SECOND),
        "outside_bad_seconds": Fraction(bad_out, SECOND),
        "raw_availability": plain.ratio(times["raw_available"], times["raw_available"] + raw_bad),
        "availability": plain.ratio(up, up + bad),
        "availability_excused_up": plain.ratio(up + excused, up + excused + bad),
        "availability_operations_out": plain.ratio(up_out, up_out + bad_out),
        "mttr_seconds": plain.ratio(took, repaired * SECOND),
        "mtbf_seconds": plain.ratio(up, begun * SECOND),
        "interruptions_per_vm_year": plain.ratio(begun * VM_YEAR * SECOND, up + bad),
        "budget_seconds": Fraction(up + bad, 1000 * SECOND),
        "budget_spent": plain.ratio(bad * 1000, up + bad),
        "budget_left_seconds": Fraction(up + bad, 1000 * SECOND) - Fraction(bad, SECOND),
    }
    assert {name: line[name] for name, value in expected.items() if not close(line[name], value)} == {}


@FEWER
@given(cases())
def test_every_line_of_figures_is_that_of_its_rows(case: Case) -> None:
    own = {s: case.of(s)[2] for s in case.sets}
    check_line(case.report.fleet.to_pylist()[0], case.series, case.attributions, own, case.span)
    for line in case.report.sets.to_pylist():
        s = line["scale_set_id"]
        check_line(line, *case.of(s)[:2], {s: own[s]}, case.span)
    periods = case.report.periods.to_pylist()
    assert [(to_micros(p["period_start"]), to_micros(p["period_end"])) for p in periods] == list(
        pairwise(case.report.request.edges)
    )
    for line, span in zip(periods, pairwise(case.report.request.edges), strict=True):
        check_line(line, case.series, case.attributions, own, span)


@FEWER
@given(cases())
def test_sets_and_periods_that_have_any_time_are_told_each(case: Case) -> None:
    told = {(line["scale_set_id"], to_micros(line["period_start"])): line for line in case.report.set_periods.to_pylist()}
    for s in case.sets:
        series, attributions, operations = case.of(s)
        for span in pairwise(case.report.request.edges):
            line = told.pop((s, span[0]), None)
            assert (line is None) == (not any(plain.overlap((r["start"], r["end"]), span) for r in series))
            if line is not None:
                check_line(line, series, attributions, {s: operations}, span)
    assert told == {}


@FEWER
@given(timelines())
def test_the_whole_record_gives_what_class_times_give(timeline: Timeline) -> None:
    case = case_of(timeline, [0, 1000])
    fleet = case.report.fleet.to_pylist()[0]
    assert (fleet["raw_availability"], fleet["availability"]) == plain.availabilities(table_times(case.table))


def changes_of(steps: Steps, group: int) -> set[int]:
    """The moments at which the counts of a group change."""
    return set(steps.moments[steps.first[group] : steps.last[group]].tolist())


@FEWER
@given(cases(), st.integers(1, 1000), st.integers(0, 2**32))
def test_no_window_is_worse_than_the_worst(case: Case, size: int, seed: int) -> None:
    draw, (since, until) = random.Random(seed), case.span
    width = max(1, (until - since) * size // 1000)
    runs = clipped(runs_of(case.table), since, until)
    for good, bad in (("up", plain.BAD), ("raw_available", plain.RAW_BAD)):
        steps = steps_of(runs, rates_of(runs, good, bad))
        groups = [(case.of(s)[0], steps, number) for number, s in enumerate(runs.ids.to_pylist())]
        for series, its, number in [*groups, (case.series, summed(steps), 0)]:
            worst = worst_windows(its, since, until, [width])[0]
            start, share = int(worst.start[number]), float(worst.availability[number])
            expected = plain.worst_window(series, good, bad, case.span, width)
            assert close(None if start < 0 else share, expected)
            if expected is not None:
                lo, hi = plain.known(series, case.span)
                starts = {t for change in changes_of(its, number) for t in (change, change - width)} | {lo, hi - width}
                shares = {t: plain.window_share(series, good, bad, (t, t + width)) for t in starts if lo <= t <= hi - width}
                assert start == min(t for t, its_share in shares.items() if its_share == expected)
                assert close(share, plain.window_share(series, good, bad, (start, start + width)))
                others = [
                    plain.window_share(series, good, bad, (t, t + width))
                    for t in (draw.randint(lo, hi - width) for _ in range(5))
                ]
                assert all(other >= expected for other in others if other is not None)


@FEWER
@given(cases())
def test_causes_add_up_to_the_classes_and_name_what_began(case: Case) -> None:
    known = max(row["end"] for row in case.series)
    expected = plain.cause_rows(case.attributions, case.span, known)
    told = {(row["verdict"], row["verb"], row["initiator"]): row for row in case.report.causes.to_pylist()}
    assert {key: (row["episodes"], row["scale_sets"], micros(row["removed_seconds"])) for key, row in told.items()} == {
        key: (episodes, len(sets), removed) for key, (episodes, sets, removed) in expected.items()
    }
    times = plain.class_times(case.series, case.span)
    sums = {name: sum(micros(row[f"{name}_seconds"]) for row in told.values()) for name in ("excused", "removed", "counted")}
    bad = sum(times[name] for name in plain.BAD)
    assert sums["removed"] == times["removed"]
    assert (sums["excused"] >= times["excused"], sums["counted"] >= bad) == (True, True)
    if not any(row["raw_unknown"] for row in case.series):
        assert (sums["excused"], sums["counted"]) == (times["excused"], bad)


@FEWER
@given(cases())
def test_chance_is_the_rate_outside_times_the_windows(case: Case) -> None:
    span, expected = case.span, Counter[tuple[str, str]]()
    alone, outside = Counter[str](), 0
    for s in case.sets:
        series, attributions, operations = case.of(s)
        times = plain.class_times(series, span)
        at_risk = sum(times[name] for name in plain.COUNTS[:4]) - times["removed"]
        out = at_risk - plain.exposure(series, operations, SKEW, span)
        outside += out
        kinds = Counter(row["worst_state"] for row in plain.onsets(attributions, span) if row["candidates"] == 0)
        alone += kinds
        for verb in {o["verb"] for o in operations} if out else ():
            inside = plain.exposure(series, [o for o in operations if o["verb"] == verb], SKEW, span)
            for kind, number in kinds.items():
                expected[verb, kind] += Fraction(number * inside, out)
    named = Counter((row["verb"], row["worst_state"]) for row in plain.onsets(case.attributions, span) if row["verb"] is not None)
    told = {(row["verb"], row["state"]): row for row in case.report.chance.to_pylist()}
    assert set(told) == {key for key in (*expected, *named) if expected[key] or named[key]}
    for key, row in told.items():
        assert (row["onsets"], row["outside_onsets"], micros(row["outside_seconds"])) == (named[key], alone[key[1]], outside)
        if row["expected"] is not None:
            assert close(row["expected"], Fraction(expected[key]))
            assert close(row["share"], Fraction(expected[key]) / named[key] if named[key] else None)


@FEWER
@given(cases())
def test_coverage_counts_whoever_is_there_at_both_ends(case: Case) -> None:
    for row in case.report.coverage.to_pylist():
        since, until = plain.known(case.series, case.span)
        for name, t in (("counted_at_start", since), ("counted_at_end", until - 1)):
            held = [r for r in case.of(row["scale_set_id"])[0] if r["start"] <= t < r["end"]]
            assert row[name] == sum(r[count] for r in held for count in plain.COUNTS[:4])
        assert row["inventory_at_start"] is row["inventory_at_end"] is None


@FEWER
@given(cases())
def test_states_of_a_set_add_up(case: Case) -> None:
    told = case.report.states.to_pylist()
    for s in case.sets:
        for column, seconds in (("reported_state", "reported_seconds"), ("state", "corrected_seconds")):
            found = {r["state"]: micros(r[seconds]) for r in told if r["scale_set_id"] == s and r[seconds]}
            assert found == dict(plain.states(case.of(s)[0], column, case.span))


@FEWER
@given(timelines(), st.integers(0, 2**16))
def test_rows_in_any_order_within_parts_of_the_time_give_the_same_report(timeline: Timeline, seed: int) -> None:
    case, draw = case_of(timeline, [100, 400, 900]), random.Random(seed)
    tables = evaluate(to_batch(timeline.events), timeline.policy, timeline.T)
    a, b, c = (pa.Table.from_batches([t]) for t in (tables.availability, tables.attributions, tables.operations))
    a, b, c = (t.take(pa.array(draw.sample(range(len(t)), len(t)), pa.int64())) for t in (a, b, c))
    begun = a["start"].cast(pa.int64()).to_numpy()
    cuts = [0, *sorted(draw.choices(begun.tolist(), k=2)), 2**62]
    parts = [a.filter(pa.array((lo <= begun) & (begun < hi))) for lo, hi in pairwise(cuts)]
    whole = report_rows(a, b, c)
    again = build_report(whole._replace(series=lambda then: map(then, parts)), case.report.request)
    for name in Report._fields[1:]:
        assert getattr(again, name).to_pylist() == getattr(case.report, name).to_pylist(), name


def test_of_equal_windows_the_first_is_told_that_begins_or_ends_at_a_change() -> None:
    """What follows on time that does not count is bad whatever else changes: the first such window ends where more is bad."""
    steps = Steps(np.array([0]), np.array([4]), np.array([0, 100, 105, 200]), np.array([0, 1, 2, 0]))
    worst = worst_windows(steps, 0, 200, [10])[0]
    assert (worst.availability.tolist(), worst.start.tolist()) == ([0.0], [95])


def test_a_kernel_of_windows_needs_no_rows() -> None:
    none = np.zeros(0, np.int64)
    worst = worst_windows(Steps(np.zeros(1, np.int64), np.zeros(1, np.int64), none, none), 0, 100, [10])[0]
    assert (np.isnan(worst.availability).tolist(), worst.start.tolist()) == ([True], [-1])


@pytest.mark.parametrize("seed", range(30))
def test_windows_that_are_left_out_are_none_of_the_worst(seed: int) -> None:
    """Of many changes, as a fleet has, most windows are not looked at one by one; and some are as bad as each other."""
    draw = np.random.default_rng(seed)
    lengths, bad = draw.integers(1, 8, 700), draw.integers(0, 9, 700) * (draw.random(700) < (0.3, 0.01)[seed % 2])
    moments, good = np.append(0, np.cumsum(lengths)), draw.integers(5, 9, 700)
    rates = np.append(good << 32 | bad, 0)
    kept = np.append(True, np.diff(rates) != 0)
    steps = Steps(np.array([0]), np.array([kept.sum()]), moments[kept], rates[kept])
    end = int(moments[-1])
    for width in (5, 50, 200, 500, 1000):
        each = np.repeat(np.stack([good, bad]), lengths, axis=1)
        up, down = (np.append(0, np.cumsum(own)) for own in each)
        share = [(up[t + width] - up[t], down[t + width] - down[t]) for t in range(end - width + 1)]
        ratios = [a / (a + b) for a, b in share]
        worst = worst_windows(steps, 0, end, [width])[0]
        assert worst.availability[0] == min(ratios)
        assert ratios[worst.start[0]] == min(ratios)
