"""Counted time of all scale sets by the hours of a time zone (rules: Counts)."""

from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from schemas.time import from_micros
from transforms.core.columns.arrow import Ints
from transforms.core.report.calendar import period_edges
from transforms.core.report.series import Runs
from transforms.core.report.spells import no_spells
from transforms.core.report.sums import TIMES, sum_times

_BAD = ("degraded", "unavailable", "overrun")


class Hours(NamedTuple):
    """One entry an hour of the period, ascending; instance time in microseconds."""

    edges: tuple[int, ...]
    """Where they begin, and where the last one ends."""
    days: tuple[date, ...]
    """The day of each, on the clocks of the zone."""
    hours: Ints
    """The hour of the day of each, 0 to 23."""
    bad: Ints
    expected: Ints
    """up + bad."""
    excused: Ints


class Cells(NamedTuple):
    """Hours summed into the cells of a heat map; one entry for each cell that has any."""

    row: Ints
    column: Ints
    bad: Ints
    expected: Ints


def hours_of(runs: Runs, since: int, until: int, zone: ZoneInfo) -> Hours:
    """The hours of a period.

    Args:
        runs: the series, clipped to the period.
        since: where it begins, in microseconds.
        until: where it ends.
        zone: the time zone of the hours; where clocks go back, an hour comes twice.
    """
    edges = period_edges(since, until, "hour", zone)
    local = [from_micros(edge).astimezone(zone) for edge in edges[:-1]]
    time = dict(zip(TIMES, sum_times(runs, edges, no_spells(len(runs.ids)), False).by_period.T, strict=True))
    bad: Ints = sum(time[name] for name in _BAD)
    hours = np.array([moment.hour for moment in local], np.int64)
    return Hours(edges, tuple(moment.date() for moment in local), hours, bad, bad + time["up"], time["excused"])


def by_day_and_hour(hours: Hours) -> tuple[list[date], Cells]:
    """One row for each day, one column for each hour of the day."""
    days = sorted(set(hours.days))
    row = np.searchsorted(_ordinals(days), _ordinals(hours.days))
    return days, _cells(hours, row, hours.hours)


def by_weekday_and_hour(hours: Hours) -> Cells:
    """One row for each weekday from Monday on, one column for each hour of the day."""
    return _cells(hours, (_ordinals(hours.days) - 1) % 7, hours.hours)


def by_weekday_and_week(hours: Hours) -> tuple[list[date], Cells]:
    """One row for each weekday, one column for each week; and the Mondays of the weeks."""
    ordinals = _ordinals(hours.days)
    monday = ordinals - (ordinals - 1) % 7
    first = int(monday.min())
    weeks = (monday - first) // 7
    mondays = [date.fromordinal(first + 7 * week) for week in range(int(weeks.max()) + 1)]
    return mondays, _cells(hours, (ordinals - 1) % 7, weeks)


def _cells(hours: Hours, row: Ints, column: Ints) -> Cells:
    width = int(column.max()) + 1
    key = row * width + column
    used = np.unique(key)
    place = np.searchsorted(used, key)
    sums = [np.zeros(len(used), np.int64) for _ in range(2)]
    for total, times in zip(sums, (hours.bad, hours.expected), strict=True):
        np.add.at(total, place, times)
    return Cells(used // width, used % width, *sums)


def _ordinals(days: "tuple[date, ...] | list[date]") -> Ints:
    return np.array([day.toordinal() for day in days], np.int64)
