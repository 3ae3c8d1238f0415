"""What is drawn: shares that are seen, names that cover nothing, ticks on the clocks of a zone, hours of a day with 25."""

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from runners.page.axis import ticks
from runners.page.charts import (
    BAD,
    GOOD,
    LEAST,
    NARROW,
    PARTS,
    RAW_PARTS,
    WIDE,
    ChartSize,
    Mark,
    bounds,
    fleet_chart,
    gathered,
    heat_chart,
    timeline_chart,
)
from runners.page.drawing import drawn
from schemas.tables.availability import SERIES_STATES
from schemas.time import DAY, HOUR, SECOND, to_micros
from schemas.timestamp import parse_time
from tests.support.build import rows
from transforms.core.report.calendar import midnight, period_edges
from transforms.core.report.charts.heat import Cells, by_day_and_hour, hours_of
from transforms.core.report.charts.marks import MARKS, _capped
from transforms.core.report.charts.timeline import clearly, timelines, worst_sets
from transforms.core.report.series import COUNTS, Runs

BERLIN = ZoneInfo("Europe/Berlin")


def runs(start: list[int], end: list[int], **counts: list[int]) -> Runs:
    """Rows of one scale set; its states are Available unless told by `state`."""
    state = np.array(counts.pop("state", [0] * len(start)))
    columns = np.array([counts.get(name, [0] * len(start)) for name in COUNTS], np.int32)
    return Runs(pa.array(["a"]), np.zeros(len(start), np.int64), np.array(start), np.array(end), state, state, columns)


def test_the_hour_that_comes_twice_is_one_cell_and_the_day_has_25_hours() -> None:
    since, until = midnight(date(2026, 10, 25), BERLIN), midnight(date(2026, 10, 26), BERLIN)
    assert until - since == 25 * HOUR
    whole = runs([since], [until], up=[3], unavailable=[1], raw_available=[3], raw_unavailable=[1])
    hours = hours_of(whole, since, until, BERLIN)
    assert len(hours.bad) == 25
    days, cells = by_day_and_hour(hours)
    assert (days, cells.column.tolist()) == ([date(2026, 10, 25)], list(range(24)))
    assert cells.bad.tolist() == [HOUR * (2 if hour == 2 else 1) for hour in range(24)]
    assert cells.expected.tolist() == [4 * bad for bad in cells.bad.tolist()]


def test_the_hour_that_is_left_out_has_no_cell() -> None:
    since, until = midnight(date(2026, 3, 29), BERLIN), midnight(date(2026, 3, 30), BERLIN)
    _, cells = by_day_and_hour(hours_of(runs([since], [until], up=[1]), since, until, BERLIN))
    assert cells.column.tolist() == [0, 1, *range(3, 24)]


def test_a_scale_set_without_instances_is_drawn_by_its_own_state() -> None:
    states = [SERIES_STATES.index(name) for name in ("Available", "Degraded", "Planned", "Idle")]
    made = timelines(runs([0, 10, 20, 30], [10, 20, 30, 40], state=states), ("a", "b"), (0, 20, 40))
    assert made.shares(0, PARTS).tolist() == [[0.5, 0, 0, 0, 0.5, 0, 0], [0, 0, 0, 1, 0, 0, 0]]
    assert made.shares(0, RAW_PARTS).tolist() == [[0.5, 0, 0.5, 0], [0, 1, 0, 0]]
    assert made.times[1].sum() == 0


def test_one_instance_of_a_thousand_is_seen_and_what_is_not_there_is_not() -> None:
    heights = clearly(np.array([[0.999, 0, 0.001], [1.0, 0, 0], [0.0, 0.5, 0.5]]), LEAST)
    assert heights[0, 2] > LEAST * 0.8
    assert heights[1].tolist() == [1, 0, 0]
    assert heights[2].tolist() == [0, 0.5, 0.5]
    assert heights.sum(axis=1) == pytest.approx([1, 1, 1])


def test_more_trouble_is_drawn_higher() -> None:
    share = np.linspace(0, 1, 50)
    heights = clearly(np.stack([1 - share, share], axis=1), LEAST)[:, 1]
    assert (np.diff(heights) >= 0).all()


def test_the_sets_to_draw_are_those_with_the_most_counted_then_excused_time() -> None:
    sets = pa.table(
        {"scale_set_id": ["a", "b", "c", "d"], "bad_seconds": [0.0, 5.0, 0.0, 9.0], "excused_seconds": [1.0, 0, 3, 0]}
    )
    assert worst_sets(sets, 3) == ("d", "b", "c")


def mark(start: float, label: str = "restart") -> Mark:
    return Mark("e0", label, start, start + 1, start + 2, "red", True)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=lambda size: size.name)
@pytest.mark.parametrize("step", [0.5, 5.0, 20.0, 40.0])
def test_no_name_lies_under_a_later_mark_and_no_mark_under_another(step: float, size: ChartSize) -> None:
    marks = [mark(step * n) for n in range(24)]
    placed = gathered(marks, 1000.0, size)
    assert sorted((one for group in placed for one in group.marks), key=lambda one: one.start) == marks
    for lane in range(1 + max(one.lane for one in placed)):
        here = [(one.marks[0].start / 1000 * size.width, one.label) for one in placed if one.lane == lane]
        for (x, label), (after, _) in pairwise(here):
            assert after >= x + (13 if not label else 13 + 6 * len(label))
    assert any(one.label for one in placed)


