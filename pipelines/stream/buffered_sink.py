"""A sink that buffers versions for some seconds before they are written, so that a stream writes few files.

They are held by the process, not by the runner: this is for a runner whose state dies with the process. After a crash the ledger
is built anew from the journal and compared with the folder, so versions lost with the buffer are published again. Therefore the
journal gets a checkpoint only after the versions that the ledger emitted with it are written: what it has settled is never
evaluated again.
"""

import threading
import time
from typing import Final

import pyarrow as pa

from pipelines.stream.journal import Checkpoint, Journal
from transforms.core.ledger.changes import Changes
from transforms.core.ledger.supersede import newest_versions
from transforms.publish import Sink

MOST_ROWS: Final = 100_000
"""More rows of `availability` than this are written at once."""
MOST_BYTES: Final = 64 * 2**20
"""More bytes of checkpoints than this are written at once."""
_TURN: Final = 0.2


class BufferedSink:
    """Hands versions to another sink some seconds later, from a thread of its own. Thread-safe."""

    def __init__(self, sink: Sink, seconds: float, journal: Journal | None = None) -> None:
        """`journal` gets the checkpoints."""
        self._sink, self._seconds, self._journal = sink, seconds, journal
        self._held: list[Changes] = []
        self._since = 0.0
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._failure: Exception | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._keep_flushing, name="flush", daemon=True).start()

    def publish(self, changes: list[Changes]) -> None:
        """Buffers versions, and writes all at once when they are many, or when nothing is buffered any more.

        Raises:
            OSError: an earlier write failed.
        """
        if self._failure is not None:
            raise self._failure
        with self._lock:
            self._since = self._since if self._held else time.monotonic()
            self._held += changes
            rows = sum(len(one.availability) for one in self._held)
            size = sum(one.checkpoints.nbytes for one in self._held)
        if rows >= MOST_ROWS or size >= MOST_BYTES or self._ended.is_set():
            self.flush()

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        """Rejects are not buffered."""
        return self._sink.reject(rejects)

    def flush(self) -> None:
        """Writes all that is buffered."""
        with self._writing:
            with self._lock:
                held, self._held = self._held, []
            if held:
                self._write(newest_versions(held))

    def end(self) -> None:
        """Writes all that is buffered, and ends the thread that writes by itself."""
        self._ended.set()
        self.flush()

    def _write(self, changes: Changes) -> None:
        if len(changes.revisions):
            self._sink.publish([changes])
        if self._journal is not None and len(changes.checkpoints):
            rows = changes.checkpoints.to_pylist()
            self._journal.store({row["key"]: Checkpoint(row["taken"], row["standing"]) for row in rows})

    def _keep_flushing(self) -> None:
        while not self._ended.wait(_TURN):
            if self._held and time.monotonic() - self._since >= self._seconds:
                try:
                    self.flush()
                except Exception as error:
                    self._failure = error
                    return
