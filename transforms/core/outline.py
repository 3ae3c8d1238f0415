"""What a record is of, when it happened and to whom: what is needed to send it on, whatever its format (contract.md "Input")."""

from typing import Any, Final, NamedTuple

from schemas.health_event import without_health_tail
from schemas.resource import Place, parse_resource
from schemas.timestamp import parse_time
from transforms.core.decode.reasons import Rejected
from transforms.core.decode.record import format_of
from transforms.core.decode.text import parse_record

_HEALTH: Final = ("data", "resourceInfo", "properties")
_TIMES: Final = (("eventTimestamp",), (*_HEALTH, "occurredTime"), ("properties", "occurredTime"), ("eventTime",), ("time",))
_TARGETS: Final = (
    ("scale_set_id",),
    (*_HEALTH, "targetResourceId"),
    ("properties", "targetResourceId"),
    ("properties", "ResourceName"),
    ("data", "resourceUri"),
    ("resourceId",),
    ("subject",),
)


class Outline(NamedTuple):
    """What is known of a record without decoding it."""

    format: str | None
    time: int | None
    """When it happened, in microseconds."""
    owner: str | None
    """The scale set, or the machine whose scale set only an inventory knows; case-folded."""


UNKNOWN: Final = Outline(None, None, None)


def outline_of(text: bytes) -> Outline:
    """The outline of a record's text; all unknown if it is no JSON object.

    >>> outline_of(b'{"kind": "signal", "time": "1970-01-01T00:00:01Z", "scale_set_id": "A"}')
    Outline(format='canonical', time=1000000, owner='a')
    """
    try:
        record = parse_record(text)
    except Rejected:
        return UNKNOWN
    times = (_time(_found(record, path)) for path in _TIMES)
    owners = (_owner(path, _found(record, path)) for path in _TARGETS)
    return Outline(format_of(record), _first(times), _first(owners))


def _found(record: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _time(value: Any) -> int | None:
    try:
        return parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _owner(path: tuple[str, ...], value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    if path == ("scale_set_id",):
        return value.casefold()
    named = parse_resource(without_health_tail(value))
    return None if named is None else named.scale_set_id if isinstance(named, Place) else named.vm_id


def _first(values: Any) -> Any:
    return next((value for value in values if value is not None), None)
