"""Which texts spell names of fields otherwise than exactly: those are for the models (contract: Input).

One pass of a regular expression that knows no lookahead: so what may not be is spelt out, letter by letter.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.azure.activity_log import LOG_ANALYTICS
from schemas.names import folded

_TOLD: Final = (
    "eventCategory",
    "eventProperties",
    "requestbody",
    "requestBody",
    "currentHealthStatus",
    "healthStatus",
    "details",
    "context",
    "cause",
    "ResourceName",
    "OldInstancesCount",
    "NewInstancesCount",
)
_NAMES: Final = (
    "eventTimestamp",
    "eventDataId",
    "id",
    "time",
    "type",
    "resourceId",
    "operationName",
    "correlationId",
    "category",
    "status",
    "resultType",
    "caller",
    "claims",
    "identity",
    "properties",
    "value",
    "targetResourceId",
    "occurredTime",
    "occuredTime",
    "availabilityState",
    "annotationName",
    "impactType",
    *_TOLD,
)


def matching(texts: Sequence[bytes], pattern: str) -> np.ndarray:
    """Which texts a pattern of RE2 is found in, or have an escaped letter, which may be one of a key."""
    found: np.ndarray = pc.match_substring_regex(pa.array(texts, pa.binary()), pattern).to_numpy(zero_copy_only=False)
    escaped = np.fromiter((b"\\" in text for text in texts), bool, len(texts))
    for row in np.flatnonzero(escaped & ~found).tolist():
        found[row] = _ESCAPED.search(texts[row]) is not None
    return found


_ESCAPED: Final = re.compile(rb"\\u00[4-7]")


def _keys(*patterns: str) -> str:
    """Keys that match a pattern; all of it begins with one byte, which is looked for faster than anything."""
    return f'"(?:{"|".join(patterns)})"\\s*:'


def spelt(names: Iterable[str]) -> str:
    """Any spelling of names."""
    return "|".join(_any(folded(name)) for name in names)


def misspelt(names: Iterable[str]) -> str:
    """Any spelling of names but the exact ones; of names that differ in spelling only, each is exact."""
    exact: dict[str, list[list[str]]] = {}
    for name in names:
        exact.setdefault(folded(name), []).append(_steps(name))
    return "|".join(_others([set(steps) for steps in zip(*spellings, strict=True)]) for spellings in exact.values())


def _steps(name: str) -> list[str]:
    """A name cut into letters, each with the underscores before it."""
    return _STEP.findall(name)


_STEP: Final = re.compile("_*[A-Za-z]")


def _any(letters: str) -> str:
    return "".join(f"_*{_either(letter)}" for letter in letters) + "_*"


def _either(letter: str) -> str:
    return f"[{letter.lower()}{letter.upper()}]"


def _others(exact: Sequence[set[str]]) -> str:
    """Any spelling of a name of so many letters but these: built from its end, so that its size is that of the name."""
    begun, other = "", ""
    for steps in exact:
        letter = next(iter(steps))[-1]
        here = begun + _other_step(letter, steps)
        other = f"(?:{other}_*{_either(letter)}|{here})" if other else here
        begun += f"(?:{'|'.join(sorted(steps))})" if len(steps) > 1 else next(iter(steps))
    return f"(?:{other}_*|{begun}_+)"


def _other_step(letter: str, steps: set[str]) -> str:
    near = {under + case for under in ("", "_") for case in (letter.lower(), letter.upper())}
    return f"(?:{'|'.join([*sorted(near - steps), '__+' + _either(letter)])})"


LOOSE: Final = _keys(misspelt(_NAMES), spelt(["OperationNameValue"]), "Content")
"""Of records with exact marks: others of their names are loose, or mark another format that goes before."""
LOOSE_ROW: Final = _keys(misspelt([*(name for names in LOG_ANALYTICS.values() for name in names), *_TOLD]), "Content")
"""The same of a row of Log Analytics."""
_MARKS: Final = ("OperationNameValue", "eventTimestamp", "eventDataId", "operationName", "availabilityState", "annotationName")
_WRAPPERS: Final = ("records", "value", "data", "tables", "rows", "content", "messageText", "body")
MARKED: Final = f"{_keys(spelt(_MARKS), *_WRAPPERS)}|(?i:microsoft\\.resourcehealth/)"
"""Of texts of no format by exact names: they may be of one by loose names, or wrap others."""
