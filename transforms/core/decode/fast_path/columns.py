"""Many records at once: ordinary ones by columns, the others left for `record.py` (contract: Formats).

A row is left whenever anything about it is not plainly right, so only `record.py` ever rejects.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import lru_cache, partial
from itertools import compress
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from schemas.azure.action import targets_in
from schemas.azure.annotation import FAULT, Announcement
from schemas.event import KINDS, STATES, TIMESTAMP
from transforms.core.columns.batches import compact, concat
from transforms.core.decode.fast_path.canonical import canonical_counts, canonical_events, columns_of_records
from transforms.core.decode.fast_path.drafts import (
    AnnotationDrafts,
    Drafts,
    OperationDrafts,
    RecordsFound,
    SignalDrafts,
    records_among,
)
from transforms.core.decode.fast_path.places import OTHER, PLACED, UNPLACED, Places, TargetColumns
from transforms.core.decode.fast_path.shapes import NO_RAW, NONE, KnownRecord, Record
from transforms.core.decode.fast_path.sorting import sort_out, sort_unknown
from transforms.core.decode.fast_path.times import micros_of
from transforms.core.decode.slow_path.build import CODES, events_of
from transforms.core.decode.terms.settings import Counts, DecodeSettings
from transforms.core.decode.terms.text import DEEPEST, ORDINARY, is_plain, parse_known

_BLOCK: Final = 256
_decode: Final = msgspec.json.Decoder(Record).decode
_decode_known: Final = msgspec.json.Decoder(KnownRecord).decode
_UNREADABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeError)
_NAMED, _ALL, _UNNAMED = (CODES["target"][name] for name in ("named", "all", "unnamed"))
_STATE_CODES: Final[dict[str | None, int]] = {
    name: code for code, state in enumerate(STATES) for name in (state, state.casefold())
}


class Columns(NamedTuple):
    """Events of ordinary records, their counts, and the rows (indices of lines) that are for `record.py`."""

    events: pa.RecordBatch
    counts: Counts
    odd: list[int]


def decode_columns(lines: Sequence[bytes], settings: DecodeSettings) -> Columns:
    """The events of the ordinary ones among record texts (none of them blank)."""
    drafts = Drafts(lines)
    for start in range(0, len(lines), _BLOCK):
        _draft_block(drafts, range(start, min(start + _BLOCK, len(lines))), settings)
    sort_unknown(drafts)
    return finished(drafts, len(lines), settings)


def finished(drafts: Drafts, rows: int, settings: DecodeSettings) -> Columns:
    """The events of what was sorted out of so many rows."""
    desk = _Desk(settings, drafts, rows)
    batches = list[pa.RecordBatch]()
    if drafts.signals.rows:
        batches.append(desk.signals(drafts.signals))
    if drafts.annotations.rows:
        batches += desk.annotations(drafts.annotations)
    if drafts.operations.rows:
        batches.append(desk.operations(drafts.operations))
    if drafts.scalings.rows:
        batches.append(desk.operations(drafts.scalings, unnamed=True))
    if drafts.canonical.rows:
        batches.append(desk.canonical(drafts.canonical))
    desk.counts.ignored.update(drafts.ignored)
    desk.counts.unread = drafts.unread
    desk.counts.records = rows - len(drafts.odd)
    return Columns(compact(concat(batches)), desk.counts, drafts.odd)


def _draft_block(drafts: Drafts, block: range, settings: DecodeSettings) -> None:
    """Sorts out the ordinary records of a block of rows, few enough to stay in the processor's cache meanwhile."""
    lines = [drafts.lines[row] for row in block]
    known = known_records(lines)
    found = ordinary_records(block, lines) if known is None else RecordsFound(list(block), known)
    if len(found.rows) < len(block):
        drafts.odd += sorted(set(block) - set(found.rows))
    sort_out(drafts, found, list(map(_CLASSIFIERS[settings.format], found.records)), is_exact=known is not None)


