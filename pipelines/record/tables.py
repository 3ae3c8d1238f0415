"""The tables as Parquet files: one a day of a table and flush, sorted, with statistics (contract: Parquet, Folder)."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.record.folder import put
from schemas.time import DAY, format_time
from transforms.core.columns.arrow import micros

_GROUPS: Final = 8
"""Row groups of a file: the more, the less is read for one scale set of many."""
LEAST_ROWS: Final = 10_000
_MOST_ROWS: Final = 1_000_000
"""Of a row group, where a file has that many."""
_THREADS: Final = 4


class Rows(NamedTuple):
    """Rows of one table, in the order in which they are written."""

    table: str
    batch: pa.RecordBatch
    day_of: str
    """The timestamp column whose day is the folder."""


class Piece(NamedTuple):
    """The rows of one file."""

    path: str
    rows: Callable[[], pa.RecordBatch]


def day_name(day: int) -> str:
    """The folder of a day, counted since the epoch.

    >>> day_name(0)
    'day=1970-01-01'
    """
    return f"day={format_time(day * DAY)[:10]}"


def day_number(path: str) -> int:
    """The day, counted since the epoch, in whose folder a file lies.

    >>> day_number("revisions/day=1970-01-02/x.parquet")
    1
    """
    folder = path.replace("\\", "/").split("/")[-2]
    return int(np.datetime64(folder.removeprefix("day="), "D").astype(np.int64))


def plan_files(rows: Rows) -> Iterator[Piece]:
    """The files of some rows: one a day, each with the rows in their order."""
    days = (micros(rows.batch, rows.day_of) // DAY).astype(np.int32)
    order = np.argsort(days, kind="stable")
    edges = np.flatnonzero(np.diff(days[order], prepend=-(2**31) + 1, append=2**31 - 1))
    name = f"{uuid.uuid4().hex}.parquet"
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        chosen = pa.array(order[start:end])
        path = f"{rows.table}/{day_name(int(days[order[start]]))}/{name}"
        yield Piece(path, partial(rows.batch.take, chosen))


def write_files(root: str, rows: list[Rows]) -> None:
    """Writes the files of some tables; returns when all are there."""
    pieces = [piece for table in rows if len(table.batch) for piece in plan_files(table)]
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(lambda piece: put(root, piece.path, parquet(piece.rows())), pieces):
            pass


def parquet(batch: pa.RecordBatch) -> pa.Buffer:
    """A batch as one Parquet file: zstd, ids by dictionary, times as deltas, plain types that any engine reads."""
    table = pa.Table.from_batches([plain(batch)])
    times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        row_group_size=row_group_size(len(table)),
        use_dictionary=[_leaf(field) for field in table.schema if _repeats(field)],
        column_encoding=dict.fromkeys(times, "DELTA_BINARY_PACKED"),
        write_statistics=True,
        write_page_index=True,
        store_schema=False,
    )
    return sink.getvalue()


def row_group_size(rows: int) -> int:
    """Rows of each row group: all of one size, so that none is small where there are many rows.

    >>> row_group_size(16_000_000), row_group_size(1_250_000), row_group_size(29_999), row_group_size(3)
    (1000000, 156250, 15000, 3)
    """
    groups = max(1, min(_GROUPS, rows // LEAST_ROWS), -(-rows // _MOST_ROWS))
    return max(1, -(-rows // groups))


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows without dictionaries that are larger than they: a file would carry the ids of all others."""
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) and len(column.dictionary) > len(column) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _repeats(field: pa.Field) -> bool:
    """Whether a column is of texts that occur again and again; a dictionary of counts or digests costs more than it saves."""
    kind = field.type.value_type if pa.types.is_list(field.type) or pa.types.is_dictionary(field.type) else field.type
    return bool(pa.types.is_string(kind)) and field.name != "digest"


def _leaf(field: pa.Field) -> str:
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else str(field.name)
