"""Texts of records side by side, as they were found in one text, and the parts of JSON arrays and objects."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from transforms.core.decode.splitting.structure import BLANKS, JsonPart, parts_of
from transforms.core.decode.terms.reasons import RejectedRecord

_decode_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Fault(NamedTuple):
    """Something among records that is not a record: its number, why it is rejected, and its text."""

    number: int
    why: RejectedRecord
    text: bytes


class RecordTexts(NamedTuple):
    """Texts of records, with their numbers, the word for one in a location ("line 3"; empty if there is only one), and the faults
    among them."""

    word: str
    texts: Sequence[bytes]
    numbers: Sequence[int]
    faults: Sequence[Fault] = ()
    is_measured: bool = False
    """Whether the sizes of the records have been checked already; those of their texts then say nothing."""
    depth: int = 0
    """How many envelopes and messages were unwrapped."""


NOTHING: Final = RecordTexts("record", (), ())


def single(text: bytes, depth: int = 0) -> RecordTexts:
    """A text that is all there is."""
    return RecordTexts("", [text], (1,), depth=depth)


def many(texts: Sequence[bytes], depth: int = 0) -> RecordTexts:
    """Texts side by side."""
    return RecordTexts("record", texts, range(1, len(texts) + 1), depth=depth)


def filled_lines(lines: Sequence[bytes], first: int) -> RecordTexts:
    """Lines that are not blank, blanks around them cut; `first` is the number of the first of them all."""
    texts = [line.strip(BLANKS) for line in lines]
    if all(texts):
        return RecordTexts("line", texts, range(first, first + len(texts)))
    numbers = [number for number, text in enumerate(texts, first) if text]
    return RecordTexts("line", [text for text in texts if text], numbers)


def elements_of(text: bytes) -> list[bytes]:
    """The texts of the elements of a JSON array; one that is nested too deep does no harm to the others."""
    try:
        return [bytes(raw) for raw in _decode_array(text)]
    except RecursionError:
        return [part.text for part in parts_of(text)]


def members_of(text: bytes) -> dict[str, bytes] | None:
    """The texts of the members of a JSON object; None if it is none, or has a key that cannot be read."""
    try:
        return {name: bytes(raw) for name, raw in _decode_object(text).items()}
    except RecursionError:
        return keyed(parts_of(text))
    except (msgspec.MsgspecError, UnicodeError):
        return None


def keyed(parts: Sequence[JsonPart]) -> dict[str, bytes] | None:
    """Parts of an object by their keys; None if a key cannot be read."""
    try:
        return {msgspec.json.decode(part.key, type=str): part.text for part in parts}
    except (msgspec.MsgspecError, UnicodeError):
        return None
