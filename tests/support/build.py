"""Events written so that a case is readable at a glance, and tables read back as plain rows."""

import itertools
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from schemas.event import ENUMS, EVENTS
from schemas.time import DAY, SECOND

Event = dict[str, Any]
EPOCH = 20_833 * DAY
"""Where second 0 of a timeline lies: a multiple of every grid."""

_NOT_IN_ROWS = ("as_of", "policy")
_numbers = itertools.count()


def at(seconds: float) -> int:
    """Microseconds since the epoch of a timeline's second.

    >>> at(1.5) - EPOCH
    1500000
    """
    return EPOCH + round(seconds * SECOND)


def signal(seconds: float, instance: str | None, state: str, *, scale_set: str = "a", event_id: str | None = None) -> Event:
    """A HealthSignal; `instance` None is the set itself."""
    return _event("signal", seconds, scale_set, event_id, instance_id=instance, state=state)


def up(seconds: float, *instances: str | None) -> list[Event]:
    """Signals of Available."""
    return [signal(seconds, instance, "Available") for instance in instances]


def down(seconds: float, *instances: str | None) -> list[Event]:
    """Signals of Unavailable."""
    return [signal(seconds, instance, "Unavailable") for instance in instances]


def degraded(seconds: float, *instances: str | None) -> list[Event]:
    """Signals of Degraded."""
    return [signal(seconds, instance, "Degraded") for instance in instances]


def unknown(seconds: float, *instances: str | None) -> list[Event]:
    """Signals of Unknown."""
    return [signal(seconds, instance, "Unknown") for instance in instances]


def fallen(*more: Iterable[Event], instance: str = "1") -> list[Event]:
    """An instance that was Available and turns Unavailable at 15, and more events."""
    return [*up(0, instance), *down(15, instance), *itertools.chain(*more)]


def fault(seconds: float, instance: str | None, *, scale_set: str = "a", event_id: str | None = None) -> Event:
    """A FaultNotice."""
    return _event("fault", seconds, scale_set, event_id, instance_id=instance, annotation="virtualmachinecrashed")


def op(
    seconds: float,
    verb: str,
    phase: str,
    names: str = "",
    *,
    key: str = "k",
    everything: bool = False,
    count: int | None = None,
    by: str = "customer",
    scale_set: str = "a",
    event_id: str | None = None,
) -> Event:
    """An OperationRecord; it is unnamed unless it has `names` ("1 2") or targets `everything`."""
    target = "all" if everything else "named" if names else "unnamed"
    return _event(
        "operation",
        seconds,
        scale_set,
        event_id,
        operation_key=key,
        verb=verb,
        phase=phase,
        initiator=by,
        target=target,
        instance_ids=names.split() if names else None,
        count=count,
    )


def spanning(start: float, end: float, verb: str, names: str = "", *, outcome: str = "succeeded", **more: Any) -> list[Event]:
    """Both records of an operation: started and its end."""
    return [op(start, verb, "started", names, **more), op(end, verb, outcome, names, **more)]


def _event(kind: str, seconds: float, scale_set: str, event_id: str | None, **fields: Any) -> Event:
    number = f"e{next(_numbers):05}" if event_id is None else event_id
    same = {"kind": kind, "event_id": number, "scale_set_id": scale_set, "time": at(seconds)}
    return {**empty_event(), **same, **fields}


def empty_event() -> Event:
    """All fields of an event, null."""
    return dict.fromkeys(field.name for field in EVENTS if field.name != "second")


def to_batch(events: Iterable[Event]) -> pa.RecordBatch:
    """Events as one batch of EVENTS, rows in the order given."""
    events = list(events)
    return pa.RecordBatch.from_arrays([_column(field, events) for field in EVENTS], schema=EVENTS)


def _column(field: pa.Field, events: list[Event]) -> pa.Array:
    if field.name == "second":
        return pa.array([False] * len(events))
    values = [event.get(field.name) for event in events]
    if field.name in ENUMS:
        codes = [None if value is None else ENUMS[field.name].index(value) for value in values]
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(ENUMS[field.name], pa.string()))
    if pa.types.is_dictionary(field.type):
        return pa.array(values, pa.string()).dictionary_encode().cast(field.type)
    if pa.types.is_timestamp(field.type):
        return pa.array(values, pa.int64()).cast(field.type)
    return pa.array(values, field.type)


def rows(table: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows of an output table without `as_of` and `policy`; times in microseconds."""
    names = [name for name in table.schema.names if name not in _NOT_IN_ROWS]
    columns = [_plain(table.column(name)) for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _plain(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values of a column, by columns since one by one takes ten times as long."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    if pa.types.is_integer(column.type) and not column.null_count:
        return list(column.to_numpy().tolist())
    return list(column.to_pylist())
