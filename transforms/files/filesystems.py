"""Files of this machine, and elsewhere those of Beam's file systems, which are imported only for a path with a scheme: Beam takes
two seconds of CPU, and who reads a report here needs none of it."""

import os
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_TOKEN: Final = re.compile(r"\*\*|\*|\?|\[!?+\]?+[^\]]*\]|.", re.DOTALL)


class ListedFile(NamedTuple):
    """A file and what its folder says of it."""

    path: str
    size: int
    """Bytes."""
    changed: float
    """Seconds since the epoch."""


def is_local(path: str) -> bool:
    """Whether a path has no scheme: a place on this machine."""
    return "://" not in path


def joined_path(root: str, path: str) -> str:
    """A path below a root."""
    if is_local(root):
        return os.path.join(root, path)
    from transforms.files import remote

    return remote.joined_path(root, path)


def matching_files(pattern: str) -> list[ListedFile]:
    """The files whose paths match a pattern; of a path without special characters, also the folder that it is.

    Args:
        pattern: `*` and `?` stand for what has no slash and for one character, `**` for anything, `[...]` for one of some.

    Raises:
        OSError: the file system refuses.
        ValueError: it is of no known kind, or `[...]` cannot be read.
    """
    if not is_local(pattern):
        from transforms.files import remote

        return remote.matching_files(pattern)
    pattern += "*" if pattern.endswith(("/", "\\")) else ""
    fixed = re.split(r"[*?[]", pattern, maxsplit=1)[0]
    if fixed == pattern:
        return [_listed(pattern)] if os.path.exists(pattern) else []
    try:
        admits = re.compile(glob_expression(pattern), re.DOTALL).fullmatch
    except re.error as error:
        raise ValueError(f"{pattern} is no pattern: {error}") from None
    return [found for found in _below(os.path.dirname(fixed)) if admits(found.path)]


def open_file(path: str) -> Any:
    """A file as it lies, to be read; compressed ones stay so.

    Raises:
        OSError: it cannot be opened.
    """
    if is_local(path):
        return open(path, "rb")
    from transforms.files import remote

    return remote.open_file(path)


def glob_expression(pattern: str) -> str:
    r"""The regular expression of a pattern.

    >>> glob_expression("a.b/*.?")
    'a\\.b/[^/\\\\]*\\..'
    """
    return "".join(map(_expression, _TOKEN.findall(pattern)))


def _expression(token: str) -> str:
    if token in ("*", "**", "?"):
        return {"*": r"[^/\\]*", "**": ".*", "?": "."}[token]
    if len(token) == 1:
        return re.escape(token)
    inner = token[1:-1].replace("\\", "\\\\")
    return f"[^{inner[1:]}]" if inner[0] == "!" else f"[\\{inner}]" if inner[0] == "^" else f"[{inner}]"


def _below(folder: str) -> Iterator[ListedFile]:
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                yield _listed(os.path.join(place, name))
            except OSError:  # gone since it was listed
                continue


def _listed(path: str) -> ListedFile:
    found = os.stat(path)
    return ListedFile(path, found.st_size, found.st_mtime)
