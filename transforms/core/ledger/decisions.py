"""Decisions of the ledger: which events are late, and until when data is complete (rules: T, Late)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import empty_events
from schemas.tables.reject import REJECTS
from schemas.time import floor_to, format_time
from transforms.core.columns.arrow import Ints, micros, no_rows
from transforms.core.columns.members import by_place, places_of
from transforms.core.evaluation.duplicates import identities
from transforms.core.evaluation.ends import Ends
from transforms.core.evaluation.resumed import COMPLETE_UNTIL, moments_at
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.ledger.grid_ends import GRID_ENDS, NOT_YET
from transforms.core.standing.standing import NO_STANDING, Standing

Mask = npt.NDArray[np.bool_]


class LedgerInput(NamedTuple):
    """One input of the ledger for one key, a group of scale sets: events, or what was published before, or both."""

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
    """PUBLISHED: the current versions of the cells of its scale sets."""
    grid_ends: pa.RecordBatch = no_rows(GRID_ENDS)
    """GRID_ENDS of its scale sets."""
    fired: int | None = None
    """The last grid end at which the timer of the key has fired, in microseconds."""
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


def ends_in_stream(names: pa.StringArray, events: pa.RecordBatch, marks: pa.RecordBatch, fired: Ints, grid: int) -> Ends:
    """T of each of some scale sets of a stream: never before T of its standing, which alone is left when all is forgotten.

    Args:
        names: the scale sets.
        events: EVENTS of these, those of a standing among them.
        marks: MARKS of the standing.
        fired: of each the last grid end that has fired; NOT_YET: none has.
        grid: in microseconds.
    """
    place, time = places_of(events.column("scale_set_id"), names), micros(events, "time")
    after = by_place(np.maximum, time - time % grid + grid, place, len(names), 0)
    return Ends(names, np.maximum.reduce([after, fired, moments_at(marks, COMPLETE_UNTIL, names)]))


def fired_before(T: Ends, published: pa.RecordBatch, grid: int) -> Ints:
    """The last grid end of each scale set whose timer had fired in an earlier run, judging by what was published; NOT_YET: none.

    Args:
        T: until when data is complete without any timer: published cells reach beyond it only because one had fired.
        published: PUBLISHED of these scale sets.
        grid: in microseconds.
    """
    place = places_of(published.column("scale_set_id"), T.set_ids)
    reached = by_place(np.maximum, micros(published, "cell") + grid, place, len(T.set_ids), NOT_YET)
    return np.where(reached > T.moments, reached, NOT_YET)


def is_late(events: pa.RecordBatch, accepted: pa.RecordBatch, fired: Ints, lateness: int) -> Mask:
    """Which events come too late: older than `lateness` before the last grid end that has fired, and no copies of accepted ones.

    Args:
        events: EVENTS.
        accepted: EVENTS that were taken in before.
        fired: for each event the last grid end of its scale set whose timer has fired, in microseconds; NOT_YET: none has.
        lateness: the policy's, in microseconds.
    """
    old: Mask = micros(events, "time") < fired - lateness
    if old.any():
        candidates = accepted.filter(pc.is_in(accepted.column("event_id"), events.column("event_id").filter(pa.array(old))))
        old[old] = ~np.isin(identities(events.filter(pa.array(old))), identities(candidates))
    return old


def records_in(events: pa.RecordBatch) -> int:
    """Of how many records some EVENTS are the first."""
    return len(events) - int(pc.sum(events.column("second")).as_py() or 0)


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
