"""Texts to events: lines, whole values, and what they wrap, down to the records (contract: Input)."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

import pyarrow as pa

from schemas.tables.reject import REJECTS
from transforms.core.columns.batches import compact, concat
from transforms.core.decode.fast_path.columns import Columns, decode_columns
from transforms.core.decode.slow_path.build import Reject, events_of_models, joined, rejects_of
from transforms.core.decode.slow_path.events import Event
from transforms.core.decode.slow_path.record import NO_FORMAT, RecordEvents, read_record
from transforms.core.decode.splitting.split import texts_in_line, texts_of, within
from transforms.core.decode.splitting.texts import RecordTexts, filled_lines
from transforms.core.decode.terms.reasons import IgnoredRecord, RejectedRecord
from transforms.core.decode.terms.settings import Counts, DecodeResult, DecodeSettings
from transforms.core.decode.terms.text import DEEPEST, LONGEST, parse_record


def decode_records(lines: Sequence[bytes], source: str, first_line: int, settings: DecodeSettings) -> DecodeResult:
    """The events of lines, each of which holds what a file may hold; blank ones are skipped.

    Args:
        lines: the texts, with or without a carriage return at their end.
        source: where they come from.
        first_line: the number of the first of them, from 1.
        settings: policy, clock, inventory.
    """
    return decode_texts([LocatedTexts(filled_lines(lines, first_line))], source, settings)


def decode_text(data: bytes, source: str, settings: DecodeSettings) -> DecodeResult:
    """The events of a whole file that is held in memory."""
    return decode_texts([LocatedTexts(texts_of(data))], source, settings)


def reject_whole(source: str, reason: str, detail: str, settings: DecodeSettings, location: str = "file") -> DecodeResult:
    """The one reject of an input that could not be read as records."""
    counts = Counts(records=1)
    counts.rejected[reason] += 1
    return DecodeResult(events_of_models([]), rejects_of([Reject(location, reason, detail, None)], source, settings.now), counts)


class LocatedTexts(NamedTuple):
    """Texts of records, and the location of what contains them in the file (empty if that is the file itself)."""

    found: RecordTexts
    outer: str = ""

    def place(self, number: int) -> str:
        """The location of one of the texts."""
        own = f"{self.found.word} {number}" if self.found.word else ""
        return ", ".join(filter(None, (self.outer, own)))


def decode_texts(
    groups: Sequence[LocatedTexts],
    source: str,
    settings: DecodeSettings,
    read: Callable[[Sequence[bytes], DecodeSettings], Columns] = decode_columns,
) -> DecodeResult:
    """Decodes texts from several locations together, and then what they wrap, such as envelopes and messages.

    Args:
        groups: the texts; a reject's location says where in which of them it stands.
        source: where they come from.
        settings: policy, clock, inventory.
        read: reads the ordinary ones among the texts; not those within them.
    """
    slow_path, batches, counts = SlowPath(settings), list[pa.RecordBatch](), Counts()
    while groups:
        texts = groups[0].found.texts if len(groups) == 1 else [text for group in groups for text in group.found.texts]
        columns, read = read(texts, settings), decode_columns
        batches.append(columns.events)
        counts += columns.counts
        groups = _unwrapped(slow_path, groups, sorted(columns.odd))
    events = compact(concat([*batches, events_of_models(slow_path.events)]))
    return DecodeResult(events, slow_path.rejected(source), counts + slow_path.counts)


def _unwrapped(slow_path: "SlowPath", groups: Sequence[LocatedTexts], rows: Sequence[int]) -> list[LocatedTexts]:
    """Decodes the rows that the fast path left, and gives the texts that some of them wrap."""
    ends = list(accumulate(len(group.found.texts) for group in groups))
    inner = []
    for row in rows:
        group = bisect_right(ends, row)
        inner.append(slow_path.open(groups[group], row - (ends[group - 1] if group else 0)))
    for found in groups:
        for fault in found.found.faults:
            slow_path.reject(fault.why, fault.text, found.place(fault.number))
    return [found for found in inner if found is not None]


class SlowPath:
    """Decodes, one by one, the records that the fast path leaves."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings
        self.events: list[tuple[Event, ...]] = []
        self.rejects: list[Reject] = []
        self._packed: list[pa.RecordBatch] = []
        self.counts = Counts()

    def open(self, group: LocatedTexts, at: int) -> LocatedTexts | None:
        """The texts that a text wraps. One that wraps nothing is decoded as a record, and gives None."""
        found, text, place = group.found, group.found.texts[at], group.place(group.found.numbers[at])
        inner = texts_in_line(text) if found.word == "line" and not found.is_measured else within(text)
        if inner is None:
            self.take(text, place, _UNLIMITED if found.is_measured else LONGEST)
        elif found.depth + inner.depth > DEEPEST:
            self.reject(RejectedRecord("too_deep", f"envelopes and messages may nest {DEEPEST} deep"), text, place)
        else:
            return LocatedTexts(inner._replace(depth=found.depth + inner.depth), place)
        return None

    def take(self, text: bytes, location: str, longest: int = LONGEST) -> None:
        """Reads the record of a text."""
        try:
            record = parse_record(text, longest)
        except RejectedRecord as rejected:
            self.reject(rejected, text, location)
            return
        self.read(record, text, location)

    def read(self, record: dict[str, Any], text: bytes, location: str) -> None:
        """Reads a parsed record; `text` is what is kept of it if it is rejected."""
        try:
            read = read_record(record, self._settings)
        except IgnoredRecord as ignored:
            self.counts.records += 1
            self.counts.health += int(ignored.health)
            self.counts.unplaced += int(ignored.unplaced)
            self.counts.ignored[ignored.kind] += 1
            if ignored.kind == NO_FORMAT:
                self.counts.unread.note(record)
        except RejectedRecord as rejected:
            self.reject(rejected, text, location)
        else:
            self.events.append(read.events)
            self._count(read)

    def reject(self, rejected: RejectedRecord, text: bytes, location: str) -> None:
        """Takes note of something that is no record."""
        payload = text[:LONGEST].decode(errors="replace") if self._settings.keep_payload else None
        self.rejects.append(Reject(location or "line 1", rejected.reason, rejected.detail, payload))
        self.counts.records += 1
        self.counts.rejected[rejected.reason] += 1
        if len(self.rejects) >= _PACKED:
            self._pack()

    def rejected(self, source: str) -> pa.RecordBatch:
        """REJECTS of one source: a quarter of what they take one by one, since a text of two bytes may cost a row."""
        self._pack()
        rejects = joined(self._packed)
        return rejects.set_column(0, REJECTS.field("source"), pa.repeat(source, len(rejects)))

    def _pack(self) -> None:
        self._packed.append(rejects_of(self.rejects, "", self._settings.now))
        self.rejects = []

    def _count(self, read: RecordEvents) -> None:
        self.counts.records += 1
        self.counts.decoded[read.format, read.events[0].kind] += 1
        self.counts.health += int(read.is_health)
        for event in read.events:
            self.counts.note_time(event.time, self._settings.now)


_UNLIMITED: Final = 1 << 62
_PACKED: Final = 1 << 14
"""Rejects that are held one by one."""
