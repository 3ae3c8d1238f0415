"""Publishing: changed cells go to a sink in few large pieces, whole versions at a time
(contract: Current rows; steps: Publish)."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from transforms.core.columns.arrow import follows
from transforms.core.ledger.changes import Changes
from transforms.counters import count

FLUSH_ROWS: Final = 2_000_000
"""Rows of `availability` at which a bundle hands over what it holds; a row group has at most half of that."""

_WRITER: Final = ThreadPoolExecutor(1, "publish")
"""One for the process: its versions are written one after the other."""


class Sink(Protocol):
    """Where versions and rejects go. It is called again with the same ones when a bundle is run again."""

    def publish(self, changes: list[Changes]) -> None:
        """Makes the versions visible, whole, after their rows."""

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        """Keeps those rows of REJECTS that it has not kept before; says how many."""


@dataclass(eq=False)
class PublishCells(beam.PTransform):
    """Changed cells to a sink."""

    sink: Sink
    rows: int = FLUSH_ROWS
    """Rows of `availability` at which they are handed over before a bundle ends: some runners make one of all that waits."""

    def expand(self, changes: beam.PCollection) -> beam.PCollection:
        """`Changes` to nothing; an empty collection that ends when all are published."""
        return changes | "Publish" >> beam.ParDo(Publish(self.sink, self.rows))


@dataclass(eq=False)
class KeepRejects(beam.PTransform):
    """Rejected records to a sink."""

    sink: Sink

    def expand(self, rejects: beam.PCollection) -> beam.PCollection:
        """Batches of REJECTS to nothing."""
        return rejects | "Write" >> beam.ParDo(WriteRejects(self.sink))


@beam.typehints.with_input_types(Changes)
@beam.typehints.with_output_types(Changes)
class Publish(beam.DoFn):
    """Collects changes until there are enough for a file, or the bundle ends, and hands them to the sink.

    Writing goes on beside the following evaluation, one hand-over at a time; a bundle ends when all is written.
    """

    def __init__(self, sink: Sink, rows: int) -> None:
        self._sink, self._rows = sink, rows

    def start_bundle(self) -> None:
        """Begins with nothing held."""
        self._held: list[Changes] = []
        self._writing: Future[None] | None = None

    def process(self, changes: Changes) -> None:
        """Takes the changes; hands them over where they are many, or half as many, and these are not in order behind them."""
        held = sum(len(held.availability) for held in self._held)
        if held and 2 * held >= self._rows and not follows(changes.revisions, self._held[-1].revisions):
            self._flush()
            held = 0
        self._held.append(changes)
        if held + len(changes.availability) >= self._rows:
            self._flush()

    def finish_bundle(self) -> None:
        """Hands over the rest, and waits until it is written."""
        self._flush()
        self._wait()

    def _flush(self) -> None:
        if self._held:
            self._wait()
            for changes in self._held:
                _count_causes(changes.revisions)
            self._writing = _WRITER.submit(self._sink.publish, self._held)
            self._held = []

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class WriteRejects(beam.DoFn):
    """Collects the rejects of a bundle, and hands them to the sink at its end."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def start_bundle(self) -> None:
        """Begins with nothing held."""
        self._held: list[pa.RecordBatch] = []

    def process(self, rejects: pa.RecordBatch) -> None:
        """Takes the rows."""
        self._held.append(rejects)

    def finish_bundle(self) -> None:
        """Hands them over."""
        if self._held:
            count("rejects_written", self._sink.reject(self._held))


def _count_causes(revisions: pa.RecordBatch) -> None:
    for found in _value_counts(revisions.column("cause")):
        count(f"cells/{found['values']}", found["counts"])


def _value_counts(column: pa.Array) -> Iterable[dict[str, Any]]:
    return pc.value_counts(column).to_pylist()
