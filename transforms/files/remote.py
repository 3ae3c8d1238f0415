"""Files elsewhere: in an object store, or on another of Beam's file systems, for paths with a scheme.

Only a pipeline gives Beam's file systems options, without which some open nothing (seen with 2.77: "'NoneType' object has no
attribute 'view_as'"); and their errors become those of the system.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from transforms.files.filesystems import ListedFile, glob_expression
from transforms.files.stores import ObjectStore, errors_of_the_system, store_of

_BUFFER: Final = 16 << 20
"""Bytes that are fetched at once where a file is read in pieces."""

if FileSystems._pipeline_options is None:
    FileSystems.set_options(PipelineOptions([]))


@contextmanager
def _errors_of_beam() -> Iterator[None]:
    try:
        yield
    except BeamIOError as error:
        raise OSError(str(error)) from error


def joined_path(root: str, path: str) -> str:
    """A path below a root."""
    return f"{root.rstrip('/')}/{path}" if "://" in root else str(FileSystems.join(root, path))


def matching_files(pattern: str) -> list[ListedFile]:
    """The files whose paths match a pattern.

    Raises:
        OSError: the file system refuses.
        ValueError: there is none of this scheme, or the pattern cannot be read.
    """
    store = store_of(pattern)
    if store is not None:
        with errors_of_the_system(store, pattern):
            return list(_matching_objects(store, pattern))
    with _errors_of_beam():
        (matched,) = FileSystems.match([pattern])
    return [ListedFile(one.path, one.size_in_bytes, one.last_updated_in_seconds) for one in matched.metadata_list]


def _matching_objects(store: ObjectStore, pattern: str) -> Iterator[ListedFile]:
    pattern += "*" if pattern.endswith("/") else ""
    fixed = re.split(r"[*?[]", pattern, maxsplit=1)[0]
    if fixed == pattern:
        first = next(store.listed(pattern), None)  # the shortest path that begins so comes first
        return iter([first] if first is not None and first.path == pattern else [])
    try:
        admits = re.compile(glob_expression(pattern), re.DOTALL).fullmatch
    except re.error as error:
        raise ValueError(f"{pattern} is no pattern: {error}") from None
    return (found for found in store.listed(fixed) if admits(found.path))


def open_file(path: str) -> Any:
    """A file as it lies, to be read.

    Raises:
        OSError: it cannot be opened.
    """
    store = store_of(path)
    if store is not None:
        return io.BufferedReader(_Object(store, path), _BUFFER)
    with _errors_of_beam():
        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def read_file(path: str) -> bytes:
    """A file's content.

    Raises:
        OSError: it cannot be read; FileNotFoundError of an object store: it is not there.
    """
    store = store_of(path)
    if store is not None:
        with errors_of_the_system(store, path):
            return store.read(path)
    with open_file(path) as source:
        return bytes(source.read())


def write_file(path: str, content: memoryview) -> None:
    """Writes a file in the place of what is there; an object store shows it only when it is whole."""
    store = store_of(path)
    if store is not None:
        with errors_of_the_system(store, path):
            store.put(path, bytes(content), new=False)
        return
    with _errors_of_beam(), FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as sink:
        sink.write(content)


def write_new(path: str, content: memoryview) -> None:
    """Writes a file where none is; where the same is already, that is as good.

    Clients repeat a put whose answer was lost: the store refuses the second one, since the first one has succeeded.

    Raises:
        FileExistsError: there is another one. Only object stores tell.
    """
    store = store_of(path)
    if store is None:
        write_file(path, content)
        return
    own = bytes(content)
    try:
        with errors_of_the_system(store, path):
            store.put(path, own, new=True)
    except FileExistsError:
        if read_file(path) != own:
            raise


def remove(path: str) -> None:
    """Removes a file; one that has gone already is as good, since clients repeat what was not answered."""
    store = store_of(path)
    if store is not None:
        with suppress(FileNotFoundError), errors_of_the_system(store, path):
            store.remove(path)
        return
    with _errors_of_beam():
        FileSystems.delete([path])


class _Object(io.RawIOBase):
    """An object that is fetched in pieces, as they are asked for."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        with errors_of_the_system(store, path):
            found = next(store.listed(path), None)
        if found is None or found.path != path:
            raise FileNotFoundError(2, "there is no such object", path)
        self._store, self._path, self._size, self._at = store, path, found.size, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """The place."""
        return self._at

    def readinto(self, room: Any) -> int:
        """Fetches what fits."""
        end = min(self._at + len(room), self._size)
        if end <= self._at:
            return 0
        with errors_of_the_system(self._store, self._path):
            piece = self._store.read(self._path, self._at, end)
        room[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
