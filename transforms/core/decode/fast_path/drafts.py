"""Ordinary records as columns of texts, one draft a kind of event: what `sorting.py` fills and `columns.py` reads."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress
from typing import Final, NamedTuple

import msgspec

from schemas.azure.annotation import Announcement, initiator_in, meaning_of
from transforms.core.decode.fast_path.shapes import EventProperties, Record
from transforms.core.decode.terms.unread import Unread

Text = str | None
Heading = tuple[int, str, Text, Text, Text]
"""Row, format, id, target and time of a record."""


class RecordsFound(NamedTuple):
    """Records side by side with their rows."""

    rows: list[int]
    records: list[Record]

    def having(self, names: Sequence[str], name: str) -> "RecordsFound":
        """Those whose name it is, with no copy where all have it."""
        return self if names.count(name) == len(names) else self.of([own == name for own in names])

    def of(self, some: Sequence[bool]) -> "RecordsFound":
        """Some of them."""
        return RecordsFound(list(compress(self.rows, some)), list(compress(self.records, some)))

    def add(self, others: "RecordsFound") -> None:
        """Puts others behind these."""
        self.rows.extend(others.rows)
        self.records.extend(others.records)


def records_among(rows: Sequence[int], records: Sequence[Record | None]) -> RecordsFound:
    """The records where there are some."""
    there = [record is not None for record in records]
    return RecordsFound(list(compress(rows, there)), [record for record in records if record is not None])


@dataclass
class _CommonDrafts:
    """What all drafts have: one entry a record in each list."""

    rows: list[int] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    ids: list[Text] = field(default_factory=list)
    targets: list[Text] = field(default_factory=list)
    times: list[Text] = field(default_factory=list)


@dataclass
class SignalDrafts(_CommonDrafts):
    """One row a health signal."""

    states: list[Text] = field(default_factory=list)


@dataclass
class AnnotationDrafts(_CommonDrafts):
    """One row an annotation that means something; `second` where the record also gave a signal."""

    names: list[Text] = field(default_factory=list)
    meanings: list[Announcement | str] = field(default_factory=list)
    initiators: list[str] = field(default_factory=list)
    second: list[bool] = field(default_factory=list)

    def add(self, heading: Heading, name: str, meaning: Announcement | str, told: EventProperties, second: bool = False) -> None:
        """Adds an annotation that means something."""
        row, format, event_id, target, time = heading
        self.rows.append(row)
        self.formats.append(format)
        self.ids.append(event_id)
        self.targets.append(target)
        self.times.append(time)
        self.names.append(name)
        self.meanings.append(meaning)
        own = None if isinstance(meaning, str) else meaning.initiator
        self.initiators.append(own or _initiator_in(told.context or told.cause))
        self.second.append(second)


@dataclass
class OperationDrafts(_CommonDrafts):
    """One row an operation record; `bodies` hold request bodies that may name instances, `names` are the operations'."""

    keys: list[Text] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    phases: list[Text] = field(default_factory=list)
    initiators: list[str] = field(default_factory=list)
    bodies: list[msgspec.Raw | None] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    counts: list[int | None] = field(default_factory=list)


@dataclass
class Drafts:
    """What a chunk of ordinary records holds; `odd` are rows that are for `record.py` after all, `unknown` of no format.

    `loose` are the rows that spell some names otherwise than exactly, once that was looked at.
    """

    lines: Sequence[bytes]
    signals: SignalDrafts = field(default_factory=SignalDrafts)
    annotations: AnnotationDrafts = field(default_factory=AnnotationDrafts)
    operations: OperationDrafts = field(default_factory=OperationDrafts)
    scalings: OperationDrafts = field(default_factory=OperationDrafts)
    canonical: RecordsFound = field(default_factory=lambda: RecordsFound([], []))
    ignored: Counter[str] = field(default_factory=Counter)
    odd: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    loose: frozenset[int] | None = None
    unread: Unread = field(default_factory=Unread)


meaning_by: Final = lru_cache(4096)(meaning_of)
_initiator_in: Final = lru_cache(1024)(initiator_in)
