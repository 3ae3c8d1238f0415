"""Decisions of the ledger: which events are late, until when data is complete, when to evaluate again (rules: T, Late)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import empty_events
from schemas.tables.reject import REJECTS
from schemas.time import MILLISECOND, floor_to, format_time
from transforms.core.columns.arrow import micros, no_rows
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.standing.standing import NO_STANDING, Standing

Mask = npt.NDArray[np.bool_]


class LedgerInput(NamedTuple):
    """One input of the ledger for one key: events, or what was published before, or both."""

    end: int | None
    """T of a bounded input, in microseconds. None: the input has no end, and timers decide when to evaluate."""
    events: pa.RecordBatch
    published: pa.RecordBatch
    recalled: bool = False
    """Whether an earlier run of the stream had accepted these events and published these versions; they were counted then."""
    standing: Standing = NO_STANDING
    """The standing from which the key goes on; its events come on top."""


class Notes(NamedTuple):
    """What the ledger remembers of a key beside its events."""

    known: pa.RecordBatch
    """PUBLISHED: the current versions of its cells."""
    fired: int | None = None
    """The last grid end that has fired, in microseconds."""
    used: int = 0
    """Records counted so far as used; `duplicates`: as duplicates."""
    duplicates: int = 0
    taken: int = 0
    """Events that the ledger has received in this run."""


NO_NOTES: Final = Notes(no_rows(PUBLISHED))


def input_of_events(events: pa.RecordBatch, end: int | None) -> LedgerInput:
    """An input of events only."""
    return LedgerInput(end, events, no_rows(PUBLISHED))


def input_of_published(published: pa.RecordBatch, end: int | None) -> LedgerInput:
    """An input of published versions only."""
    return LedgerInput(end, empty_events(), published)


def input_of_standing(standing: Standing, end: int) -> LedgerInput:
    """An input that holds the standing from which a bounded input goes on."""
    return LedgerInput(end, empty_events(), no_rows(PUBLISHED), standing=standing)


def first_multiple_after(moment: int, grid: int) -> int:
    """The first multiple of `grid` later than a moment.

    >>> first_multiple_after(7_200, 3_600), first_multiple_after(7_199, 3_600)
    (10800, 7200)
    """
    return floor_to(moment, grid) + grid


def complete_until(latest: int, fired: int | None, grid: int) -> int:
    """T of one scale set of a stream: the first multiple after its latest event, or the last grid end whose timer has fired."""
    after = first_multiple_after(latest, grid)
    return after if fired is None else max(after, fired)


def fired_before(T: int, published: pa.RecordBatch, grid: int) -> int | None:
    """The last grid end whose timer had fired in an earlier run, judging by what was published; None: none had.

    Args:
        T: until when data is complete without any timer: published cells reach beyond it only because one had fired.
        published: PUBLISHED of one scale set.
        grid: in microseconds.
    """
    reached = int(micros(published, "cell").max()) + grid if len(published) else T
    return reached if reached > T else None


def latest_of(*moments: int | None) -> int | None:
    """The latest of the moments that are not None; None if there is none.

    >>> latest_of(None, 3), latest_of(None, None)
    (3, None)
    """
    return max((moment for moment in moments if moment is not None), default=None)


def next_grid_end(earliest: int, fired: int | None, grid: int, now: int) -> int | None:
    """The grid end at which to evaluate next: the one after the last that fired, else the first after the earliest event.

    None if it lies more than one grid interval after the present: at the end of an input the watermark jumps to infinity, and
    timers that set the next one would then fire for ever.
    """
    upcoming = first_multiple_after(earliest, grid) if fired is None else fired + grid
    return upcoming if upcoming <= now + grid else None


def grid_end_of_timer(fired_at: int, grid: int) -> int:
    """The grid end for which a timer was set that fired at a moment, which Beam cuts to milliseconds."""
    return floor_to(fired_at + MILLISECOND - 1, grid)


def is_late(events: pa.RecordBatch, accepted: pa.RecordBatch, fired: int | None, lateness: int) -> Mask:
    """Which events come too late: older than `lateness` before the last grid end that has fired, and no copies of accepted ones.

    Args:
        events: EVENTS of one scale set.
        accepted: the EVENTS of that set taken in before.
        fired: the last grid end whose timer has fired, in microseconds, if any has.
        lateness: the policy's, in microseconds.
    """
    if fired is None:
        return np.zeros(len(events), np.bool_)
    old = micros(events, "time") < fired - lateness
    if old.any():
        old[old] = ~_copies(events.filter(pa.array(old)), accepted)
    return old


def late_rejects(events: pa.RecordBatch, source: str, required: Sequence[str], now: int) -> pa.RecordBatch:
    """One row of REJECTS for each record with late events; its place is the event's id, for nothing else is known of it here.

    Args:
        events: EVENTS that are late.
        source: where they came from.
        required: for each event, in words, the time that it should have.
        now: the present, in microseconds.
    """
    first = (~events.column("second").to_numpy(zero_copy_only=False)).nonzero()[0]
    heads = events.take(pa.array(first))
    times = zip(first.tolist(), micros(heads, "time").tolist(), strict=True)
    details = [f"time: {required[row]} is required, got {format_time(time)}." for row, time in times]
    length = len(heads)
    arrived = pa.array([now] * length, pa.int64()).cast(REJECTS.field("arrived").type)
    columns = [[source] * length, heads.column("event_id"), arrived, ["late"] * length, details, [None] * length]
    return pa.RecordBatch.from_arrays(
        [column if isinstance(column, pa.Array) else pa.array(column, pa.string()) for column in columns],
        schema=REJECTS,
    )


def _copies(events: pa.RecordBatch, accepted: pa.RecordBatch) -> Mask:
    """Which events have the identity (kind, event_id, time) of an accepted one; few rows, of one scale set."""
    seen = set(_identities(accepted.filter(pc.is_in(accepted.column("event_id"), events.column("event_id")))))
    return np.array([identity in seen for identity in _identities(events)], np.bool_)


def _identities(events: pa.RecordBatch) -> list[tuple[int, str, int]]:
    kinds = events.column("kind").indices.to_pylist()
    return list(zip(kinds, events.column("event_id").to_pylist(), micros(events, "time").tolist(), strict=True))
