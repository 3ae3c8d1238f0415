"""A dry run's sink: keeps which cells would change, and writes nothing where it matters."""

import uuid
from dataclasses import dataclass

import pyarrow as pa

from pipelines.record.folder import put, read_all
from transforms.coders import batch_as_bytes, batch_from_bytes
from transforms.core.ledger.changes import Changes


@dataclass(frozen=True)
class Preview:
    """A sink of `transforms.publish` that leaves the REVISIONS of changed cells in a folder of the run alone."""

    folder: str

    def publish(self, changes: list[Changes]) -> None:
        """Keeps which cells would get a version."""
        for each in changes:
            put(self.folder, f"{uuid.uuid4().hex}.changes", batch_as_bytes(each.revisions))

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        """Writes none."""
        return 0

    def changes(self) -> tuple[pa.RecordBatch, ...]:
        """REVISIONS that would have been written, a batch for each time that the graph published."""
        return tuple(map(batch_from_bytes, read_all(self.folder, "*.changes")))
