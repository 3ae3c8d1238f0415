"""The last checkpoint of each scale set, on disk: the standing from which the ledger goes on, in bytes that only it reads."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pipelines.stream.segments import Segment, frame_at, frames

_HEAD: Final = struct.Struct("<qI")
"""The last segment that a checkpoint covers for its set, and the length of the set's id."""
_SPARE: Final = 1 << 20
"""The file is not rewritten for fewer bytes of superseded checkpoints than this."""


class Checkpoint(NamedTuple):
    """The state of the ledger for one scale set."""

    taken: int
    """How many events of the set the ledger had received by then, since the journal was opened; late ones and copies too."""
    content: bytes
    """The encoded standing. Empty: the set may be forgotten."""


class StoredCheckpoint(NamedTuple):
    """A checkpoint as it is stored in the file."""

    through: int
    """The number of the last segment of the journal whose events of this set are all in it."""
    content: bytes


class _StoredSpan(NamedTuple):
    start: int
    through: int
    size: int


class CheckpointFile:
    """The file of checkpoints. New ones are appended, and the last one of a set counts. It is rewritten when most of it is
    superseded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places = _places(path) if path.exists() else {}
        self._segment = Segment(path)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def through(self, name: str) -> int:
        """The last segment that the checkpoint of a set covers; -1 if it has none."""
        return self._places[name].through if name in self._places else -1

    def items(self) -> Iterator[tuple[str, StoredCheckpoint]]:
        """The last checkpoint of each set."""
        for name, place in self._places.items():
            yield name, _decoded(frame_at(self._path, place.start))[1]

    def store(self, checkpoints: Mapping[str, StoredCheckpoint]) -> None:
        """Stores checkpoints, which supersede those before them; they are on disk when it returns."""
        bodies = [_encoded(name, kept) for name, kept in checkpoints.items()]
        for (name, kept), start, body in zip(checkpoints.items(), self._segment.append(bodies), bodies, strict=True):
            self._put(name, kept, _StoredSpan(start, kept.through, len(body)))
        if self._segment.size > 2 * sum(place.size for place in self._places.values()) + _SPARE:
            self.rewrite(dict(self.items()).items())

    def rewrite(self, checkpoints: Iterable[tuple[str, StoredCheckpoint]]) -> None:
        """Replaces the content of the file by these, atomically."""
        bodies = [_encoded(name, kept) for name, kept in checkpoints if kept.content]
        self._segment.close()
        self._segment = Segment.written(self._path, bodies)
        self._places = _places(self._path)

    def close(self) -> None:
        """Closes the file."""
        self._segment.close()

    def _put(self, name: str, kept: StoredCheckpoint, place: _StoredSpan) -> None:
        if kept.content:
            self._places[name] = place
        else:
            self._places.pop(name, None)


def _places(path: Path) -> dict[str, _StoredSpan]:
    places: dict[str, _StoredSpan] = {}
    for start, body in frames(path):
        name, kept = _decoded(body)
        if kept.content:
            places[name] = _StoredSpan(start, kept.through, len(body))
        else:
            places.pop(name, None)
    return places


def _encoded(name: str, kept: StoredCheckpoint) -> bytes:
    encoded = name.encode()
    return _HEAD.pack(kept.through, len(encoded)) + encoded + kept.content


def _decoded(body: bytes) -> tuple[str, StoredCheckpoint]:
    through, length = _HEAD.unpack_from(body)
    end = _HEAD.size + length
    return body[_HEAD.size : end].decode(), StoredCheckpoint(through, body[end:])
