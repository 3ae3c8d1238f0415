"""The text of a file, block by block, to events; memory is bounded whatever the lines are (contract.md "Input")."""

from collections.abc import Iterable, Iterator
from typing import Final

from transforms.core.decode.settings import Decoded, DecodeSettings
from transforms.core.decode.split import looks_like_an_envelope
from transforms.core.decode.streams import decode_records, decode_value, is_lines, reject_whole
from transforms.core.decode.text import BOM, LONGEST

PIECE: Final = 32 << 20
"""Bytes of text, about, that are decoded at once."""
_BLANKS: Final = b" \t\r\n"


class Damaged(Exception):  # noqa: N818 - what a source of blocks raises when the rest of them cannot be had
    """The text breaks off: a compressed file is damaged; the message says how."""


def decode_blocks(blocks: Iterable[bytes], source: str, settings: DecodeSettings) -> Iterator[Decoded]:
    """Pieces of a whole file: of lines as they come, of one value at its end; damage costs one reject more.

    Args:
        blocks: the text, cut anywhere; may raise `Damaged`.
        source: where it comes from.
        settings: policy, clock, inventory.
    """
    lines = _Lines()
    begun: list[bytes] = []
    as_lines = False
    try:
        for block in blocks:
            complete = lines.take(block)
            as_lines = as_lines or is_lines(complete) or lines.is_hopeless(begun, complete)
            begun += complete
            if as_lines and lines.size >= PIECE:
                yield decode_records(begun, source, lines.first, settings)
                lines.first, lines.size, begun = lines.first + len(begun), 0, []
        begun += (rest := lines.rest())
        as_lines = as_lines or is_lines(rest)
    except Damaged as damage:
        if as_lines:
            yield decode_records(begun, source, lines.first, settings)
        yield reject_whole(source, "not_json", str(damage), settings)
        return
    if as_lines:
        yield decode_records(begun, source, lines.first, settings)
    elif any(line.strip(_BLANKS) for line in begun):
        yield decode_value(b"\n".join(begun), source, settings)


def decode_lines(blocks: Iterable[bytes], source: str, first_line: int, settings: DecodeSettings) -> Iterator[Decoded]:
    """Pieces of a text that is known to be lines."""
    lines, begun = _Lines(), list[bytes]()
    lines.first = first_line
    for block in blocks:
        begun += lines.take(block)
        if lines.size >= PIECE:
            yield decode_records(begun, source, lines.first, settings)
            lines.first, lines.size, begun = lines.first + len(begun), 0, []
    begun += lines.rest()
    if begun:
        yield decode_records(begun, source, lines.first, settings)


class _Lines:
    """Cuts blocks into lines; of one that is too long for a record, and no array or envelope, only the beginning is kept."""

    def __init__(self) -> None:
        self.first, self.size = 1, 0
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

    def is_hopeless(self, before: list[bytes], complete: list[bytes]) -> bool:
        """Whether the line that is being read is too long for a record, and can begin no value: then it is a line by itself."""
        if not self._too_long():
            return False
        return self._parts[0].lstrip().startswith(b"{") or not any(line.strip(_BLANKS) for line in [*before, *complete])

    def _too_long(self) -> bool:
        if self._length <= LONGEST:
            return False
        head = self._parts[0][:LONGEST]
        return not (head.lstrip().startswith(b"[") or looks_like_an_envelope(head))

    def _extend(self, part: bytes) -> None:
        if not part:
            return
        self._parts.append(part)
        self._length += len(part)
        if len(self._parts) > 1 and len(self._parts[0]) <= LONGEST:
            self._parts = [b"".join(self._parts)]
        if self._too_long():
            self._parts = [self._parts[0][: LONGEST + 1]]
