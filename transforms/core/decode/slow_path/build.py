"""Batches of EVENTS and REJECTS from columns and from models."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa

from schemas.event import ENUMS, EVENTS, IDS, empty_events, enum_array
from schemas.operation import OperationRecord
from schemas.tables.reject import REJECTS
from transforms.core.decode.slow_path.events import Event

CODES: Final = {column: {value: code for code, value in enumerate(values)} for column, values in ENUMS.items()}
"""Codes of the enumerations, by column and value."""

_FIELDS: Final = {
    "signal": ("instance_id", "state"),
    "fault": ("instance_id", "annotation"),
    "operation": ("operation_key", "verb", "phase", "initiator", "target", "count"),
}


def events_of(rows: int, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """EVENTS of named columns, enumerations as int8 codes, ids plain or as dictionaries; those that lack are null."""
    arrays = []
    for column in EVENTS:
        array = columns.get(column.name)
        if array is None:
            array = pa.nulls(rows, pa.int8() if column.name in ENUMS else column.type)
        if column.name in ENUMS:
            array = enum_array(array, column.name)
        elif column.name in IDS and not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=EVENTS)


def events_of_models(records: Sequence[tuple[Event, ...]]) -> pa.RecordBatch:
    """EVENTS of canonical models, the events of a record side by side."""
    if not records:
        return empty_events()
    rows = [_row(event, place > 0) for events in records for place, event in enumerate(events)]
    columns: dict[str, pa.Array] = {}
    for column in EVENTS:
        values = [row.get(column.name) for row in rows]
        if column.name in ENUMS:
            columns[column.name] = pa.array([None if value is None else CODES[column.name][value] for value in values], pa.int8())
        else:
            columns[column.name] = pa.array(values, pa.string() if column.name in IDS else column.type)
    return events_of(len(rows), columns)


def _row(event: Event, second: bool) -> dict[str, Any]:
    row = {name: getattr(event, name) for name in ("kind", "event_id", "scale_set_id", "time", *_FIELDS[event.kind])}
    if isinstance(event, OperationRecord):
        row["instance_ids"] = event.named
    return row | {"second": second}


class Reject(NamedTuple):
    """One record that was not taken in: where it stands, the reason, one sentence, and its text where that is kept."""

    location: str
    reason: str
    detail: str
    payload: str | None


def rejects_of(found: Sequence[Reject], source: str, arrived: int) -> pa.RecordBatch:
    """REJECTS of one source; `arrived` in microseconds."""
    rows = len(found)
    columns = [
        pa.array([source] * rows, pa.string()),
        *(pa.array([reject[at] for reject in found], pa.string()) for at in range(4)),
    ]
    columns.insert(2, pa.array([arrived] * rows, pa.int64()).cast(REJECTS.field("arrived").type))
    return pa.RecordBatch.from_arrays(columns, schema=REJECTS)


def joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of REJECTS of many."""
    table = pa.Table.from_batches(batches, REJECTS).combine_chunks()
    found = table.to_batches()
    return found[0] if found else rejects_of([], "", 0)
