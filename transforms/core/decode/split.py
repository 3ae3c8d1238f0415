"""One JSON value to the texts of the records in it: an object, an array of them, or an envelope (contract.md "Input")."""

import re
from typing import Any, Final

import msgspec
import numpy as np

from transforms.core.decode.record import format_of

_LIKE_AN_ENVELOPE: Final = re.compile(rb'"(?:records|value)"\s*:\s*\[')
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_MARKS: Final = (
    "kind",
    "eventType",
    "type",
    "specversion",
    "eventTimestamp",
    "eventDataId",
    "resourceId",
    "operationName",
    "properties",
)
_Envelope: Final = msgspec.defstruct("_Envelope", [(name, msgspec.Raw, msgspec.Raw()) for name in (*_MARKS, "records", "value")])
_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_decode_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_check: Final = msgspec.json.Decoder(msgspec.Raw).decode


class Broken(ValueError):  # noqa: N818 - it says what the value is
    """The value is no JSON object, array or envelope; the message is one sentence."""


def split_value(text: bytes) -> list[bytes]:
    """The texts of the records in a JSON value; of an object that is no envelope, itself.

    Raises:
        Broken: the text breaks off, is no JSON, or is neither an object nor an array.

    >>> split_value(b'{"records": [{"a": 1}, {"b": 2}]}')
    [b'{"a": 1}', b'{"b": 2}']
    """
    if not text.startswith((b"{", b"[")):
        raise Broken("a JSON object or an array of them is required, and this is neither")
    try:
        if text.startswith(b"["):
            return [bytes(raw) for raw in _decode_array(text)]
        within = envelope_texts(text)
        if within is None:
            _check(text)
        return [text] if within is None else within
    except RecursionError:
        return _split_deep(text)
    except msgspec.DecodeError as error:
        raise Broken(f"JSON is required, and this is none: {error}") from None


def envelope_texts(text: bytes) -> list[bytes] | None:
    """The texts of the records in an envelope; None if the text is no envelope (or is broken, or too deep to tell)."""
    if _LIKE_AN_ENVELOPE.search(text) is None:
        return None
    try:
        envelope: Any = _decode_envelope(text)
        lists = [raw for raw in (bytes(envelope.records), bytes(envelope.value)) if raw.startswith(b"[")]
        if not lists or format_of(_marks(envelope)) is not None:
            return None
        return [bytes(raw) for raw in _decode_array(lists[0])]
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def looks_like_an_envelope(head: bytes) -> bool:
    """Whether the beginning of a text may be that of an envelope."""
    return head.lstrip().startswith(b"{") and _LIKE_AN_ENVELOPE.search(head) is not None


def _marks(envelope: Any) -> dict[str, Any]:
    found = {name: bytes(getattr(envelope, name)) for name in _MARKS}
    return {name: msgspec.json.decode(raw) for name, raw in found.items() if raw}


def _split_deep(text: bytes) -> list[bytes]:
    """The same for a value that is nested too deep to be parsed: by its brackets, each record to be looked at on its own."""
    masked = np.frombuffer(_STRING.sub(lambda match: b"_" * len(match[0]), text), np.uint8)
    opens, closes = (masked | 32) == ord("{"), (masked | 32) == ord("}")
    at = np.flatnonzero(opens | closes | (masked == ord(",")))
    levels = np.cumsum(opens[at].astype(np.int64) - closes[at])
    if levels[-1] != 0 or levels.min() < 0:
        raise Broken("JSON is required, and this breaks off")
    if not text.startswith(b"["):
        return [text]
    ends = at[((levels == 1) & (masked[at] == ord(","))) | (levels == 0)]
    starts = np.concatenate([[0], ends[:-1]]) + 1
    return [text[start:end].strip() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
