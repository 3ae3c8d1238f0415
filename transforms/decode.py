"""Decoding as a step: shards of input files into events and rejects, with every record counted
(contract: Input; steps: Decode)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from transforms.core.decode import Counts, DecodeResult, DecodeSettings
from transforms.core.decode.glance import Glance, glance_of
from transforms.counters import count
from transforms.files.pool import DecodePool
from transforms.files.shards import Shard, read_shard

REJECTED: Final = "rejected"
GLANCED: Final = "glanced"
Rejected: TypeAlias = TaggedOutput[Literal["rejected"], pa.RecordBatch]
Glanced: TypeAlias = TaggedOutput[Literal["glanced"], Glance]


class DecodeOutput(NamedTuple):
    """What decoding gives."""

    events: beam.PCollection
    """Batches of EVENTS."""
    rejects: beam.PCollection
    """Batches of REJECTS."""
    glances: beam.PCollection | None = None
    """One `Glance` a piece of a bounded input."""


@dataclass(eq=False)
class DecodeRecords(beam.PTransform):
    """Shards of files into events and rejects."""

    settings: DecodeSettings
    size: int = 1
    """How many shards are decoded at once."""
    threads: bool = False
    """By threads of this process, not by as many others."""

    def expand(self, shards: beam.PCollection) -> Any:
        """`Shard`s to `DecodeOutput`."""
        reading = ReadShards(self.settings, self.size, self.threads)
        decoded = shards | "ReadShards" >> beam.ParDo(reading).with_outputs(REJECTED, GLANCED, main="events")
        return DecodeOutput(decoded["events"], decoded[REJECTED], decoded[GLANCED])


@beam.typehints.with_input_types(Shard)
@beam.typehints.with_output_types(pa.RecordBatch, rejected=pa.RecordBatch, glanced=Glance)
class ReadShards(beam.DoFn):
    """Reads and decodes one shard after the other, or some at once."""

    def __init__(self, settings: DecodeSettings, size: int, threads: bool) -> None:
        self._settings, self._size, self._threads = settings, size, threads
        self._pool: DecodePool | None = None

    def start_bundle(self) -> None:
        """Calls the crew together, where one is wanted."""
        self._pool = DecodePool(self._settings, self._size, self._threads) if self._size > 1 else None

    def process(self, shard: Shard) -> Iterator[pa.RecordBatch | Rejected | Glanced]:
        """The events and rejects of the pieces of a shard, those that have any, and a glance; of a crew's, when they are due."""
        pieces = read_shard(shard, self._settings) if self._pool is None else self._pool.decode(shard)
        for piece in pieces:
            yield from _results_of(piece, self._settings.now)

    def finish_bundle(self) -> Iterator[Any]:
        """What the crew has still to give."""
        if self._pool is not None:
            for piece in self._pool.rest():
                for found in _results_of(piece, self._settings.now):
                    yield _global(found)
            self._pool.leave()

    def teardown(self) -> None:
        """Ends the processes of a bundle that failed."""
        if self._pool is not None:
            self._pool.leave()


def _results_of(piece: DecodeResult, now: int) -> Iterator[pa.RecordBatch | Rejected | Glanced]:
    yield from results_of(piece)
    yield TaggedOutput(GLANCED, glance_of(piece, now))


def results_of(piece: DecodeResult) -> Iterator[pa.RecordBatch | Rejected]:
    """What one piece of input gives to the graph; its records are counted."""
    count_piece(piece.counts)
    if len(piece.events):
        yield piece.events
    if len(piece.rejects):
        yield TaggedOutput(REJECTED, piece.rejects)


def _global(found: pa.RecordBatch | Rejected | Glanced) -> Any:
    if isinstance(found, TaggedOutput):
        return TaggedOutput(found.tag, _global(found.value))
    return WindowedValue(found, MIN_TIMESTAMP, (GlobalWindow(),))


def count_piece(counts: Counts) -> None:
    """Counts the records of one piece of input."""
    count("in", counts.records)
    count("health", counts.health)
    count("unplaced", counts.unplaced)
    for kind, number in counts.ignored.items():
        count(f"ignored/{kind}", number)
    for reason, number in counts.rejected.items():
        count(f"rejected/{reason}", number)
