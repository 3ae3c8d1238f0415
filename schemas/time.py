"""Time: integer microseconds UTC inside, RFC 3339 and durations like "15m" at the edge."""

import re
from datetime import UTC, datetime, timedelta

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

NEVER = 2**62
"""Microseconds of a moment that does not come; later than any time that is accepted."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(\d{1,9})(us|ms|s|m|h|d)")
_UNITS = {"us": MICROSECOND, "ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def to_micros(when: datetime) -> int:
    """Microseconds since the epoch of an aware datetime, exactly.

    >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    1000005
    """
    return (when - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The aware datetime of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=micros)


def format_time(micros: int) -> str:
    """RFC 3339 with a Z, and a fraction only where there is one.

    >>> format_time(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return from_micros(micros).isoformat().replace("+00:00", "Z")


def parse_duration(text: str) -> int:
    """Microseconds of a duration like "90s", "15m", "1h" or "7d".

    Raises:
        ValueError: the text is no such duration.

    >>> parse_duration("15m") // MINUTE
    15
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f'must be a duration like "90s", "15m", "1h" or "7d", got {text!r}')
    return int(match[1]) * _UNITS[match[2]]


def format_duration(micros: int) -> str:
    """The shortest text that `parse_duration` reads back.

    >>> format_duration(90 * SECOND), format_duration(24 * HOUR)
    ('90s', '1d')
    """
    unit = next(name for name in ("d", "h", "m", "s", "ms", "us") if micros % _UNITS[name] == 0)
    return f"{micros // _UNITS[unit]}{unit}"


def floor_to(micros: int, grid: int) -> int:
    """The last multiple of `grid` at or before a moment."""
    return micros - micros % grid
