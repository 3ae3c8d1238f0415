"""One parsed record to events: the formats in code, complete and plain (contract: Formats, Kinds).

The columnar decoder (`columns.py`) hands over every record that is not ordinary; property tests hold the two together.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from schemas.azure.action import SERVICE_PRINCIPAL, initiator_of, scaling_of, verb_of
from schemas.azure.activity_log import ExportRecord, HealthChange, LogRow, RestRecord, Scaling
from schemas.azure.annotation import meaning_of
from schemas.azure.health_event import ANNOTATED, RESOURCE_PHASES, STATUS_CHANGED, Envelope, HealthProperties
from schemas.azure.resource_graph import ANNOTATIONS, PROVIDER, STATUSES, HealthResource
from schemas.event import KINDS
from schemas.fault import FaultNotice
from schemas.fields import shown
from schemas.names import folded, is_nothing, is_short
from schemas.operation import OperationRecord
from schemas.signal import HealthSignal
from transforms.core.decode.slow_path.events import (
    Event,
    Source,
    annotation_of,
    event_of,
    operation_key,
    operation_of,
    place_of,
    record_hash,
    row_hash,
    signal_of,
    targets_of,
    text_of,
    told_phase,
)
from transforms.core.decode.terms.reasons import IgnoredRecord, RejectedRecord, ignored_kind, missing
from transforms.core.decode.terms.settings import DecodeSettings

NO_FORMAT: Final = "no_format"
_MODELS: Final[dict[str, type[Event]]] = {model.kind: model for model in (HealthSignal, FaultNotice, OperationRecord)}


class RecordEvents(NamedTuple):
    """The events of one record, the format it is of, and whether it is about health (an annotation is, whatever it tells)."""

    format: str
    events: tuple[Event, ...]
    is_health: bool


def read_record(record: dict[str, Any], settings: DecodeSettings) -> RecordEvents:
    """The events of a parsed record.

    Raises:
        IgnoredRecord: it is of no kind, or on no target, that concerns scale sets.
        RejectedRecord: it is of a known kind on a known target, and a field is missing or impossible.
    """
    name = format_of(record, settings.format)
    if name is None:
        raise IgnoredRecord(NO_FORMAT)
    return _READERS[name](record, settings)


def format_of(record: Mapping[str, Any], wanted: str = "auto") -> str | None:
    """Which format a record is of: the first that fits, or the one that is wanted.

    >>> format_of({"eventType": "Microsoft.Storage.BlobCreated"}), format_of({"resourceId": "/a", "operationName": "b"})
    ('eventgrid', 'activitylog')
    """
    if wanted != "auto":
        return wanted
    has = {name for name, value in record.items() if not is_nothing(value)}
    if isinstance(record.get("kind"), str) and record["kind"] in KINDS:
        return "canonical"
    if "eventType" in has or {"type", "specversion"} <= has:
        return "eventgrid"
    loose = {folded(name) for name in has}
    if loose & {_LOG_ROW, *_REST} or loose >= _EXPORT:
        return "activitylog"
    return "resourcegraph" if _is_health_resource(record) else None


_LOG_ROW: Final = "operationnamevalue"
_REST: Final = frozenset(("eventtimestamp", "eventdataid"))
_EXPORT: Final = frozenset(("resourceid", "operationname"))
"""Marks of the Activity Log's forms, as loose names."""


def _is_health_resource(record: Mapping[str, Any]) -> bool:
    row = HealthResource.of(record)
    if row.type is not None:
        return isinstance(row.type, str) and row.type.casefold().startswith(PROVIDER)
    told = row.properties
    return told.target_resource_id is not None and told.tells


def _read_canonical(record: dict[str, Any], settings: DecodeSettings) -> RecordEvents:
    kind = record.get("kind")
    if not isinstance(kind, str) or kind not in _MODELS:
        raise IgnoredRecord(ignored_kind("kind", None if is_nothing(kind) else kind))
    event = event_of(_MODELS[kind], {}, settings, **{name: value for name, value in record.items() if name != "kind"})
    return RecordEvents("canonical", (event,), kind != "operation")


