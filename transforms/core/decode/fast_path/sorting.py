"""Ordinary records, sorted out into drafts: where each format keeps a field (contract: Kinds).

`columns.py` says what the texts mean, `record.py` both for any single record.
"""

from collections.abc import Sequence, Set
from functools import lru_cache
from itertools import compress
from typing import Final

from schemas.azure.action import verb_of
from schemas.azure.health_event import ANNOTATED, RESOURCE_PHASES, STATUS_CHANGED, without_health_tail
from schemas.azure.resource_graph import ANNOTATIONS, STATUSES
from transforms.core.decode.fast_path.drafts import Drafts, NumberedRecords, Text, having, meaning_by
from transforms.core.decode.fast_path.log_sorting import claims_of, initiator_by, key_of, sort_export, sort_log_rows, sort_rest
from transforms.core.decode.fast_path.loose import LOOSE, MARKED, matching
from transforms.core.decode.fast_path.shapes import NONE, Properties, Record
from transforms.core.decode.slow_path.events import row_hash
from transforms.core.decode.terms.reasons import ignored_kind
from transforms.core.decode.terms.text import parse_known
from transforms.core.decode.terms.unread import fields_of


def sort_out(
    drafts: Drafts, rows: Sequence[int], records: Sequence[Record], classes: Sequence[str], doubtful: Set[int] = frozenset()
) -> None:
    """Puts each record where its class belongs; those of no class wait for `sort_unknown`.

    Of the rows that are `doubtful`, fields may be spelt otherwise than exactly.
    """
    pairs = list(zip(rows, records, strict=True))
    for name in set(classes):
        found = having(pairs, classes, name)
        if name == "canonical":
            drafts.canonical += found
        elif name == "eventgrid":
            _event_grid(drafts, found)
        elif name == "unsure":
            drafts.odd += [row for row, _ in found]
        elif name == "none":
            drafts.unknown += [row for row, _ in found]
        else:
            _SORTERS[name](drafts, _exact(drafts, found, doubtful))


def sort_unknown(drafts: Drafts) -> None:
    """Records of no format by exact names: rows of Log Analytics, what may be of one by loose names or wrap others, the rest."""
    rows = drafts.unknown
    logs = [row for row in rows if _LOG_ROW in drafts.lines[row]]
    if logs:
        sort_log_rows(drafts, logs)
        rows = [row for row in rows if _LOG_ROW not in drafts.lines[row]]
    marked = frozenset(compress(rows, matching([drafts.lines[row] for row in rows], MARKED).tolist())) if rows else frozenset()
    drafts.odd += marked
    drafts.ignored["no_format"] += len(rows) - len(marked)
    for row in rows:
        if row not in marked:
            drafts.unread.note(fields_of(drafts.lines[row]))


_LOG_ROW: Final = b'"OperationNameValue"'


def _exact(drafts: Drafts, found: NumberedRecords, doubtful: Set[int]) -> NumberedRecords:
    """Those that spell all names exactly; the others are odd."""
    unsure = [row for row, _ in found if row in doubtful] if doubtful else []
    loose = set(compress(unsure, matching([drafts.lines[row] for row in unsure], LOOSE).tolist())) if unsure else set()
    drafts.odd += loose
    return [pair for pair in found if pair[0] not in loose] if loose else found


def _event_grid(drafts: Drafts, found: NumberedRecords) -> None:
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


def _resource_graph(drafts: Drafts, found: NumberedRecords) -> None:
    for row, record in found:
        told = record.properties or NONE
        if not (told.availability_state or told.annotation_name):
            drafts.odd.append(row)
            continue
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


def _ids(drafts: Drafts, format: str, found: NumberedRecords) -> list[Text]:
    if format == "resourcegraph":
        return [row_hash(parse_known(drafts.lines[row])) for row, _ in found]
    return [record.id or None for _, record in found]


def _target(told: Properties, record: Record, format: str) -> Text:
    if told.target_resource_id or format != "eventgrid":
        return told.target_resource_id or None
    return without_health_tail(record.subject) or None


def _statuses(drafts: Drafts, format: str, found: NumberedRecords) -> None:
    draft = drafts.signals
    told = [_health(r) for _, r in found] if format == "eventgrid" else [r.properties or NONE for _, r in found]
    draft.rows += [row for row, _ in found]
    draft.formats += [format] * len(found)
    draft.ids += _ids(drafts, format, found)
    draft.targets += [_target(t, r, format) for t, (_, r) in zip(told, found, strict=True)]
    draft.times += [t.occurred_time for t in told]
    draft.states += [t.availability_state for t in told]


def _annotations(drafts: Drafts, format: str, found: NumberedRecords) -> None:
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
        heading = row, format, event_id, _target(told, record, format), told.occurred_time
        draft.add(heading, told.annotation_name, meaning, told)


def _resource_events(drafts: Drafts, phase: str, found: NumberedRecords) -> None:
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
        principal, has_claims = claims_of(data.claims)
        draft.initiators.append(initiator_by(name, (principal,), not has_claims))
        draft.bodies.append(None)
        draft.names.append(name)
        draft.counts.append(None)


_SORTERS: Final = {"resourcegraph": _resource_graph, "rest": sort_rest, "export": sort_export}
