"""The state of one key of the ledger: its events, its standing, and notes on what was published and counted."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from apache_beam.transforms.userstate import BagRuntimeState

from transforms.core.columns.arrow import one_batch
from transforms.core.columns.batches import concat
from transforms.core.evaluation.duplicates import remove_duplicates
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.ledger.decisions import NO_NOTES, Notes
from transforms.core.standing.folding import is_held
from transforms.core.standing.standing import NO_STANDING, Standing, standing_of
from transforms.counters import count

if TYPE_CHECKING:
    from transforms.core.evaluation.evaluate import Evaluation


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


class KeyState(NamedTuple):
    """The state of one key, for the time of one call of the DoFn."""

    events: Bag
    folded: Value
    noted: Value

    def standing(self) -> Standing:
        """What is kept of events that can change no more."""
        return self.folded.read() or NO_STANDING

    def notes(self) -> Notes:
        """Notes on what was published and counted."""
        return self.noted.read() or NO_NOTES

    def note(self, **changed: Any) -> None:
        """Replaces some fields of the notes."""
        self.noted.write(self.notes()._replace(**changed))

    def accepted(self) -> pa.RecordBatch:
        """All accepted events that can still affect a result: those of the standing and later ones."""
        return concat([self.standing().events, *self.events.read()])

    def add_standing(self, standing: Standing) -> None:
        """Adds the standing of one scale set to those of the other scale sets of the key."""
        self.folded.write(standing_of([self.standing(), standing]))

    def replace_standing(self, standing: Standing, before: int) -> None:
        """Replaces the `before` events from which a standing was made by it, and forgets versions that can change no more."""
        self.folded.write(standing)
        self.events.clear()
        self.note(known=self.known())
        self.count_from(standing.events)
        count("retained", len(standing.events) - before)

    def known(self) -> pa.RecordBatch:
        """PUBLISHED: the current versions of the cells that can still change."""
        known, standing = self.notes().known, self.standing()
        return known.filter(pa.array(is_held(known, standing))) if len(standing.marks) else known

    def add_published(self, known: pa.RecordBatch) -> None:
        """Adds versions that were published before."""
        self.note(known=one_batch([self.notes().known, known], PUBLISHED))

    def count_from(self, events: pa.RecordBatch) -> None:
        """Starts the counts from events whose records have been counted before."""
        _, used, duplicates = remove_duplicates(events)
        self.note(used=used, duplicates=duplicates)

    def count_records(self, evaluated: "Evaluation") -> None:
        """Counts records that were not there at the last evaluation."""
        notes = self.notes()
        count("used", evaluated.used - notes.used)
        count("duplicate", evaluated.duplicates - notes.duplicates)
        self.note(used=evaluated.used, duplicates=evaluated.duplicates)
