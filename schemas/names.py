"""Names of fields as sources spell them: PowerShell writes `EventTimestamp`, the SDK `event_timestamp` (contract: Input).

An exact name goes before a loose one, and null is as absent; of two loose ones the first in the record counts.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeGuard


def is_nothing(value: object) -> bool:
    """Whether a field is absent: null, "" and missing are three spellings of nothing."""
    return value is None or (isinstance(value, str) and value == "")


LONGEST_NAME: Final = 256
"""Characters of a name that is remembered; a hostile record's are as long as it may be, and none of ours."""


def folded(name: str) -> str:
    """A name as loose records are compared by it: without case and underscores.

    >>> folded("EventTimestamp") == folded("event_timestamp") == "eventtimestamp"
    True
    """
    return _remembered(name) if len(name) <= LONGEST_NAME else _folded(name)


def _folded(name: str) -> str:
    return name.replace("_", "").lower() if name.isascii() else name


_remembered: Final = lru_cache(1 << 14)(_folded)


def is_short(text: object) -> TypeGuard[str]:
    """Whether a value is a text that may be a name: one of Azure's operations, a status, a category."""
    return isinstance(text, str) and len(text) <= LONGEST_NAME


def pick(record: Mapping[str, Any], *names: str) -> Any:
    """The first of some fields that is there: those with exact names, then those with loose ones; None if none is.

    >>> pick({"Status": 1, "status": None}, "status"), pick({"b": 2, "A": 1}, "a", "b")
    (1, 2)
    """
    for name in names:
        if not is_nothing(value := record.get(name)):
            return value
    for name in names:
        wanted = folded(name)
        for other, value in record.items():
            if folded(other) == wanted and not is_nothing(value):
                return value
    return None


def exactly(record: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    """A record whose loose names are exact ones.

    Args:
        record: any fields.
        names: exact names by folded ones.

    >>> exactly({"EventTimestamp": 1, "x": 2}, {"eventtimestamp": "eventTimestamp"})["eventTimestamp"]
    1
    """
    loose = [(names[short], value) for name, value in record.items() if (short := folded(name)) in names and names[short] != name]
    if not loose:
        return record
    exact = dict(record)
    for name, value in loose:
        if is_nothing(exact.get(name)):
            exact[name] = value
    return exact


def content_of(value: Any) -> Any:
    """What PowerShell's dictionaries hold: `{"Content": {...}}` is as what is in it.

    >>> content_of({"Content": {"a": 1}}), content_of({"a": 1})
    ({'a': 1}, {'a': 1})
    """
    inner = value.get("Content") if isinstance(value, dict) and len(value) == 1 else None
    return inner if isinstance(inner, dict) else value
