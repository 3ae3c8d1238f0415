"""Which alarms are due: bad times compared with what was said of them before (contract: trueup watch).

An alarm begins when a bad time has lasted long enough. Later it ends, goes on after all, or is withdrawn when the record has no
such time any more: an operation that was told late explains it, or it began at another moment. What is said is a function of the
bad times and of what was said before, and so is the id of each message: one that is sent again after a crash has the same.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

import pyarrow as pa

from schemas.time import format_time

Saying = Literal["begun", "ended", "goes_on", "withdrawn"]
_DIGITS: Final = 32


class AlarmKey(NamedTuple):
    """What an alarm is about: one state of a scale set from a moment on (microseconds)."""

    scale_set_id: str
    state: str
    start: int


class Said(NamedTuple):
    """What was said last of a bad time."""

    saying: Saying
    end: int | None = None
    """Where it has ended, in microseconds; None: it goes on, or is withdrawn."""
    turns: int = 0
    """How often something that was said of it has been taken back: that it has been, or that it has ended."""
    first: str = ""
    """The id of the message with which it began."""


class Alarm(NamedTuple):
    """One message about a bad time."""

    key: AlarmKey
    said: Said

    @property
    def id(self) -> str:
        """Hexadecimal digits: a function of set, state, moment, what is said, and what was taken back before."""
        return alarm_id(self.key, *self.said[:3])

    @property
    def moment(self) -> int:
        """When it happened: the end, or else the start, in microseconds."""
        return self.key.start if self.said.end is None else self.said.end


def due_alarms(
    found: Mapping[AlarmKey, int | None], said: Mapping[AlarmKey, Said], since: int, now: int, least: int
) -> Iterator[Alarm]:
    """The alarms that are due, in the order in which they happened; times in microseconds.

    Args:
        found: the bad times of the record that have begun by now, and their ends; None: it goes on.
        said: what was said of bad times.
        since: bad times that had ended by then are not spoken of for the first time.
        now: the present.
        least: how long a bad time must last.
    """
    due = [alarm for key, end in found.items() for alarm in _of_time(key, end, said.get(key), since, now, least)]
    due += [
        Alarm(key, Said("withdrawn", None, last.turns + 1, last.first))
        for key, last in said.items()
        if last.saying != "withdrawn" and key not in found
    ]
    yield from sorted(due, key=lambda alarm: (alarm.moment, alarm.key, alarm.said.end is not None))


def _of_time(key: AlarmKey, end: int | None, last: Said | None, since: int, now: int, least: int) -> Iterator[Alarm]:
    if last is None or last.saying == "withdrawn":
        if (now if end is None else end) - key.start < least or (end is not None and end <= since):
            return
        turns = 0 if last is None else last.turns
        last = Said("begun", None, turns, alarm_id(key, "begun", None, turns))
        yield Alarm(key, last)
    if end is not None and end != last.end:
        yield Alarm(key, Said("ended", end, last.turns + (last.end is not None), last.first))
    elif end is None and last.saying == "ended":
        yield Alarm(key, Said("goes_on", None, last.turns + 1, last.first))


def keyed(times: pa.Table, now: int) -> dict[AlarmKey, int | None]:
    """The bad times that have begun by now, and their ends; None: it goes on, as far as is known now.

    Args:
        times: BAD_TIMES; a series may reach beyond the present, where nothing has happened yet.
        now: microseconds.
    """
    begun = times.filter(pa.compute.less(times.column("start").cast(pa.int64()), now))
    ends = [
        None if on or end > now else end for end, on in zip(_numbers(begun, "end"), begun["goes_on"].to_pylist(), strict=True)
    ]
    keys = zip(begun["scale_set_id"].to_pylist(), begun["state"].to_pylist(), _numbers(begun, "start"), strict=True)
    return {AlarmKey(*key): end for key, end in zip(keys, ends, strict=True)}


def _numbers(times: pa.Table, name: str) -> list[int]:
    numbers: list[int] = times.column(name).cast(pa.int64()).to_pylist()
    return numbers


def alarm_id(key: AlarmKey, saying: Saying, end: int | None, turns: int) -> str:
    """The id of a message."""
    moments = [format_time(key.start), "" if end is None else format_time(end)]
    parts = (key.scale_set_id, key.state, *moments, saying, str(turns))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_DIGITS]
