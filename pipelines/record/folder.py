"""Folders here, in an object store, or on another of Beam's file systems: list, read, and put whole files."""

import os
import re
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import pyarrow as pa

from transforms.files.filesystems import ListedFile, is_local, joined_path, matching_files, open_file

__all__ = [
    "absolute", "claim", "discard", "files", "head", "is_local", "matching", "put", "put_over", "read", "read_all", "remove",
    "remove_folder", "threads_for",
]  # fmt: skip

_SPECIAL: Final = re.compile(r"[*?[]")
"""Characters that mean something in a glob."""


def put(root: str, path: str, content: pa.Buffer | bytes) -> None:
    """Writes a file below `root` whose name nobody else has; it appears whole or not at all.

    Here under a temporary name outside the tables, then renamed. An object store shows an object only when it is whole.

    Raises:
        FileExistsError: of an object store, another one has the name.
    """
    if is_local(root):
        put_over(root, path, content)
        return
    from transforms.files import remote

    remote.write_new(joined_path(root, path), memoryview(content))


def put_over(root: str, path: str, content: pa.Buffer | bytes) -> None:
    """The same, in the place of what may be there."""
    target = joined_path(root, path)
    if is_local(root):
        os.replace(_unfinished(root, target, content), target)
        return
    from transforms.files import remote

    remote.write_file(target, memoryview(content))


def claim(root: str, path: str, content: bytes) -> bytes:
    """Writes a file below `root` if there is none, and gives what it holds: of several who do so at once, one has written it."""
    for held in read_all(root, path):
        return held
    try:
        if is_local(root):
            _link(_unfinished(root, joined_path(root, path), content), joined_path(root, path))
        else:
            put(root, path, content)
    except FileExistsError:
        with read(joined_path(root, path)) as source:
            return bytes(source.read())
    return content


def _unfinished(root: str, target: str, content: pa.Buffer | bytes) -> str:
    """Writes a file of this machine under a temporary name, from which it can become another one."""
    unfinished = os.path.join(root, "_trueup", "unfinished", uuid.uuid4().hex)
    for name in (unfinished, target):
        os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(unfinished, "wb") as file:
        file.write(memoryview(content))
    return unfinished


def _link(unfinished: str, target: str) -> None:
    try:
        os.link(unfinished, target)
    except FileExistsError:
        os.remove(unfinished)
        raise
    except OSError:  # a file system without hard links, as those of shares are
        os.replace(unfinished, target)
    else:
        os.remove(unfinished)


def threads_for(root: str, here: int) -> int:
    """How many threads work on the files of a folder at once: elsewhere most of them wait for an answer."""
    return here if is_local(root) else 8


def files(root: str, pattern: str) -> list[str]:
    """The paths of the files below `root` that match a glob; none if there is no such folder."""
    return sorted(found.path for found in matching(root, pattern))


def matching(root: str, pattern: str) -> list[ListedFile]:
    """The files below `root` that match a glob. A root that looks like a glob is none: Beam has no quotes for it."""
    matched = matching_files(joined_path(_SPECIAL.sub("?", root), pattern))
    return [found for found in matched if not _SPECIAL.search(root) or found.path.startswith(root)]


def remove(path: str) -> None:
    """Removes a file. Beam would take its path for a glob, and remove whatever else is like it."""
    if is_local(path):
        os.remove(path)
    else:
        from transforms.files import remote

        remote.remove(path)


def absolute(path: str) -> str:
    """The same place, for a process that runs elsewhere on this machine: none of them knows where this one stands."""
    return os.path.abspath(path) if is_local(path) else path


def discard(folder: str) -> None:
    """Removes a folder with all that is in it, if it is there."""
    if is_local(folder):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        for path in files(folder, "**"):
            remove(path)


def remove_folder(root: str, path: str) -> None:
    """Removes the files of a folder below `root`, which has no other folders in it."""
    for found in files(root, f"{path}/*"):
        remove(found)
    if is_local(root):  # an object store has no folders but in names
        with suppress(FileNotFoundError):
            os.rmdir(os.path.join(root, path))


def read(path: str) -> pa.NativeFile:
    """A file's content, mapped where it is local, fetched where it is not."""
    if is_local(path):
        return pa.memory_map(path)
    from transforms.files import remote

    return pa.BufferReader(remote.read_file(path))


def head(path: str, size: int) -> bytes:
    """The first bytes of a file, as they lie there."""
    with open_file(path) as source:
        return bytes(source.read(size))


def read_all(root: str, pattern: str) -> Iterable[bytes]:
    """The content of each file below `root` that matches a glob."""
    for path in files(root, pattern):
        with read(path) as source:
            yield source.read()
