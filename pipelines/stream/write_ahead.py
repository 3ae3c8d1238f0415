"""The journal as a step of a graph: events are written down before they go on."""

import threading
from collections.abc import Iterator
from typing import Final

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.stream.journal import Journal
from pipelines.stream.waiting import WaitingEvents

_WAITING: Final[dict[str, WaitingEvents]] = {}
_LOCK: Final = threading.Lock()


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class WriteJournal(beam.DoFn):
    """Writes the events of a bundle to the journal before the bundle ends, and only then hands them on.

    It runs in one stage with the source, without a shuffle between. Bundles follow one another even when there is nothing to
    read, so events that have to wait go on with a later bundle.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def start_bundle(self) -> None:
        """Begins with nothing held."""
        self._held: list[pa.RecordBatch] = []

    def process(self, events: pa.RecordBatch) -> None:
        """Takes the events."""
        self._held.append(events)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Writes them down; hands on what is due."""
        # One bundle at a time: what is written down before others must go on before them, or with them.
        with _LOCK:
            events = self._due()
        if len(events):
            yield WindowedValue(events, MIN_TIMESTAMP, (GlobalWindow(),))

    def _due(self) -> pa.RecordBatch:
        if self._held:
            self._journal.append(self._held)
        waiting = _WAITING.setdefault(self._journal.name, WaitingEvents())
        waiting.add(self._held)
        due = waiting.due()
        if due.settled:
            self._journal.settle()
        if len(due.events):
            self._journal.turn()
        return due.events
