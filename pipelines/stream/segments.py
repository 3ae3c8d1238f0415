"""Files of frames that are appended to: what was cut off when a process died is told, and left out."""

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

_HEAD: Final = struct.Struct("<Q32s")
"""Length and digest of a frame."""


class Frame(NamedTuple):
    """One frame as it was found."""

    start: int
    """Where it begins, in bytes."""
    body: bytes


class Segment:
    """One such file, open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO = open(path, "ab")  # noqa: SIM115 (open until it is closed)
        self.size = self._file.tell()

    def append(self, bodies: list[bytes]) -> list[int]:
        """Appends frames; they are on disk when it returns. Gives where each begins."""
        starts = []
        for body in bodies:
            starts.append(self.size)
            self._file.write(_HEAD.pack(len(body), hashlib.sha256(body).digest()) + body)
            self.size += _HEAD.size + len(body)
        self._file.flush()
        os.fsync(self._file.fileno())
        return starts

    def close(self) -> None:
        """Appends no more."""
        self._file.close()

    @classmethod
    def written(cls, path: Path, bodies: list[bytes]) -> Self:
        """A segment that is there with all of these frames or not at all, in the place of one of its name."""
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        segment = cls(unfinished)
        segment.append(bodies)
        os.replace(unfinished, path)
        segment.path = path
        return segment


def frames(path: Path) -> Iterator[Frame]:
    """The whole frames of a file, up to the first that is not."""
    content = path.read_bytes()
    at = 0
    while at + _HEAD.size <= len(content):
        length, digest = _HEAD.unpack_from(content, at)
        body = content[at + _HEAD.size : at + _HEAD.size + length]
        if len(body) < length or hashlib.sha256(body).digest() != digest:
            return
        yield Frame(at, body)
        at += _HEAD.size + length


def frame_at(path: Path, start: int) -> bytes:
    """The body of the frame that begins at a place."""
    with open(path, "rb") as file:
        file.seek(start)
        length, _ = _HEAD.unpack(file.read(_HEAD.size))
        return file.read(length)
