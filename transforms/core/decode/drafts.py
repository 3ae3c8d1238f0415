"""Ordinary records, sorted out: columns of texts, one draft a kind of event (contract.md "Input").

Here stands where each format keeps a field; `columns.py` says what the texts mean, `record.py` both for any single record.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress
from typing import Any, Final

import msgspec

from schemas.action import DELETE_SET, initiator_of, phase_of, scaling_of, verb_of
from schemas.annotation import Announcement, initiator_in, meaning_of
from schemas.fields import whole_number
from schemas.health_event import ANNOTATED, RESOURCE_PHASES, STATUS_CHANGED, without_health_tail
from schemas.resource_graph import ANNOTATIONS, STATUSES
from transforms.core.decode.reasons import ignored_kind
from transforms.core.decode.record import record_hash
from transforms.core.decode.shapes import NONE, Properties, Record, Told, text
from transforms.core.decode.split import looks_like_an_envelope
from transforms.core.decode.text import parse_json

Text = str | None
_MANY: Final = 1 << 31
_EMPTY: Final = (b"", b"null", b'""')


@dataclass
class Signals:
    """One row a health signal."""

    rows: list[int] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    ids: list[Text] = field(default_factory=list)
    targets: list[Text] = field(default_factory=list)
    times: list[Text] = field(default_factory=list)
    states: list[Text] = field(default_factory=list)


@dataclass
class Annotations:
    """One row an annotation that means something; `second` where the record also gave a signal."""

    rows: list[int] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    ids: list[Text] = field(default_factory=list)
    targets: list[Text] = field(default_factory=list)
    times: list[Text] = field(default_factory=list)
    names: list[Text] = field(default_factory=list)
    meanings: list[Announcement | str] = field(default_factory=list)
    initiators: list[str] = field(default_factory=list)
    second: list[bool] = field(default_factory=list)


@dataclass
class Operations:
    """One row an operation record; `bodies` hold request bodies that may name instances, `whole` says all where they do not."""

    rows: list[int] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    ids: list[Text] = field(default_factory=list)
    targets: list[Text] = field(default_factory=list)
    times: list[Text] = field(default_factory=list)
    keys: list[Text] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    phases: list[Text] = field(default_factory=list)
    initiators: list[str] = field(default_factory=list)
    bodies: list[msgspec.Raw | None] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    counts: list[int | None] = field(default_factory=list)


@dataclass
class Drafts:
    """What a chunk of ordinary records holds; `odd` are rows that are for `record.py` after all."""

    lines: Sequence[bytes]
    signals: Signals = field(default_factory=Signals)
    annotations: Annotations = field(default_factory=Annotations)
    operations: Operations = field(default_factory=Operations)
    scalings: Operations = field(default_factory=Operations)
    canonical: list[tuple[int, Record]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    odd: list[int] = field(default_factory=list)

    def sort_out(self, rows: Sequence[int], records: Sequence[Record], classes: Sequence[str]) -> None:
        """Puts each record where its class (of `classify`) belongs."""
        pairs = list(zip(rows, records, strict=True))
        by_class = {name: _of(pairs, classes, name) for name in set(classes)}
        self.canonical += by_class.pop("canonical", [])
        unknown = by_class.pop("none", [])
        envelopes = [row for row, _ in unknown if looks_like_an_envelope(self.lines[row])]
        self.odd += envelopes
        self.ignored["no_format"] += len(unknown) - len(envelopes)
        for name, found in by_class.items():
            _SORTERS[name](self, found)


Found = list[tuple[int, Record]]


def _of(found: Found, names: Sequence[str], name: str) -> Found:
    """Those whose name it is, with no copy where all have it."""
    return found if names.count(name) == len(names) else list(compress(found, [own == name for own in names]))


def _event_grid(drafts: Drafts, found: Found) -> None:
    kinds = [_grid_kind(record.event_type or record.type or None) for _, record in found]
    for kind in set(kinds):
        some = _of(found, kinds, kind)
        if kind == "status":
            _statuses(drafts, "eventgrid", some)
        elif kind == "annotation":
            _annotations(drafts, "eventgrid", some)
        elif kind in ("succeeded", "failed"):
            _resource_events(drafts, kind, some)
        else:
            drafts.ignored[kind] += len(some)


@lru_cache(1024)
def _grid_kind(name: Text) -> str:
    folded = (name or "").casefold()
    if folded in STATUS_CHANGED:
        return "status"
    if folded == ANNOTATED:
        return "annotation"
    return RESOURCE_PHASES.get(folded) or ignored_kind("type", name)


def _resource_graph(drafts: Drafts, found: Found) -> None:
    for row, record in found:
        told = record.properties or NONE
        kind = (record.type or (STATUSES if told.availability_state else ANNOTATIONS)).casefold()
        if kind == STATUSES:
            _statuses(drafts, "resourcegraph", [(row, record)])
        elif kind == ANNOTATIONS:
            _annotations(drafts, "resourcegraph", [(row, record)])
        else:
            drafts.ignored[ignored_kind("type", record.type)] += 1


def _health(record: Record) -> Properties:
    data = record.data
    info = data and data.resource_info
    return (info and info.properties) or NONE


def _ids(drafts: Drafts, format: str, found: Found) -> list[Text]:
    if format == "resourcegraph":
        return [record_hash(parse_json(drafts.lines[row])) for row, _ in found]
    return [record.id or None for _, record in found]


def _target(told: Properties, record: Record, format: str) -> Text:
    if told.target_resource_id or format != "eventgrid":
        return told.target_resource_id or None
    return without_health_tail(record.subject) or None


def _statuses(drafts: Drafts, format: str, found: Found) -> None:
    draft = drafts.signals
    told = [_health(r) for _, r in found] if format == "eventgrid" else [r.properties or NONE for _, r in found]
    draft.rows += [row for row, _ in found]
    draft.formats += [format] * len(found)
    draft.ids += _ids(drafts, format, found)
    draft.targets += [_target(t, r, format) for t, (_, r) in zip(told, found, strict=True)]
    draft.times += [t.occurred_time for t in told]
    draft.states += [t.availability_state for t in told]


def _annotations(drafts: Drafts, format: str, found: Found) -> None:
    draft, ids = drafts.annotations, _ids(drafts, format, found)
    for (row, record), event_id in zip(found, ids, strict=True):
        told = _health(record) if format == "eventgrid" else record.properties or NONE
        if not told.annotation_name:
            drafts.odd.append(row)
            continue
        meaning = _meaning(told.annotation_name, told.impact_type, told.category)
        if meaning is None:
            drafts.ignored[ignored_kind("annotation", told.annotation_name)] += 1
            continue
        target = _target(told, record, format)
        _annotate(draft, row, format, event_id, target, told.occurred_time, told.annotation_name, meaning, told)


_meaning: Final = lru_cache(4096)(meaning_of)
_initiator_in: Final = lru_cache(1024)(initiator_in)


def _annotate(
    draft: Annotations,
    row: int,
    format: str,
    event_id: Text,
    target: Text,
    time: Text,
    name: str,
    meaning: Announcement | str,
    told: Told,
    second: bool = False,
) -> None:
    draft.rows.append(row)
    draft.formats.append(format)
    draft.ids.append(event_id)
    draft.targets.append(target)
    draft.times.append(time)
    draft.names.append(name)
    draft.meanings.append(meaning)
    own = None if isinstance(meaning, str) else meaning.initiator
    draft.initiators.append(own or _initiator_in(told.context or told.cause))
    draft.second.append(second)


def _rest(drafts: Drafts, found: Found) -> None:
    categories = [_folded(text(record.category)) for _, record in found]
    _activity(drafts, found, categories, False)


def _export(drafts: Drafts, found: Found) -> None:
    categories = [_export_category((r.properties or NONE).event_category or None, text(r.category)) for _, r in found]
    _activity(drafts, found, categories, True)


@lru_cache(1024)
def _folded(category: Text) -> str:
    folded = (category or "").casefold()
    return folded if folded in _CATEGORIES else ignored_kind("category", category)


@lru_cache(1024)
def _export_category(own: Text, category: Text) -> str:
    if own is not None:
        return _folded(own)
    folded = (category or "").casefold()
    return folded if folded in ("resourcehealth", "autoscale") else "administrative"


def _activity(drafts: Drafts, found: Found, categories: list[str], export: bool) -> None:
    for category in set(categories):
        some = _of(found, categories, category)
        sorter = _CATEGORIES.get(category)
        if sorter is None:
            drafts.ignored[category] += len(some)
        else:
            sorter(drafts, some, export)


def _administrative(drafts: Drafts, found: Found, export: bool) -> None:
    draft = drafts.operations
    names = [text(record.operation_name) for _, record in found]
    verbs = [None if name is None else verb_of(name) for name in names]
    drafts.ignored.update(ignored_kind("operation", name) for name, verb in zip(names, verbs, strict=True) if verb is None)
    kept: list[tuple[int, Record, Any, Any]] = [
        (row, record, name, verb) for (row, record), name, verb in zip(found, names, verbs, strict=True) if verb is not None
    ]
    draft.rows += [row for row, _, _, _ in kept]
    draft.formats += ["activitylog"] * len(kept)
    draft.ids += _log_ids(drafts, [(row, r) for row, r, _, _ in kept], export)
    draft.targets += [r.resource_id or None for _, r, _, _ in kept]
    draft.times += [r.time if export else r.event_timestamp for _, r, _, _ in kept]
    draft.keys += [_key(r.correlation_id, name, r.resource_id) for _, r, name, _ in kept]
    draft.verbs += [verb for _, _, _, verb in kept]
    draft.phases += [_phase(r, export) for _, r, _, _ in kept]
    draft.initiators += [_initiator(name, r) for _, r, name, _ in kept]
    draft.bodies += [None if verb == "update" else _body(r) for _, r, _, verb in kept]
    draft.whole += [name.casefold() == DELETE_SET for _, _, name, _ in kept]
    draft.counts += [None] * len(kept)


def _resource_events(drafts: Drafts, phase: str, found: Found) -> None:
    draft = drafts.operations
    for row, record in found:
        data = record.data
        name = (data.operation_name or None) if data else None
        verb = None if name is None else verb_of(name)
        if data is None or name is None or verb is None:
            drafts.ignored[ignored_kind("operation", name)] += 1
            continue
        draft.rows.append(row)
        draft.formats.append("eventgrid")
        draft.ids.append(record.id or None)
        draft.targets.append(data.resource_uri or None)
        draft.times.append(record.event_time if record.event_type else record.time)
        draft.keys.append(_key(data.correlation_id, name, data.resource_uri))
        draft.verbs.append(verb)
        draft.phases.append(phase)
        draft.initiators.append(_initiator_of(name, (data.claims.name if data.claims else None,)))
        draft.bodies.append(None)
        draft.whole.append(name.casefold() == DELETE_SET)
        draft.counts.append(None)


def _autoscale(drafts: Drafts, found: Found, export: bool) -> None:
    draft = drafts.scalings
    for row, record in found:
        name, told = text(record.operation_name), _told(record, export)
        verb = None if name is None else scaling_of(name)
        if name is None or verb is None:
            drafts.ignored[ignored_kind("autoscale", name)] += 1
            continue
        if not told.resource_name:
            drafts.ignored["autoscale:no_resource_name"] += 1
            continue
        if not _has_plain_counts(told):
            drafts.odd.append(row)
            continue
        phase = _phase(record, export)
        draft.rows.append(row)
        draft.formats.append("activitylog")
        draft.ids += _log_ids(drafts, [(row, record)], export)
        draft.targets.append(told.resource_name)
        draft.times.append(record.time if export else record.event_timestamp)
        draft.keys.append(_key(record.correlation_id, name, told.resource_name))
        draft.verbs.append(verb)
        draft.phases.append("announced" if phase == "succeeded" else phase)
        draft.initiators.append("autoscale")
        draft.bodies.append(None)
        draft.whole.append(False)
        draft.counts.append(_removed(told) if verb == "scale_in" else None)


def _has_plain_counts(told: Told) -> bool:
    counts = (told.old_instances_count, told.new_instances_count)
    return all(n in (None, "") or ((m := whole_number(n)) is not None and 0 <= m < _MANY) for n in counts)


def _removed(told: Told) -> int | None:
    old, new = told.old_instances_count, told.new_instances_count
    if old in (None, "") or new in (None, ""):
        return None
    fewer = (whole_number(old) or 0) - (whole_number(new) or 0)
    return fewer if fewer > 0 else None


def _health_records(drafts: Drafts, found: Found, export: bool) -> None:
    ids = _log_ids(drafts, found, export)
    for (row, record), event_id in zip(found, ids, strict=True):
        told = _told(record, export)
        state = told.current_health_status or told.health_status or None
        meaning = _meaning(told.details) if told.details else None
        if state is None and meaning is None:
            drafts.ignored["health_unchanged"] += 1
            continue
        time = record.time if export else record.event_timestamp
        if state is not None:
            draft = drafts.signals
            draft.rows.append(row)
            draft.formats.append("activitylog")
            draft.ids.append(event_id)
            draft.targets.append(record.resource_id or None)
            draft.times.append(time)
            draft.states.append(state)
        if meaning is not None and told.details:
            own = None if event_id is None else f"{event_id}#annotation"
            target = record.resource_id or None
            _annotate(drafts.annotations, row, "activitylog", own, target, time, told.details, meaning, told, state is not None)


def _told(record: Record, export: bool) -> Told:
    own = record.properties or NONE
    return own.event_properties or own if export else own


def _log_ids(drafts: Drafts, found: Found, export: bool) -> list[Text]:
    if export:
        return [record_hash(parse_json(drafts.lines[row])) for row, _ in found]
    return [record.event_data_id or None for _, record in found]


def _key(correlation: Text, operation: str, resource: Text) -> Text:
    return f"{correlation}|{operation}|{resource}".casefold() if correlation and resource else None


def _phase(record: Record, export: bool) -> Text:
    status, result = text(record.status), text(record.result_type)
    outcome = (result or status) if export else (status or result)
    return None if outcome is None else phase_of(outcome)


def _initiator(operation: str, record: Record) -> str:
    own, identity = record.claims, record.identity
    theirs = identity and identity.claims
    return _initiator_of(operation, (record.caller, own and own.name, theirs and theirs.name))


_initiator_of: Final = lru_cache(4096)(initiator_of)


def _body(record: Record) -> msgspec.Raw | None:
    own = record.properties or NONE
    return next((raw for raw in (own.requestbody, own.request_body) if bytes(raw) not in _EMPTY), None)


_CATEGORIES: Final = {"administrative": _administrative, "autoscale": _autoscale, "resourcehealth": _health_records}
_SORTERS: Final = {"eventgrid": _event_grid, "resourcegraph": _resource_graph, "rest": _rest, "export": _export}