def _read_event_grid(record: dict[str, Any], settings: DecodeSettings) -> RecordEvents:
    envelope = Envelope.model_validate(record)
    kind = envelope.kind.casefold() if isinstance(envelope.kind, str) else None
    if kind in RESOURCE_PHASES:
        return RecordEvents("eventgrid", (_resource_event(envelope, RESOURCE_PHASES[kind], settings),), False)
    told = envelope.data.resource_info.properties
    if kind in STATUS_CHANGED:
        return RecordEvents("eventgrid", (_status(told, envelope.target, envelope.id, "id", settings),), True)
    if kind == ANNOTATED:
        return RecordEvents("eventgrid", (_annotated(told, envelope.target, envelope.id, "id", settings),), True)
    raise IgnoredRecord(ignored_kind("type", envelope.kind))


def _read_resource_graph(record: dict[str, Any], settings: DecodeSettings) -> RecordEvents:
    row = HealthResource.of(record)
    told, kind = row.properties, row.kind.casefold() if isinstance(row.kind, str) else None
    readers = {STATUSES: _status, ANNOTATIONS: _annotated}
    if kind in readers:
        event = readers[kind](told, row.target, row_hash(record), "", settings)
        return RecordEvents("resourcegraph", (event,), True)
    raise IgnoredRecord(ignored_kind("type", row.kind))


def _read_activity(record: dict[str, Any], settings: DecodeSettings) -> RecordEvents:
    loose = {folded(name) for name, value in record.items() if not is_nothing(value)}
    if _LOG_ROW in loose:
        row = LogRow.of(record)
        event_id = record_hash(record) if row.event_data_id is None else row.event_data_id
        return _by_category(row, Source(event_id, row.time, "ActivityStatusValue", LOG_NAMES), settings)
    if loose & _REST:
        rest = RestRecord.model_validate(record)
        return _by_category(rest, Source(rest.event_id, rest.event_timestamp, "status", REST_NAMES), settings)
    export = ExportRecord.model_validate(record)
    return _by_category(export, Source(record_hash(record), export.time, "resultType", {}), settings)


REST_NAMES: Final = {"event_id": "eventDataId", "time": "eventTimestamp"}
LOG_NAMES: Final = {"event_id": "EventDataId", "time": "TimeGenerated"}


def _by_category(record: RestRecord | ExportRecord, source: Source, settings: DecodeSettings) -> RecordEvents:
    category = record.event_category.casefold() if isinstance(record.event_category, str) else None
    if category == "administrative":
        return RecordEvents("activitylog", (_administrative(record, source, settings),), False)
    if category == "autoscale":
        return RecordEvents("activitylog", (_autoscale(record, source, settings),), False)
    if category == "resourcehealth":
        return RecordEvents("activitylog", _health_record(record, source, settings), True)
    raise IgnoredRecord(ignored_kind("category", record.event_category))


def _status(told: HealthProperties, target: Any, event_id: Any, id_name: str, settings: DecodeSettings) -> HealthSignal:
    place = place_of(target, "targetResourceId", told.time, settings, health=True)
    names = {"event_id": id_name, "time": "occurredTime", "state": "availabilityState"}
    return signal_of(place, event_id, told.time, told.availability_state, names, settings)


def _annotated(told: HealthProperties, target: Any, event_id: Any, id_name: str, settings: DecodeSettings) -> Event:
    name = told.annotation_name
    if isinstance(name, str) and meaning_of(name, told.impact_type, told.category) is None:
        raise IgnoredRecord(ignored_kind("annotation", name))
    place = place_of(target, "targetResourceId", told.time, settings, health=True)
    if name is None:
        raise missing("annotationName")
    if not isinstance(name, str):
        raise RejectedRecord("bad_value", f"annotationName must be a text, got {shown(name)}")
    source = Source(event_id, told.time, "", {"event_id": id_name, "time": "occurredTime"})
    return annotation_of(told, name, place, source, settings)


