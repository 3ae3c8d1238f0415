"""One text to the texts of the records in it: a JSON value, lines, base64, or a value that breaks off (contract: Input)."""

import binascii
import re
from collections.abc import Iterable
from typing import Final

from transforms.core.decode.splitting.structure import BLANKS, first_end, is_json
from transforms.core.decode.splitting.texts import NOTHING, Fault, RecordTexts, elements_of, filled_lines, many, single
from transforms.core.decode.splitting.wrapping import before_break, unwrap
from transforms.core.decode.terms.reasons import RejectedRecord
from transforms.core.decode.terms.text import BOM, LONGEST

_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


def texts_of(data: bytes) -> RecordTexts:
    """The texts in a file or message that is held whole.

    >>> texts_of(b'[{"a": 1}, {"b": 2}]').texts, texts_of(b'{"a": 1}\\n{"b": 2}').word
    ([b'{"a": 1}', b'{"b": 2}'], 'line')
    """
    text = data.removeprefix(BOM).strip(BLANKS)
    if not text:
        return NOTHING
    if text.startswith((b"{", b"[")) and is_json(text):
        return many(elements_of(text)) if text.startswith(b"[") else single(text)
    lines = data.removeprefix(BOM).split(b"\n")
    inner = within_base64(text)
    if (inner is None or b"\n" in text) and is_lines(lines):
        return filled_lines(lines, 1)
    return broken_texts(text) if inner is None else inner


def is_lines(lines: Iterable[bytes]) -> bool:
    """Whether any line is by itself an object, an array, or base64 of one."""
    return any(_stands_alone(line.strip(BLANKS).removesuffix(b",").rstrip(BLANKS)) for line in lines)


def _stands_alone(text: bytes) -> bool:
    if text.startswith((b"{", b"[")):
        return text.endswith((b"}", b"]")) and is_json(text)
    inner = from_base64(text)
    return inner is not None and inner.startswith((b"{", b"[")) and is_json(inner)


def from_base64(text: bytes) -> bytes | None:
    """What a text holds in base64, blanks cut; None if it is none."""
    packed = b"".join(text.split())
    if len(packed) % 4 or _BASE64.fullmatch(packed) is None:
        return None
    try:
        return binascii.a2b_base64(packed, strict_mode=True).removeprefix(BOM).strip(BLANKS)
    except binascii.Error:
        return None


def may_be_base64(beginning: bytes) -> bool:
    """Whether what begins so may be a line of base64, and one of JSON: of an object or array, or of blanks before it."""
    return beginning[:1] in b"eWICDQ7" and _BASE64.fullmatch(beginning) is not None


def within_base64(text: bytes) -> RecordTexts | None:
    """The texts within base64 of JSON; None if a text is none."""
    inner = from_base64(text)
    if inner is None or not is_json(inner):
        return None
    if inner.startswith(b"["):
        return many(elements_of(inner), depth=1)
    return single(inner, depth=1)


def texts_in_line(text: bytes) -> RecordTexts | None:
    """What a line holds that is no record by itself; None if it is one, or nothing at all that can be told."""
    if text in (b"[", b"]", b","):
        return NOTHING
    if text.endswith(b","):
        inner = text[:-1].rstrip(BLANKS)
        return texts_in_line(inner) or single(inner)
    if text.startswith(b"["):
        return many(elements_of(text)) if is_json(text) else None
    return within(text) if text.startswith(b"{") else within_base64(text)


def within(text: bytes) -> RecordTexts | None:
    """What an envelope or a queue's message holds; None if a text is neither."""
    found = unwrap(text)
    if not isinstance(found, bytes):
        return found
    inner = texts_of(found)
    alone = len(inner.texts) + len(inner.faults) == 1
    return inner._replace(word="" if alone else inner.word, depth=inner.depth + 1)


def broken_texts(text: bytes) -> RecordTexts:
    """The texts of the records that are complete in a value before it breaks off, and the break."""
    end = first_end(text) if text.startswith((b"{", b"[")) else None
    if end is not None and is_json(text[:end]):
        first = text[:end]
        found = many(elements_of(first)) if first.startswith(b"[") else many([first])
        rest = text[end:]
    else:
        found, rest = before_break(text)
    found = found if found.texts else found._replace(word="")
    return found._replace(
        faults=[*found.faults, Fault(len(found.texts) + len(found.faults) + 1, break_in(rest), rest.strip(BLANKS) or text)]
    )


def break_in(rest: bytes) -> RejectedRecord:
    """Why a text is rejected that breaks off, by the part in which it does."""
    if len(rest) > LONGEST:
        return RejectedRecord(
            "too_large", f"a record may have {LONGEST} bytes of text, and this one breaks off after {len(rest)}"
        )
    if rest and not rest.startswith((b"{", b"[", b",", b"]", b"}")):
        return RejectedRecord("not_json", "a JSON object or an array of them is required, and this is neither")
    return RejectedRecord("not_json", "JSON is required, and this breaks off, or is none from here on")
