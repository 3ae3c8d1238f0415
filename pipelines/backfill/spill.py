"""Spilled events: an input too large for the memory it may use is decoded once and kept on disk, by a hash of the scale set.

As Arrow IPC with LZ4 rather than Parquet: it keeps the codes of EVENTS as they are, and is read without decoding them again.
"""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.record.batch_files import put_batch
from transforms.core.columns.batches import compact
from transforms.core.columns.groups import group_codes, split_by_group


@dataclass(eq=False)
class SpillEvents(beam.PTransform):
    """Batches of EVENTS into the files of a folder, one subfolder a partition."""

    folder: str
    partitions: int

    def expand(self, events: beam.PCollection) -> beam.PCollection:
        """Batches of EVENTS to nothing."""
        return events | "WritePartitions" >> beam.FlatMap(spill, self.folder, self.partitions).with_output_types(str)


def spill(events: pa.RecordBatch, folder: str, partitions: int) -> Iterator[str]:
    """Writes the rows of a batch to the folders of their partitions; gives nothing."""
    for key, rows in split_by_group(events, partitions):
        path = os.path.join(folder, key)
        os.makedirs(path, exist_ok=True)
        put_batch(os.path.join(path, uuid.uuid4().hex), compact(rows), "lz4")
    yield from ()


def spilled(folder: str, partition: int) -> list[str]:
    """The files of one partition."""
    path = os.path.join(folder, str(partition))
    return sorted(entry.path for entry in os.scandir(path)) if os.path.isdir(path) else []


def facts_of_partition(facts: pa.RecordBatch, partition: int, partitions: int) -> pa.RecordBatch:
    """The rows of FACTS whose scale sets are in one partition."""
    codes = group_codes(facts.column("scale_set_id"), partitions)
    return facts.filter(pc.equal(pa.array(codes), partition))
