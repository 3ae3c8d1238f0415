"""What was published before of the scale sets of an input, and whether a run may replace that
(contract: Cold start, Equal cells)."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from pipelines.record.selection import current_versions
from schemas.time import floor_to
from transforms.core.columns.arrow import micros, no_rows
from transforms.core.columns.members import places_of
from transforms.core.ledger.input_facts import end_of_input

LEFT_OUT: Final = pa.schema([("scale_set_id", pa.string()), ("first", pa.int64())])
"""Scale sets of which the folder holds cells older than their first event, and that event's time."""


@dataclass(frozen=True)
class PublishedCells:
    """Reads what was published before of the scale sets of an input. Times in microseconds."""

    root: str
    since: int | None
    until: int | None
    now: int
    grid: int
    max_excuse: int
    cold: bool
    whole: int | None = None
    """T of the whole input, where only a part of it is worked on."""

    def end(self, facts: pa.RecordBatch) -> int:
        """T of an input."""
        return self.whole if self.whole is not None else end_of_input(facts, self.until, self.now, self.grid)

    def left_out(self, facts: pa.RecordBatch) -> pa.RecordBatch:
        """LEFT_OUT: the sets in whose place the run would put a cold start: their cells stay as they are.

        Not those that the run goes on from, nor those of which `since` leaves at least `max_excuse` of events before it; none if
        a cold start is asked for.
        """
        if self.cold:
            return no_rows(LEFT_OUT)
        first = facts.column("first").to_numpy()
        unsure = np.ones(len(first), np.bool_) if self.since is None else self.since - first < self.max_excuse
        resumed = facts.column("resumed").to_numpy(zero_copy_only=False)
        suspects = facts.filter(pa.array(unsure & ~resumed))
        return self._with_older_cells(suspects) if len(suspects) else no_rows(LEFT_OUT)

    def settled_on(self, facts: pa.RecordBatch) -> "PublishedCells":
        """The same, for parts of an input whose FACTS are given."""
        return replace(self, whole=self.end(facts))

    def published(self, facts: pa.RecordBatch) -> pa.RecordBatch:
        """PUBLISHED: the current versions of the cells that the run publishes of some sets, at least one."""
        end = self.end(facts)
        starts = first_cells(facts, self.grid)
        since = int(starts.min()) if self.since is None else self.since
        known = current_versions(
            self.root, facts.column("scale_set_id"), since, end if self.until is None else min(end, self.until)
        )
        if self.since is not None or not len(known):
            return known
        place = places_of(known.column("scale_set_id"), facts.column("scale_set_id"))
        return known.filter(pa.array(micros(known, "cell") >= starts[place]))

    def _with_older_cells(self, suspects: pa.RecordBatch) -> pa.RecordBatch:
        starts = first_cells(suspects, self.grid)
        known = current_versions(self.root, suspects.column("scale_set_id"), None, int(starts.max()))
        place = places_of(known.column("scale_set_id"), suspects.column("scale_set_id"))
        older = (micros(known, "cell") < starts[place]) & (known.column("rows").to_numpy() > 0)
        return suspects.take(pa.array(np.unique(place[older]))).select(LEFT_OUT.names)


def first_cells(facts: pa.RecordBatch, grid: int) -> np.ndarray:
    """The cell of each set's first event."""
    return np.array([floor_to(first, grid) for first in facts.column("first").to_pylist()], np.int64)
