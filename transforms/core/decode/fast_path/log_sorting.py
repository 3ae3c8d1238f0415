"""Ordinary Activity Log records, sorted out into drafts: where REST and export schema keep each field
(contract: Kinds, Administrative)."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from schemas.azure.action import SERVICE_PRINCIPAL, initiator_of, phase_of, scaling_of, verb_of
from schemas.azure.health_event import claims_in
from schemas.fields import whole_number
from transforms.core.decode.fast_path.drafts import Drafts, RecordsFound, Text, meaning_by, records_among
from transforms.core.decode.fast_path.loose import LOOSE_ROW, matching
from transforms.core.decode.fast_path.shapes import EMPTY, NONE, EventProperties, LogRow, Properties, Record, texts
from transforms.core.decode.slow_path.events import text_hash
from transforms.core.decode.terms.reasons import ignored_kind
from transforms.core.decode.terms.text import parse_json

_MANY: Final = 1 << 31
_decode_row: Final = msgspec.json.Decoder(LogRow).decode
_decode_properties: Final = msgspec.json.Decoder(Properties).decode


def sort_rest(drafts: Drafts, found: RecordsFound) -> None:
    """Sorts out records in REST schema."""
    categories = [_folded(category) for category in texts([record.category for record in found.records])]
    _activity(drafts, found, categories, False)


def sort_export(drafts: Drafts, found: RecordsFound) -> None:
    """Sorts out records in export schema."""
    _activity(drafts, found, _categories(found, _export_category), True)


def sort_log_rows(drafts: Drafts, rows: Sequence[int]) -> None:
    """Sorts out rows of Log Analytics, which spell their names exactly or are odd."""
    lines = [drafts.lines[row] for row in rows]
    loose = matching(lines, LOOSE_ROW).tolist()
    sort_log_records(drafts, rows, [None if own else _log_record(line) for line, own in zip(lines, loose, strict=True)])


def sort_log_records(drafts: Drafts, rows: Sequence[int], records: Sequence[Record | None]) -> None:
    """Sorts out records that were rows of Log Analytics; rows without one are odd."""
    drafts.odd += [row for row, record in zip(rows, records, strict=True) if record is None]
    found = records_among(rows, records)
    _activity(drafts, found, _categories(found, _row_category), True)


def _categories(found: RecordsFound, category_of: Callable[[Text, Text], str]) -> list[str]:
    told = [(record.properties or NONE).event_category or None for record in found.records]
    return list(map(category_of, told, texts([record.category for record in found.records])))


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


def _activity(drafts: Drafts, found: RecordsFound, categories: list[str], export: bool) -> None:
    for category in set(categories):
        some = found.having(categories, category)
        sorter = _CATEGORIES.get(category)
        if sorter is None:
            drafts.ignored[category] += len(some.rows)
        else:
            sorter(drafts, some, export)


def _administrative(drafts: Drafts, found: RecordsFound, export: bool) -> None:
    draft = drafts.operations
    given = texts([record.operation_name for record in found.records])
    meant = [name and verb_of(name) for name in given]
    names = [name for name, verb in zip(given, meant, strict=True) if name is not None and verb is not None]
    verbs = [verb for verb in meant if verb is not None]
    if len(verbs) < len(given):
        drafts.ignored.update(ignored_kind("operation", name) for name, verb in zip(given, meant, strict=True) if verb is None)
        found = found.of([verb is not None for verb in meant])
    records = found.records
    resources = [record.resource_id or None for record in records]
    draft.rows += found.rows
    draft.formats += ["activitylog"] * len(records)
    draft.ids += _log_ids(drafts, found, export)
    draft.targets += resources
    draft.times += _times(records, export)
    draft.keys += map(key_of, [record.correlation_id for record in records], names, resources)
    draft.verbs += verbs
    draft.phases += _phases(records, export)
    draft.initiators += map(_initiator, names, records)
    draft.bodies += [None if verb == "update" else _body(record) for record, verb in zip(records, verbs, strict=True)]
    draft.names += names
    draft.counts += [None] * len(records)


def _times(records: Sequence[Record], export: bool) -> list[Text]:
    return [record.time for record in records] if export else [record.event_timestamp for record in records]


def _autoscale(drafts: Drafts, found: RecordsFound, export: bool) -> None:
    draft = drafts.scalings
    names, phases = texts([record.operation_name for record in found.records]), _phases(found.records, export)
    for row, record, name, phase in zip(found.rows, found.records, names, phases, strict=True):
        told = _told(record, export)
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
        draft.rows.append(row)
        draft.formats.append("activitylog")
        draft.ids += _log_ids(drafts, RecordsFound([row], [record]), export)
        draft.targets.append(told.resource_name)
        draft.times += _times([record], export)
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


def _health_records(drafts: Drafts, found: RecordsFound, export: bool) -> None:
    ids, times = _log_ids(drafts, found, export), _times(found.records, export)
    for row, record, event_id, time in zip(found.rows, found.records, ids, times, strict=True):
        told = _told(record, export)
        state = told.current_health_status or told.health_status or None
        meaning = meaning_by(told.details) if told.details else None
        if state is None and meaning is None:
            drafts.ignored["health_unchanged"] += 1
            continue
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


def _log_ids(drafts: Drafts, found: RecordsFound, export: bool) -> list[Text]:
    if export:
        own = zip(found.rows, found.records, strict=True)
        return [record.event_data_id or text_hash(drafts.lines[row]) for row, record in own]
    return [record.event_data_id or record.id or None for record in found.records]


def key_of(correlation: Text, operation: str, resource: Text) -> Text:
    """What the records of one operation share; None where a part of it is absent."""
    return f"{correlation}|{operation}|{resource}".casefold() if correlation and resource else None


def _phases(records: Sequence[Record], export: bool) -> list[Text]:
    statuses, results = texts([record.status for record in records]), texts([record.result_type for record in records])
    first, second = (results, statuses) if export else (statuses, results)
    outcomes = [one or other for one, other in zip(first, second, strict=True)]
    return [None if outcome is None else phase_of(outcome) for outcome in outcomes]


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
