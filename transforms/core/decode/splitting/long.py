"""A JSON value that is too long to hold: its records a piece at a time, in two readings (contract: Input).

What does not fit is opened: an array into its elements, an envelope into its members, down to where a piece is full of whole
parts. The first reading tells whether all of it is one value, and what of each opened object tells an envelope from a record.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from schemas.names import folded
from transforms.core.decode.splitting.structure import (
    BLANKS,
    JsonPart,
    first_end,
    is_json,
    open_string,
    parts_and_rest,
    parts_of,
    structure_of,
)
from transforms.core.decode.splitting.texts import Fault, RecordTexts, keyed, many
from transforms.core.decode.splitting.wrapping import MARKS, before_break, chosen, contents, is_record, rows_of
from transforms.core.decode.terms.reasons import RejectedRecord
from transforms.core.decode.terms.text import BOM, DEEPEST, LONGEST

Skeletons = list[dict[str, bytes]]
"""Of each opened object, in the order of opening, the members that tell what it is; of a long one, only how it begins."""
_OPENED: Final = ("records", "value", "data", "tables", "rows")
_REMEMBERED: Final = 64
"""Members of an object that are remembered: a mark may be spelt in any number of ways, and each have a megabyte."""
_TABLE: Final = b'{"columns":[],"rows":[]}'
_STRING: Final = re.compile(rb'[^"\\\x00-\x1f]*+(?:\\["\\/bfnrtu][^"\\\x00-\x1f]*+)*+')
"""What may stand in a string; no line break, so that a quote too many is noticed."""


class BrokenValue(Exception):  # noqa: N818 - it says what the text is
    """The text is not a single JSON value: it breaks off or is malformed within `rest`."""

    def __init__(self, rest: bytes) -> None:
        super().__init__()
        self.rest = rest


@dataclass
class _Container:
    """An array or object that is being read; `role` says what its parts are: records, rows, members, or "" for anything else."""

    bracket: bytes
    key: bytes
    role: str
    members: dict[str, bytes] = field(default_factory=dict)
    """Of an object: what is known of it; of an array of rows: of its table."""
    after_comma: bool = False
    placeholder: int = 0
    """1 where the first part stands for one that was opened."""
    outsized: bytes | None = None
    """How it begins, if it stands for a record that is too long."""


class LongValue:
    """Reads a value once; with the skeletons of a first reading it gives its records, without it makes them."""

    def __init__(self, blocks: Iterator[bytes], most: int, known: Skeletons | None = None) -> None:
        self._blocks, self._most, self._known = blocks, most, known
        self.skeletons: Skeletons = []
        self._buffer = b""
        self._frames: list[_Container] = []
        self.count = 0

    def pieces(self) -> Iterator[RecordTexts]:
        """The records, as they come; none in a first reading.

        Raises:
            BrokenValue: behind the last whole part.
        """
        self._fill()
        self._buffer = self._buffer.removeprefix(BOM).lstrip(BLANKS)
        end = first_end(self._buffer)
        if end is not None and is_json(first := self._buffer[:end]):
            parts = parts_of(first) if first.startswith(b"[") else [JsonPart(first, b"", True)]
            yield from self._told(_Container(b"[", b"", "records"), parts)
            self._buffer = self._buffer[end:]
        else:
            yield from self._opened()
        while not self._buffer.strip(BLANKS) and self._fill():
            self._buffer = self._buffer.strip(BLANKS)
        if self._buffer.strip(BLANKS):
            raise BrokenValue(self._buffer)

    def _opened(self) -> Iterator[RecordTexts]:
        """The records of a value that does not fit."""
        yield from self._open(b"", "records" if self._buffer.startswith(b"[") else "record")
        try:
            while self._frames:
                yield from self._step(self._frames[-1])
        except BrokenValue:
            for place in range(len(self._frames) - 1, 0, -1):
                self._tell(self._frames[place - 1], self._frames[place])
            raise

    def _fill(self) -> bool:
        """Reads until the buffer is full; False if nothing came."""
        held, size = [self._buffer], len(self._buffer)
        for block in self._blocks:
            held.append(block)
            size += len(block)
            if size >= self._most:
                break
        self._buffer = b"".join(held)
        return len(held) > 1

    def _step(self, frame: _Container) -> Iterator[RecordTexts]:
        """The whole parts in the buffer, or the first that does not fit."""
        parts, rest, is_closed = parts_and_rest(self._buffer)
        if not parts and not is_closed:
            if len(self._buffer) >= self._most or not self._fill():
                yield from self._descend(frame)
            return
        sound = list(takewhile(_is_sound, parts))
        yield from self._told(frame, sound[frame.placeholder :])
        for part in parts[len(sound) :]:
            yield from self._before_break(frame, part)
            raise BrokenValue(part.text)
        if is_closed and frame.after_comma and not parts:
            raise BrokenValue(rest)
        frame.placeholder = 0 if parts else frame.placeholder
        if is_closed:
            yield from self._close(frame, rest)
        else:
            frame.after_comma, self._buffer = True, frame.bracket + rest

    def _descend(self, frame: _Container) -> Iterator[RecordTexts]:
        """Opens the part that does not fit; at the end of the text, what is not whole."""
        part = next(iter(parts_of(self._buffer)), None)
        if part is None or not part.text or frame.placeholder or (frame.bracket == b"{" and not part.key):
            raise BrokenValue(self._buffer)
        if frame.bracket == b"[" and len(self._buffer) < self._most:
            yield from self._last(frame, part)
        self._buffer = self._buffer[len(self._buffer.rstrip(BLANKS)) - len(part.text) :]
        name = next(iter(keyed([part]) or {}), "") if part.key else ""
        yield from self._open(part.key, self._wanted(frame, name))

    def _wanted(self, frame: _Container, name: str) -> str:
        """What a part of a frame would be if it fitted."""
        if frame.role == "members":
            return ("rows" if name == "rows" else "records") if name == chosen(frame.members) else ""
        return {"records": "record", "rows": "row"}.get(frame.role, "")

    def _open(self, key: bytes, wanted: str) -> Iterator[RecordTexts]:
        """Opens what the buffer begins with; a text, or what lies too deep to be opened, is passed over."""
        bracket, head = self._buffer[:1], self._buffer[:LONGEST] if wanted in ("record", "row") else None
        if bracket in (b"[", b"{") and len(self._frames) <= 2 * DEEPEST:
            frame = _Container(bracket, key, wanted if wanted in ("records", "rows") else "", outsized=head)
            if bracket == b"{":
                self._open_object(frame, wanted)
            elif frame.role == "rows":
                frame.members = self._frames[-1].members
            self._frames.append(frame)
        else:
            self._pass_over()
            yield from self._outsized(head)

    def _open_object(self, frame: _Container, wanted: str) -> None:
        frame.members = {} if self._known is None else self._known[len(self.skeletons)]
        self.skeletons.append(frame.members)
        holds = chosen(frame.members) if wanted and not is_record(frame.members) else None
        frame.role = "members" if holds in (_OPENED if wanted == "record" else ("rows",)) else ""
        frame.outsized = None if frame.role else frame.outsized

    def _outsized(self, head: bytes | None) -> Iterator[RecordTexts]:
        """The row that something too long costs where a record was wanted; `head` is how it begins."""
        if head is not None and self._known is not None:
            why = RejectedRecord("too_large", f"a record may have {LONGEST} bytes of text, got more than {self._most}")
            yield self._numbered(RecordTexts("record", (), (), [Fault(1, why, head)]))

    def _last(self, frame: _Container, part: JsonPart) -> Iterator[RecordTexts]:
        """What an element holds behind which the text ends."""
        if part.text.endswith((b"}", b"]")) and is_json(part.text):
            yield from self._told(frame, [part])
            raise BrokenValue(b"")
        yield from self._before_break(frame, part)
        raise BrokenValue(part.text)

    def _before_break(self, frame: _Container, part: JsonPart) -> Iterator[RecordTexts]:
        """The records that are complete in a part that breaks off."""
        name = next(iter(keyed([part._replace(text=b"0")]) or {}), "") if part.key else ""
        holds = frame.role == "records" or (frame.role == "members" and name != "rows" and name == chosen(frame.members))
        if self._known is None and name in _OPENED:
            frame.members[name] = _beginning(part.text)
        elif holds and self._known is not None:
            yield self._numbered(before_break(part.text)[0])

    def _told(self, frame: _Container, parts: Sequence[JsonPart]) -> Iterator[RecordTexts]:
        """What whole parts of a frame hold."""
        if frame.bracket == b"{" and self._known is None:
            self._remember(frame, parts)
        elif self._known is None or not parts:
            return
        elif frame.role == "records":
            yield self._numbered(many([part.text for part in parts]))
        elif frame.role == "rows":
            yield self._numbered(rows_of(frame.members["columns"], [part.text for part in parts]))
        elif frame.role == "members":
            members, name = keyed(parts) or {}, chosen(frame.members)
            found = contents({**frame.members, name: members[name]}, name) if name in members else b""
            if isinstance(found, RecordTexts):
                yield self._numbered(found)

    def _remember(self, frame: _Container, parts: Sequence[JsonPart]) -> None:
        for name, text in (keyed(parts) or {}).items():
            if (folded(name) in MARKS or name in _OPENED) and len(frame.members) < _REMEMBERED:
                frame.members[name] = text if len(text) <= LONGEST else _beginning(text)

    def _numbered(self, found: RecordTexts) -> RecordTexts:
        before, self.count = self.count, self.count + len(found.texts) + len(found.faults)
        depth = sum(frame.role == "members" for frame in self._frames)
        numbers = [number + before for number in found.numbers]
        faults = [fault._replace(number=fault.number + before) for fault in found.faults]
        return found._replace(numbers=numbers, faults=faults, depth=depth)

    def _close(self, frame: _Container, rest: bytes) -> Iterator[RecordTexts]:
        """Goes on behind the end of the last frame."""
        self._frames.pop()
        yield from self._outsized(frame.outsized)
        if self._frames:
            self._tell(self._frames[-1], frame)
        self._go_on(rest)

    def _tell(self, parent: _Container, frame: _Container) -> None:
        """Lets the object that an opened member is of know how that begins."""
        if frame.key and self._known is None:
            is_table = frame.bracket == b"{" and {"columns", "rows"} <= frame.members.keys()
            name = next(iter(keyed([JsonPart(b"", frame.key, True)]) or {}), "")
            parent.members[name] = _TABLE if is_table else b"[]" if frame.bracket == b"[" else b"{}"

    def _go_on(self, rest: bytes) -> None:
        """Behind a part that was opened or left out, its frame goes on with something in its place."""
        if self._frames:
            self._frames[-1].placeholder = 1
            rest = self._frames[-1].bracket + (b"0" if self._frames[-1].bracket == b"[" else b'"":0') + rest
        self._buffer = rest

    def _pass_over(self) -> None:
        """Passes over what the buffer begins with, a piece at a time."""
        if self._buffer.startswith(b'"'):
            self._pass_string()
        elif self._buffer.startswith((b"[", b"{")):
            self._pass_brackets()
        else:
            raise BrokenValue(self._buffer)
        self._go_on(self._buffer)

    def _pass_brackets(self) -> None:
        level = 0
        while True:
            found = structure_of(self._buffer)
            ends = (found.levels + level == 0).nonzero()[0]
            if len(ends):
                self._buffer = self._buffer[int(found.at[ends[0]]) + 1 :]
                return
            level += int(found.levels[-1]) if len(found.levels) else 0
            within = open_string(self._buffer)
            self._buffer = b"" if within is None else self._buffer[within:]
            if within is not None:
                self._pass_string()
            if not self._buffer and not self._fill():
                raise BrokenValue(b"")

    def _pass_string(self) -> None:
        self._buffer = self._buffer[1:]
        while True:
            found = _STRING.match(self._buffer)
            self._buffer = self._buffer[found.end() if found else 0 :]
            if self._buffer and self._buffer != b"\\":
                break
            if not self._fill():
                raise BrokenValue(b"")
        if not self._buffer.startswith(b'"'):
            raise BrokenValue(self._buffer)
        self._buffer = self._buffer[1:]


def _is_sound(part: JsonPart) -> bool:
    return is_json(part.text) and (not part.key or (part.key.startswith(b'"') and is_json(part.key)))


def _beginning(text: bytes) -> bytes:
    if text.startswith(b"["):
        return b"[]"
    return _TABLE if text.startswith(b"{") and chosen(dict.fromkeys(keyed(parts_of(text)) or {}, b"[")) == "rows" else text[:1]
