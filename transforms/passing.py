"""Passing by reference: where the runner and its workers are one process, no element need become bytes between two steps.

Beam has each element encoded where a step ends that is not fused with the next one, and again where it enters state. Of the
events of a large input that would be several copies beside each other, and a tenth of a run's CPU.
"""

import itertools
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

_TOKEN: Final = struct.Struct("<8sq")
_NAME: Final = b"\0passed\0"
"""No Arrow IPC stream begins like this."""
_NUMBERS: Final = itertools.count()
_PASSED: Final[dict[int, object]] = {}
_OPEN: Final[list[None]] = []


@contextmanager
def passing_by_reference() -> Iterator[None]:
    """Has the coders pass elements of this process by reference while the block runs; what was passed is held until its end,
    since a step may read an element again, or until it is let go."""
    _OPEN.append(None)
    try:
        yield
    finally:
        _OPEN.pop()
        if not _OPEN:
            _PASSED.clear()


def as_token(element: object) -> bytes | None:
    """A token that stands for an element; None: it must become bytes."""
    if not _OPEN:
        return None
    number = next(_NUMBERS)
    _PASSED[number] = element
    return _TOKEN.pack(_NAME, number)


def let_go(elements: Iterable[object]) -> None:
    """Holds some elements no longer, nor tuples of which they are part: no step reads them again."""
    gone = {id(element) for element in elements}
    for number, held in list(_PASSED.items()):
        if id(held) in gone or (isinstance(held, tuple) and any(id(part) in gone for part in held)):
            del _PASSED[number]


def from_token(encoded: bytes) -> Any:
    """The element that a token stands for; None: these bytes are no token.

    Raises:
        KeyError: the block in which it was passed is over, or it was let go.
    """
    if len(encoded) != _TOKEN.size or not encoded.startswith(_NAME):
        return None
    return _PASSED[_TOKEN.unpack(encoded)[1]]