def _health_record(record: RestRecord | ExportRecord, source: Source, settings: DecodeSettings) -> tuple[Event, ...]:
    told = HealthChange.model_validate(record.told)
    details = told.details if isinstance(told.details, str) and meaning_of(told.details) is not None else None
    if told.status is None and details is None:
        raise IgnoredRecord("health_unchanged")
    place = place_of(record.resource_id, "resourceId", source.time, settings, health=True)
    events: list[Event] = []
    if told.status is not None:
        names = {**source.names, "state": "currentHealthStatus"}
        events.append(signal_of(place, source.event_id, source.time, told.status, names, settings))
    if details is not None:
        if source.event_id is None:
            raise missing(source.names["event_id"])
        own_id = f"{text_of(source.event_id, source.names.get('event_id', ''))}#annotation"
        events.append(annotation_of(told, details, place, source._replace(event_id=own_id), settings))
    return tuple(events)


def _administrative(record: RestRecord | ExportRecord, source: Source, settings: DecodeSettings) -> OperationRecord:
    operation = record.operation_name
    verb = verb_of(operation) if is_short(operation) else None
    if verb is None:
        raise IgnoredRecord(ignored_kind("operation", operation))
    place = place_of(record.resource_id, "resourceId", source.time, settings)
    body = None if verb == "update" else record.body()
    return operation_of(
        place,
        source,
        settings,
        operation_key=operation_key(record.correlation_id, operation, record.resource_id),
        verb=verb,
        phase=told_phase(record.outcome, source.outcome),
        initiator=initiator_of(operation, record.callers, record.is_anonymous),
        **targets_of(operation, verb, place, body),
    )


def _autoscale(record: RestRecord | ExportRecord, source: Source, settings: DecodeSettings) -> OperationRecord:
    operation, told = record.operation_name, Scaling.model_validate(record.told)
    verb = scaling_of(operation) if isinstance(operation, str) else None
    if verb is None:
        raise IgnoredRecord(ignored_kind("autoscale", operation))
    if told.resource_name is None:
        raise IgnoredRecord("autoscale:no_resource_name")
    place = place_of(told.resource_name, "ResourceName", source.time, settings)
    phase = told_phase(record.outcome, source.outcome)
    try:
        count = told.removes
    except ValueError as error:
        raise RejectedRecord("bad_value", str(error)) from None
    return operation_of(
        place,
        source,
        settings,
        operation_key=operation_key(record.correlation_id, operation, told.resource_name),
        verb=verb,
        phase="announced" if phase == "succeeded" else phase,
        initiator="autoscale",
        target="unnamed",
        count=count if verb == "scale_in" else None,
    )


def _resource_event(envelope: Envelope, phase: str, settings: DecodeSettings) -> OperationRecord:
    told, operation = envelope.data, envelope.data.operation_name
    verb = verb_of(operation) if is_short(operation) else None
    if verb is None:
        raise IgnoredRecord(ignored_kind("operation", operation))
    time, time_name = (envelope.event_time, "eventTime") if envelope.is_event_grid else (envelope.time, "time")
    place = place_of(told.resource_uri, "resourceUri", time, settings)
    source = Source(envelope.id, time, "", {"event_id": "id", "time": time_name})
    return operation_of(
        place,
        source,
        settings,
        operation_key=operation_key(told.correlation_id, operation, told.resource_uri),
        verb=verb,
        phase=phase,
        initiator=initiator_of(operation, (told.claims.get(SERVICE_PRINCIPAL),), not told.claims),
        **targets_of(operation, verb, place, None),
    )


_READERS: Final[dict[str, Callable[[dict[str, Any], DecodeSettings], RecordEvents]]] = {
    "canonical": _read_canonical,
    "eventgrid": _read_event_grid,
    "activitylog": _read_activity,
    "resourcegraph": _read_resource_graph,
}
