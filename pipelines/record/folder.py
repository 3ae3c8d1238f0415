"""Folders here or on any of Beam's file systems: list, read, and put whole files."""

import os
import re
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import pyarrow as pa

from transforms.files.filesystems import ListedFile, is_local, joined_path, matching_files, open_file

__all__ = ["absolute", "discard", "files", "head", "is_local", "matching", "put", "read", "read_all", "remove", "remove_folder"]

_SPECIAL: Final = re.compile(r"[*?[]")
"""Characters that mean something in a glob."""


def put(root: str, path: str, content: pa.Buffer | bytes) -> None:
    """Writes a file below `root` that appears whole or not at all.

    Here under a temporary name outside the tables, then renamed; an object store shows an object only when it is whole.
    """
    target = joined_path(root, path)
    if not is_local(root):
        from transforms.files import remote

        remote.write_file(target, memoryview(content))
        return
    unfinished = os.path.join(root, "_trueup", "unfinished", uuid.uuid4().hex)
    for name in (unfinished, target):
        os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(unfinished, "wb") as file:
        file.write(memoryview(content))
    os.replace(unfinished, target)


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
    elif files(folder, "*"):
        from transforms.files import remote

        remote.remove(folder)


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
    with open_file(path) as source:
        return pa.BufferReader(source.read())


def head(path: str, size: int) -> bytes:
    """The first bytes of a file, as they lie there."""
    with open_file(path) as source:
        return bytes(source.read(size))


def read_all(root: str, pattern: str) -> Iterable[bytes]:
    """The content of each file below `root` that matches a glob."""
    for path in files(root, pattern):
        with read(path) as source:
            yield source.read()