def known_records(lines: Sequence[bytes]) -> list[Record] | None:
    """The records of lines; None if any is not plainly a known one."""
    if not all(map(bytes.isascii, lines)) or max(map(len, lines)) > ORDINARY:
        return None
    try:
        records = list(map(_decode_known, lines))
    except _UNREADABLE:
        return None
    return None if any(map(_may_be_deep, records)) else records


def _may_be_deep(record: Record) -> bool:
    """Whether what is kept raw of a known record may have many levels; all else of it has few."""
    data, identity, told = record.data, record.identity, record.properties
    return (
        (record.claims is not NO_RAW and _has_many_levels(record.claims))
        or (data is not None and data.claims is not NO_RAW and _has_many_levels(data.claims))
        or (identity is not None and _has_many_levels(identity.claims))
        or (told is not None and (_has_many_levels(told.requestbody) or _has_many_levels(told.request_body)))
    )


def _has_many_levels(raw: msgspec.Raw) -> bool:
    text = bytes(raw)
    if text.startswith(b'"') or (text.find(b"{", 1) < 0 and b"[" not in text):
        return False
    return text.count(b"{") + text.count(b"[") > DEEPEST // 2


def ordinary_records(rows: Sequence[int], lines: Sequence[bytes]) -> RecordsFound:
    """The ordinary ones among records that may have any fields."""
    plain = [_is_flat(line) or is_plain(line) for line in lines]
    rows, lines = list(compress(rows, plain)), list(compress(lines, plain))
    try:
        return RecordsFound(rows, list(map(_decode, lines)))
    except _UNREADABLE:
        return records_among(rows, list(map(_ordinary, lines)))


def _is_flat(line: bytes) -> bool:
    """Whether a line is ASCII, short and surely not too deep: a look that costs less than `is_plain`."""
    return line.isascii() and line.count(b"{") + line.count(b"[") <= DEEPEST and len(line) <= ORDINARY


def _ordinary(line: bytes) -> Record | None:
    try:
        return _decode(line)
    except _UNREADABLE:
        return None


def _format(record: Record) -> str:
    if record.kind in KINDS:
        return "canonical"
    if record.event_type or (record.type and record.specversion):
        return "eventgrid"
    if record.event_timestamp or record.event_data_id:
        return "rest"
    if record.resource_id and record.operation_name:
        return "export"
    return "resourcegraph" if _is_health_resource(record) else "none"


def _is_health_resource(record: Record) -> bool:
    if record.type:
        return record.type.casefold().startswith("microsoft.resourcehealth/")
    told = record.properties or NONE
    return bool(told.target_resource_id and (told.availability_state or told.annotation_name))


def _wanted(class_of: Callable[[Record], str], record: Record) -> str:
    """The class of a record whose format is wanted; what is of none by itself may wrap others, or be of it by loose names."""
    return "unsure" if _format(record) == "none" else class_of(record)


def _log_format(record: Record) -> str:
    return "rest" if record.event_timestamp or record.event_data_id else "export"


_CLASSIFIERS: Final[dict[str, Callable[[Record], str]]] = {
    "auto": _format,
    "activitylog": partial(_wanted, _log_format),
    "eventgrid": partial(_wanted, lambda _: "eventgrid"),
    "resourcegraph": partial(_wanted, lambda _: "resourcegraph"),
    "canonical": partial(_wanted, lambda _: "canonical"),
}


