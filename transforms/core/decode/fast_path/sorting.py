"""Ordinary records, sorted out into drafts: where each format keeps a field (contract: Kinds).

`columns.py` says what the texts mean, `record.py` both for any single record.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from typing import Final

import numpy as np

from schemas.azure.action import verb_of
from schemas.azure.health_event import ANNOTATED, RESOURCE_PHASES, STATUS_CHANGED, without_health_tail
from schemas.azure.resource_graph import ANNOTATIONS, STATUSES
from transforms.core.decode.fast_path.drafts import Drafts, RecordsFound, Text, meaning_by
from transforms.core.decode.fast_path.log_sorting import claims_of, initiator_by, key_of, sort_export, sort_log_rows, sort_rest
from transforms.core.decode.fast_path.loose import LOOSE, MARKED, matching
from transforms.core.decode.fast_path.shapes import NONE, Properties
from transforms.core.decode.slow_path.events import row_hash
from transforms.core.decode.terms.reasons import ignored_kind
from transforms.core.decode.terms.text import parse_known
from transforms.core.decode.terms.unread import fields_of


def sort_out(drafts: Drafts, records: RecordsFound, classes: Sequence[str], is_exact: bool) -> None:
    """Puts each record where its class belongs; those of no class wait for `sort_unknown`.

    Args:
        drafts: where they are put.
        records: ordinary ones.
        classes: of each record.
        is_exact: all their names are known to be spelt exactly.
    """
    for name in set(classes):
        found = records.having(classes, name)
        if name == "canonical":
            drafts.canonical.add(found)
        elif name == "eventgrid":
            _event_grid(drafts, found)
        elif name == "unsure":
            drafts.odd += found.rows
        elif name == "none":
            drafts.unknown += found.rows
        else:
            _SORTERS[name](drafts, found if is_exact else _exact(drafts, found))


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


def _exact(drafts: Drafts, found: RecordsFound) -> RecordsFound:
    """Those that spell all names exactly; the others are odd. All lines are looked at at once, when the first must be."""
    if drafts.loose is None:
        drafts.loose = frozenset(np.flatnonzero(matching(drafts.lines, LOOSE)).tolist())
    loose = [row in drafts.loose for row in found.rows]
    drafts.odd += compress(found.rows, loose)
    return found.of([not own for own in loose]) if any(loose) else found


def _event_grid(drafts: Drafts, found: RecordsFound) -> None:
    kinds = [_grid_kind(record.event_type or record.type) for record in found.records]
    for kind in set(kinds):
        some = found.having(kinds, kind)
        if kind == "status":
            _statuses(drafts, "eventgrid", some, _health(some))
        elif kind == "annotation":
            _annotations(drafts, "eventgrid", some, _health(some))
        elif kind in ("succeeded", "failed"):
            _resource_events(drafts, kind, some)
        else:
            drafts.ignored[kind] += len(some.rows)


@lru_cache(1024)
def _grid_kind(name: Text) -> str:
    folded = (name or "").casefold()
    if folded in STATUS_CHANGED:
        return "status"
    if folded == ANNOTATED:
        return "annotation"
    return RESOURCE_PHASES.get(folded) or ignored_kind("type", name)


def _resource_graph(drafts: Drafts, found: RecordsFound) -> None:
    kinds = [_graph_kind(record.type, record.properties or NONE) for record in found.records]
    for kind in set(kinds):
        some = found.having(kinds, kind)
        told = [record.properties or NONE for record in some.records]
        if kind == STATUSES:
            _statuses(drafts, "resourcegraph", some, told)
        elif kind == ANNOTATIONS:
            _annotations(drafts, "resourcegraph", some, told)
        elif kind:
            drafts.ignored[kind] += len(some.rows)
        else:
            drafts.odd += some.rows


def _graph_kind(type: Text, told: Properties) -> str:
    """The type of a row that tells something, "" of one that does not; what it counts as where it is ignored."""
    if not (told.availability_state or told.annotation_name):
        return ""
    kind = (type or (STATUSES if told.availability_state else ANNOTATIONS)).casefold()
    return kind if kind in (STATUSES, ANNOTATIONS) else ignored_kind("type", type)


def _health(found: RecordsFound) -> list[Properties]:
    infos = [record.data and record.data.resource_info for record in found.records]
    return [(info and info.properties) or NONE for info in infos]


def _ids(drafts: Drafts, format: str, found: RecordsFound) -> list[Text]:
    if format == "resourcegraph":
        return [row_hash(parse_known(drafts.lines[row])) for row in found.rows]
    return [record.id or None for record in found.records]


def _targets(told: Sequence[Properties], found: RecordsFound, format: str) -> list[Text]:
    targets = [own.target_resource_id or None for own in told]
    if format == "eventgrid" and None in targets:
        subjects = [without_health_tail(record.subject) or None for record in found.records]
        return [target or subject for target, subject in zip(targets, subjects, strict=True)]
    return targets


def _statuses(drafts: Drafts, format: str, found: RecordsFound, told: Sequence[Properties]) -> None:
    draft = drafts.signals
    draft.rows += found.rows
    draft.formats += [format] * len(told)
    draft.ids += _ids(drafts, format, found)
    draft.targets += _targets(told, found, format)
    draft.times += [own.occurred_time for own in told]
    draft.states += [own.availability_state for own in told]


def _annotations(drafts: Drafts, format: str, found: RecordsFound, told: Sequence[Properties]) -> None:
    draft, ids, targets = drafts.annotations, _ids(drafts, format, found), _targets(told, found, format)
    for row, own, event_id, target in zip(found.rows, told, ids, targets, strict=True):
        if not own.annotation_name:
            drafts.odd.append(row)
            continue
        meaning = meaning_by(own.annotation_name, own.impact_type, own.category)
        if meaning is None:
            drafts.ignored[ignored_kind("annotation", own.annotation_name)] += 1
            continue
        draft.add((row, format, event_id, target, own.occurred_time), own.annotation_name, meaning, own)


def _resource_events(drafts: Drafts, phase: str, found: RecordsFound) -> None:
    draft = drafts.operations
    for row, record in zip(found.rows, found.records, strict=True):
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
