"""The journal of a stream whose runner keeps no state of its own: its events, on disk before their messages are acknowledged.

What a stream is killed with is lost, ledger and all; the one that follows reads the journal and goes on. Events are appended
by the bundle that reads them, so they are there before the runner calls that bundle final.
"""

import fcntl
import hashlib
import os
import struct
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.failures import RunError
from pipelines.folder import is_local
from pipelines.waiting import Waiting
from transforms.coders import RecordBatchCoder
from transforms.core.batches import concat
from transforms.core.duplicates import remove_duplicates

_HEAD: Final = struct.Struct("<Q32s")
"""Length and digest of a batch: one that was cut off is told by them."""
_CODER: Final = RecordBatchCoder()
_OPEN: Final[dict[str, BinaryIO]] = {}
_WAITING: Final[dict[str, Waiting]] = {}
_LOCK: Final = threading.Lock()


@dataclass(frozen=True)
class Journal:
    """The journal of one subscription in an output folder of this machine."""

    root: str
    subscription: str

    def __post_init__(self) -> None:
        if not is_local(self.root):
            raise RunError(f"--output: a folder of this machine is required with PrismRunner, got {self.root}.")

    @property
    def folder(self) -> Path:
        """Where it lies."""
        name = hashlib.sha256(self.subscription.encode()).hexdigest()[:16]
        return Path(self.root) / "_trueup" / "journal" / name

    def open(self, rejected: frozenset[str]) -> int:
        """Takes the journal for this process, and joins its files to one, without duplicates; says how many events it holds.

        Args:
            rejected: ids of events that came too late, and are rejected for good.

        Raises:
            RunError: another process has it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take()
        before = sorted(self.folder.glob("*.events"))
        found = concat([batch for path in before for batch in _batches(path)])
        late = pc.is_in(found.column("event_id"), pa.array(sorted(rejected), pa.string()))
        events, _, _ = remove_duplicates(found.filter(pc.invert(late)))
        path = self.folder / f"{uuid.uuid4().hex}.events"
        unfinished = path.with_suffix(".unfinished")
        with open(unfinished, "wb") as file:
            if len(events):
                _append(file, events)
        os.replace(unfinished, path)
        for other in before:
            other.unlink()
        with _LOCK:
            _OPEN[str(self.folder)] = open(path, "ab")  # noqa: SIM115 (open until it is closed)
        return len(events)

    def recalled(self) -> pa.RecordBatch:
        """The events that were there when it was opened."""
        return next(_batches(Path(self.name)))

    @property
    def name(self) -> str:
        """The file that this process writes; another one each time that it is opened."""
        return _OPEN[str(self.folder)].name

    def sets(self) -> int:
        """How many scale sets those events are of."""
        return len(self.recalled().column("scale_set_id").unique())

    def append(self, events: list[pa.RecordBatch]) -> None:
        """Appends events; they are on disk when it returns."""
        with _LOCK:
            _append(_OPEN[str(self.folder)], concat(events))

    def close(self) -> None:
        """Lets go of the journal: another process, or this one again, may open it."""
        with _LOCK:
            for name in (str(self.folder), f"{self.folder} lock"):
                _OPEN.pop(name).close()

    def _take(self) -> None:
        lock = open(self.folder / "lock", "wb")  # noqa: SIM115 (held until it is closed)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise RunError(f"{self.root}: one stream of {self.subscription} at a time is required, another is running.") from None
        _OPEN[f"{self.folder} lock"] = lock


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class WriteJournal(beam.DoFn):
    """Writes the events of a bundle down before it ends, and hands them on then.

    In one stage with the source: no shuffle between. Its bundles follow one another also when there is nothing to read, so what
    has to wait goes on with a later one.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def start_bundle(self) -> None:
        """Begins with nothing held."""
        self._held: list[pa.RecordBatch] = []

    def process(self, events: pa.RecordBatch) -> None:
        """Takes the events."""
        self._held.append(events)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Writes them down; hands on what is due."""
        if self._held:
            self._journal.append(self._held)
        waiting = _waiting_of(self._journal)
        waiting.add(self._held)
        events = waiting.due()
        if len(events):
            yield WindowedValue(events, MIN_TIMESTAMP, (GlobalWindow(),))


def _waiting_of(journal: Journal) -> Waiting:
    with _LOCK:
        return _WAITING.setdefault(journal.name, Waiting())


def _append(file: BinaryIO, events: pa.RecordBatch) -> None:
    content = _CODER.encode(events)
    file.write(_HEAD.pack(len(content), hashlib.sha256(content).digest()) + content)
    file.flush()
    os.fsync(file.fileno())


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    content = path.read_bytes()
    at = 0
    while at + _HEAD.size <= len(content):
        length, digest = _HEAD.unpack_from(content, at)
        body = content[at + _HEAD.size : at + _HEAD.size + length]
        if len(body) < length or hashlib.sha256(body).digest() != digest:
            return
        yield _CODER.decode(body)
        at += _HEAD.size + length
