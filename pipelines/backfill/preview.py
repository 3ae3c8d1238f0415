"""A dry run's sink: keeps which cells would change, and writes nothing where it matters."""

import os
import uuid
from dataclasses import dataclass

import pyarrow as pa

from transforms.core.ledger.changes import Changes


@dataclass(frozen=True)
class Preview:
    """A sink of `transforms.publish` that leaves the REVISIONS of changed cells in a temporary folder of this machine."""

    folder: str

    def publish(self, changes: list[Changes]) -> None:
        """Keeps which cells would get a version."""
        for each in changes:
            path = os.path.join(self.folder, f"{uuid.uuid4().hex}.changes")
            with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, each.revisions.schema) as stream:
                stream.write_batch(each.revisions)

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        """Writes none."""
        return 0

    def changes(self) -> tuple[pa.RecordBatch, ...]:
        """REVISIONS that would have been written, a batch for each time that the graph published."""
        paths = sorted(entry.path for entry in os.scandir(self.folder) if entry.name.endswith(".changes"))
        return tuple(_read(path) for path in paths)


def _read(path: str) -> pa.RecordBatch:
    with pa.OSFile(path) as file, pa.ipc.open_stream(file) as stream:
        return stream.read_next_batch()
