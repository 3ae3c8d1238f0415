"""What a delivery holds: one record, or an array of them, as JSON; a queue's message may be base64 of that
(contract: Queue messages)."""

import base64
import binascii
import codecs

import msgspec


class NoRecordsError(ValueError):
    """A delivery holds something else than records; the message says what."""


def records_of(body: bytes) -> list[bytes]:
    r"""The records of a delivery, a line of JSON each: nothing is changed but the space between their parts.

    Raises:
        NoRecordsError: it is neither a JSON object nor an array of objects.

    >>> records_of(b'[{"a": 1},\n {"b": [2]}]')
    [b'{"a":1}', b'{"b":[2]}']
    """
    text = body.removeprefix(codecs.BOM_UTF8).strip()
    try:
        parts = [bytes(part) for part in msgspec.json.decode(text, type=list[msgspec.Raw])] if text[:1] == b"[" else [text]
        lines = [msgspec.json.format(part, indent=-1) for part in parts]
    except (msgspec.DecodeError, RecursionError) as error:
        raise NoRecordsError(f"JSON is required: {error}") from None
    if any(line[:1] != b"{" for line in lines):
        raise NoRecordsError("a JSON object, or an array of objects, is required, got another value")
    return lines


def records_of_message(content: bytes) -> list[bytes]:
    """The records of a queue's message: JSON as it is, or in base64.

    Raises:
        NoRecordsError: it is neither.
    """
    if content.strip()[:1] in (b"{", b"["):
        return records_of(content)
    try:
        return records_of(base64.b64decode(content, validate=True))
    except binascii.Error:
        raise NoRecordsError("JSON, or base64 of it, is required") from None
