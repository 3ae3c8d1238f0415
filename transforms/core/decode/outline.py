"""What a record is of, when it happened and to whom: what is needed to send it on, whatever its format (contract: Formats)."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from schemas.azure.health_event import without_health_tail
from schemas.azure.resource import Place, parse_resource
from schemas.fields import embedded
from schemas.names import content_of, pick
from schemas.timestamp import parse_time
from transforms.core.decode.slow_path.record import format_of
from transforms.core.decode.terms.reasons import RejectedRecord
from transforms.core.decode.terms.text import parse_record

_HEALTH: Final = ("data", "resourceInfo", "properties")
_TIMES: Final = (
    ("eventTimestamp",),
    (*_HEALTH, "occurredTime"),
    ("properties", "occurredTime"),
    ("eventTime",),
    ("time",),
    ("TimeGenerated",),
    ("properties", "occuredTime"),
    ("occurredTime",),
)
_TARGETS: Final = (
    ("scale_set_id",),
    (*_HEALTH, "targetResourceId"),
    ("properties", "targetResourceId"),
    ("properties", "ResourceName"),
    ("data", "resourceUri"),
    ("resourceId",),
    ("subject",),
    ("_ResourceId",),
    ("targetResourceId",),
    ("id",),
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
    except RejectedRecord:
        return UNKNOWN
    exact = Outline(format_of(record), *(_told(record, dict.get)))
    return exact if exact.time is not None and exact.owner is not None else Outline(exact.format, *_told(record, pick))


def _told(record: dict[str, Any], get: Callable[[dict[str, Any], str], Any]) -> tuple[int | None, str | None]:
    """Time and owner, by names as `get` compares them."""
    times = (_time(_found(record, path, get)) for path in _TIMES)
    owners = (_owner(path, _found(record, path, get)) for path in _TARGETS)
    return _first(times), _first(owners)


def _found(record: Any, path: tuple[str, ...], get: Callable[[dict[str, Any], str], Any]) -> Any:
    for name in path:
        found = content_of(embedded(record))
        record = None if found is None else get(found, name)
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