class _Desk:
    """Turns drafts to batches, counts what it takes and leaves, and collects odd rows."""

    def __init__(self, settings: DecodeSettings, drafts: Drafts, lines: int) -> None:
        self._settings, self._odd, self._lines = settings, drafts.odd, drafts.lines
        self._places = Places(settings.inventory)
        self._signalled = np.zeros(lines, bool)
        self.counts = Counts()

    def signals(self, draft: SignalDrafts) -> pa.RecordBatch:
        """Batch of health signals."""
        states = np.array([_STATE_CODES.get(state, -1) for state in draft.states], np.int8)
        for row in np.flatnonzero(states < 0).tolist():
            states[row] = _STATE_CODES.get((draft.states[row] or "").casefold(), -1)
        good, micros, placed, ids = self._judge(draft, states >= 0, health=True)
        self._signalled[np.array(draft.rows, np.int64)[good]] = True
        self._count(draft.formats, good, "signal")
        columns = _event_columns("signal", good, micros, ids) | self._whose(placed, good)
        return events_of(int(good.sum()), columns | {"state": pa.array(states[good])})

    def annotations(self, draft: AnnotationDrafts) -> list[pa.RecordBatch]:
        """Batches of fault notices and announced operations; after `signals`, which says whose second event counts."""
        second = np.array(draft.second, bool)
        single = _pick(draft, np.flatnonzero(~second))
        double = _pick(draft, np.flatnonzero(second & self._signalled[np.array(draft.rows, np.int64)]))
        parts = ((single, False), (double, True))
        return [batch for part, own in parts if part.rows for batch in self._annotated(part, own)]

    def _annotated(self, draft: AnnotationDrafts, second: bool) -> list[pa.RecordBatch]:
        good, micros, placed, ids = self._judge(draft, np.ones(len(draft.rows), bool), health=True, second=second)
        fault = np.array([meaning == FAULT for meaning in draft.meanings], bool)
        batches = []
        for kind, some in (("fault", good & fault), ("operation", good & ~fault)):
            if not some.any():
                continue
            if not second:
                self._count(draft.formats, some, kind)
            columns = _event_columns(kind, some, micros, ids, second)
            columns |= self._noticed(draft, some, placed) if kind == "fault" else self._announced(draft, some, placed, ids)
            batches.append(events_of(int(some.sum()), columns))
        return batches

    def _noticed(self, draft: AnnotationDrafts, some: np.ndarray, placed: TargetColumns) -> dict[str, pa.Array]:
        return self._whose(placed, some) | {
            "annotation": pa.array([draft.names[row] for row in np.flatnonzero(some)], pa.string())
        }

    def _announced(self, draft: AnnotationDrafts, some: np.ndarray, placed: TargetColumns, ids: pa.Array) -> dict[str, pa.Array]:
        chosen = np.flatnonzero(some)
        meanings = [meaning for row in chosen if isinstance(meaning := draft.meanings[row], Announcement)]
        names, instances = self._places.instance_names(), placed.instances[chosen]
        return {
            "scale_set_id": self._places.set_ids(placed.sets[chosen]),
            "operation_key": ids.take(pa.array(chosen)),
            "verb": pa.array([meaning.verb for meaning in meanings], pa.string()),
            "phase": _codes("phase", [meaning.phase for meaning in meanings]),
            "initiator": _codes("initiator", [draft.initiators[row] for row in chosen]),
            "target": pa.array(np.where(instances < 0, _ALL, _NAMED).astype(np.int8)),
            "instance_ids": _lists([None if code < 0 else [names[code]] for code in instances.tolist()]),
        }

    def operations(self, draft: OperationDrafts, unnamed: bool = False) -> pa.RecordBatch:
        """Batch of operation records; `unnamed` ones (autoscale's) name no instances whatever their target is."""
        complete = [key is not None and phase is not None for key, phase in zip(draft.keys, draft.phases, strict=True)]
        good, micros, placed, ids = self._judge(draft, np.array(complete, bool), health=False)
        self._count(draft.formats, good, "operation")
        some = good.tolist()
        targets, named = self._targets(draft, placed, np.flatnonzero(good), unnamed)
        columns = {
            "scale_set_id": self._places.set_ids(placed.sets[good]),
            "operation_key": pa.array(compress(draft.keys, some), pa.string()),
            "verb": pa.array(compress(draft.verbs, some), pa.string()),
            "phase": _codes("phase", compress(draft.phases, some)),
            "initiator": _codes("initiator", compress(draft.initiators, some)),
            "target": pa.array(targets, pa.int8()),
            "instance_ids": _lists(named),
            "count": pa.array(compress(draft.counts, some), pa.int64()),
        }
        return events_of(len(targets), _event_columns("operation", good, micros, ids) | columns)

    def canonical(self, found: RecordsFound) -> pa.RecordBatch:
        """Batch of canonical events."""
        events, good = canonical_events(columns_of_records(found.records, self._settings.now), self._settings)
        self._odd.extend(compress(found.rows, (~good).tolist()))
        self.counts += canonical_counts(events, self._settings.now)
        return events

    def _judge(
        self, draft: Any, complete: np.ndarray, *, health: bool, second: bool = False
    ) -> tuple[np.ndarray, np.ndarray, TargetColumns, pa.Array]:
        """Which rows become events; ignored ones are counted, the others left, unless they are second events of a record."""
        micros, timely = micros_of(draft.times, self._settings.now)
        placed = self._places.resolve(draft.targets, micros)
        ids = pa.array(draft.ids, pa.string())
        good = timely & complete & ids.is_valid().to_numpy(zero_copy_only=False) & (placed.found == PLACED)
        ignored = timely & ((placed.found == OTHER) | (placed.found == UNPLACED))
        if not second:
            self._ignore(placed.found[ignored], health)
            self._odd.extend(draft.rows[row] for row in np.flatnonzero(~good & ~ignored))
            self.counts.health += int(good.sum()) if health else 0
        self.counts.note_times(micros[good], self._settings.now)
        return good, micros, placed, ids

    def _ignore(self, found: np.ndarray, health: bool) -> None:
        other, unplaced = int((found == OTHER).sum()), int((found == UNPLACED).sum())
        self.counts.ignored.update({"other_resource": other, "unplaced_vm": unplaced})
        self.counts.health += other + unplaced if health else 0
        self.counts.unplaced += unplaced if health else 0

    def _count(self, formats: list[str], some: np.ndarray, kind: str) -> None:
        for format, number in Counter(compress(formats, some.tolist())).items():
            self.counts.decoded[format, kind] += number

    def _targets(
        self, draft: OperationDrafts, placed: TargetColumns, chosen: np.ndarray, unnamed: bool
    ) -> tuple[list[int], list[list[str] | None]]:
        if unnamed:
            return [_UNNAMED] * len(chosen), [None] * len(chosen)
        names, instances = self._places.instance_names(), placed.instances.tolist()
        found: list[tuple[int, list[str] | None]] = []
        for row in chosen.tolist():
            if instances[row] >= 0:
                found.append((_NAMED, [names[instances[row]]]))
                continue
            body = draft.bodies[row]
            target, ids = _targets_in(b"" if body is None else bytes(body), draft.names[row], draft.verbs[row])
            found.append((target, list(ids) or None))
        return [target for target, _ in found], [named for _, named in found]

    def _whose(self, placed: TargetColumns, some: np.ndarray) -> dict[str, pa.Array]:
        return {
            "scale_set_id": self._places.set_ids(placed.sets[some]),
            "instance_id": self._places.instance_ids(placed.instances[some]),
        }


