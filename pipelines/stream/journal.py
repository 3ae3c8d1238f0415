"""The journal of a stream whose runner keeps no state of its own: its events, on disk before their messages are acknowledged.

What a stream is killed with is lost, ledger and all; the one that follows reads the journal and goes on. Events are appended by
the bundle that reads them, so they are there before the runner calls that bundle final. So that the journal grows no longer than
what the ledger needs, the ledger emits a checkpoint of each scale set now and then; segments whose events are all covered by
checkpoints are deleted.

When is an event covered? Events go on to the ledger together (`turn`), and the next ones not before the ledger has taken those in
(`settle`). After that, a checkpoint that counts as many events of its set as the journal does covers them all.
"""

import fcntl
import hashlib
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.failures import RunError, UsageError
from pipelines.record.folder import is_local
from pipelines.stream.checkpoints import Checkpoint, CheckpointFile, StoredCheckpoint
from pipelines.stream.segments import Segment, frames
from schemas.event import empty_events
from transforms.coders import RecordBatchCoder
from transforms.core.columns.batches import concat
from transforms.core.evaluation.duplicates import remove_duplicates

_CODER: Final = RecordBatchCoder()
_SEGMENT: Final = 1 << 20
"""Bytes at which another segment begins."""
_OPEN: Final[dict[str, "_OpenJournal"]] = {}
_LOCK: Final = threading.RLock()


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
        """Its folder."""
        name = hashlib.sha256(self.subscription.encode()).hexdigest()[:16]
        return Path(self.root) / "_trueup" / "journal" / name

    @property
    def name(self) -> str:
        """A name for it in this process, another one each time that it is opened."""
        return self._opened.name

    def open(self, rejected: frozenset[str], policy: str) -> int:
        """Opens the journal for this process, and joins its segments to one without duplicates; gives the number of its events.

        Args:
            rejected: ids of events that came too late, and are rejected for good.
            policy: the hash of the policy with which standings are made.

        Raises:
            RunError: another process has it.
            UsageError: it was made with another policy.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._check(policy)
        lock = self._lock()
        checkpoints = CheckpointFile(self.folder / "standings")
        before = {_number(path): path for path in self.folder.glob("*.events")}
        events = _left(before, checkpoints, rejected)
        number = max(before, default=0) + 1
        # In this order, so that wherever it is cut off all events are in a segment that no standing claims to cover.
        joined = Segment.written(self._path(number), [_CODER.encode(events)])
        joined.close()
        checkpoints.rewrite([(name, kept._replace(through=number - 1)) for name, kept in checkpoints.items()])
        for path in before.values():
            path.unlink()
        opened = _OpenJournal(lock, joined.path, checkpoints, Segment(self._path(number + 1)))
        opened.closed[number] = _ClosedSegment(joined.path, dict.fromkeys(_names(events), 0))
        with _LOCK:
            _OPEN[str(self.folder)] = opened
        return len(events)

    def seed(self, standings: Mapping[str, bytes]) -> None:
        """Stores standings from other runs, of scale sets that are not in the journal yet; they are on disk when it returns."""
        opened = self._opened
        here = set(_names(self.recalled()))
        fresh = {name: content for name, content in standings.items() if name not in opened.checkpoints and name not in here}
        with _LOCK:
            opened.checkpoints.store({name: StoredCheckpoint(_number(opened.joined), content) for name, content in fresh.items()})

    def recalled(self) -> pa.RecordBatch:
        """The events that were there when it was opened, except those that checkpoints cover."""
        path = self._opened.joined
        return _events(path) if path.exists() else empty_events()  # without events it may go at once

    def standings(self) -> Iterator[tuple[str, bytes]]:
        """The last standing of each scale set, encoded."""
        with _LOCK:
            found = [(name, kept.content) for name, kept in self._opened.checkpoints.items()]
        yield from found

    def sets(self) -> int:
        """The number of scale sets that the journal knows."""
        own = self._opened.checkpoints
        return len(own) + sum(name not in own for name in _names(self.recalled()))

    def append(self, events: list[pa.RecordBatch]) -> None:
        """Appends events; they are on disk when it returns."""
        joined = concat(events)
        with _LOCK:
            self._opened.append(joined)

    def turn(self) -> None:
        """Notes that all events appended so far now go on to the ledger."""
        with _LOCK:
            opened = self._opened
            opened.gone_on = opened.appended.copy()
            if opened.segment.size >= _SEGMENT:
                opened.close_segment(self._path(_number(opened.segment.path) + 1))

    def settle(self) -> None:
        """Notes that the ledger has taken in everything that went on to it."""
        with _LOCK:
            self._opened.settle()
            self._opened.drop()

    def store(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Stores checkpoints; they are on disk when it returns. Segments that are no longer needed are deleted."""
        with _LOCK:
            self._opened.store(checkpoints)
            self._opened.drop()

    def close(self) -> None:
        """Closes the journal, so that another process, or this one again, may open it."""
        with _LOCK:
            _OPEN.pop(str(self.folder)).close()

    @property
    def _opened(self) -> "_OpenJournal":
        return _OPEN[str(self.folder)]

    def _check(self, policy: str) -> None:
        path = self.folder / "policy"
        held = path.read_text() if path.exists() else policy
        if held != policy:
            raise UsageError(
                f"--policy: the policy with which this stream began in {self.root}, {held}, is required, got {policy}; "
                "another one is for another folder."
            )
        path.write_text(policy)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012}.events"

    def _lock(self) -> BinaryIO:
        lock = open(self.folder / "lock", "wb")  # noqa: SIM115 (held until it is closed)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise RunError(f"{self.root}: one stream of {self.subscription} at a time is required, another is running.") from None
        return lock


