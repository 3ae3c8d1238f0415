"""Rows of canonical Parquet to events (contract: Canonical fields)."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import CANONICAL, ENUMS, IDS
from schemas.time import format_time
from schemas.timestamp import AHEAD, EARLIEST
from transforms.core.columns.batches import compact, concat
from transforms.core.decode.fast_path.canonical import TEXTS, canonical_counts, canonical_events
from transforms.core.decode.fast_path.times import micros_of
from transforms.core.decode.slow_path.build import events_of_models
from transforms.core.decode.streams import SlowPath
from transforms.core.decode.terms.settings import DecodeResult, DecodeSettings

_PLAIN = {name: CANONICAL.field(name).type for name in CANONICAL.names if name != "time"}

_CODED = pa.dictionary(pa.int32(), pa.string())
_YEAR_9999 = 253_370_764_800_000_000


def decode_table(batch: pa.RecordBatch, source: str, first_row: int, settings: DecodeSettings) -> DecodeResult:
    """The events of canonical rows: plain strings or dictionaries, in any order of columns; those that lack are null.

    Args:
        batch: the rows.
        source: where they come from.
        first_row: the number of the first of them, from 1.
        settings: policy, clock.
    """
    columns = {name: _column(batch, name, settings.now) for name in CANONICAL.names}
    events, good = canonical_events(columns, settings)
    slow_path = SlowPath(settings)
    rows = np.flatnonzero(~good)
    for row, record in zip(rows.tolist(), _records(batch, rows), strict=True):
        slow_path.read(record, b"", f"row {first_row + row}")
    counts = canonical_counts(events, settings.now) + slow_path.counts
    batches = [events, events_of_models(slow_path.events)]
    return DecodeResult(compact(concat(batches)), slow_path.rejected(source), counts)


def _column(batch: pa.RecordBatch, name: str, now: int) -> pa.Array:
    """A column in its canonical type; values that do not fit are null there, and their rows left to the record's own reading."""
    at = batch.schema.get_field_index(name)
    if at < 0:
        return pa.nulls(batch.num_rows, pa.int64() if name == "time" else _PLAIN[name])
    if name == "time":
        return _micros(batch.column(at), now)
    given = batch.column(at)
    if (
        given.type == _CODED
        and name in (*ENUMS, *IDS)
        and given.dictionary.null_count == 0
        and not pc.any(pc.equal(given.dictionary, "")).as_py()
    ):
        return given
    try:
        column = given.cast(_PLAIN[name])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.nulls(batch.num_rows, _PLAIN[name])
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column) if name in TEXTS else column


def _micros(column: pa.Array, now: int) -> pa.Array:
    if not pa.types.is_timestamp(column.type):
        texts = [value if isinstance(value, str) else None for value in column.to_pylist()]
        micros, timely = micros_of(texts, now)
        return pa.array(micros, mask=~timely)
    per = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}[column.type.unit]
    numbers = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    limit = np.iinfo(np.int64).max // per
    micros = np.clip(numbers, -limit, limit) * per // (1000 if column.type.unit == "ns" else 1)
    timely = (micros >= EARLIEST) & (micros <= now + AHEAD) & column.is_valid().to_numpy(zero_copy_only=False)
    return pa.array(micros, mask=~timely)


def _records(batch: pa.RecordBatch, rows: np.ndarray) -> list[dict[str, Any]]:
    """Rows as their JSON records would be."""
    if not len(rows):
        return []
    known = [name for name in batch.schema.names if name in CANONICAL.names]
    some = batch.select(known).take(pa.array(rows))
    columns = {
        name: _times(column) if pa.types.is_timestamp(column.type) else column.to_pylist()
        for name, column in zip(known, some.columns, strict=True)
    }
    return [{name: _as_json(column[row]) for name, column in columns.items()} for row in range(len(rows))]


def _times(column: pa.Array) -> list[str | None]:
    micros = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64()).to_pylist()
    return [None if moment is None else format_time(moment) if 0 <= moment < _YEAR_9999 else f"{moment} us" for moment in micros]


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if value is None or isinstance(value, str | int | float | list) else str(value)
