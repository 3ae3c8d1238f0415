"""Months with a clock change, computed by hand: two instances, one of which is away while the clocks are changed."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from schemas.policy import Policy
from schemas.time import HOUR, SECOND, to_micros
from schemas.timestamp import parse_time
from tests.support.build import EPOCH, down, to_batch, up
from tests.support.report_rows import report_rows
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.report.calendar import label, midnight, period_edges
from transforms.core.report.report import build_report
from transforms.core.report.request import Report, ReportRequest


def month_of(zone_name: str, year: int, month: int, away: tuple[str, str], by: str) -> Report:
    """The report of a month in a zone: instances 1 and 2 are there since before, 1 is away between two moments (UTC)."""
    zone = ZoneInfo(zone_name)
    since, until = midnight(date(year, month, 1), zone), midnight(date(year + month // 12, month % 12 + 1, 1), zone)
    start, end = ((parse_time(text) - EPOCH) / SECOND for text in away)
    events = [*up((since - EPOCH) / SECOND - 86_400, "1", "2"), *down(start, "1"), *up(end, "1")]
    tables = evaluate(to_batch(events), Policy(), -(-until // HOUR) * HOUR + HOUR)
    a, b, c = (pa.Table.from_batches([t]) for t in (tables.availability, tables.attributions, tables.operations))
    return build_report(report_rows(a, b, c), ReportRequest(period_edges(since, until, by, zone), by, zone_name, 0.999))


CASES = {
    # 31 days and the hour that comes twice: 02:30 summer time to 02:30 winter time is one hour away.
    "October in Berlin": (
        "Europe/Berlin", 2026, 10, ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"), 745.0, 25.0, "2026-10-25", 1.0,
    ),
    # 31 days less the hour that there is not: 01:30 winter time to 03:30 summer time is one hour away.
    "March in Berlin": (
        "Europe/Berlin", 2026, 3, ("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"), 743.0, 23.0, "2026-03-29", 1.0,
    ),
    # From +11:00 to +10:30 at 02:00 on 5 April: 01:00 to 02:00 on the clocks is one and a half hours away.
    "April on Lord Howe": (
        "Australia/Lord_Howe", 2026, 4, ("2026-04-04T14:00:00Z", "2026-04-04T15:30:00Z"), 720.5, 24.5, "2026-04-05", 1.5,
    ),
    # And back at 02:00 on 4 October: 01:30 to 03:00 on the clocks is one hour away.
    "October on Lord Howe": (
        "Australia/Lord_Howe", 2026, 10, ("2026-10-03T15:00:00Z", "2026-10-03T16:00:00Z"), 743.5, 23.5, "2026-10-04", 1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_month_is_as_long_as_its_clocks_make_it(case: str) -> None:
    zone, year, month, away, hours, odd, day, lost = CASES[case]
    made = month_of(zone, year, month, away, "day")
    fleet, days = made.fleet.to_pylist()[0], {row["period_start"]: row for row in made.periods.to_pylist()}
    named = {label(to_micros(start), "day", ZoneInfo(zone)): row for start, row in days.items()}
    assert fleet["up_seconds"] == (2 * hours - lost) * 3600
    assert fleet["availability"] == pytest.approx((2 * hours - lost) / (2 * hours))
    assert fleet["budget_seconds"] == pytest.approx(2 * hours * 3.6)
    assert fleet["mttr_seconds"] == lost * 3600
    assert fleet["mtbf_seconds"] == fleet["up_seconds"]
    assert fleet["interruptions_per_vm_year"] == pytest.approx(365 * 24 / (2 * hours))
    total = {name: (row["up_seconds"] + row["bad_seconds"]) / 3600 for name, row in named.items()}
    assert total == {name: 2 * odd if name == day else 48.0 for name in named}
    assert {name: row["bad_seconds"] / 3600 for name, row in named.items() if row["bad_seconds"]} == {day: lost}
    assert named[day]["availability"] == pytest.approx((2 * odd - lost) / (2 * odd))


def test_hours_of_the_day_of_the_half_hour_hold_what_was_lost_in_each() -> None:
    """Lord Howe's hour from 01:00 to 02:00 comes with half of itself again: 90 minutes, all of them lost by one of two."""
    made = month_of("Australia/Lord_Howe", 2026, 4, ("2026-04-04T14:00:00Z", "2026-04-04T15:30:00Z"), "hour")
    lost = [row for row in made.periods.to_pylist() if row["bad_seconds"]]
    assert [(row["period_end"] - row["period_start"], row["bad_seconds"], row["availability"]) for row in lost] == [
        (timedelta(minutes=90), 5400, 0.5)
    ]
    assert_without_gaps(made.periods.to_pylist())


def assert_without_gaps(periods: list[dict[str, Any]]) -> None:
    bounds: list[tuple[datetime, datetime]] = [(row["period_start"], row["period_end"]) for row in periods]
    assert all(end == start for (_, end), (start, _) in pairwise(bounds))