def _event_columns(kind: str, some: np.ndarray, micros: np.ndarray, ids: pa.Array, second: bool = False) -> dict[str, pa.Array]:
    rows = int(some.sum())
    return {
        "kind": pa.array(np.full(rows, CODES["kind"][kind], np.int8)),
        "event_id": ids.filter(pa.array(some)),
        "time": pa.array(micros[some]).cast(TIMESTAMP),
        "second": pa.array(np.full(rows, second)),
    }


@lru_cache(1 << 13)
def _targets_in(body: bytes, operation: str, verb: str) -> tuple[int, tuple[str, ...]]:
    """The code of a target and folded instances; the records of one operation have one body."""
    target, ids = targets_in(parse_known(body) if body else None, operation, verb)
    return CODES["target"][target], tuple(sorted({name.casefold() for name in ids}))


def _pick(draft: AnnotationDrafts, rows: np.ndarray) -> AnnotationDrafts:
    """The same columns with these rows only."""
    return AnnotationDrafts(**{own.name: [getattr(draft, own.name)[row] for row in rows.tolist()] for own in fields(draft)})


def _codes(column: str, values: Iterable[str | None]) -> pa.Array:
    return pa.array([CODES[column][value] for value in values if value is not None], pa.int8())


def _lists(values: Sequence[list[str] | None]) -> pa.Array:
    return pa.array(values, pa.list_(pa.string()))
