"""Rows of a Log Analytics table in Parquet to events, as its JSON lines would be read (contract: Input)."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, overload

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.azure.activity_log import LOG_ANALYTICS
from schemas.names import folded
from transforms.core.decode.fast_path.columns import Columns, finished
from transforms.core.decode.fast_path.drafts import Drafts
from transforms.core.decode.fast_path.log_sorting import log_record, sort_log_records
from transforms.core.decode.fast_path.shapes import NO_RAW, LogRow
from transforms.core.decode.splitting.texts import Fault, RecordTexts
from transforms.core.decode.streams import LocatedTexts, decode_texts
from transforms.core.decode.terms.reasons import RejectedRecord
from transforms.core.decode.terms.settings import DecodeResult, DecodeSettings
from transforms.core.decode.terms.text import LONGEST, ORDINARY

MARK: Final = "OperationNameValue"
"""The column by which a table is known."""
_NAMES: Final = tuple(name for names in LOG_ANALYTICS.values() for name in names)
_SHORT: Final = {folded(name) for name in _NAMES}


def decode_log_table(batch: pa.RecordBatch, source: str, first_row: int, settings: DecodeSettings) -> DecodeResult:
    """The events of rows of the table AzureActivity.

    Args:
        batch: the rows, of all columns.
        source: where they come from.
        first_row: the number of the first of them, from 1.
        settings: policy, clock, inventory.
    """
    texts = log_texts(batch, first_row)
    return decode_texts([LocatedTexts(texts)], source, settings, _read)


def log_texts(batch: pa.RecordBatch, first_row: int) -> RecordTexts:
    """Rows as the JSON lines that they would be."""
    plain = pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], names=batch.schema.names)
    sizes = _sizes(plain)
    fitting = np.flatnonzero(sizes <= LONGEST)
    numbers = np.arange(first_row, first_row + len(batch))
    faults = [Fault(int(numbers[row]), _outsized(int(sizes[row])), b"") for row in np.flatnonzero(sizes > LONGEST)]
    rows = RowTexts(plain if len(fitting) == len(plain) else plain.take(pa.array(fitting)), sizes[fitting])
    return RecordTexts("row", rows, numbers[fitting].tolist(), faults, is_measured=True)


class RowTexts(Sequence[bytes]):
    """The rows of a batch as JSON texts, each made when it is asked for."""

    def __init__(self, batch: pa.RecordBatch, sizes: np.ndarray) -> None:
        self.batch, self.sizes = batch, sizes

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    @overload
    def __getitem__(self, row: int) -> bytes: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[bytes]: ...
    def __getitem__(self, row: int | slice) -> bytes | Sequence[bytes]:
        """A row as its JSON line would be, nulls left out."""
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        columns = zip(self.batch.schema.names, self.batch.columns, strict=True)
        return msgspec.json.encode({name: value for name, column in columns if (value := column[row].as_py()) is not None})


def _plain(column: pa.Array) -> pa.Array:
    """A column as JSON has it: texts plain, times in microseconds, bytes as the texts that they are."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    if pa.types.is_timestamp(kind):
        return pc.strftime(column.cast(pa.timestamp("us", "UTC"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_large_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:
            return pa.array(
                [None if value is None else value.decode(errors="replace") for value in column.to_pylist()], pa.string()
            )
    return column


def _sizes(batch: pa.RecordBatch) -> np.ndarray:
    """Bytes of the texts of each row."""
    sizes = np.zeros(len(batch), np.int64)
    for column in batch.columns:
        if pa.types.is_string(column.type):
            sizes += pc.binary_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    return sizes


def _outsized(size: int) -> RejectedRecord:
    return RejectedRecord("too_large", f"the fields of a row may have {LONGEST} bytes of text, got {size}")


def _read(texts: Sequence[bytes], settings: DecodeSettings) -> Columns:
    """The ordinary rows by columns; where a column is spelt loosely, or is no text, none is."""
    assert isinstance(texts, RowTexts)
    drafts, batch = Drafts(texts), texts.batch
    known = [name for name in batch.schema.names if folded(name) in _SHORT]
    if all(name in _NAMES and pa.types.is_string(batch.column(name).type) for name in known) and settings.format in _FORMATS:
        sized = zip(_values(batch), texts.sizes.tolist(), strict=True)
        records = [_record(values) if size <= ORDINARY else None for values, size in sized]
        sort_log_records(drafts, range(len(batch)), records)
    else:
        drafts.odd += range(len(batch))
    return finished(drafts, len(batch), settings)


_FORMATS: Final = ("auto", "activitylog")


def _values(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The known columns of each row, in the order of `LogRow`."""
    empty = [None] * len(batch)
    columns = [batch.column(name).to_pylist() if name in batch.schema.names else empty for name in _NAMES]
    return zip(*columns, strict=True)


def _record(values: tuple[Any, ...]) -> Any:
    """The record of a row; None if it is not ordinary."""
    row: Any = LogRow(*values)
    if not row.OperationNameValue:
        return None
    row.Claims_d, row.Claims = _raw(row.Claims_d), _raw(row.Claims)
    try:
        return log_record(row)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


@lru_cache(1 << 12)
def _raw(text: str | None) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(text)) if text else NO_RAW
