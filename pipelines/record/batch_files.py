"""Batches in files of this machine, as Arrow IPC: what a run keeps for itself while it lasts."""

import pyarrow as pa

from transforms.coders import read_batch


def put_batch(path: str, batch: pa.RecordBatch, compression: str | None = None) -> None:
    """Writes a batch to a file; codes stay codes."""
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, batch.schema, options=options) as stream:
        stream.write_batch(batch)


def get_batch(path: str) -> pa.RecordBatch:
    """The batch of a file."""
    with pa.OSFile(path) as file:
        return read_batch(file)
