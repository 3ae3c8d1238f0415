"""Record texts: size, depth, and whether they are JSON at all (contract: Rejected)."""

import json
import re
from typing import Any, Final

import msgspec
import numpy as np

from transforms.core.decode.terms.reasons import RejectedRecord

LONGEST: Final = 1 << 20
"""Bytes that the text of a record may have."""
ORDINARY: Final = 16 << 10
"""Bytes that the text of an ordinary record may have: what is remembered of the columns of these stays within some megabytes."""
DEEPEST: Final = 64
"""Levels that a record may have; itself is the first."""
BOM: Final = b"\xef\xbb\xbf"

_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BRACKETS: Final = b"{}[]"
_OTHERS: Final = bytes(set(range(256)) - set(_BRACKETS))
_STEPS: Final = np.zeros(256, np.int8)
_STEPS[list(b"{[")] = 1
_STEPS[list(b"}]")] = -1
_decode: Final = msgspec.json.Decoder().decode
_check: Final = msgspec.json.Decoder(msgspec.Raw).decode


def parse_record(text: bytes, longest: int = LONGEST) -> dict[str, Any]:
    """The object that a record's text holds.

    Raises:
        RejectedRecord: the text is too large, nested too deep, no JSON, or no object.
    """
    if len(text) > longest:
        raise RejectedRecord("too_large", f"a record may have {LONGEST} bytes of text, got {len(text)}")
    if is_too_deep(text):
        raise RejectedRecord("too_deep", f"a record may have {DEEPEST} levels, got {depth(text)}")
    value = parse_json(text)
    if not isinstance(value, dict):
        raise RejectedRecord("not_json", f"a JSON object is required, got {_KINDS.get(type(value), 'a number')}")
    return value


_KINDS: Final[dict[type, str]] = {list: "an array", str: "a text", bool: "true or false", type(None): "null"}


def parse_json(text: bytes) -> Any:
    """The value of a JSON text; numbers beyond what a double holds are infinite.

    Raises:
        RejectedRecord: the text is not UTF-8 or not JSON.
    """
    try:
        text.decode()
        _check(text)
    except UnicodeDecodeError as error:
        raise RejectedRecord("not_json", f"JSON in UTF-8 is required, and byte {error.start} is no UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise RejectedRecord("not_json", f"JSON is required, and this is none: {error}") from None
    return parse_known(text)


def parse_known(text: bytes) -> Any:
    """The value of a text that is known to be JSON."""
    try:
        return _decode(text)
    except msgspec.ValidationError:
        return json.loads(text, parse_int=_integer)


def is_plain(text: bytes) -> bool:
    """Whether a text is of ordinary size, of acceptable depth, and UTF-8; its JSON is not looked at."""
    if len(text) > ORDINARY or is_too_deep(text):
        return False
    return text.isascii() or _is_unicode(text)


def _is_unicode(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_too_deep(text: bytes) -> bool:
    """Whether a text has more levels than a record may have; a count of its opening brackets is a cheap first look."""
    return text.count(b"{") + (text.count(b"[") if b"[" in text else 0) > DEEPEST and depth(text) > DEEPEST


def depth(text: bytes) -> int:
    """The deepest level of brackets outside strings.

    >>> depth(b'{"a": [1, {"b": "[[["}]}')
    3
    """
    brackets = _STRING.sub(b"", text).translate(None, _OTHERS)
    levels = np.cumsum(_STEPS[np.frombuffer(brackets, np.uint8)], dtype=np.int64)
    return int(levels.max(initial=0))


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= 40 else float(digits)
