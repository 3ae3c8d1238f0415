"""Rules of the report's figures, each by a case that is readable at a glance."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from schemas.policy import Policy
from schemas.time import MINUTE, SECOND
from tests.support.build import EPOCH, Event, at, degraded, down, fallen, fault, op, signal, spanning, to_batch, unknown, up
from tests.support.report_rows import report_rows
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.report.report import as_json, build_report
from transforms.core.report.request import Report, ReportRequest

Row = dict[str, Any]


def report(
    *told: Event | list[Event], since: float = 0, until: float = 86_400, T: float = 86_400, edges: Any = None, **more: Any
) -> Report:
    """The report of events in seconds of a timeline."""
    events = [event for one in told for event in ([one] if isinstance(one, dict) else one)]
    tables = evaluate(to_batch(events), Policy(), at(T))
    a, b, c = (pa.Table.from_batches([t]) for t in (tables.availability, tables.attributions, tables.operations))
    moments = tuple(at(edge) for edge in edges or (since, until))
    return build_report(report_rows(a, b, c), ReportRequest(moments, "day", "UTC", 0.999, 2 * MINUTE, **more))


def fleet(*told: Event | list[Event], **more: Any) -> Row:
    return dict(report(*told, **more).fleet.to_pylist()[0])


def dips(number: int, seconds: int) -> list[Event]:
    """An instance beside a healthy one, unavailable a number of times, an hour apart."""
    events = up(0, "1", "2")
    for n in range(1, number + 1):
        events += [*down(n * 3600, "1"), *up(n * 3600 + seconds, "1")]
    return events


def test_many_short_outages_and_one_long_one_of_the_same_time_look_different() -> None:
    many, one = fleet(dips(20, 180)), fleet(dips(1, 3600))
    assert many["availability"] == one["availability"] == pytest.approx(1 - 3600 / 172_800)
    assert (many["worst_minute"], one["worst_minute"]) == (0.5, 0.5)
    assert (many["worst_hour"], one["worst_hour"]) == (pytest.approx(1 - 180 / 7200), 0.5)
    assert many["worst_day"] == one["worst_day"] == many["availability"]
    assert many["worst_week"] is None
    assert (many["interruptions"], one["interruptions"]) == (20, 1)
    assert (many["mttr_seconds"], one["mttr_seconds"]) == (180, 3600)
    assert many["mtbf_seconds"] == (172_800 - 3600) / 20
    assert many["interruptions_per_vm_year"] == 20 / 2 * 365


def test_a_window_slides_and_is_not_bound_to_the_hour() -> None:
    line = fleet(up(0, "1"), down(5400, "1"), up(9000, "1"))
    assert (line["worst_hour"], line["worst_hour_start"].timestamp() - EPOCH / SECOND) == (0, 5400)


def test_a_set_that_is_first_seen_while_it_is_bad_was_not_bad_all_day() -> None:
    """For two minutes of the 6 hours that are known: the worst hour is known too, and the worst day is none."""
    new = [signal(64_800, "1", "Unavailable", scale_set="b"), signal(64_920, "1", "Available", scale_set="b")]
    made = report(up(0, "1"), new)
    (line,) = (row for row in made.sets.to_pylist() if row["scale_set_id"] == "b")
    assert (line["worst_minute"], line["worst_hour"], line["worst_day"]) == (0, 1 - 120 / 3600, None)
    assert made.fleet.to_pylist()[0]["worst_day"] == 1 - 120 / (86_400 + 21_600)


def test_a_window_does_not_reach_beyond_what_is_known() -> None:
    """Two minutes were bad before the end of what is known; the period goes on for a day."""
    line = fleet(up(0, "1"), down(86_280, "1"), until=172_800)
    assert (line["worst_minute"], line["worst_hour"], line["worst_week"]) == (0, 1 - 120 / 3600, None)


def test_ratios_are_of_sums_never_means_of_ratios() -> None:
    line = fleet(up(0, "1"), down(3600 - 10, "1"), [signal(0, str(n), "Available", scale_set="b") for n in range(99)], until=3600)
    assert line["availability"] == pytest.approx(1 - 10 / 360_000)


def test_where_nothing_is_expected_a_ratio_is_null() -> None:
    line = fleet(unknown(0, "1"))
    ratios = ("raw_availability", "availability", "availability_excused_up", "availability_operations_out", "budget_spent")
    rates = ("mttr_seconds", "mtbf_seconds", "interruptions_per_vm_year", "worst_minute")
    assert {line[name] for name in (*ratios, *rates)} == {None}
    assert line["unknown_seconds"] == 86_400


def test_no_rows_at_all_give_a_report_of_nothing() -> None:
    empty = report(op(0, "restart", "started", "1"))
    assert (len(empty.sets), empty.fleet["availability"][0].as_py(), len(empty.set_periods)) == (0, None, 0)


def test_the_three_conventions_come_from_the_same_seconds() -> None:
    restarted = [*spanning(3600, 3900, "restart", "1"), *down(3610, "1"), *up(3910, "1")]
    line = fleet(up(0, "1", "2"), restarted, down(4000, "2"), up(4100, "2"), until=7200)
    up_, bad, excused, window = 14_400 - 300 - 100, 100, 300, 300 + 900
    assert line["availability"] == pytest.approx(up_ / (up_ + bad))
    assert line["availability_excused_up"] == pytest.approx((up_ + excused) / (up_ + excused + bad))
    outside = 14_400 - 2 * window
    assert (line["outside_up_seconds"], line["outside_bad_seconds"]) == (outside, 0)
    assert line["availability_operations_out"] == 1


def test_an_operation_that_does_not_excuse_leaves_nothing_out() -> None:
    line = fleet(up(0, "1"), spanning(3600, 3900, "maintenance", "1", by="platform"), down(3610, "1"), up(3910, "1"))
    assert line["availability_operations_out"] == line["availability"] < 1


def test_an_overrun_is_an_interruption_from_its_limit_on() -> None:
    told = (up(0, "1"), spanning(3600, 3900, "restart", "1"), down(3610, "1"), up(9000, "1"))
    limit = 3900 + 900
    line = fleet(*told)
    assert (line["interruptions"], line["repaired"], line["repair_seconds"]) == (1, 1, 9000 - limit)
    assert fleet(*told, until=limit)["interruptions"] == 0
    assert fleet(*told, until=limit + 1e-6)["interruptions"] == 1
    assert fleet(*told, since=limit)["interruptions"] == 1
    assert fleet(*told, since=limit + 1e-6)["interruptions"] == 0


def test_an_interruption_is_repaired_in_the_period_in_which_it_ends() -> None:
    told = (up(0, "1"), down(100, "1"), up(5000, "1"))
    assert (fleet(*told, until=5000)["repaired"], fleet(*told, since=5000)["repaired"]) == (0, 1)
    late = fleet(*told, since=5000)
    assert (late["interruptions"], late["repair_seconds"], late["mttr_seconds"], late["mtbf_seconds"]) == (0, 4900, 4900, None)


@pytest.mark.parametrize("state", ["explained", "removed", "Unknown"])
def test_what_does_not_count_is_no_interruption(state: str) -> None:
    told = {
        "explained": fallen(spanning(10, 20, "restart", "1"), up(100, "1")),
        "removed": [*up(0, "1"), *spanning(10, 20, "deallocate", "1"), *down(15, "1"), *up(50_000, "1")],
        "Unknown": [*up(0, "1"), *unknown(10, "1"), *up(100, "1")],
    }
    assert fleet(told[state])["interruptions"] == 0


def test_the_set_itself_is_no_instance() -> None:
    line = fleet(up(0, None, "1"), down(100, None), up(200, None))
    assert (line["interruptions"], line["bad_seconds"]) == (0, 0)


def test_an_outage_still_open_counts_and_is_not_repaired() -> None:
    line = fleet(fallen())
    assert (line["interruptions"], line["repaired"], line["mttr_seconds"], line["still_open"]) == (1, 0, None, 1)


def test_what_is_still_open_when_a_period_ends_is_told_of_each() -> None:
    """Down from 100 to 2.5 hours, in periods of an hour; the microsecond of the repair belongs to the time after it."""
    made = report(up(0, "1"), down(100, "1"), up(9000, "1"), edges=(0, 3600, 7200, 9000, 10_800))
    assert made.periods["still_open"].to_pylist() == made.set_periods["still_open"].to_pylist() == [1, 1, 1, 0]
    assert (made.sets["still_open"].to_pylist(), made.fleet["still_open"].to_pylist()) == ([0], [0])
    assert fleet(up(0, "1"), down(100, "1"), up(9000, "1"), until=9000 + 1e-6)["still_open"] == 0
    assert fleet(up(0, "1"), down(100, "1"), up(9000, "1"), until=100)["still_open"] == 0
    assert fleet(up(0, "1"), down(100, "1"), up(9000, "1"), until=100 + 1e-6)["still_open"] == 1


def test_an_overrun_is_still_open_from_its_limit_on() -> None:
    told = (up(0, "1"), spanning(3600, 3900, "restart", "1"), down(3610, "1"), up(9000, "1"))
    assert [fleet(*told, until=until)["still_open"] for until in (4000, 4800, 4800 + 1e-6, 9000)] == [0, 0, 1, 1]


def test_a_row_that_ends_where_nothing_more_is_known_is_not_repaired() -> None:
    """A long outage is cut after a week; where that is T, no row goes on yet, and the end of the period lies behind it."""
    week = 7 * 86_400
    line = fleet(up(0, "1"), down(100, "1"), until=week + 7200, T=week + 3600)
    assert (line["interruptions"], line["repaired"], line["still_open"]) == (1, 0, 1)


def test_a_set_of_which_nothing_is_known_in_the_period_is_none() -> None:
    """Its outage ended where the period begins: it has a row of the week before, and no series."""
    week = 7 * 86_400
    told = to_batch([*up(0, "1"), *down(100, "1")])
    ended = evaluate(told, Policy(), at(week + 3600))
    lives = evaluate(to_batch([signal(0, "1", "Available", scale_set="b")]), Policy(), at(2 * week))
    a, b, c = (
        pa.concat_tables([pa.Table.from_batches([getattr(t, n)]) for t in (ended, lives)])
        for n in ("availability", "attributions", "operations")
    )
    here = a.filter(pc.greater(a["end"], pa.scalar(at(week + 3600), pa.int64()).cast(a["end"].type)))
    told = report_rows(here.unify_dictionaries(), b.unify_dictionaries(), c)
    made = build_report(told, ReportRequest((at(week + 3600), at(2 * week)), "day", "UTC"))
    assert (made.sets["scale_set_id"].to_pylist(), made.fleet["repaired"].to_pylist()) == (["b"], [0])


def test_an_outage_that_is_continued_in_further_rows_is_one() -> None:
    day = 86_400
    line = fleet(up(0, "1"), down(100, "1"), up(20 * day, "1"), until=21 * day, T=21 * day)
    assert (line["interruptions"], line["repaired"], line["repair_seconds"]) == (1, 1, 20 * day - 100)
    for since in (1, 7, 8, 14, 15):
        part = fleet(up(0, "1"), down(100, "1"), up(20 * day, "1"), since=since * day, until=(since + 1) * day, T=21 * day)
        assert (part["interruptions"], part["repaired"], part["bad_seconds"]) == (0, 0, day)


def test_the_budget_is_what_the_target_leaves() -> None:
    line = fleet(up(0, "1"), down(100, "1"), up(100 + 43.2, "1"))
    assert line["budget_seconds"] == pytest.approx(86.4)
    assert line["budget_spent"] == pytest.approx(0.5)
    assert line["budget_left_seconds"] == pytest.approx(43.2)


def test_causes_are_told_by_verdict_verb_and_initiator_and_what_counts_comes_first() -> None:
    restarted = [*spanning(10, 300, "restart", "1"), *down(20, "1"), *up(320, "1")]
    rows = report(up(0, "1", "2"), restarted, fault(1000, "2"), degraded(1000, "2"), up(1100, "2")).causes.to_pylist()
    columns = ("verdict", "verb", "initiator", "episodes", "excused_seconds", "counted_seconds")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("fault", None, None, 1, 0, 100),
        ("explained", "restart", "customer", 1, 300, 0),
    ]


def test_time_of_a_cause_that_is_cut_by_the_period_is_only_that_within() -> None:
    told = (up(0, "1"), spanning(3600, 3900, "restart", "1"), down(3610, "1"), up(9000, "1"))
    (row,) = report(*told, since=4000, until=5000).causes.to_pylist()
    assert (row["episodes"], row["excused_seconds"], row["counted_seconds"]) == (0, 800, 200)


def test_chance_is_the_rate_where_no_operation_is_times_the_windows() -> None:
    """Four instances for a day; a restart of one of them; three onsets without any operation, one within its window."""
    told = (
        up(0, "1", "2", "3", "4"),
        spanning(40_000, 40_300, "restart", "1"),
        [e for n in (10_000, 20_000, 30_000) for e in (*down(n, "2"), *up(n + 60, "2"))],
        down(40_010, "1"),
        up(40_310, "1"),
    )
    (row,) = report(*told).chance.to_pylist()
    window = 120 + 300 + 900
    outside = 4 * 86_400 - window
    assert (row["verb"], row["state"], row["operations"], row["onsets"]) == ("restart", "Unavailable", 1, 1)
    assert (row["window_seconds"], row["outside_seconds"], row["outside_onsets"]) == (window, outside, 3)
    assert row["expected"] == pytest.approx(3 * window / outside)
    assert row["share"] == pytest.approx(3 * window / outside)


def test_a_set_that_flaps_does_not_hide_behind_quiet_ones() -> None:
    """An operation explains onsets of a set that has them all the time: chance gives as many, whatever other sets do."""
    flaps = [e for n in range(600, 86_400, 600) for e in (*down(n, "1"), *up(n + 1, "1"))]
    quiet = [signal(0, str(n), "Available", scale_set="b") for n in range(50)]
    (row,) = (
        r for r in report(up(0, "1"), flaps, spanning(43_000, 46_000, "restart", "1"), quiet).chance.to_pylist() if r["onsets"]
    )
    assert row["share"] == pytest.approx(1, rel=0.2)


def test_windows_of_one_verb_that_overlap_hold_no_instance_twice() -> None:
    told = (
        up(0, "1", "2"),
        spanning(1000, 1300, "restart", "1", key="a"),
        spanning(1000, 1300, "restart", "1 2", key="b"),
        down(5, "2"),
        up(6, "2"),
    )
    rows = report(*told).chance.to_pylist()
    assert {row["window_seconds"] for row in rows} == {2 * (120 + 300 + 900)}


def test_what_is_removed_gives_no_chance_of_an_onset() -> None:
    """Two of three are deallocated all day but for an hour: from then on only the third can have one."""
    told = (
        up(0, "1", "2", "3"),
        spanning(3600, 3700, "deallocate", "1 2"),
        [e for n in (40_000, 50_000) for e in (*down(n, "3"), *up(n + 60, "3"))],
    )
    (row,) = report(*told).chance.to_pylist()
    window = 2 * 120 + 1000  # two named ones, and from the removal to the limit the one that is left
    assert (row["window_seconds"], row["outside_seconds"]) == (window, 3 * 3600 + 82_800 - window)
    assert row["expected"] == pytest.approx(2 * window / row["outside_seconds"])


def test_coverage_is_of_what_is_known_of_the_period() -> None:
    rows = report(up(0, "1"), up(100, "2"), since=-50_000, until=90_000, T=86_400).coverage.to_pylist()
    assert [(row["counted_at_start"], row["counted_at_end"]) for row in rows] == [(1, 2)]


def test_coverage_says_what_the_inventory_names() -> None:
    named = ({"a": 5, "c": 2}, {"a": 1, "c": 0})
    rows = report(up(0, "1"), up(100, "2"), inventory=named).coverage.to_pylist()
    assert rows == [
        {"scale_set_id": "a", "counted_at_start": 1, "counted_at_end": 2, "inventory_at_start": 5, "inventory_at_end": 1},
        {"scale_set_id": "c", "counted_at_start": 0, "counted_at_end": 0, "inventory_at_start": 2, "inventory_at_end": 0},
    ]


def test_worst_sets_come_first_by_counted_time() -> None:
    told = [signal(0, "1", "Available", scale_set=s) for s in "abc"] + [signal(10, "1", "Unavailable", scale_set=s) for s in "bc"]
    told += [signal(20, "1", "Available", scale_set="b")]
    assert report(told).sets["scale_set_id"].to_pylist() == ["c", "b", "a"]


def test_json_has_plain_values_only() -> None:
    made = as_json(report(fallen()))
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["period"]["since"] == "2027-01-15T00:00:00Z"
    assert made["scale_sets"][0]["worst_hour_start"].endswith("Z")
    assert set(made["meaning"]) <= set(made["fleet"])