def test_marks_that_would_hide_each_other_are_one_that_looks_like_the_worst() -> None:
    marks = [mark(0.01 * n)._replace(color=BAD if n == 9 else GOOD, link=f"e{n}") for n in range(12)]
    placed = gathered(marks, 1000.0, WIDE)
    assert len(placed) == 5
    many = max(placed, key=lambda one: len(one.marks))
    assert many.label == f"+{len(many.marks) - 1}"
    assert [one.first.color for one in placed if marks[9] in one.marks] == [BAD]
    shares = np.array([[1.0, 0, 0, 0, 0, 0, 0]])
    svg = drawn(timeline_chart([0, 1000], shares[:, :4], shares, marks, WIDE, []), "x", {f"e{n}": f"card {n}" for n in range(12)})
    assert f'data-all="{" ".join(one.link for one in many.marks)}"' in svg
    assert ". ".join(f"card {one.link[1:]}" for one in many.marks) in svg


def test_ten_times_better_is_one_line_higher_and_what_misses_the_target_is_filled() -> None:
    chart = fleet_chart([0, 1, 2, 3, 4], [0.9, 0.99, None, 1.0], 0.999, WIDE, [])
    area, rule, line = (layer for layer in chart["layer"])
    assert [value["y"] for value in line["data"]["values"]] == pytest.approx([1, 2, None, 4, 4])
    assert [value["y"] for value in area["data"]["values"]] == pytest.approx([1, 2, 3, 3, 3])
    assert rule["data"]["values"][0]["y"] == pytest.approx(3)
    assert line["encoding"]["y"]["axis"]["labelExpr"] == "['90 %','99 %','99.9 %','100 %'][datum.value - 1]"


def test_ticks_are_midnights_of_the_zone_across_a_clock_change() -> None:
    since, until = midnight(date(2026, 10, 24), BERLIN), midnight(date(2026, 10, 28), BERLIN)
    found = ticks(since, until, BERLIN, 5)
    assert [(tick.at, tick.label) for tick in found] == [
        (0, "24 Oct"),
        (86_400, "25 Oct"),
        (176_400, "26 Oct"),
        (262_800, "27 Oct"),
    ]


@pytest.mark.parametrize(("days", "most"), [(1, 9), (3, 4), (30, 9), (365, 9), (365, 4), (4000, 4)])
def test_there_are_some_ticks_and_not_too_many(days: int, most: int) -> None:
    since = parse_time("2026-01-01T00:30:00Z")
    found = ticks(since, since + days * DAY, ZoneInfo("UTC"), most)
    assert 1 <= len(found) <= most
    assert len({tick.label for tick in found}) == len(found)


def test_hours_are_coloured_by_the_worst_of_them() -> None:
    cells = Cells(np.arange(4), np.zeros(4, np.int64), np.array([0, 1, 100, 0]), np.array([100, 1000, 1000, 0]))
    assert bounds(cells)[-1] == pytest.approx(0.1)
    chart = heat_chart(["a", "b", "c", "d"], ["x"], cells, WIDE, [0])
    assert [value["f"] for value in chart["data"]["values"]] == ["var(--h0)", "var(--h1)", "var(--h5)", "var(--none)"]


def test_a_drawing_holds_no_script_whatever_a_name_is() -> None:
    hostile = "</text><script>alert(1)</script>\" onload='x'"
    shares = np.array([[1.0, 0, 0, 0, 0, 0, 0]])
    chart = timeline_chart([0, 100], shares[:, :4], shares, [mark(5, hostile)], WIDE, [])
    svg = drawn(chart, hostile, {"e0": hostile})
    assert "<script" not in svg
    assert svg.count("&lt;script&gt;") == 2 or "&lt;script" in svg
    assert 'href="#e0"' in svg
    assert "http" not in svg


def test_marks_left_out_are_those_with_the_least_time() -> None:
    def row(start: int, excused: float, counted: float, name: str = "a") -> dict[str, object]:
        none = dict.fromkeys(MARKS.names)
        times = {"excused_seconds": excused, "counted_seconds": counted, "removed_seconds": 0.0}
        return none | {"scale_set_id": name, "start": start * SECOND} | times

    given = [row(1, 0, 0), row(2, 9, 0), row(3, 8, 0), row(4, 0, 2), row(5, 0, 3), row(6, 1, 1), row(7, 0, 0, "b")]
    kept = _capped(pa.Table.from_pylist(given, MARKS), 3)
    assert [(to_micros(r["start"]) // SECOND, r["of"]) for r in kept.to_pylist()] == [(2, 6), (4, 6), (5, 6), (7, 1)]
    assert rows(kept)


def test_the_edges_of_a_day_are_those_of_its_hours() -> None:
    since = midnight(date(2026, 10, 25), BERLIN)
    assert hours_of(runs([since], [since + DAY], up=[1]), since, since + DAY, BERLIN).edges == period_edges(
        since, since + DAY, "hour", BERLIN
    )
