"""Calendar periods in a time zone: where hours, days, weeks and months begin, also across clock changes."""

from bisect import bisect_right
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.time import HOUR, MINUTE, from_micros, to_micros

_QUARTER = 15 * MINUTE
"""Since 2000 every zone is a multiple of it away from UTC."""


def period_edges(since: int, until: int, by: str, zone: ZoneInfo) -> tuple[int, ...]:
    """The edges of the periods in microseconds: `since`, each beginning of a period in that time zone, and `until`.

    A day lasts from midnight to midnight (23 or 25 hours where clocks change), a week from Monday, a month from its first.
    An hour begins whenever the clock passes a full hour, or jumps over it.

    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> edges = period_edges(midnight(date(2026, 10, 24), berlin), midnight(date(2026, 10, 26), berlin), "day", berlin)
    >>> (edges[1] - edges[0]) // HOUR, (edges[2] - edges[1]) // HOUR
    (24, 25)
    """
    inner = _hours(since, until, zone) if by == "hour" else _days(since, until, by, zone)
    return (since, *inner, until)


def midnight(day: date, zone: ZoneInfo) -> int:
    """The moment at which a day begins; where clocks jump over midnight, the moment of the jump."""
    return to_micros(datetime(day.year, day.month, day.day, tzinfo=zone))


def label(start: int, by: str, zone: ZoneInfo) -> str:
    """The label of a period that begins at a moment: "2026-10-25", "2026-10-25 02:00+01:00", "2026-W43", "2026-10".

    >>> label(0, "week", ZoneInfo("UTC"))
    '1970-W01'
    """
    local = from_micros(start).astimezone(zone)
    formats = {"hour": "%Y-%m-%d %H:%M", "day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
    offset = local.isoformat()[-6:] if by == "hour" and local.utcoffset() else ""
    return f"{local:{formats[by]}}{offset}"


def fitting(since: int, until: int) -> str:
    """The period that suits a length of time: hours for up to two days, days for up to two months, months beyond."""
    lengths = (48, 62 * 24)
    return ("hour", "day", "month")[bisect_right([hours * HOUR for hours in lengths], until - since - 1)]


def _hours(since: int, until: int, zone: ZoneInfo) -> list[int]:
    edges, before = [], None
    for moment in range(since - since % _QUARTER, until, _QUARTER):
        local = datetime.fromtimestamp(moment // 1_000_000, zone)
        hour = local.date(), local.hour
        if moment > since and (local.minute == 0 or hour != before):
            edges.append(moment)
        before = hour
    return edges


def _days(since: int, until: int, by: str, zone: ZoneInfo) -> list[int]:
    first, last = (datetime.fromtimestamp(t // 1_000_000, zone).date() for t in (since, until))
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    edges = dict.fromkeys(midnight(day, zone) for day in days if _begins(day, by))  # a day that a zone leaves out is none
    return [edge for edge in edges if since < edge < until]


def _begins(day: date, by: str) -> bool:
    return by == "day" or (day.weekday() == 0 if by == "week" else day.day == 1)
