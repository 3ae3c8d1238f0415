"""Periods of a calendar: hours, days, weeks and months of a time zone, also where its clocks change."""

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from schemas.time import DAY, HOUR, MINUTE, parse_duration
from schemas.timestamp import parse_time
from transforms.core.report.calendar import fitting, label, midnight, period_edges

BERLIN = ZoneInfo("Europe/Berlin")


def month(year: int, number: int, zone: ZoneInfo) -> tuple[int, int]:
    return midnight(date(year, number, 1), zone), midnight(date(year + number // 12, number % 12 + 1, 1), zone)


def lengths(edges: tuple[int, ...], unit: int) -> list[float]:
    return [(end - start) / unit for start, end in pairwise(edges)]


@pytest.mark.parametrize(("number", "hours", "change", "that_day"), [(10, 745, 24, 25), (3, 743, 28, 23), (6, 720, 0, 24)])
def test_a_month_with_a_clock_change_has_a_day_of_23_or_25_hours(number: int, hours: int, change: int, that_day: int) -> None:
    since, until = month(2026, number, BERLIN)
    assert (until - since) / HOUR == hours
    days = lengths(period_edges(since, until, "day", BERLIN), HOUR)
    assert days[change] == that_day
    assert sorted(set(days)) == sorted({24, that_day})
    assert sum(days) == hours
    assert lengths(period_edges(since, until, "hour", BERLIN), HOUR) == [1] * hours


def test_weeks_begin_on_monday_at_local_midnight() -> None:
    since, until = month(2026, 10, BERLIN)
    edges = period_edges(since, until, "week", BERLIN)
    assert [label(edge, "day", BERLIN) for edge in edges[:-1]] == [
        "2026-10-01",
        "2026-10-05",
        "2026-10-12",
        "2026-10-19",
        "2026-10-26",
    ]
    assert lengths(edges, HOUR) == [4 * 24, 168, 168, 169, 6 * 24]


def test_months_begin_on_their_first_local_day() -> None:
    edges = period_edges(
        parse_time("2026-01-15T12:00:00Z"), parse_time("2027-01-01T00:00:00Z"), "month", ZoneInfo("America/New_York")
    )
    assert [label(edge, "month", ZoneInfo("America/New_York")) for edge in edges[:-1]] == [f"2026-{n:02}" for n in range(1, 13)]
    assert edges[1] == parse_time("2026-02-01T05:00:00Z")
    assert edges[4] == parse_time("2026-05-01T04:00:00Z")


def test_where_clocks_jump_over_midnight_the_day_begins_with_the_jump() -> None:
    zone = ZoneInfo("Africa/Cairo")  # 2026-04-24 00:00 is 01:00
    edges = period_edges(midnight(date(2026, 4, 23), zone), midnight(date(2026, 4, 26), zone), "day", zone)
    assert edges[1] == parse_time("2026-04-23T22:00:00Z")
    assert lengths(edges, HOUR) == [24, 23, 24]


def test_hours_of_a_zone_between_full_hours_begin_on_its_own_clocks() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    edges = period_edges(parse_time("2026-01-01T00:00:00Z"), parse_time("2026-01-01T03:00:00Z"), "hour", zone)
    assert lengths(edges, MINUTE) == [30, 60, 60, 30]


def test_a_change_by_half_an_hour_makes_one_hour_of_30_or_90_minutes() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    for day, odd, hours in ((date(2026, 4, 5), 90, 24.5), (date(2026, 10, 4), 30, 23.5)):
        edges = period_edges(midnight(day, zone), midnight(date(day.year, day.month, day.day + 1), zone), "hour", zone)
        assert sorted(set(lengths(edges, MINUTE))) == sorted({60, odd})
        assert len(edges) - 1 == 24
        assert sum(lengths(edges, HOUR)) == hours


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    edges = period_edges(parse_time("2026-10-25T00:00:00Z"), parse_time("2026-10-25T02:00:00Z"), "hour", BERLIN)
    assert [label(edge, "hour", BERLIN) for edge in edges[:-1]] == ["2026-10-25 02:00+02:00", "2026-10-25 02:00+01:00"]


def test_an_edge_is_a_moment_between_since_and_until_only() -> None:
    since = parse_time("2026-01-01T00:00:00Z")
    for by in ("hour", "day", "week", "month"):
        assert period_edges(since, since + 1, by, ZoneInfo("UTC")) == (since, since + 1)
    assert period_edges(since - 1, since + 1, "day", ZoneInfo("UTC")) == (since - 1, since, since + 1)
    assert period_edges(since, since + 2 * DAY, "day", ZoneInfo("UTC")) == (since, since + DAY, since + 2 * DAY)


def test_a_week_is_named_by_the_year_it_belongs_to() -> None:
    assert label(parse_time("2026-12-28T00:00:00Z"), "week", ZoneInfo("UTC")) == "2026-W53"
    assert label(parse_time("2027-01-03T00:00:00Z"), "week", ZoneInfo("UTC")) == "2026-W53"


@pytest.mark.parametrize(("length", "by"), [("1h", "hour"), ("48h", "hour"), ("49h", "day"), ("62d", "day"), ("63d", "month")])
def test_a_period_is_told_by_what_suits_its_length(length: str, by: str) -> None:
    assert fitting(DAY, DAY + parse_duration(length)) == by


def test_a_day_that_a_zone_leaves_out_is_none() -> None:
    zone = ZoneInfo("Pacific/Apia")  # 2011-12-30 was none
    edges = period_edges(midnight(date(2011, 12, 29), zone), midnight(date(2012, 1, 1), zone), "day", zone)
    assert lengths(edges, HOUR) == [24, 24]
