"""Brackets and commas of JSON texts that cannot be parsed whole: they break off, are nested too deep, or are too long to hold."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
import numpy as np

BLANKS: Final = b" \t\r\n"
_QUOTE, _COMMA, _COLON, _BACKSLASH = b'",:\\'
_MARKS: Final = np.zeros(256, bool)
_MARKS[list(b'"{}[],:')] = True
_STEPS: Final = np.zeros(256, np.int8)
_STEPS[list(b"{[")] = 1
_STEPS[list(b"}]")] = -1
_check: Final = msgspec.json.Decoder(msgspec.Raw).decode


class Structure(NamedTuple):
    """Brackets, commas and colons outside strings: position and character of each, and the nesting level behind it."""

    at: np.ndarray
    marks: np.ndarray
    levels: np.ndarray


class JsonPart(NamedTuple):
    """A part of an array or object; a key (with its quotes) in an object; whether the text goes on behind it."""

    text: bytes
    key: bytes
    is_whole: bool


def structure_of(text: bytes) -> Structure:
    """The structure of a text that begins outside strings; O(bytes)."""
    data = np.frombuffer(text, np.uint8)
    at = np.flatnonzero(_MARKS[data])
    quotes = data[at] == _QUOTE
    if b"\\" in text:
        quotes &= ~_escaped(data, at)
        at, quotes = at[quotes | (data[at] != _QUOTE)], quotes[quotes | (data[at] != _QUOTE)]
    outside = ~quotes & (np.cumsum(quotes, dtype=np.int64) % 2 == 0)
    at = at[outside]
    marks = data[at]
    return Structure(at, marks, np.cumsum(_STEPS[marks], dtype=np.int64))


def _escaped(data: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Which of some bytes follow an odd number of backslashes."""
    slashes = np.flatnonzero(data == _BACKSLASH)
    begins = np.concatenate([[True], np.diff(slashes) != 1])
    run = np.maximum.accumulate(np.where(begins, slashes, 0))
    after = np.zeros(len(data) + 1, bool)
    after[slashes + 1] = (slashes - run) % 2 == 0
    return after[at]


def first_end(text: bytes) -> int | None:
    """Where the array or object ends with which a text begins; None if it does not."""
    levels = structure_of(text)
    ends = np.flatnonzero(levels.levels <= 0)
    return int(levels.at[ends[0]]) + 1 if len(ends) else None


def parts_of(text: bytes) -> list[JsonPart]:
    """The parts of the array or object with which a text begins, up to its end or that of the text; blanks around them are cut.

    >>> [part.text for part in parts_of(b'[1, {"a": [2]}, 3')]
    [b'1', b'{"a": [2]}', b'3']
    """
    return list(each_part(text))


def each_part(text: bytes) -> Iterator[JsonPart]:
    """The same, one after the other: what is no JSON may be nothing but commas."""
    found = structure_of(text)
    ends = np.flatnonzero(found.levels <= 0)
    end = ends[0] if len(ends) else len(found.at)
    cuts = found.at[:end][(found.levels[:end] == 1) & (found.marks[:end] == _COMMA)]
    colons = found.at[:end][(found.levels[:end] == 1) & (found.marks[:end] == _COLON)]
    last = int(found.at[end]) if len(ends) else len(text)
    starts, stops = np.concatenate([[0], cuts]) + 1, np.concatenate([cuts, [last]])
    keyed = text[:1] == b"{"
    nexts = np.append(colons, len(text))[np.searchsorted(colons, starts)]
    for start, stop, colon in zip(map(int, starts), map(int, stops), map(int, np.minimum(nexts, stops)), strict=True):
        key = text[start:colon].strip(BLANKS) if keyed else b""
        value = text[colon + 1 : stop] if keyed else text[start:stop]
        part = JsonPart(value.strip(BLANKS), key, stop != last or len(ends) > 0)
        if len(starts) > 1 or part.text or part.key:
            yield part


def parts_and_rest(text: bytes) -> tuple[list[JsonPart], bytes, bool]:
    """The parts that are whole, what lies behind them, and whether that is behind the end of the array or object.

    >>> parts_and_rest(b"[1, 2, 3")[1:], parts_and_rest(b"[1] x")[1:]
    ((b' 3', False), (b' x', True))
    """
    parts, end = parts_of(text), first_end(text)
    if end is not None:
        return parts, text[end:], True
    found = structure_of(text)
    commas = found.at[(found.levels == 1) & (found.marks == _COMMA)]
    return parts[:-1], text[int(commas[-1]) + 1 if len(commas) else 1 :], False


def open_string(text: bytes) -> int | None:
    """Where the string begins that a text breaks off in; None if it breaks off elsewhere."""
    data = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(data == _QUOTE)
    quotes = quotes[~_escaped(data, quotes)] if b"\\" in text else quotes
    return int(quotes[-1]) if len(quotes) % 2 else None


def is_json(text: bytes) -> bool:
    """Whether a text is a JSON value; one that is nested too deep to be parsed is, if its brackets close at its end."""
    try:
        _check(text)
    except RecursionError:
        return first_end(text) == len(text)
    except msgspec.DecodeError:
        return False
    return True


def may_be_one_value(beginning: bytes) -> bool:
    """Whether what begins so may be one array or object: a parser finds nothing wrong with it but that it breaks off."""
    text = beginning.lstrip(BLANKS)
    if text and not text.startswith((b"{", b"[")):
        return False
    try:
        _check(text)
    except RecursionError:
        return True
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    return True
