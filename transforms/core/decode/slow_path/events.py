"""Canonical events of what a record tells, and the target that it is about (contract: Kinds, Ids)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from pydantic import ValidationError

from schemas.azure.action import phase_of, targets_in
from schemas.azure.activity_log import HealthChange
from schemas.azure.annotation import FAULT, Announcement, initiator_in, meaning_of
from schemas.azure.health_event import HealthProperties
from schemas.azure.resource import Place, VirtualMachine, parse_resource
from schemas.event import STATES
from schemas.fault import FaultNotice
from schemas.fields import shown
from schemas.names import is_nothing, is_short
from schemas.operation import OperationRecord
from schemas.signal import CanonicalEvent, HealthSignal
from schemas.timestamp import is_acceptable, parse_time
from transforms.core.decode.terms.reasons import IgnoredRecord, RejectedRecord, missing, rejected_by
from transforms.core.decode.terms.settings import DecodeSettings
from transforms.core.decode.terms.text import is_too_deep, parse_json, parse_known

Event = HealthSignal | FaultNotice | OperationRecord
_Model = TypeVar("_Model", bound=CanonicalEvent)
_STATES: Final = {state.casefold(): state for state in STATES}


class Source(NamedTuple):
    """Id and time of a record, the name of its status field, and the names of its fields where they are not canonical."""

    event_id: Any
    time: Any
    outcome: str
    names: Mapping[str, str]


def signal_of(
    place: Place, event_id: Any, time: Any, state: Any, names: Mapping[str, str], settings: DecodeSettings
) -> HealthSignal:
    """The signal of a state, in any case."""
    known = _STATES.get(state.casefold(), state) if isinstance(state, str) else state
    return event_of(HealthSignal, names, settings, **place._asdict(), event_id=event_id, time=time, state=known)


def annotation_of(
    told: HealthProperties | HealthChange, name: str, place: Place, source: Source, settings: DecodeSettings
) -> Event:
    """The fault notice or operation that a meaningful annotation tells of."""
    meaning = meaning_of(name, getattr(told, "impact_type", None), getattr(told, "category", None))
    if meaning == FAULT:
        own = {"event_id": source.event_id, "time": source.time, "annotation": name}
        return event_of(FaultNotice, source.names, settings, **place._asdict(), **own)
    assert isinstance(meaning, Announcement)
    return operation_of(
        place,
        source,
        settings,
        operation_key=source.event_id,
        verb=meaning.verb,
        phase=meaning.phase,
        initiator=meaning.initiator or initiator_in(told.initiated),
        **(_all() if place.instance_id is None else _named((place.instance_id,))),
    )


def operation_of(place: Place, source: Source, settings: DecodeSettings, **fields: Any) -> OperationRecord:
    """An operation record; `fields` are those that only operations have."""
    return event_of(
        OperationRecord,
        source.names,
        settings,
        scale_set_id=place.scale_set_id,
        event_id=source.event_id,
        time=source.time,
        **fields,
    )


def event_of(model: type[_Model], names: Mapping[str, str], settings: DecodeSettings, **fields: Any) -> _Model:
    """An event of its model.

    Raises:
        RejectedRecord: a field is missing or impossible; `names` says what the fields are called in the record.
    """
    present = {name: value for name, value in fields.items() if not is_nothing(value)}
    try:
        return model.model_validate(present, context=settings.context)
    except ValidationError as error:
        raise rejected_by(error, names) from None


def place_of(target: Any, name: str, time: Any, settings: DecodeSettings, *, health: bool = False) -> Place:
    """Where a record belongs.

    Raises:
        RejectedRecord: the target is absent.
        IgnoredRecord: it is another resource, or a machine that no inventory row places at that time.
    """
    if target is None:
        raise missing(name)
    resource = parse_resource(target) if isinstance(target, str) else None
    if resource is None:
        raise IgnoredRecord("other_resource", health=health)
    if isinstance(resource, Place):
        return resource
    place = _owner(resource, time, settings)
    if place is None:
        raise IgnoredRecord("unplaced_vm", health=health, unplaced=health)
    return place


def _owner(machine: VirtualMachine, time: Any, settings: DecodeSettings) -> Place | None:
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


def targets_of(operation: str, verb: str, place: Place, body: object) -> dict[str, Any]:
    """Target and named instances of an operation: the resource's own instance, else those of the body, else all or unnamed."""
    if place.instance_id is not None:
        return _named((place.instance_id,))
    target, ids = targets_in(body, operation, verb)
    return _named(ids) if ids else {"target": target}


