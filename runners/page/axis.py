"""The time axis of a chart: positions and labels of its ticks, in the report's time zone."""

from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.time import DAY, HOUR, SECOND, from_micros
from transforms.core.report.calendar import period_edges

_DISTANCES: Final = (
    *(("hour", step) for step in (1, 2, 3, 4, 6, 12)),
    *(("day", step) for step in (1, 2, 5, 10)),
    *(("month", step) for step in (1, 2, 3, 6, 12, 24, 60, 120)),
)
_LONGEST: Final = {"hour": HOUR, "day": DAY, "month": 31 * DAY}


class Tick(NamedTuple):
    """One tick of the axis."""

    at: float
    """Seconds since the period began."""
    label: str


def ticks(since: int, until: int, zone: ZoneInfo, most: int) -> list[Tick]:
    """At most `most` ticks, at the finest of the usual distances that gives no more; microseconds."""
    for by, step in _DISTANCES:
        if until - since > (most + 1) * step * _LONGEST[by]:
            continue
        edges = (edge for edge in period_edges(since, until, by, zone)[:-1] if _begins(edge, by, zone))
        found = [edge for edge in edges if _chosen(from_micros(edge).astimezone(zone), by, step)]
        if len(found) <= most:
            return [Tick((edge - since) / SECOND, _label(from_micros(edge).astimezone(zone), by)) for edge in found]
    return []


def _chosen(moment: datetime, by: str, step: int) -> bool:
    """Whether every `step`-th hour, day or month has its tick there; of days not the last one, which is beside the first."""
    place = {"hour": moment.hour, "day": moment.day - 1, "month": moment.year * 12 + moment.month - 1}[by]
    return place % step == 0 and not (by == "day" and step > 1 and moment.day == 31)


def _begins(edge: int, by: str, zone: ZoneInfo) -> bool:
    """Whether an hour, day or month begins there: the period's own start may lie inside of one."""
    moment = from_micros(edge).astimezone(zone)
    return (
        (moment.minute, moment.second, moment.microsecond) == (0, 0, 0)
        and (by == "hour" or moment.hour == 0)
        and (by != "month" or moment.day == 1)
    )


def _label(moment: datetime, by: str) -> str:
    if by == "month":
        return f"{moment:%b %Y}" if moment.month == 1 else f"{moment:%b}"
    return f"{moment:%H:%M}" if by == "hour" and moment.hour else f"{moment.day} {moment:%b}"
