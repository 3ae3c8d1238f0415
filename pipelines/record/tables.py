"""The tables as Parquet files: one a day of a table and flush, sorted, with statistics (contract: Parquet, Folder)."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.record.folder import put, threads_for
from schemas.time import DAY, format_time
from transforms.core.columns.arrow import Ints, follows, micros, one_batch, sorted_rows

_GROUPS: Final = 8
"""Row groups of a file: the more, the less is read for one scale set of many."""
LEAST_ROWS: Final = 10_000
_MOST_ROWS: Final = 1_000_000
"""Of a row group, where a file has that many."""
_THREADS: Final = 4
_REPEATED: Final = 8
"""So often the values of a dictionary must occur in a row group for it to be written as it is."""
_AT_ONCE: Final = 16_384
"""Values that are encoded at once: of fewer, the calls cost a twentieth of the whole."""


class Rows(NamedTuple):
    """Rows of one table."""

    table: str
    batches: list[pa.RecordBatch]
    """One: in the order in which it is written. Many: each by scale_set_id and `day_of`, and so they are written together."""
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
    """The files of some rows: one a day."""
    days: dict[int, list[tuple[pa.RecordBatch, pa.Array]]] = defaultdict(list)
    for batch in rows.batches:
        for day, places in _by_day(micros(batch, rows.day_of) // DAY):
            days[day].append((batch, places))
    name = f"{uuid.uuid4().hex}.parquet"
    for day, chosen in sorted(days.items()):
        yield Piece(f"{rows.table}/{day_name(day)}/{name}", partial(_together, chosen, rows.day_of))


def _by_day(days: Ints) -> Iterator[tuple[int, pa.Array]]:
    """The days that occur, and where, in order."""
    order = np.argsort(days.astype(np.int32), kind="stable")
    edges = np.flatnonzero(np.diff(days[order], prepend=-(2**31), append=2**31))
    for start, end in pairwise(edges.tolist()):
        yield int(days[order[start]]), pa.array(order[start:end])


def _together(chosen: list[tuple[pa.RecordBatch, pa.Array]], time: str) -> pa.RecordBatch:
    """Some rows of each batch, as one in order."""
    batches = [batch.take(places) for batch, places in chosen]
    if len(batches) == 1:
        return batches[0]
    rows, kept = sum(map(len, batches)), batches[0].schema.names
    # Else they would be brought together, which looks at each id of all days again.
    large = [name for name in kept if sum(map(_dictionary_size, (batch.column(name) for batch in batches))) > rows]
    alike = [plain(batch, [name for name in large if name != "scale_set_id"]) for batch in batches]
    joined = one_batch(alike, alike[0].schema)
    return joined if all(follows(later, batch) for batch, later in pairwise(batches)) else sorted_rows(joined, time)


def _dictionary_size(column: pa.Array) -> int:
    return len(column.dictionary) if pa.types.is_dictionary(column.type) else 0


def write_files(root: str, rows: list[Rows]) -> None:
    """Writes the files of some tables; returns when all are there."""
    pieces = [piece for table in rows for piece in plan_files(table)]
    with ThreadPoolExecutor(threads_for(root, _THREADS)) as pool:
        for _ in pool.map(lambda piece: put(root, piece.path, parquet(piece.rows())), pieces):
            pass


def parquet(batch: pa.RecordBatch) -> pa.Buffer:
    """A batch as one Parquet file: zstd, ids by dictionary, times as deltas, plain types that any engine reads."""
    group = row_group_size(len(batch))
    # Each row group would carry a dictionary whole; of plain values it gets one of its own.
    large = [name for name in batch.schema.names if _dictionary_size(batch.column(name)) > group // _REPEATED]
    table = pa.Table.from_batches([plain(batch, large)])
    times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        row_group_size=group,
        write_batch_size=_AT_ONCE,
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


def plain(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    """The rows with some columns without dictionaries: where these are larger than they, a file would carry all other ids."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    return pa.RecordBatch.from_pydict(columns | {name: columns[name].dictionary_decode() for name in names})


def _repeats(field: pa.Field) -> bool:
    """Whether a column is of texts that occur again and again; a dictionary of counts or digests costs more than it saves."""
    kind = field.type.value_type if pa.types.is_list(field.type) or pa.types.is_dictionary(field.type) else field.type
    return bool(pa.types.is_string(kind)) and field.name != "digest"


def _leaf(field: pa.Field) -> str:
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else str(field.name)
