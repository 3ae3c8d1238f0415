"""Moments as records write them: RFC 3339 and its relatives, to int64 microseconds UTC (contract: Times)."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from schemas.time import DAY, MILLISECOND, to_micros

EARLIEST: Final = 946_684_800_000_000
"""2000-01-01: a time before it is no time of Azure's."""
AHEAD: Final = DAY
"""How far beyond the present a clock may be."""

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?"
_ZONE = r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<ahead>\d\d):?(?P<minutes>[0-5]\d))?"
_ISO = re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[Tt ](?=\d\d:){_CLOCK} ?{_ZONE}", re.ASCII)
_MONTH_FIRST = re.compile(
    rf"(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/(?P<year>\d{{4}}),? {_CLOCK}(?: ?(?P<half>[AaPp])[Mm])? ?{_ZONE}", re.ASCII
)
_SINCE_1970 = re.compile(r"/Date\((?P<milliseconds>-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)


def parse_time(text: str) -> int:
    """Microseconds since the epoch; what lies behind the sixth fractional digit is cut, no offset means UTC.

    Raises:
        ValueError: the text is no time in any of its forms (contract: Times).

    >>> parse_time("2007-01-09T11:41:00.0000019+02:00") == parse_time("1/9/2007 9:41:00 AM") + 1
    True
    >>> parse_time("/Date(946684800000)/") == parse_time("1/1/2000, 0:00:00")
    True
    """
    if since := _SINCE_1970.fullmatch(text):
        return int(since["milliseconds"]) * MILLISECOND
    match = _ISO.fullmatch(text) or _MONTH_FIRST.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time")
    part = match.groupdict()
    moment = datetime(
        int(part["year"]),
        int(part["month"]),
        int(part["day"]),
        _hour(int(part["hour"]), part.get("half")),
        int(part["minute"]),
        int(part["second"]),
        int((part["fraction"] or "0").ljust(6, "0")[:6]),
        _offset(part),
    )
    return to_micros(moment)


def is_acceptable(micros: int, now: int) -> bool:
    """Whether a time lies in [2000, now + 1 day]; `now` in microseconds."""
    return EARLIEST <= micros <= now + AHEAD


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"{hour} is no hour before AM or PM")
    return hour % 12 + (12 if half in "Pp" else 0)


def _offset(part: dict[str, str | None]) -> timezone:
    if part["sign"] is None:
        return UTC
    ahead = timedelta(hours=int(part["ahead"] or 0), minutes=int(part["minutes"] or 0))
    return timezone(ahead if part["sign"] == "+" else -ahead)
