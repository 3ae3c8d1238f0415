"""Envelopes, tables and queues' messages: what wraps records and is none itself (contract: Input)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from transforms.core.decode.slow_path.record import format_of
from transforms.core.decode.splitting.structure import JsonPart, each_part, is_json
from transforms.core.decode.splitting.texts import NOTHING, Fault, RecordTexts, elements_of, keyed, many, members_of
from transforms.core.decode.terms.reasons import RejectedRecord
from transforms.core.decode.terms.text import DEEPEST, LONGEST

_LISTS: Final = ("records", "value", "data")
_BODIES: Final = ("content", "messageText", "body")
_WRAPS: Final = re.compile(rb'"(?:records|value|data|tables|rows|content|messageText|body)"\s*:')
MARKS: Final = frozenset(
    (
        "kind",
        "eventtype",
        "type",
        "specversion",
        "operationnamevalue",
        "eventtimestamp",
        "eventdataid",
        "resourceid",
        "operationname",
        "properties",
        "targetresourceid",
        "availabilitystate",
        "annotationname",
        "columns",
    )
)
"""Members, by folded names, that tell a record or a table from anything else."""
_LONG: Final = re.compile(
    rb'"(?:(?:records|value|data|tables|rows)"\s*:\s*\[|data"\s*:\s*\{\s*"(?:columns|rows)"|(?:content|messageText|body)"\s*:\s*["{])'
)
_decode_text: Final = msgspec.json.Decoder(str).decode


def _text_in(raw: bytes) -> bytes:
    """The text that a JSON string holds; where it is none (no UTF-8, half of a pair of surrogates), as it is written."""
    try:
        return _decode_text(raw).encode()
    except (msgspec.MsgspecError, UnicodeError):
        return raw


def unwrap(text: bytes) -> RecordTexts | bytes | None:
    """What an object wraps: the texts of records, or the data of a message; None if it is a record, or nothing known.

    >>> unwrap(b'{"value": [{"a": 1}]}').texts, unwrap(b'{"body": "x"}'), unwrap(b'{"value": [], "eventType": "x"}')
    ([b'{"a": 1}'], b'x', None)
    """
    if _WRAPS.search(text) is None:
        return None
    members = members_of(text)
    if members is None:
        return None
    found = _within(members)
    return None if found is None or is_record(members) else found


def may_wrap(beginning: bytes) -> bool:
    """Whether what begins so may be an envelope or a message, of which all must be kept."""
    return _LONG.search(beginning) is not None


def is_record(members: Mapping[str, bytes]) -> bool:
    """Whether an object is a record itself: of a format."""
    return format_of({name: _value(raw) for name, raw in members.items() if name not in _WRAPPERS}) is not None


def _value(raw: bytes) -> Any:
    """A value, or what it is written as where it cannot be read."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return raw.decode(errors="replace")


_WRAPPERS: Final = frozenset((*_LISTS, *_BODIES, "tables", "columns", "rows"))


def _within(members: Mapping[str, bytes]) -> RecordTexts | bytes | None:
    name = chosen(members)
    return None if name is None else contents(members, name)


def chosen(members: Mapping[str, bytes], levels: int = DEEPEST) -> str | None:
    """Which member of an object, if it is no record, holds records; None if none does, or it lies more levels down than that."""
    for name in (*_LISTS, "tables", "rows", *_BODIES):
        raw = members.get(name, b"")
        if raw.startswith(b"["):
            holds = name in _LISTS or name == "tables" or (name == "rows" and members.get("columns", b"").startswith(b"["))
        elif raw.startswith(b"{"):
            holds = name in _BODIES or (name in _LISTS and levels > 0 and chosen(members_of(raw) or {}, levels - 1) == "rows")
        else:
            holds = name in _BODIES and raw.startswith(b'"')
        if holds:
            return name
    return None


def contents(members: Mapping[str, bytes], name: str) -> RecordTexts | bytes:
    """What the chosen member of an object holds: the texts of records, or the data of a message."""
    raw = members[name]
    if name == "rows":
        return rows_of(members["columns"], elements_of(raw))
    if name in _BODIES:
        return _text_in(raw) if raw.startswith(b'"') else raw
    if raw.startswith(b"["):
        return many(elements_of(raw), depth=1)
    return contents(members_of(raw) or {}, "rows")


