"""The steps of a stream that work with its process: they are pickled, so they carry its name, and find it by that."""

from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.stream.process import StreamProcess
from transforms import shared
from transforms.core.ledger.changes import Changes
from transforms.core.ledger.decisions import LedgerInput, input_of_events


def process_named(name: str) -> StreamProcess:
    """The stream's process that is entered under a name."""
    found: StreamProcess = shared.entered(name)
    return found


@dataclass(frozen=True)
class ProcessSink:
    """The sink of the stream's process of a name."""

    name: str

    def publish(self, changes: list[Changes]) -> None:
        """Buffers versions there."""
        process_named(self.name).sink.publish(changes)

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        """Keeps rejects at once."""
        return process_named(self.name).sink.reject(rejects)


@dataclass(frozen=True)
class TakeIn:
    """Tells the stream's process of a name what the ledger has taken in."""

    name: str

    def __call__(self, given: LedgerInput) -> None:
        """Tells it of one input."""
        process_named(self.name).take(given)


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class WriteJournal(beam.DoFn):
    """Writes the events of a bundle to the journal before the bundle ends, and only then hands them on.

    It runs in one stage with the source, without a shuffle between. Bundles follow one another even when there is nothing to
    read, so events that have to wait go on with a later bundle.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def start_bundle(self) -> None:
        """Begins with nothing held."""
        self._held: list[pa.RecordBatch] = []

    def process(self, events: pa.RecordBatch) -> None:
        """Takes the events."""
        self._held.append(events)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Writes them down; hands on what is due."""
        events = process_named(self._name).write_down(self._held)
        if len(events):
            yield WindowedValue(events, MIN_TIMESTAMP, (GlobalWindow(),))


@beam.typehints.with_input_types(tuple[str, pa.RecordBatch])
@beam.typehints.with_output_types(tuple[str, LedgerInput])
class EnterRecalled(beam.DoFn):
    """Passes events on, and once a process, at the end of its first bundle, what is recalled.

    It runs in the stage of the source, whose bundles follow one another even when there is nothing to read. With a source of its
    own, what is recalled was seen to wait before the ledger until the watermark moved; as a side input it blocked it for ever.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def process(self, keyed: tuple[str, pa.RecordBatch]) -> Iterator[tuple[str, LedgerInput]]:
        """The input of some events."""
        yield keyed[0], input_of_events(keyed[1], None)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """What is recalled, unless an earlier bundle of this process has given it."""
        for entry in process_named(self._name).recalled():
            yield WindowedValue(entry, MIN_TIMESTAMP, (GlobalWindow(),))
