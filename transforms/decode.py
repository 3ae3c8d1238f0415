"""Decoding as a step: shards of input files into events and rejects, with every record counted (contract.md "Input")."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput

from transforms.core.decode import Counts, DecodeSettings
from transforms.counters import count
from transforms.files import Shard, read_shard

REJECTED: Final = "rejected"
Rejected = TaggedOutput[Literal["rejected"], pa.RecordBatch]


class DecodedRecords(NamedTuple):
    """What decoding gives."""

    events: beam.PCollection
    """Batches of EVENTS."""
    rejects: beam.PCollection
    """Batches of REJECTS."""


@dataclass(eq=False)
class DecodeRecords(beam.PTransform):
    """Shards of files into events and rejects."""

    settings: DecodeSettings

    def expand(self, shards: beam.PCollection) -> Any:
        """`Shard`s to `DecodedRecords`."""
        decoded = shards | "ReadShards" >> beam.ParDo(ReadShards(self.settings)).with_outputs(REJECTED, main="events")
        return DecodedRecords(decoded["events"], decoded[REJECTED])


@beam.typehints.with_input_types(Shard)
@beam.typehints.with_output_types(pa.RecordBatch, rejected=pa.RecordBatch)
class ReadShards(beam.DoFn):
    """Reads and decodes one shard after the other."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings

    def process(self, shard: Shard) -> Iterator[pa.RecordBatch | Rejected]:
        """The events and rejects of the pieces of a shard, those that have any."""
        for piece in read_shard(shard, self._settings):
            count_piece(piece.counts)
            if len(piece.events):
                yield piece.events
            if len(piece.rejects):
                yield TaggedOutput(REJECTED, piece.rejects)


def count_piece(counts: Counts) -> None:
    """Counts the records of one piece of input."""
    count("in", counts.records)
    count("health", counts.health)
    count("unplaced", counts.unplaced)
    for kind, number in counts.ignored.items():
        count(f"ignored/{kind}", number)
    for reason, number in counts.rejected.items():
        count(f"rejected/{reason}", number)
