"""Ordinary Activity Log records, sorted out into drafts: where REST and export schema keep each field
(contract: Kinds, Administrative)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from schemas.azure.action import SERVICE_PRINCIPAL, initiator_of, phase_of, scaling_of, verb_of
from schemas.azure.health_event import claims_in
from schemas.fields import whole_number
from transforms.core.decode.fast_path.drafts import Drafts, NumberedRecords, Text, having, meaning_by
from transforms.core.decode.fast_path.loose import LOOSE_ROW, matching
from transforms.core.decode.fast_path.shapes import EMPTY, NONE, EventProperties, LogRow, Properties, Record, text
from transforms.core.decode.slow_path.events import text_hash
from transforms.core.decode.terms.reasons import ignored_kind
from transforms.core.decode.terms.text import parse_json

_MANY: Final = 1 << 31
_decode_row: Final = msgspec.json.Decoder(LogRow).decode
_decode_properties: Final = msgspec.json.Decoder(Properties).decode


def sort_rest(drafts: Drafts, found: NumberedRecords) -> None:
    """Sorts out records in REST schema."""
    categories = [_folded(text(record.category)) for _, record in found]
    _activity(drafts, found, categories, False)


def sort_export(drafts: Drafts, found: NumberedRecords) -> None:
    """Sorts out records in export schema."""
    categories = [_export_category((r.properties or NONE).event_category or None, text(r.category)) for _, r in found]
    _activity(drafts, found, categories, True)


def sort_log_rows(drafts: Drafts, rows: Sequence[int]) -> None:
    """Sorts out rows of Log Analytics, which spell their names exactly or are odd."""
    loose = matching([drafts.lines[row] for row in rows], LOOSE_ROW).tolist()
    found: NumberedRecords = []
    for row, own in zip(rows, loose, strict=True):
        record = None if own else _log_record(drafts.lines[row])
        if record is None:
            drafts.odd.append(row)
        else:
            found.append((row, record))
    sort_log_records(drafts, found)


def sort_log_records(drafts: Drafts, found: NumberedRecords) -> None:
    """Sorts out records that were rows of Log Analytics."""
    categories = [_row_category((r.properties or NONE).event_category or None, text(r.category)) for _, r in found]
    _activity(drafts, found, categories, True)


def _log_record(line: bytes) -> Record | None:
    """A row as a record in export schema, with its id; None if it is not ordinary."""
    try:
        row: Any = _decode_row(line)
        return log_record(row) if row.OperationNameValue else None
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def log_record(row: Any) -> Record:
    """A `LogRow` as a record in export schema, with its id.

    Raises:
        msgspec.MsgspecError: its properties are no JSON object.
    """
    told = row.Properties_d or row.Properties or None
    return Record(
        time=row.TimeGenerated,
        operation_name=row.OperationNameValue,
        result_type=row.ActivityStatusValue or row.ActivityStatus,
        category=row.CategoryValue or row.Category,
        resource_id=row._ResourceId or row.ResourceId,
        correlation_id=row.CorrelationId,
        caller=row.Caller,
        claims=row.Claims if bytes(row.Claims_d) in EMPTY else row.Claims_d,
        event_data_id=row.EventDataId,
        properties=_decode_properties(told) if isinstance(told, str) else told,
    )


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


@lru_cache(1024)
def _row_category(own: Text, category: Text) -> str:
    return _export_category(own, None) if category is None else _folded(category)


def _activity(drafts: Drafts, found: NumberedRecords, categories: list[str], export: bool) -> None:
    for category in set(categories):
        some = having(found, categories, category)
        sorter = _CATEGORIES.get(category)
        if sorter is None:
            drafts.ignored[category] += len(some)
        else:
            sorter(drafts, some, export)


def _administrative(drafts: Drafts, found: NumberedRecords, export: bool) -> None:
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
    draft.keys += [key_of(r.correlation_id, name, r.resource_id) for _, r, name, _ in kept]
    draft.verbs += [verb for _, _, _, verb in kept]
    draft.phases += [_phase(r, export) for _, r, _, _ in kept]
    draft.initiators += [_initiator(name, r) for _, r, name, _ in kept]
    draft.bodies += [None if verb == "update" else _body(r) for _, r, _, verb in kept]
    draft.names += [name for _, _, name, _ in kept]
    draft.counts += [None] * len(kept)


def _autoscale(drafts: Drafts, found: NumberedRecords, export: bool) -> None:
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
        draft.keys.append(key_of(record.correlation_id, name, told.resource_name))
        draft.verbs.append(verb)
        draft.phases.append("announced" if phase == "succeeded" else phase)
        draft.initiators.append("autoscale")
        draft.bodies.append(None)
        draft.names.append(name)
        draft.counts.append(_removed(told) if verb == "scale_in" else None)


def _has_plain_counts(told: EventProperties) -> bool:
    counts = (told.old_instances_count, told.new_instances_count)
    return all(n in (None, "") or ((m := whole_number(n)) is not None and 0 <= m < _MANY) for n in counts)


def _removed(told: EventProperties) -> int | None:
    old, new = told.old_instances_count, told.new_instances_count
    if old in (None, "") or new in (None, ""):
        return None
    fewer = (whole_number(old) or 0) - (whole_number(new) or 0)
    return fewer if fewer > 0 else None


def _health_records(drafts: Drafts, found: NumberedRecords, export: bool) -> None:
    ids = _log_ids(drafts, found, export)
    for (row, record), event_id in zip(found, ids, strict=True):
        told = _told(record, export)
        state = told.current_health_status or told.health_status or None
        meaning = meaning_by(told.details) if told.details else None
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
            heading = row, "activitylog", own, record.resource_id or None, time
            drafts.annotations.add(heading, told.details, meaning, told, state is not None)


def _told(record: Record, export: bool) -> EventProperties:
    own = record.properties or NONE
    return own.event_properties or own if export else own


def _log_ids(drafts: Drafts, found: NumberedRecords, export: bool) -> list[Text]:
    if export:
        return [record.event_data_id or text_hash(drafts.lines[row]) for row, record in found]
    return [record.event_data_id or record.id or None for _, record in found]


def key_of(correlation: Text, operation: str, resource: Text) -> Text:
    """What the records of one operation share; None where a part of it is absent."""
    return f"{correlation}|{operation}|{resource}".casefold() if correlation and resource else None


def _phase(record: Record, export: bool) -> Text:
    status, result = text(record.status), text(record.result_type)
    outcome = (result or status) if export else (status or result)
    return None if outcome is None else phase_of(outcome)


def _initiator(operation: str, record: Record) -> str:
    own, has_own = claims_of(record.claims)
    of_caller, has_callers = claims_of(record.identity.claims) if record.identity else (None, False)
    return initiator_by(operation, (record.caller, own, of_caller), not (record.caller or has_own or has_callers))


def claims_of(raw: msgspec.Raw) -> tuple[Text, bool]:
    """The service principal's name among claims, and whether there are any."""
    claims = bytes(raw)
    if claims in EMPTY:
        return None, False
    if claims.startswith(b"{") and _PRINCIPAL not in claims and b"\\" not in claims and b'"Content"' not in claims:
        return None, claims.strip(b"{} \t\r\n") != b""
    return _read_claims(claims)


_PRINCIPAL: Final = SERVICE_PRINCIPAL.encode()


@lru_cache(1024)
def _read_claims(text: bytes) -> tuple[Text, bool]:
    claims = claims_in(parse_json(text))
    name = claims.get(SERVICE_PRINCIPAL)
    return (name if isinstance(name, str) else None), bool(claims)


initiator_by: Final = lru_cache(4096)(initiator_of)


def _body(record: Record) -> msgspec.Raw | None:
    own = record.properties or NONE
    if bytes(own.requestbody) not in EMPTY:
        return own.requestbody
    return None if bytes(own.request_body) in EMPTY else own.request_body


_CATEGORIES: Final = {"administrative": _administrative, "autoscale": _autoscale, "resourcehealth": _health_records}
