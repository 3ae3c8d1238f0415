"""Heat maps of when time counted: hour by hour where the period is short, else by day and by hour of the week."""

from collections.abc import Sequence
from datetime import date
from math import ceil, floor, log10
from typing import Final, NamedTuple

from runners.page.charts import NARROW, SIZES, ChartSize, bounds, heat_chart
from runners.page.drawing import drawn
from runners.report.sections import length, percent
from schemas.time import SECOND
from transforms.core.report.charts.heat import Cells, Hours, by_day_and_hour, by_weekday_and_hour, by_weekday_and_week

MOST_DAYS: Final = 42
"""Days that have a row each; a longer period is told by the days of its weeks."""
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKS: Final = 3
"""Whose width the name of a month takes."""
_CLOCK: Final = tuple(f"{hour:02}" for hour in range(24))


class Heat(NamedTuple):
    """A heat map."""

    title: str
    """Empty if it is the only one."""
    drawn: str
    keys: list[tuple[str, str]]
    """Its colours, and what each is for."""


def heats_of(hours: Hours) -> list[Heat]:
    """The heat maps of a period."""
    days, cells = by_day_and_hour(hours)
    if len(days) <= MOST_DAYS:
        rows = [f"{day:%a} {day.day} {day:%b}" for day in days]
        return [Heat("", _drawn("Each hour of each day", rows, _CLOCK, cells, [f"{hour}:00" for hour in _CLOCK]), _keys(cells))]
    mondays, weeks = by_weekday_and_week(hours)
    week = by_weekday_and_hour(hours)
    monday_of = [f"in the week of {monday}" for monday in mondays]
    by_day = _drawn("Each day, in columns of weeks", _WEEKDAYS, _months(mondays), weeks, monday_of)
    by_hour = _drawn("Each hour of the week", _WEEKDAYS, _CLOCK, week, [f"{hour}:00" for hour in _CLOCK])
    return [Heat("By day", by_day, _keys(weeks)), Heat("By hour of the week, all weeks together", by_hour, _keys(week))]


def _keys(cells: Cells) -> list[tuple[str, str]]:
    texts = ["nothing", *(f"up to {_short(bound)} %" for bound in bounds(cells))]
    return [(f"var(--h{place})", text) for place, text in enumerate(texts)]


def _short(share: float) -> str:
    """A share in percent, rounded up to two digits.

    >>> _short(0.012345), _short(0.5)
    ('1.3', '50')
    """
    digits = max(1 - floor(log10(share * 100)), 0)
    return f"{ceil(round(share * 100 * 10**digits, 6)) / 10**digits:.{digits}f}"


def _drawn(what: str, rows: Sequence[str], columns: Sequence[str], cells: Cells, called: Sequence[str]) -> str:
    titles = [
        f"{rows[r]} {called[c]}: {length(bad / SECOND)} counted, {percent(bad / expected if expected else None)} % of the time"
        for r, c, bad, expected in zip(*(column.tolist() for column in cells), strict=True)
    ]
    told = f"Heat map. {what}: the part of the machine time that counts."
    charts = []
    for size in SIZES:
        shown = _shown(columns, size)
        charts.append(drawn(heat_chart(rows, columns, cells, size, shown), told, titles=titles, look=f"chart heat {size.name}"))
    return "".join(charts)


def _shown(columns: Sequence[str], size: ChartSize) -> list[int]:
    """The columns that are labelled: as many as there is room for."""
    named = [place for place, name in enumerate(columns) if name]
    return named[:: (6 if size is NARROW else 2) if columns is _CLOCK else (3 if size is NARROW else 1)]


def _months(mondays: Sequence[date]) -> list[str]:
    """Names of months, each above the first week that begins in it; left out where the next one follows too closely."""
    first = [place for place, monday in enumerate(mondays) if place == 0 or monday.month != mondays[place - 1].month]
    roomy = {place for place, then in zip(first, [*first[1:], len(mondays)], strict=True) if then - place >= _WEEKS}
    return [f"{monday:%b}" if place in roomy else "" for place, monday in enumerate(mondays)]
