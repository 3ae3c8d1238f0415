"""The last standing of each scale set, on disk: what a ledger needs to go on, in bytes that only the ledger reads."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pipelines.stream.segments import Segment, frame_at, frames

_HEAD: Final = struct.Struct("<qI")
"""The segment through which a standing covers its set, and the length of the set's id."""
_SPARE: Final = 1 << 20
"""Bytes of superseded standings that are not worth a rewriting."""


class Checkpoint(NamedTuple):
    """What a ledger knows of one scale set."""

    taken: int
    """How many events of the set it had taken in by then, since the journal was opened: late ones and copies too."""
    content: bytes
    """Opaque; empty: the set may be forgotten."""


class StoredCheckpoint(NamedTuple):
    """A standing as it lies in the file."""

    through: int
    """The number of the last segment of the journal whose events of this set are all in it."""
    content: bytes


class _StoredSpan(NamedTuple):
    start: int
    through: int
    size: int


class CheckpointFile:
    """The file. Standings are appended, the last one of a set counts; what is superseded goes when it is most of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places = _places(path) if path.exists() else {}
        self._segment = Segment(path)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def through(self, name: str) -> int:
        """The last segment that the standing of a set covers; -1 if it has none."""
        return self._places[name].through if name in self._places else -1

    def items(self) -> Iterator[tuple[str, StoredCheckpoint]]:
        """The last standing of each set."""
        for name, place in self._places.items():
            yield name, _decoded(frame_at(self._path, place.start))[1]

    def store(self, standings: Mapping[str, StoredCheckpoint]) -> None:
        """Puts standings in the place of those before them; they are on disk when it returns."""
        bodies = [_encoded(name, kept) for name, kept in standings.items()]
        for (name, kept), start, body in zip(standings.items(), self._segment.append(bodies), bodies, strict=True):
            self._put(name, kept, _StoredSpan(start, kept.through, len(body)))
        if self._segment.size > 2 * sum(place.size for place in self._places.values()) + _SPARE:
            self.rewrite(dict(self.items()).items())

    def rewrite(self, standings: Iterable[tuple[str, StoredCheckpoint]]) -> None:
        """Has the file hold these and nothing else; killed meanwhile, it holds what it held."""
        bodies = [_encoded(name, kept) for name, kept in standings if kept.content]
        self._segment.close()
        self._segment = Segment.written(self._path, bodies)
        self._places = _places(self._path)

    def close(self) -> None:
        """Stores no more."""
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
