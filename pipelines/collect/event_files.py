"""Records as they come, in files that others see whole only: `FOLDER/2026-11-29/T120000Z-1a2b3c4d.jsonl.zst`.

What has been kept is on disk, in a part that no reader takes for a file of events. A part that is old or large becomes a file:
compressed under a temporary name, then renamed, and only then is the part removed. Wherever that is cut off, the next collector
does it again, to the same name. A line that was cut off was never told to be kept.
"""

import fcntl
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from schemas.wording import first_line

_PARTS: Final = ".collecting"
_TURN: Final = 0.2


class EventFiles:
    """A folder that takes records of JSON. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        seconds: float,
        size: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        complain: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Finishes what collectors before it had to leave.

        Args:
            folder: where the files go; it is made if it is not there.
            seconds: how long a part takes records before it becomes a file.
            size: bytes at which it does so earlier.
            clock: gives the present, for the names.
            complain: is told in a sentence that a file cannot be written, once until one can.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._folder, self._seconds, self._size, self._clock, self._complain = folder, seconds, size, clock, complain
        self._parts = folder / _PARTS
        self._parts.mkdir(parents=True, exist_ok=True)
        self._lock, self._finishing = threading.Lock(), threading.Lock()
        self._part: _OpenPart | None = None
        self._full = list(self._left())
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_finishing, name="event files", daemon=True)
        self._thread.start()

    def keep(self, records: list[bytes]) -> None:
        """Takes records, one line each; they are on disk when it returns.

        Raises:
            OSError: they are not, and none of them will be in a file.
        """
        if not records:
            return
        with self._lock:
            if self._part is None:
                self._part = _OpenPart.begun(self._parts / f"{self._clock():%Y-%m-%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}")
            self._part.append(b"".join(record + b"\n" for record in records))
            if self._part.size >= self._size:
                self._turn()

    def finish(self) -> None:
        """Makes files of all that has been kept so far.

        Raises:
            OSError: one cannot be written; its part stays.
        """
        with self._lock:
            self._turn()
        with self._finishing:
            while self._full:
                day, _, rest = self._full[0].path.name.partition("T")
                self._full[0].become(self._folder / day / f"T{rest}.jsonl.zst")
                del self._full[0]

    def close(self) -> None:
        """Makes a file of the rest, and takes no more.

        Raises:
            OSError: it cannot be written; the part stays.
        """
        self._ended.set()
        self._thread.join()
        self.finish()

    def _turn(self) -> None:
        if self._part is not None:
            self._full.append(self._part)
            self._part = None

    def _left(self) -> Iterator["_OpenPart"]:
        """Parts of collectors that are no more."""
        for path in sorted(self._parts.iterdir()):
            if path.suffix == ".unfinished":
                path.unlink(missing_ok=True)
            elif (part := _OpenPart.found(path)) is not None:
                yield part

    def _keep_finishing(self) -> None:
        failing = False
        while not self._ended.wait(_TURN):
            part = self._part
            if not self._full and (part is None or time.monotonic() - part.since < self._seconds):
                continue
            try:
                self.finish()
                failing = False
            except OSError as error:  # it is tried again at the next turn, and told at the end
                if not failing:
                    reason = error.strerror or first_line(error)
                    self._complain(f"{self._folder}: a file cannot be written at present: {reason}. Nothing is lost.")
                failing = True


class _OpenPart:
    """A file of lines that is appended to; locked as long as its process lives."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self.path, self.size, self.since = path, size, time.monotonic()
        self._file = file

    @classmethod
    def begun(cls, path: Path) -> "_OpenPart":
        file = open(path, "xb", buffering=0)  # noqa: SIM115 (open as long as it takes records)
        fcntl.flock(file, fcntl.LOCK_EX)
        _sync(path.parent)
        return cls(path, file, 0)

    @classmethod
    def found(cls, path: Path) -> "_OpenPart | None":
        """A part whose collector has ended, without the line that was cut off; None: it is at work, or another has taken it."""
        with suppress(FileNotFoundError):
            file = open(path, "r+b", buffering=0)  # noqa: SIM115
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return None
            whole = path.read_bytes().rfind(b"\n") + 1
            file.truncate(whole)
            return cls(path, file, whole)
        return None

    def append(self, lines: bytes) -> None:
        """Appends whole lines, or nothing."""
        try:
            view = memoryview(lines)
            while view:
                view = view[self._file.write(view) :]
            os.fsync(self._file.fileno())
        except OSError:
            with suppress(OSError):
                self._file.truncate(self.size)
                self._file.seek(self.size)
            raise
        self.size += len(lines)

    def become(self, target: Path) -> None:
        """Becomes a compressed file, and is no more."""
        if self.size:
            unfinished = self.path.with_suffix(".unfinished")
            with pa.OSFile(str(unfinished), "wb") as sink, pa.CompressedOutputStream(sink, "zstd") as packed:
                packed.write(self.path.read_bytes())
            _sync(unfinished)
            target.parent.mkdir(exist_ok=True)
            os.replace(unfinished, target)
            _sync(target.parent)
        self.path.unlink()
        self._file.close()


def _sync(path: Path) -> None:
    """Has a file, or what a folder lists, on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
