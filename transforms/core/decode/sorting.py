"""Ordinary records, sorted out into drafts: where each format keeps a field (contract.md "Input").

`columns.py` says what the texts mean, `record.py` both for any single record.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from schemas.action import DELETE_SET, verb_of
from schemas.health_event import ANNOTATED, RESOURCE_PHASES, STATUS_CHANGED, without_health_tail
from schemas.resource_graph import ANNOTATIONS, STATUSES
from transforms.core.decode.drafts import Drafts, Found, Text, annotate, having, meaning_by
from transforms.core.decode.events import record_hash
from transforms.core.decode.log_sorting import initiator_by, key_of, sort_export, sort_rest
from transforms.core.decode.reasons import ignored_kind
from transforms.core.decode.shapes import NONE, Properties, Record
from transforms.core.decode.split import looks_like_an_envelope
from transforms.core.decode.text import parse_json
from transforms.core.decode.unread import fields_of


def sort_out(drafts: Drafts, rows: Sequence[int], records: Sequence[Record], classes: Sequence[str]) -> None:
    """Puts each record where its class (of `classify`) belongs."""
    pairs = list(zip(rows, records, strict=True))
    by_class = {name: having(pairs, classes, name) for name in set(classes)}
    drafts.canonical += by_class.pop("canonical", [])
    unknown = by_class.pop("none", [])
    envelopes = [row for row, _ in unknown if looks_like_an_envelope(drafts.lines[row])]
    drafts.odd += envelopes
    drafts.ignored["no_format"] += len(unknown) - len(envelopes)
    for row in {row for row, _ in unknown}.difference(envelopes):
        drafts.unread.note(fields_of(drafts.lines[row]))
    for name, found in by_class.items():
        _SORTERS[name](drafts, found)


def _event_grid(drafts: Drafts, found: Found) -> None:
    kinds = [_grid_kind(record.event_type or record.type or None) for _, record in found]
    for kind in set(kinds):
        some = having(found, kinds, kind)
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
        meaning = meaning_by(told.annotation_name, told.impact_type, told.category)
        if meaning is None:
            drafts.ignored[ignored_kind("annotation", told.annotation_name)] += 1
            continue
        target = _target(told, record, format)
        annotate(draft, row, format, event_id, target, told.occurred_time, told.annotation_name, meaning, told)


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
        draft.keys.append(key_of(data.correlation_id, name, data.resource_uri))
        draft.verbs.append(verb)
        draft.phases.append(phase)
        draft.initiators.append(initiator_by(name, (data.claims.name if data.claims else None,)))
        draft.bodies.append(None)
        draft.whole.append(name.casefold() == DELETE_SET)
        draft.counts.append(None)


_SORTERS: Final = {"eventgrid": _event_grid, "resourcegraph": _resource_graph, "rest": sort_rest, "export": sort_export}
