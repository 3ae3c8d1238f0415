"""The text of a file, block by block, to events; memory is bounded whatever the text is (contract: Input)."""

import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from transforms.core.decode.splitting.long import BrokenValue, LongValue
from transforms.core.decode.splitting.split import break_in, is_lines, may_be_base64, texts_of
from transforms.core.decode.splitting.structure import may_be_one_value
from transforms.core.decode.splitting.texts import Fault, RecordTexts, filled_lines
from transforms.core.decode.splitting.wrapping import may_wrap
from transforms.core.decode.streams import LocatedTexts, decode_texts, reject_whole
from transforms.core.decode.terms.settings import DecodeResult, DecodeSettings
from transforms.core.decode.terms.text import BOM, LONGEST

Text = Callable[[], Iterator[bytes]]
"""Gives a text from its beginning, cut anywhere, as often as it is asked; may raise `DamagedText`."""
PIECE: Final = 32 << 20
"""Bytes of text, about, that are decoded at once."""

MOST_TEXTS: Final = 1 << 16
"""Texts that are decoded at once."""


class DamagedText(Exception):  # noqa: N818 - what a source of blocks raises when the rest of them cannot be had
    """The text breaks off: a compressed file is damaged; the message says how."""


def decode_blocks(text: Text, source: str, settings: DecodeSettings) -> Iterator[DecodeResult]:
    """The events of a whole file, piece by piece; damage costs one reject more, and of lines what was read before it stays."""
    return decode_pieces(texts_in(text), source, settings)


def decode_pieces(pieces: Iterable[RecordTexts], source: str, settings: DecodeSettings) -> Iterator[DecodeResult]:
    """The events of texts, piece by piece; damage costs one reject more."""
    try:
        for found in pieces:
            for part in _parts_of(found):
                yield decode_texts([LocatedTexts(part)], source, settings)
    except DamagedText as damage:
        yield reject_whole(source, "not_json", str(damage), settings)


def _parts_of(found: RecordTexts) -> Iterator[RecordTexts]:
    """The same texts, not too many at once: short ones would cost many times what they are."""
    for start in range(0, len(found.texts), MOST_TEXTS) or (0,):
        part = slice(start, start + MOST_TEXTS)
        yield found._replace(texts=found.texts[part], numbers=found.numbers[part], faults=() if start else found.faults)


def texts_in(text: Text) -> Iterator[RecordTexts]:
    """The texts in a whole file, a piece at a time.

    Raises:
        DamagedText: after what stays of it.
    """
    left = text()
    held = _opening_of(left)
    if held.is_lines:
        yield from lines_in(chain([held.text], left))
    elif held.damage is not None:
        complete = held.text[: held.text.rfind(b"\n") + 1]
        if is_lines(complete.split(b"\n")):
            yield from lines_in([complete])
    elif held.is_all:
        yield texts_of(held.text)
    else:
        yield from _long(text)
    if held.damage is not None:
        raise held.damage


def begins_with_lines(beginning: bytes) -> bool:
    """Whether what begins so is lines, however it goes on: it is no one value, and one of its lines stands alone."""
    text = beginning.removeprefix(BOM)
    return not may_be_one_value(text) and is_lines(line for line in io.BytesIO(text) if line.endswith(b"\n"))


class _Opening(NamedTuple):
    """The beginning of a text, read until it is known to be lines, or too long to hold; whether it is all; damage behind it."""

    text: bytes
    is_lines: bool = False
    is_all: bool = False
    damage: DamagedText | None = None


def _opening_of(blocks: Iterator[bytes]) -> _Opening:
    held, seen, size = list[bytes](), 0, 0
    try:
        for block in blocks:
            held.append(block)
            size += len(block)
            if size >= 2 * seen or size > PIECE:
                held, seen = [b"".join(held)], size
                if begins_with_lines(held[0]):
                    return _Opening(held[0], is_lines=True)
                if size > PIECE:
                    return _Opening(held[0])
    except DamagedText as damage:
        return _Opening(b"".join(held), damage=damage)
    return _Opening(b"".join(held), is_all=True)


def _long(text: Text) -> Iterator[RecordTexts]:
    """The texts in what is too long to hold, and not seen to be lines by its beginning: read once to tell, once more for them."""
    watch = _Watch(text())
    first, is_value = LongValue(watch.blocks(), PIECE), True
    try:
        list(first.pieces())
    except BrokenValue:
        is_value = False
    except DamagedText:
        if not watch.found:
            raise
        is_value = False
    if not is_value and watch.to_the_end():
        yield from lines_in(text())
        return
    second = LongValue(text(), PIECE, first.skeletons)
    try:
        yield from second.pieces()
    except BrokenValue as broken:
        yield RecordTexts("record", (), (), [Fault(second.count + 1, break_in(broken.rest), broken.rest)])


class _Watch:
    """Sees in passing whether any line of a text stands alone; one that is itself too long to hold does not."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._lines = blocks, _LineCutter(PIECE)
        self.found = False

    def blocks(self) -> Iterator[bytes]:
        """The text as it was."""
        for block in self._blocks:
            self.found = self.found or is_lines(self._lines.take(block))
            yield block
        self.found = self.found or is_lines(self._lines.rest())

    def to_the_end(self) -> bool:
        """Whether any line does, when all are seen."""
        for _ in self.blocks():
            if self.found:
                break
        return self.found


def lines_in(blocks: Iterable[bytes], first_line: int = 1) -> Iterator[RecordTexts]:
    """Pieces of a text that is known to be lines.

    Raises:
        DamagedText: after the lines before it.
    """
    lines, begun = _LineCutter(), list[bytes]()
    damage = None
    try:
        for block in blocks:
            begun += lines.take(block)
            if lines.size >= PIECE or len(begun) >= MOST_TEXTS:
                yield filled_lines(begun, first_line)
                first_line, lines.size, begun = first_line + len(begun), 0, []
        begun += lines.rest()
    except DamagedText as found:
        damage = found
    if begun:
        yield filled_lines(begun, first_line)
    if damage is not None:
        raise damage


class _LineCutter:
    """Cuts blocks into lines; of one too long for a record that wraps none, or for `most`, only the beginning is kept."""

    def __init__(self, most: int | None = None) -> None:
        self.size, self._most = 0, most
        self._parts: list[bytes] = []
        self._length = 0
        self._at_start = True

    def take(self, block: bytes) -> list[bytes]:
        """The lines that a block completes."""
        self.size += len(block)
        if self._at_start and block:
            block, self._at_start = block.removeprefix(BOM), False
        lines = block.split(b"\n")
        self._extend(lines[0])
        if len(lines) == 1:
            return []
        lines[0] = b"".join(self._parts)
        self._parts, self._length = [], 0
        self._extend(lines.pop())
        return lines

    def rest(self) -> list[bytes]:
        """The last line, if the text does not end with one."""
        parts, self._parts = self._parts, []
        return [b"".join(parts)] if parts else []

    def _too_long(self) -> bool:
        if self._most is not None and self._length > self._most:
            return True
        if self._length <= LONGEST:
            return False
        head = self._parts[0][:LONGEST]
        return not (head.lstrip().startswith(b"[") or may_wrap(head) or may_be_base64(head))

    def _extend(self, part: bytes) -> None:
        if not part:
            return
        self._parts.append(part)
        self._length += len(part)
        if len(self._parts) > 1 and len(self._parts[0]) <= LONGEST:
            self._parts = [b"".join(self._parts)]
        if self._too_long():
            self._parts = [self._parts[0][: LONGEST + 1]]
