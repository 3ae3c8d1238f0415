"""The state of one key of the ledger, a group of scale sets: its events, their standing, and notes on what was published."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.transforms.userstate import BagRuntimeState

from transforms.core.columns.arrow import Ints, one_batch
from transforms.core.columns.batches import compact, concat
from transforms.core.columns.kernel import group_by
from transforms.core.columns.members import are_among, ids_in_use, places_of, rows_among, rows_at
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.ledger.decisions import NO_NOTES, Notes
from transforms.core.standing.folding import is_held
from transforms.core.standing.standing import NO_STANDING, Standing, narrowed, standing_of, without
from transforms.counters import count
from transforms.side_by_side import cores, side_by_side

_PIECES: Final = 16
"""As many batches of events are kept apart: each that is read costs, and each time that they are joined all are written."""


class Value:
    """State of a single value, read at most once: each read is a request to the runner, and a key would need ten of them."""

    def __init__(self, state: Any) -> None:
        self._state = state

    @cached_property
    def _value(self) -> Any:
        return self._state.read()

    def read(self) -> Any:
        """The value, or None."""
        return self._value

    def write(self, value: Any) -> None:
        """Replaces the value."""
        self._state.write(value)
        self._value = value

    def clear(self) -> None:
        """Removes the value."""
        self._state.clear()
        self._value = None


class Bag:
    """State of a bag of values, read at most once."""

    def __init__(self, state: BagRuntimeState) -> None:
        self._state = state

    @cached_property
    def _values(self) -> list[Any]:
        return list(self._state.read())

    def read(self) -> list[Any]:
        """The values."""
        return self._values

    def add(self, value: Any) -> None:
        """Adds a value."""
        self._state.add(value)
        if "_values" in self.__dict__:
            self._values.append(value)

    def clear(self) -> None:
        """Removes all values."""
        self._state.clear()
        self._values = []

    def replace(self, values: list[Any]) -> None:
        """Puts other values in the place of all."""
        self.clear()
        for value in values:
            self.add(value)


class HeldSets(NamedTuple):
    """What a key holds of some of its scale sets."""

    names: pa.StringArray
    standing: Standing
    events: pa.RecordBatch
    """All accepted EVENTS that can still affect a result: those of the standing and later ones."""
    known: pa.RecordBatch
    """PUBLISHED: the current versions of the cells that can still change."""


class LedgerPart(NamedTuple):
    """Some scale sets of a key, to be evaluated together."""

    is_long: bool
    """Whether it has more than twice the events that a part should have: most are those of one scale set."""
    held: Callable[[], HeldSets]
    """Gives what is held of them and has arrived, once; threads may call those of several parts side by side."""


class KeyState(NamedTuple):
    """The state of one key, for the time of one call of the DoFn. No two of its events are copies of one, in a stream."""

    events: Bag
    folded: Value
    noted: Value

    def standing(self) -> Standing:
        """What is kept of events that can change no more; when it was made, it had all events of the key."""
        return self.folded.read() or NO_STANDING

    def notes(self) -> Notes:
        """Notes on what was published, and on grid ends."""
        return self.noted.read() or NO_NOTES

    def note(self, **changed: Any) -> None:
        """Replaces some fields of the notes."""
        self.noted.write(self.notes()._replace(**changed))

    def accepted(self) -> pa.RecordBatch:
        """All accepted events that can still affect a result: those of the standing and later ones."""
        return concat([self.standing().events, *self.events.read()])

    def part(self, names: pa.StringArray, accepted: pa.RecordBatch) -> HeldSets:
        """What it holds of some of its scale sets.

        Args:
            names: which.
            accepted: all that `accepted` gives.
        """
        known = rows_among(self.notes().known, names)
        return HeldSets(names, narrowed(self.standing(), names), rows_among(accepted, names), known)

    def parts(self, arrived: list[pa.RecordBatch], size: int) -> list[LedgerPart]:
        """All that it holds and what has arrived, in parts of the scale sets, in order of their ids.

        Args:
            arrived: batches of events that are not held yet; they are taken out of the list and cut one after the other, so that
                events lie in memory once.
            size: about how many events a part has.
        """
        standing, known = self.standing(), self.notes().known
        pieces = [piece for piece in (standing.events, *arrived) if len(piece)]
        arrived.clear()
        held = [*map(ids_in_use, pieces), ids_in_use(standing.marks), ids_in_use(known)]
        names = pa.concat_arrays([ids.cast(pa.string()) for ids in held]).unique()
        names = names.take(pc.sort_indices(names))
        number = sum((_events_of(piece, names) for piece in pieces), np.zeros(len(names), np.int64))
        parts, part = np.unique((np.cumsum(number) - number) // size, return_inverse=True)
        cut: list[list[pa.RecordBatch]] = [[] for _ in parts]
        taken = (pieces.pop() for _ in range(len(pieces)))
        for split in side_by_side(partial(_split, names=names, part=part, parts=len(parts)), taken, cores()):
            for which, rows in split:
                cut[which].append(rows)

        def together(which: int) -> HeldSets:
            sets, events = names.filter(pa.array(part == which)), concat(cut[which])
            cut[which].clear()
            return HeldSets(sets, standing if standing.is_empty else narrowed(standing, sets), events, rows_among(known, sets))

        events = np.bincount(part, number, len(parts)).astype(np.int64).tolist()
        return [LedgerPart(each > 2 * size, partial(together, which)) for which, each in enumerate(events)]

    def add(self, arrived: pa.RecordBatch) -> None:
        """Adds accepted events."""
        pieces = self.events.read()
        if len(pieces) < _PIECES:
            self.events.add(arrived)
        else:
            self.events.replace([concat([*pieces, arrived])])

    def remove(self, rows: Ints, accepted: pa.RecordBatch) -> None:
        """Removes some of the events that `accepted` gives, in the place of which smaller copies count."""
        keep = np.ones(len(accepted), np.bool_)
        keep[rows] = False
        first = len(self.standing().events)
        own, later = accepted.slice(0, first), accepted.slice(first)
        self.folded.write(self.standing()._replace(events=rows_at(own, keep[:first])))
        self.events.replace([rows_at(later, keep[first:])])

    def add_standing(self, standing: Standing) -> None:
        """Adds the standing of some scale sets to those of the other scale sets of the key."""
        self.folded.write(standing_of([self.standing(), standing]))

    def fold(self, parts: list[HeldSets], standings: list[Standing], accepted: pa.RecordBatch) -> None:
        """Replaces the events of some parts by the standings made of them; forgets versions that can change no more.

        Args:
            parts: of different scale sets.
            standings: as many.
            accepted: all that `accepted` gives.
        """
        done = pa.concat_arrays([part.names for part in parts])
        others = ~are_among(accepted, done)
        rest = without(self.standing(), done)._replace(events=rows_at(accepted, others))
        standing = standing_of([rest, *standings])
        self.folded.write(standing)
        self.events.clear()
        self.forget_settled()
        count("retained", len(standing.events) - len(accepted))

    def forget_settled(self) -> None:
        """Forgets versions of cells that can change no more."""
        known = self.notes().known
        self.note(known=known.filter(pa.array(is_held(known, self.standing()))))

    def add_published(self, known: pa.RecordBatch) -> None:
        """Adds versions that were published before."""
        self.note(known=one_batch([self.notes().known, known], PUBLISHED))


def _events_of(piece: pa.RecordBatch, names: pa.StringArray) -> Ints:
    """How many rows each of some scale sets has."""
    return np.bincount(places_of(piece.column("scale_set_id"), names), minlength=len(names))


def _split(piece: pa.RecordBatch, names: pa.StringArray, part: Ints, parts: int) -> list[tuple[int, pa.RecordBatch]]:
    """The rows of each part that has any, with ids of their own alone; `part` is that of each of `names`."""
    of_row = part[places_of(piece.column("scale_set_id"), names)]
    at, order = group_by(of_row, parts, np.arange(len(of_row)))
    filled = np.flatnonzero(np.diff(at)).tolist()
    return [(which, compact(piece.take(pa.array(order[at[which] : at[which + 1]])))) for which in filled]
