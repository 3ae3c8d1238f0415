"""One parsed record to events: the formats of contract.md "Input" in code, complete and plain.

The columnar decoder (`columns.py`) hands over every record that is not ordinary; property tests hold the two together.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from schemas.action import DELETE_SET, SERVICE_PRINCIPAL, initiator_of, named_in, phase_of, scaling_of, verb_of
from schemas.activity_log import ExportRecord, HealthChange, RestRecord, Scaling
from schemas.annotation import FAULT, Announcement, initiator_in, meaning_of
from schemas.event import KINDS, STATES
from schemas.fault import FaultNotice
from schemas.fields import is_nothing, shown
from schemas.health_event import ANNOTATED, RESOURCE_PHASES, STATUS_CHANGED, Envelope, HealthProperties
from schemas.operation import OperationRecord
from schemas.resource import Machine, Place, parse_resource
from schemas.resource_graph import ANNOTATIONS, PROVIDER, STATUSES, HealthResource
from schemas.signal import CanonicalEvent, HealthSignal
from schemas.timestamp import is_acceptable, parse_time
from transforms.core.decode.reasons import Ignored, Rejected, ignored_kind, missing, rejected_by
from transforms.core.decode.settings import DecodeSettings

Event = HealthSignal | FaultNotice | OperationRecord
_Model = TypeVar("_Model", bound=CanonicalEvent)
_MODELS: Final[dict[str, type[Event]]] = {model.kind: model for model in (HealthSignal, FaultNotice, OperationRecord)}
_STATES: Final = {state.casefold(): state for state in STATES}


class Read(NamedTuple):
    """The events of one record, the format it is of, and whether it is about health (an annotation is, whatever it tells)."""

    format: str
    events: tuple[Event, ...]
    is_health: bool


def read_record(record: dict[str, Any], settings: DecodeSettings) -> Read:
    """The events of a parsed record.

    Raises:
        Ignored: it is of no kind, or on no target, that concerns scale sets.
        Rejected: it is of a known kind on a known target, and a field is missing or impossible.
    """
    name = format_of(record, settings.format)
    if name is None:
        raise Ignored("no_format")
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
    if "eventTimestamp" in has or "eventDataId" in has or {"resourceId", "operationName"} <= has:
        return "activitylog"
    return "resourcegraph" if _is_health_resource(record) else None


def _is_health_resource(record: Mapping[str, Any]) -> bool:
    row = HealthResource.model_validate(record)
    if row.type is not None:
        return isinstance(row.type, str) and row.type.casefold().startswith(PROVIDER)
    told = row.properties
    return told.target_resource_id is not None and not (told.availability_state is None and told.annotation_name is None)


def _read_canonical(record: dict[str, Any], settings: DecodeSettings) -> Read:
    kind = record.get("kind")
    if not isinstance(kind, str) or kind not in _MODELS:
        raise Ignored(ignored_kind("kind", None if is_nothing(kind) else kind))
    event = _event(_MODELS[kind], {}, settings, **{name: value for name, value in record.items() if name != "kind"})
    return Read("canonical", (event,), kind != "operation")


def _read_event_grid(record: dict[str, Any], settings: DecodeSettings) -> Read:
    envelope = Envelope.model_validate(record)
    kind = envelope.kind.casefold() if isinstance(envelope.kind, str) else None
    if kind in RESOURCE_PHASES:
        return Read("eventgrid", (_resource_event(envelope, RESOURCE_PHASES[kind], settings),), False)
    told = envelope.data.resource_info.properties
    if kind in STATUS_CHANGED:
        return Read("eventgrid", (_status(told, envelope.target, envelope.id, "id", settings),), True)
    if kind == ANNOTATED:
        return Read("eventgrid", (_annotated(told, envelope.target, envelope.id, "id", settings),), True)
    raise Ignored(ignored_kind("type", envelope.kind))


def _read_resource_graph(record: dict[str, Any], settings: DecodeSettings) -> Read:
    row = HealthResource.model_validate(record)
    told, kind = row.properties, row.kind.casefold() if isinstance(row.kind, str) else None
    readers = {STATUSES: _status, ANNOTATIONS: _annotated}
    if kind in readers:
        event = readers[kind](told, told.target_resource_id, record_hash(record), "", settings)
        return Read("resourcegraph", (event,), True)
    raise Ignored(ignored_kind("type", row.kind))


def _read_activity(record: dict[str, Any], settings: DecodeSettings) -> Read:
    if not is_nothing(record.get("eventTimestamp")) or not is_nothing(record.get("eventDataId")):
        rest = RestRecord.model_validate(record)
        return _by_category(rest, _Source(rest.event_data_id, rest.event_timestamp, "status", REST_NAMES), settings)
    export = ExportRecord.model_validate(record)
    return _by_category(export, _Source(record_hash(record), export.time, "resultType", {}), settings)


class _Source(NamedTuple):
    event_id: Any
    time: Any
    outcome: str
    names: Mapping[str, str]


REST_NAMES: Final = {"event_id": "eventDataId", "time": "eventTimestamp"}


def _by_category(record: RestRecord | ExportRecord, source: _Source, settings: DecodeSettings) -> Read:
    category = record.event_category.casefold() if isinstance(record.event_category, str) else None
    if category == "administrative":
        return Read("activitylog", (_administrative(record, source, settings),), False)
    if category == "autoscale":
        return Read("activitylog", (_autoscale(record, source, settings),), False)
    if category == "resourcehealth":
        return Read("activitylog", _health_record(record, source, settings), True)
    raise Ignored(ignored_kind("category", record.event_category))


def _status(told: HealthProperties, target: Any, event_id: Any, id_name: str, settings: DecodeSettings) -> HealthSignal:
    place = _place(target, "targetResourceId", told.occurred_time, settings, health=True)
    names = {"event_id": id_name, "time": "occurredTime", "state": "availabilityState"}
    return _signal(place, event_id, told.occurred_time, told.availability_state, names, settings)


def _annotated(told: HealthProperties, target: Any, event_id: Any, id_name: str, settings: DecodeSettings) -> Event:
    name = told.annotation_name
    if isinstance(name, str) and meaning_of(name, told.impact_type, told.category) is None:
        raise Ignored(ignored_kind("annotation", name))
    place = _place(target, "targetResourceId", told.occurred_time, settings, health=True)
    if name is None:
        raise missing("annotationName")
    if not isinstance(name, str):
        raise Rejected("bad_value", f"annotationName must be a text, got {shown(name)}")
    names = {"event_id": id_name, "time": "occurredTime"}
    return _annotation(told, name, place, event_id, told.occurred_time, names, settings)


def _health_record(record: RestRecord | ExportRecord, source: _Source, settings: DecodeSettings) -> tuple[Event, ...]:
    told = HealthChange.model_validate(record.told)
    details = told.details if isinstance(told.details, str) and meaning_of(told.details) is not None else None
    if told.status is None and details is None:
        raise Ignored("health_unchanged")
    place = _place(record.resource_id, "resourceId", source.time, settings, health=True)
    events: list[Event] = []
    if told.status is not None:
        names = {**source.names, "state": "currentHealthStatus"}
        events.append(_signal(place, source.event_id, source.time, told.status, names, settings))
    if details is not None:
        if source.event_id is None:
            raise missing(source.names["event_id"])
        own_id = f"{_text(source.event_id, source.names.get('event_id', ''))}#annotation"
        events.append(_annotation(told, details, place, own_id, source.time, source.names, settings))
    return tuple(events)


def _administrative(record: RestRecord | ExportRecord, source: _Source, settings: DecodeSettings) -> OperationRecord:
    operation = record.operation_name
    verb = verb_of(operation) if isinstance(operation, str) else None
    if verb is None:
        raise Ignored(ignored_kind("operation", operation))
    place = _place(record.resource_id, "resourceId", source.time, settings)
    body = None if verb == "update" else record.body()
    return _operation(
        place,
        source,
        settings,
        operation_key=operation_key(record.correlation_id, operation, record.resource_id),
        verb=verb,
        phase=_phase(record.outcome, source.outcome),
        initiator=initiator_of(operation, record.callers),
        **_targets(operation, place, body),
    )


def _autoscale(record: RestRecord | ExportRecord, source: _Source, settings: DecodeSettings) -> OperationRecord:
    operation, told = record.operation_name, Scaling.model_validate(record.told)
    verb = scaling_of(operation) if isinstance(operation, str) else None
    if verb is None:
        raise Ignored(ignored_kind("autoscale", operation))
    if told.resource_name is None:
        raise Ignored("autoscale:no_resource_name")
    place = _place(told.resource_name, "ResourceName", source.time, settings)
    phase = _phase(record.outcome, source.outcome)
    try:
        count = told.removes
    except ValueError as error:
        raise Rejected("bad_value", str(error)) from None
    return _operation(
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
    verb = verb_of(operation) if isinstance(operation, str) else None
    if verb is None:
        raise Ignored(ignored_kind("operation", operation))
    time, time_name = (envelope.event_time, "eventTime") if envelope.is_event_grid else (envelope.time, "time")
    place = _place(told.resource_uri, "resourceUri", time, settings)
    source = _Source(envelope.id, time, "", {"event_id": "id", "time": time_name})
    return _operation(
        place,
        source,
        settings,
        operation_key=operation_key(told.correlation_id, operation, told.resource_uri),
        verb=verb,
        phase=phase,
        initiator=initiator_of(operation, (told.claims.get(SERVICE_PRINCIPAL),)),
        **_targets(operation, place, None),
    )


def _signal(
    place: Place, event_id: Any, time: Any, state: Any, names: Mapping[str, str], settings: DecodeSettings
) -> HealthSignal:
    known = _STATES.get(state.casefold(), state) if isinstance(state, str) else state
    return _event(HealthSignal, names, settings, **place._asdict(), event_id=event_id, time=time, state=known)


def _annotation(
    told: HealthProperties | HealthChange,
    name: str,
    place: Place,
    event_id: Any,
    time: Any,
    names: Mapping[str, str],
    settings: DecodeSettings,
) -> Event:
    meaning = meaning_of(name, getattr(told, "impact_type", None), getattr(told, "category", None))
    if meaning == FAULT:
        return _event(FaultNotice, names, settings, **place._asdict(), event_id=event_id, time=time, annotation=name)
    assert isinstance(meaning, Announcement)
    return _operation(
        place,
        _Source(event_id, time, "", names),
        settings,
        operation_key=event_id,
        verb=meaning.verb,
        phase=meaning.phase,
        initiator=meaning.initiator or initiator_in(told.initiated),
        **(_all() if place.instance_id is None else _named((place.instance_id,))),
    )


def _operation(place: Place, source: _Source, settings: DecodeSettings, **fields: Any) -> OperationRecord:
    return _event(
        OperationRecord,
        source.names,
        settings,
        scale_set_id=place.scale_set_id,
        event_id=source.event_id,
        time=source.time,
        **fields,
    )


def _event(model: type[_Model], names: Mapping[str, str], settings: DecodeSettings, **fields: Any) -> _Model:
    present = {name: value for name, value in fields.items() if not is_nothing(value)}
    try:
        return model.model_validate(present, context=settings.context)
    except ValidationError as error:
        raise rejected_by(error, names) from None


def _place(target: Any, name: str, time: Any, settings: DecodeSettings, *, health: bool = False) -> Place:
    if target is None:
        raise missing(name)
    resource = parse_resource(target) if isinstance(target, str) else None
    if resource is None:
        raise Ignored("other_resource", health=health)
    if isinstance(resource, Place):
        return resource
    place = _owner(resource, time, settings)
    if place is None:
        raise Ignored("unplaced_vm", health=health, unplaced=health)
    return place


def _owner(machine: Machine, time: Any, settings: DecodeSettings) -> Place | None:
    """Whose a machine is; where the time is none, whose it ever was: the record is then rejected for its time."""
    if settings.inventory is None:
        return None
    try:
        moment = parse_time(time.strip()) if isinstance(time, str) else None
    except ValueError:
        moment = None
    if moment is not None and is_acceptable(moment, settings.now):
        return settings.inventory.place(machine.vm_id, moment)
    return next((row.place for row in settings.inventory.rows_of(machine.vm_id)), None)


def _targets(operation: str, place: Place, body: object) -> dict[str, Any]:
    if place.instance_id is not None:
        return _named((place.instance_id,))
    ids = named_in(body)
    if ids is not None:
        return _all() if ids == ("*",) else _named(ids)
    return _all() if operation.casefold() == DELETE_SET else {"target": "unnamed"}


def _named(ids: tuple[str, ...]) -> dict[str, Any]:
    return {"target": "named", "instance_ids": ids}


def _all() -> dict[str, Any]:
    return {"target": "all"}


def _phase(status: Any, name: str) -> str:
    if status is None:
        raise missing(name)
    phase = phase_of(status) if isinstance(status, str) else None
    if phase is None:
        raise Rejected(
            "bad_value", f"{name} must be a status such as Started, Accepted, Succeeded or Failed, got {shown(status)}"
        )
    return phase


def operation_key(correlation_id: Any, operation: str, resource: str) -> str:
    """What the records of one operation share: casefold(correlationId|operationName|resource)."""
    if correlation_id is None:
        raise missing("correlationId")
    return f"{_text(correlation_id, 'correlationId')}|{operation}|{resource}".casefold()


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Rejected("bad_value", f"{name} must be a text, got {shown(value)}")
    return str(value)


_sorted_json: Final = json.JSONEncoder(sort_keys=True, check_circular=False).encode


def record_hash(record: Mapping[str, Any]) -> str:
    """The event_id of a record whose source has none: SHA-256 of the record as JSON with sorted keys, 32 hex digits."""
    return hashlib.sha256(_sorted_json(record).encode()).hexdigest()[:32]


_READERS: Final[dict[str, Callable[[dict[str, Any], DecodeSettings], Read]]] = {
    "canonical": _read_canonical,
    "eventgrid": _read_event_grid,
    "activitylog": _read_activity,
    "resourcegraph": _read_resource_graph,
}
