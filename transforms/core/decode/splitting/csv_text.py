"""Rows of CSV as records of their columns (contract: Input)."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

import msgspec

from transforms.core.decode.splitting.structure import BLANKS
from transforms.core.decode.splitting.texts import Fault, RecordTexts
from transforms.core.decode.splitting.wrapping import wrong_row
from transforms.core.decode.terms.reasons import RejectedRecord
from transforms.core.decode.terms.text import BOM, LONGEST

_FIELD: Final = rb'(?:"[^"]*+(?:""[^"]*+)*+"[^,\n]*+|[^",\n][^,\n]*+|)'
_ROW: Final = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+\n")
_ENDS: Final = re.compile(rb'["\n]')
_MOST: Final = 4 * LONGEST
"""Bytes from which on a row is passed over: more than its fields can have, with all their quotes doubled."""
_UTC: Final = " [UTC]"
csv.field_size_limit(max(csv.field_size_limit(), _MOST))


def csv_texts(blocks: Iterable[bytes]) -> Iterator[RecordTexts]:
    """The rows of a CSV file as JSON texts, numbered by the lines that they begin in, a piece at a time.

    An empty field is absent.
    """
    names: list[str] | None = None
    line = 1
    for rows in _rows(blocks):
        lines = list(accumulate((row.count(b"\n") for row in rows), initial=line))
        line = lines[-1]
        filled = [(number, row) for number, row in zip(lines[:-1], rows, strict=True) if row.strip(BLANKS)]
        if names is None and filled:
            names, filled = _header(filled[0][1]), filled[1:]
        if filled:
            yield _records(names or [], filled)


def _rows(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The rows that each block completes, with their ends; of one that is too long, or has none, what there is of it."""
    rest, is_first, skipping, quoted = b"", True, False, False
    for block in blocks:
        text = block
        if is_first and len(rest + text) >= len(BOM):
            rest, text, is_first = b"", (rest + text).removeprefix(BOM), False
        if skipping:
            end, quoted = _end_of(text, quoted)
            if end is None:
                continue
            text, skipping = text[end:], False
        rows, rest = _whole_rows(rest + text)
        if len(rest) > _MOST:
            rows, quoted, skipping, rest = [*rows, rest[: _MOST + 1]], rest.count(b'"') % 2 == 1, True, b""
        yield rows
    rows, rest = _whole_rows(rest + b"\n")
    yield [*rows, rest.rstrip(b"\n")] if rest.strip(BLANKS) else rows


def _whole_rows(text: bytes) -> tuple[list[bytes], bytes]:
    rows, at = [], 0
    while (found := _ROW.match(text, at)) is not None:
        rows.append(found[0])
        at = found.end()
    return rows, text[at:]


def _end_of(text: bytes, quoted: bool) -> tuple[int | None, bool]:
    """Where a row ends that goes on in a text; and whether its last field is in quotes, if it does not."""
    for found in _ENDS.finditer(text):
        if found[0] == b'"':
            quoted = not quoted
        elif not quoted:
            return found.end(), False
    return None, quoted


def _header(row: bytes) -> list[str]:
    """The names of the columns; one in local time keeps what is behind its name, so it is none of ours."""
    fields = _fields([row.decode(errors="replace")])[0] or []
    return [name.strip().removesuffix(_UTC) for name in fields]


def _records(names: Sequence[str], rows: Sequence[tuple[int, bytes]]) -> RecordTexts:
    """Rows with their lines as records of columns."""
    readable = [(line, row, text) for line, row in rows if (text := _text(row)) is not None]
    faults = [
        Fault(line, RejectedRecord("not_json", "a row in UTF-8 is required"), row) for line, row in rows if _text(row) is None
    ]
    texts, numbers, named = [], [], sum(map(len, names))
    for (line, row, _), fields in zip(readable, _fields([text for _, _, text in readable]), strict=True):
        why = _why_wrong(names, named, row, fields)
        if why is None and fields is not None:
            texts.append(msgspec.json.encode({name: field for name, field in zip(names, fields, strict=True) if name and field}))
            numbers.append(line)
        elif why is not None:
            faults.append(Fault(line, why, row))
    return RecordTexts("line", texts, numbers, faults, is_measured=True)


def _text(row: bytes) -> str | None:
    try:
        return row.decode()
    except UnicodeDecodeError:
        return None


def _fields(rows: Sequence[str]) -> list[list[str] | None]:
    """The fields of rows; None of one that is not quoted as it must be."""
    reader = csv.reader(rows)
    found: list[list[str] | None] = []
    while len(found) < len(rows):
        try:
            found.append(next(reader))
        except csv.Error:
            found.append(None)
        except StopIteration:
            break
    return found + [None] * (len(rows) - len(found))


def _why_wrong(names: Sequence[str], named: int, row: bytes, fields: Sequence[str] | None) -> RejectedRecord | None:
    if len(row) <= LONGEST and row.endswith(b"\n") and fields is not None and len(fields) == len(names) and named <= len(row):
        return None
    if fields is not None and not row.endswith(b"\n") and len(row) <= _MOST:
        return RejectedRecord("not_json", "a row is required whose quotes are closed")
    if len(row) > _MOST:
        return RejectedRecord("too_large", f"the fields of a row may have {LONGEST} bytes of text, got more than {_MOST}")
    return wrong_row(len(names), named, None if fields is None else [len(field.encode()) for field in fields])
