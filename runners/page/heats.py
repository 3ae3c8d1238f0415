"""Heat maps of the worst hours: hour by hour where the period is short, else by day and by hour of the week."""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from runners.page.charts import NARROW, SIZES, heat_chart
from runners.page.drawing import drawn
from runners.report_sections import length, percent
from schemas.time import SECOND
from transforms.core.report.heat import Cells, Hours, by_day_and_hour, by_weekday_and_hour, by_weekday_and_week

MOST_DAYS: Final = 42
"""Days that have a row each; a longer period is told by the days of its weeks."""
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CLOCK: Final = tuple(f"{hour:02}" for hour in range(24))


class Heat(NamedTuple):
    """A heat map."""

    title: str
    """Empty if it is the only one."""
    drawn: str


def heats_of(hours: Hours) -> list[Heat]:
    """The heat maps of a period."""
    days, cells = by_day_and_hour(hours)
    if len(days) <= MOST_DAYS:
        rows = [f"{day:%a} {day.day} {day:%b}" for day in days]
        return [Heat("", _drawn("Each hour of each day", rows, _CLOCK, cells, [f"{hour}:00" for hour in _CLOCK]))]
    mondays, weeks = by_weekday_and_week(hours)
    week = by_weekday_and_hour(hours)
    monday_of = [f"in the week of {monday}" for monday in mondays]
    by_day = _drawn("Each day, in columns of weeks", _WEEKDAYS, _months(mondays), weeks, monday_of)
    by_hour = _drawn("Each hour of the week", _WEEKDAYS, _CLOCK, week, [f"{hour}:00" for hour in _CLOCK])
    return [Heat("By day", by_day), Heat("By hour of the week, all weeks together", by_hour)]


def _drawn(what: str, rows: Sequence[str], columns: Sequence[str], cells: Cells, called: Sequence[str]) -> str:
    titles = [
        f"{rows[r]} {called[c]}: {length(bad / SECOND)} counted, {percent(bad / expected if expected else None)} % of the time"
        for r, c, bad, expected in zip(*(column.tolist() for column in cells), strict=True)
    ]
    told = f"Heat map. {what}: the part of the machine time that counts. The worst hours are in the table below."
    charts = []
    for size in SIZES:
        step = 6 if size is NARROW and columns is _CLOCK else 2 if columns is _CLOCK else 1
        shown = [place for place, name in enumerate(columns) if name and place % step == 0]
        charts.append(drawn(heat_chart(rows, columns, cells, size, shown), told, titles=titles, look=f"chart heat {size.name}"))
    return "".join(charts)


def _months(mondays: Sequence[date]) -> list[str]:
    """The names of months above the first week that begins in each; every third where there are many."""
    first = [place == 0 or monday.month != mondays[place - 1].month for place, monday in enumerate(mondays)]
    return [f"{monday:%b}" if new else "" for monday, new in zip(mondays, first, strict=True)]
