"""Texts to events: lines, whole values, and the rule that tells them apart (contract.md "Input")."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from transforms.core.batches import compact, concat
from transforms.core.decode.build import Reject, events_of_models, joined, rejects_of
from transforms.core.decode.columns import decode_columns
from transforms.core.decode.events import Event
from transforms.core.decode.reasons import Ignored, Rejected
from transforms.core.decode.record import NO_FORMAT, Read, read_record
from transforms.core.decode.settings import Counts, Decoded, DecodeSettings
from transforms.core.decode.split import Broken, envelope_texts, split_value
from transforms.core.decode.text import BOM, LONGEST, parse_record


def decode_records(lines: Sequence[bytes], source: str, first_line: int, settings: DecodeSettings) -> Decoded:
    """The events of record texts, one a line; blank ones are skipped, a line that holds an envelope gives the records in it.

    Args:
        lines: the texts, with or without a carriage return at their end.
        source: where they come from.
        first_line: the number of the first of them, from 1.
        settings: policy, clock, inventory.
    """
    texts = [line.strip(_BLANKS) for line in lines]
    numbers: Sequence[int] = range(first_line, first_line + len(texts))
    if not all(texts):
        numbers = [number for number, text in zip(numbers, texts, strict=True) if text]
        texts = [text for text in texts if text]
    return _decode(texts, lambda row: f"line {numbers[row]}", source, settings)


def decode_value(data: bytes, source: str, settings: DecodeSettings) -> Decoded:
    """The events of one JSON value: an object, an array of them, or an envelope; if it breaks off, one reject and no event."""
    try:
        texts = split_value(data.removeprefix(BOM).strip(_BLANKS))
    except Broken as error:
        return reject_whole(source, "not_json", str(error), settings)
    return _decode(texts, lambda row: f"record {row + 1}", source, settings)


def decode_text(data: bytes, source: str, settings: DecodeSettings) -> Decoded:
    """The events of a whole file or message: lines if any line is an object by itself, else one value."""
    data = data.removeprefix(BOM)
    lines = data.split(b"\n")
    if not data.strip(_BLANKS):
        return decode_records([], source, 1, settings)
    return decode_records(lines, source, 1, settings) if is_lines(lines) else decode_value(data, source, settings)


def is_lines(lines: Iterable[bytes]) -> bool:
    """Whether any line is an object by itself."""
    return any(_is_object(line.strip(_BLANKS)) for line in lines)


def reject_whole(source: str, reason: str, detail: str, settings: DecodeSettings, location: str = "file") -> Decoded:
    """The one reject of an input that could not be read as records."""
    counts = Counts(records=1)
    counts.rejected[reason] += 1
    return Decoded(events_of_models([]), rejects_of([Reject(location, reason, detail, None)], source, settings.now), counts)


_BLANKS: Final = b" \t\r\n"
_check: Final = msgspec.json.Decoder(msgspec.Raw).decode


def _is_object(text: bytes) -> bool:
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return False
    try:
        _check(text)
    except RecursionError:
        return True
    except msgspec.DecodeError:
        return False
    return True


def _decode(texts: Sequence[bytes], where: Callable[[int], str], source: str, settings: DecodeSettings) -> Decoded:
    columns = decode_columns(texts, settings)
    odd, within, places = Odd(settings), list[bytes](), list[str]()
    for row in sorted(columns.odd):
        records = envelope_texts(texts[row])
        if records is None:
            odd.take(texts[row], where(row))
        else:
            within += records
            places += [f"{where(row)}, record {number}" for number in range(1, len(records) + 1)]
    events, rejects = [columns.events, events_of_models(odd.events)], rejects_of(odd.rejects, source, settings.now)
    counts = columns.counts + odd.counts
    if within:
        inner = _decode(within, places.__getitem__, source, settings)
        events.append(inner.events)
        rejects, counts = joined([rejects, inner.rejects]), counts + inner.counts
    return Decoded(compact(concat(events)), rejects, counts)


class Odd:
    """Takes in the records that the columns leave, one by one."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings
        self.events: list[tuple[Event, ...]] = []
        self.rejects: list[Reject] = []
        self.counts = Counts()

    def take(self, text: bytes, location: str) -> None:
        """Reads the record of a text, or the records of an envelope."""
        try:
            record = parse_record(text)
        except Rejected as rejected:
            self._reject(rejected, text, location)
            return
        self.read(record, text, location)

    def read(self, record: dict[str, Any], text: bytes, location: str) -> None:
        """Reads a parsed record; `text` is what is kept of it if it is rejected."""
        try:
            read = read_record(record, self._settings)
        except Ignored as ignored:
            self.counts += Counts(records=1, health=int(ignored.health), unplaced=int(ignored.unplaced))
            self.counts.ignored[ignored.kind] += 1
            if ignored.kind == NO_FORMAT:
                self.counts.unread.note(record)
        except Rejected as rejected:
            self._reject(rejected, text, location)
        else:
            self.events.append(read.events)
            self.counts += self._counts(read)

    def _counts(self, read: Read) -> Counts:
        counts, first = Counts(records=1), read.events[0]
        counts.decoded[read.format, first.kind] += 1
        counts.health += int(read.is_health)
        counts.note_times(np.array([event.time for event in read.events]), self._settings.now)
        return counts

    def _reject(self, rejected: Rejected, text: bytes, location: str) -> None:
        payload = text[:LONGEST].decode(errors="replace") if self._settings.keep_payload else None
        self.rejects.append(Reject(location, rejected.reason, rejected.detail, payload))
        self.counts.records += 1
        self.counts.rejected[rejected.reason] += 1
