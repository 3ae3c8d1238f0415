"""A dry run's sink: keeps which cells would change, and writes nothing where it matters."""

import os
import uuid
from dataclasses import dataclass

import pyarrow as pa

from pipelines.record.batch_files import get_batch, put_batch
from transforms.core.ledger.changes import Changes


@dataclass(frozen=True)
class Preview:
    """A sink of `transforms.publish` that leaves the REVISIONS of changed cells in a temporary folder of this machine."""

    folder: str

    def publish(self, changes: list[Changes]) -> None:
        """Keeps which cells would get a version."""
        for each in changes:
            path = os.path.join(self.folder, f"{uuid.uuid4().hex}.changes")
            put_batch(path, each.revisions)

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        """Writes none."""
        return 0

    def changes(self) -> tuple[pa.RecordBatch, ...]:
        """REVISIONS that would have been written, a batch for each time that the graph published."""
        paths = sorted(entry.path for entry in os.scandir(self.folder) if entry.name.endswith(".changes"))
        return tuple(get_batch(path) for path in paths)
