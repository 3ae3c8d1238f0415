"""A glance at an input: what a run must say of it at its end, whatever became of its records (contract: Commands).

Bounded however long the input is: kinds are few, shapes are at most `unread.MOST`, and a day leaves two moments.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from schemas.event import KINDS
from schemas.time import DAY
from transforms.core.columns.arrow import Ints, micros
from transforms.core.decode.terms.settings import DecodeResult
from transforms.core.decode.terms.unread import Shape, Sighting, Unread

_SNAPSHOTS: Final = "resourcegraph"
"""The format whose records tell of the state at one moment, though some may have begun long before."""


@dataclass(frozen=True)
class Glance:
    """Of pieces of an input; times in microseconds."""

    unread: Unread = field(default_factory=Unread)
    events: Counter[str] = field(default_factory=Counter)
    """How many of each kind."""
    days: dict[int, tuple[int, int]] = field(default_factory=dict)
    """The first and the last event of each day (since the epoch) that has any."""
    begin: int | None = None
    """The first event; of a snapshot its last, since that is when it was taken, or before."""

    def __add__(self, other: "Glance") -> "Glance":
        begins = [begin for begin in (self.begin, other.begin) if begin is not None]
        return Glance(
            self.unread + other.unread, self.events + other.events, _joined(self.days, other.days), min(begins, default=None)
        )


def as_bytes(glance: Glance) -> bytes:
    """A glance as JSON."""
    shapes = list(glance.unread.shapes.items())
    return msgspec.json.encode((shapes, glance.unread.others, glance.events, list(glance.days.items()), glance.begin))


def from_bytes(content: bytes) -> Glance:
    """The glance that was made JSON."""
    shapes, others, events, days, begin = _decode(content)
    return Glance(Unread(dict(shapes), others), Counter(events), dict(days), begin)


_Shapes = list[tuple[Shape, Sighting]]
_Days = list[tuple[int, tuple[int, int]]]
_decode: Final = msgspec.json.Decoder(tuple[_Shapes, int, dict[str, int], _Days, int | None]).decode


def glance_of(piece: DecodeResult, now: int) -> Glance:
    """A glance at one piece of an input; what lies after `now` is no part of its days."""
    time = micros(piece.events, "time")
    time = time[time <= now]
    return Glance(piece.counts.unread, _kinds(piece.events), _days(time), _begin(time, piece.counts.decoded))


def gaps(glance: Glance, known_before: int | None = None) -> list[tuple[int, int]]:
    """From when to when nothing at all happens for more than a day, between the first event and the last.

    Args:
        glance: at the whole input.
        known_before: T of what a run goes on from; what lies before that is no matter of its input.
    """
    first = glance.begin if known_before is None else known_before
    if first is None:
        return []
    moments = [first, *(moment for day in sorted(glance.days) for moment in glance.days[day] if moment >= first)]
    return [(last, upcoming) for last, upcoming in pairwise(moments) if upcoming - last > DAY]


def _kinds(events: pa.RecordBatch) -> Counter[str]:
    numbers = np.bincount(events.column("kind").indices.to_numpy(), minlength=len(KINDS))
    return Counter({kind: number for kind, number in zip(KINDS, numbers.tolist(), strict=True) if number})


def _days(time: Ints) -> dict[int, tuple[int, int]]:
    if not len(time):
        return {}
    day = time // DAY
    start = int(day.min())
    first, last = np.full(int(day.max()) - start + 1, np.iinfo(np.int64).max), np.zeros(int(day.max()) - start + 1, np.int64)
    np.minimum.at(first, day - start, time)
    np.maximum.at(last, day - start, time)
    return {start + k: (int(first[k]), int(last[k])) for k in np.flatnonzero(last).tolist()}


def _joined(one: dict[int, tuple[int, int]], other: dict[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    both = dict(one)
    for day, (first, last) in other.items():
        known = both.get(day, (first, last))
        both[day] = min(known[0], first), max(known[1], last)
    return both


def _begin(time: Ints, decoded: Counter[tuple[str, str]]) -> int | None:
    if not len(time):
        return None
    return int(time.max() if {format for format, _ in decoded} == {_SNAPSHOTS} else time.min())
