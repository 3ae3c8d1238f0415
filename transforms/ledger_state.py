"""What the ledger keeps of a key while it is worked on: its events, its standing, and notes of what was published and counted."""

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
    """State of one value, asked for once: each reading is a request to the runner, and a look at a key would make ten of them."""

    def __init__(self, state: Any) -> None:
        self._state = state

    @cached_property
    def _value(self) -> Any:
        return self._state.read()

    def read(self) -> Any:
        """The value; None if there is none."""
        return self._value

    def write(self, value: Any) -> None:
        """Puts a value in the place of the one before."""
        self._state.write(value)
        self._value = value

    def clear(self) -> None:
        """Leaves no value."""
        self._state.clear()
        self._value = None


class Bag:
    """State of many values, asked for once."""

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
        """Leaves no values."""
        self._state.clear()
        self._values = []


class KeyState(NamedTuple):
    """The state of one key while it is worked on."""

    events: Bag
    folded: Value
    noted: Value

    def standing(self) -> Standing:
        """What is left of the past."""
        return self.folded.read() or NO_STANDING

    def notes(self) -> Notes:
        """What is known of what was published and counted."""
        return self.noted.read() or NO_NOTES

    def note(self, **changed: Any) -> None:
        """Has some of the notes say something else."""
        self.noted.write(self.notes()._replace(**changed))

    def accepted(self) -> pa.RecordBatch:
        """The events taken in so far that can still decide something."""
        return concat([self.standing().events, *self.events.read()])

    def add_standing(self, standing: Standing) -> None:
        """Goes on from a standing; beside those of other scale sets of the key."""
        self.folded.write(standing_of([self.standing(), standing]))

    def replace_standing(self, standing: Standing, before: int) -> None:
        """Puts a standing in the place of the `before` events that it was made of, and of versions that can change no more."""
        self.folded.write(standing)
        self.events.clear()
        self.note(known=self.known())
        self.count_from(standing.events)
        count("retained", len(standing.events) - before)

    def known(self) -> pa.RecordBatch:
        """The current versions of cells that can still change, PUBLISHED."""
        known, standing = self.notes().known, self.standing()
        return known.filter(pa.array(is_held(known, standing))) if len(standing.marks) else known

    def add_published(self, known: pa.RecordBatch) -> None:
        """Takes in what was published before."""
        self.note(known=one_batch([self.notes().known, known], PUBLISHED))

    def count_from(self, events: pa.RecordBatch) -> None:
        """Counts on from events whose records have been counted before."""
        _, used, duplicates = remove_duplicates(events)
        self.note(used=used, duplicates=duplicates)

    def count_records(self, evaluated: "Evaluation") -> None:
        """Counts the records that are new since the last evaluation."""
        notes = self.notes()
        count("used", evaluated.used - notes.used)
        count("duplicate", evaluated.duplicates - notes.duplicates)
        self.note(used=evaluated.used, duplicates=evaluated.duplicates)