def rows_of(columns: bytes, rows: Sequence[bytes]) -> RecordTexts:
    """Rows (JSON arrays) as records of columns (a JSON array of objects with a `name`)."""
    names = [msgspec.json.encode(_name_of(column)) + b":" for column in elements_of(columns)]
    named = sum(map(len, names))
    texts, numbers, faults = list[bytes](), list[int](), list[Fault]()
    for number, row in enumerate(rows, 1):
        fields = elements_of(row) if row.startswith(b"[") else None
        why = wrong_row(len(names), named, None if fields is None else [len(field) for field in fields])
        if why is None and fields is not None:
            texts.append(b"{" + b",".join([name + field for name, field in zip(names, fields, strict=True)]) + b"}")
            numbers.append(number)
        elif why is not None:
            faults.append(Fault(number, why, row))
    return RecordTexts("record", texts, numbers, faults, is_measured=True, depth=1)


def wrong_row(columns: int, named: int, sizes: Sequence[int] | None) -> RejectedRecord | None:
    """Why a row is none, by the sizes of its fields; None if it is one.

    Args:
        columns: how many there are.
        named: the size of their names, which each row as a record repeats.
        sizes: those of the row's fields; None where it has none.
    """
    if sizes is None or len(sizes) != columns:
        came = "none" if sizes is None else len(sizes)
        return RejectedRecord("not_json", f"a row of {columns} fields is required, as its columns are, got {came}")
    if sum(sizes) > LONGEST:
        return RejectedRecord("too_large", f"the fields of a row may have {LONGEST} bytes of text, got {sum(sizes)}")
    if named > _NAMED * (sum(sizes) + columns):
        return RejectedRecord("too_large", f"the names of a row's columns may be {_NAMED} times as long as its fields")
    return None


_NAMED: Final = 32
"""How many times as long as its fields the names of a row's columns may be: each row, as a record, repeats them."""


def _name_of(column: bytes) -> str:
    found = _value(column)
    name = found.get("name") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""


def side_by_side(found: Sequence[RecordTexts]) -> RecordTexts:
    """Texts behind each other, numbered through."""
    texts, numbers, faults, before = list[bytes](), list[int](), list[Fault](), 0
    for one in found:
        texts += one.texts
        numbers += [number + before for number in one.numbers]
        faults += [fault._replace(number=fault.number + before) for fault in one.faults]
        before += len(one.numbers) + len(one.faults)
    last = found[-1]
    return RecordTexts("record", texts, numbers, faults, last.is_measured, last.depth)


def before_break(text: bytes, levels: int = DEEPEST) -> tuple[RecordTexts, bytes]:
    """The records that are complete in a value before it breaks off, at most so many levels down, and the part that is not."""
    if levels > 0 and text.startswith(b"["):
        return _elements_before(text, levels - 1)
    if levels > 0 and text.startswith(b"{"):
        return _members_before(text, levels - 1)
    return NOTHING, text


def _whole_parts(text: bytes) -> tuple[list[JsonPart], JsonPart | None]:
    """The parts before the break, and the one in which it is, if it is in one; a bracket shows that a last one is whole."""
    whole: list[JsonPart] = []
    for part in each_part(text):
        if not ((part.is_whole or part.text.endswith((b"}", b"]"))) and is_json(part.text)):
            return whole, part
        whole.append(part)
    return whole, None


def _elements_before(text: bytes, levels: int) -> tuple[RecordTexts, bytes]:
    whole, last = _whole_parts(text)
    texts = [part.text for part in whole]
    if last is None:
        return many(texts), b""
    if not last.text.startswith(b"{"):
        return many(texts), last.text
    inner, rest = before_break(last.text, levels)
    return side_by_side([many(texts), inner])._replace(is_measured=False, depth=0), rest


def _members_before(text: bytes, levels: int) -> tuple[RecordTexts, bytes]:
    whole, last = _whole_parts(text)
    members = keyed(whole)
    if members is None or is_record(members):
        return NOTHING, text
    found = _within(members)
    if isinstance(found, RecordTexts):
        return found, b""
    if last is None:
        return NOTHING, b""
    name = next(iter(keyed([last._replace(text=b"0")]) or {}), "")
    if last.text.startswith((b"[", b"{") if name in _LISTS else b"[" if name == "tables" else ()):
        return before_break(last.text, levels)
    if name == "rows" and last.text.startswith(b"[") and members.get("columns", b"").startswith(b"["):
        rows, rest = _whole_parts(last.text)
        return rows_of(members["columns"], [row.text for row in rows]), b"" if rest is None else rest.text
    return NOTHING, text
