"""A sink that buffers versions for some seconds before they are written, so that a stream writes few files.

They are held by the process, not by the runner: this is for a runner whose state dies with the process. After a crash the ledger
is built anew from the journal and compared with the folder, so versions lost with the buffer are published again. Therefore the
journal gets a checkpoint only after the versions that the ledger emitted with it are written: what it has settled is never
evaluated again.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from pipelines.stream.checkpoints import Checkpoint
from pipelines.stream.journal import Journal
from transforms.core.ledger.changes import Changes
from transforms.core.ledger.supersede import newest_versions
from transforms.publish import Sink

MOST_ROWS: Final = 100_000
"""More rows of `availability` than this are written at once."""
MOST_BYTES: Final = 64 * 2**20
"""More bytes of checkpoints than this are written at once."""
_TURN: Final = 0.2


@dataclass
class _Buffer:
    """The buffer of one process for one run."""

    changes: list[Changes] = field(default_factory=list)
    since: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    writing: threading.Lock = field(default_factory=threading.Lock)
    failure: BaseException | None = None
    ended: threading.Event = field(default_factory=threading.Event)


_BUFFERS: Final[dict[str, _Buffer]] = {}
_LOCK: Final = threading.Lock()


@dataclass(frozen=True)
class BufferedSink:
    """Hands versions to another sink some seconds later. All copies of it in one process share one buffer."""

    sink: Sink
    name: str
    """The name of the buffer; each run has its own."""
    seconds: float
    journal: Journal | None = None
    """The journal that gets the checkpoints."""

    def publish(self, changes: list[Changes]) -> None:
        """Buffers versions, and writes all at once when they are many.

        Raises:
            OSError: an earlier write failed.
        """
        buffer = self._buffer()
        if buffer.failure is not None:
            raise buffer.failure
        with buffer.lock:
            buffer.since = buffer.since if buffer.changes else time.monotonic()
            buffer.changes += changes
            rows = sum(len(one.availability) for one in buffer.changes)
            size = sum(one.checkpoints.nbytes for one in buffer.changes)
        if rows >= MOST_ROWS or size >= MOST_BYTES:
            self.flush()

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        """Rejects are not buffered."""
        return self.sink.reject(rejects)

    def flush(self) -> None:
        """Writes all that is buffered."""
        buffer = self._buffer()
        with buffer.writing:
            with buffer.lock:
                held, buffer.changes = buffer.changes, []
            if held:
                self._write(newest_versions(held))

    def _write(self, changes: Changes) -> None:
        if len(changes.revisions):
            self.sink.publish([changes])
        if self.journal is not None and len(changes.checkpoints):
            rows = zip(*(column.to_pylist() for column in changes.checkpoints.columns), strict=True)
            self.journal.store({key: Checkpoint(taken, content) for key, taken, content in rows})

    def end(self) -> None:
        """Writes all that is buffered, and ends the thread that writes by itself."""
        self._buffer().ended.set()
        self.flush()

    def _buffer(self) -> _Buffer:
        with _LOCK:
            if self.name not in _BUFFERS:
                _BUFFERS[self.name] = _Buffer()
                threading.Thread(target=self._keep_flushing, args=(_BUFFERS[self.name],), name="flush", daemon=True).start()
            return _BUFFERS[self.name]

    def _keep_flushing(self, buffer: _Buffer) -> None:
        while not buffer.ended.wait(_TURN):
            if buffer.changes and time.monotonic() - buffer.since >= self.seconds:
                try:
                    self.flush()
                except Exception as error:
                    buffer.failure = error
                    return