def _named(ids: tuple[str, ...]) -> dict[str, Any]:
    return {"target": "named", "instance_ids": ids}


def _all() -> dict[str, Any]:
    return {"target": "all"}


def told_phase(status: Any, name: str) -> str:
    """The phase that a status tells; `name` is the status' own."""
    if status is None:
        raise missing(name)
    phase = phase_of(status) if is_short(status) else None
    if phase is None:
        raise RejectedRecord(
            "bad_value", f"{name} must be a status such as Started, Accepted, Succeeded or Failed, got {shown(status)}"
        )
    return phase


def operation_key(correlation_id: Any, operation: str, resource: str) -> str:
    """What the records of one operation share: casefold(correlationId|operationName|resource)."""
    if correlation_id is None:
        raise missing("correlationId")
    return f"{text_of(correlation_id, 'correlationId')}|{operation}|{resource}".casefold()


def text_of(value: Any, name: str) -> str:
    """A field that must be a text; a number counts as its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RejectedRecord("bad_value", f"{name} must be a text, got {shown(value)}")
    return str(value)


_sorted_json: Final = json.JSONEncoder(sort_keys=True, check_circular=False)
# What `encode` makes anew for each record, and that is a fifth of its time.
_parts_of_json: Final = json.encoder.c_make_encoder(  # type: ignore[attr-defined]  # typeshed does not know it
    None, _sorted_json.default, json.encoder.encode_basestring_ascii, None, ": ", ", ", True, False, True
)


def record_hash(record: Mapping[str, Any]) -> str:
    """The event_id of a record whose source has none: SHA-256 of the record as JSON with sorted keys, 32 hex digits."""
    return _digest("".join(_parts_of_json(record, 0)).encode())


def text_hash(text: bytes) -> str:
    """`record_hash` of the object in a text that is known to be JSON."""
    plain = _sorted_text(text)
    return record_hash(parse_known(text)) if plain is None else _digest(plain)


def _sorted_text(text: bytes) -> bytes | None:
    """What `record_hash` makes a digest of, by msgspec; None where that would write a letter or number otherwise."""
    try:
        plain = msgspec.json.format(_encode_sorted(_decode_without_fractions(text)), indent=0)
    except (msgspec.MsgspecError, ValueError):
        return None
    return plain if plain.isascii() and b"\x7f" not in plain else None


def _no_fraction(digits: str) -> float:
    raise ValueError(f"a whole number is required, got {digits}")


_decode_without_fractions: Final = msgspec.json.Decoder(float_hook=_no_fraction).decode
_encode_sorted: Final = msgspec.json.Encoder(order="sorted").encode


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:32]


def row_hash(row: Mapping[str, Any]) -> str:
    """The same of a Resource Graph row, whose CSV, table and JSON have one: without null and empty fields, JSON text parsed.

    >>> row_hash({"a": "{}", "b": None, "c": ""}) == row_hash({"a": {}})
    True
    """
    parsed = {name: _parsed(value) for name, value in row.items()}
    return record_hash({name: value for name, value in parsed.items() if not is_nothing(value)})


def _parsed(value: Any) -> Any:
    text = value.encode(errors="replace") if isinstance(value, str) else b""
    try:
        return value if not text or is_too_deep(text) else parse_json(text)
    except RejectedRecord:
        return value