@dataclass
class _ClosedSegment:
    """A segment that is complete."""

    path: Path
    uncovered: dict[str, int]
    """The sets whose checkpoint does not cover it yet, and how many events one must count to do so (valid once it is settled)."""

    def cover(self, taken: Mapping[str, int]) -> None:
        """Removes the sets whose checkpoint counts enough events."""
        for name in [name for name, number in self.uncovered.items() if taken.get(name, -1) >= number]:
            del self.uncovered[name]


@dataclass
class _OpenJournal:
    """The state of a journal in the process that has it open."""

    lock: BinaryIO
    joined: Path
    checkpoints: CheckpointFile
    segment: Segment
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    closed: dict[int, _ClosedSegment] = field(default_factory=dict)
    settled: int = 0
    """The ledger has taken in the segments up to this one."""
    appended: Counter[str] = field(default_factory=Counter)
    """How many events of each set were appended; `gone_on`: went on to the ledger; `_stored`: its last checkpoint counts."""
    gone_on: Counter[str] = field(default_factory=Counter)
    _stored: dict[str, int] = field(default_factory=dict)
    _here: set[str] = field(default_factory=set)
    """The sets in the present segment."""

    def append(self, events: pa.RecordBatch) -> None:
        self.segment.append([_CODER.encode(events)])
        ids = events.column("scale_set_id")
        numbers = np.bincount(ids.indices.to_numpy(), minlength=len(ids.dictionary)).tolist()
        self.appended.update({name: number for name, number in zip(ids.dictionary.to_pylist(), numbers, strict=True) if number})
        self._here.update(_names(events))

    def close_segment(self, following: Path) -> None:
        self.closed[_number(self.segment.path)] = _ClosedSegment(self.segment.path, dict.fromkeys(self._here, 0))
        self.segment.close()
        self.segment, self._here = Segment(following), set()

    def settle(self) -> None:
        # Events of a set may have been taken in in another order: only all that have gone on tell by their number.
        for number, segment in self.closed.items():
            if number > self.settled:
                segment.uncovered = {name: self.gone_on[name] for name in segment.uncovered}
                segment.cover(self._stored)
        self.settled = max(self.closed, default=self.settled)

    def store(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        taken = {name: checkpoint.taken for name, checkpoint in checkpoints.items()}
        self._stored |= taken
        for number, segment in self.closed.items():
            if number <= self.settled:
                segment.cover(taken)
        self.checkpoints.store(
            {name: StoredCheckpoint(self._through(name), checkpoint.content) for name, checkpoint in checkpoints.items()}
        )

    def drop(self) -> None:
        for number, segment in sorted(self.closed.items()):
            if number <= self.settled and not segment.uncovered:
                segment.path.unlink()
                del self.closed[number]

    def close(self) -> None:
        for file in (self.checkpoints, self.segment, self.lock):
            file.close()

    def _through(self, name: str) -> int:
        """The last segment up to which the checkpoint of a set covers all its events."""
        missing = (number for number, segment in sorted(self.closed.items()) if name in segment.uncovered)
        return min(self.settled, next(missing, self.settled + 1) - 1)


def _left(segments: Mapping[int, Path], checkpoints: CheckpointFile, rejected: frozenset[str]) -> pa.RecordBatch:
    """The events that no checkpoint covers, each once."""
    found = concat([_uncovered(_events(path), number, checkpoints) for number, path in sorted(segments.items())])
    late = pc.is_in(found.column("event_id"), pa.array(sorted(rejected), pa.string()))
    return remove_duplicates(found.filter(pc.invert(late)))[0]


def _uncovered(events: pa.RecordBatch, number: int, checkpoints: CheckpointFile) -> pa.RecordBatch:
    ids = events.column("scale_set_id")
    left = np.array([checkpoints.through(name) < number for name in ids.dictionary.to_pylist()], np.bool_)
    return events if left.all() else events.filter(pa.array(left[ids.indices.to_numpy()]))


def _events(path: Path) -> pa.RecordBatch:
    return concat([_CODER.decode(frame.body) for frame in frames(path)])


def _names(events: pa.RecordBatch) -> list[str]:
    ids = events.column("scale_set_id")
    return list(ids.dictionary.take(ids.indices.unique()).to_pylist())


def _number(path: Path) -> int:
    return int(path.stem)
