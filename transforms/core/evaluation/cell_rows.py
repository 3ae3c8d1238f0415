"""Cells of an evaluation: how many rows each has, and the digest of their content (rules: Cells; contract: Revisions).

The kernel merges three tables that are sorted by (set, cell): at each step it takes the smallest cell that any of them has next,
and all rows of it, table after table.

    availability   c0 c0 c1 c1      at[0] ->
    attributions   c1               at[1] ->       cells   c0: 2 + 0 + 1 rows,   c1: 2 + 1 + 0 rows
    operations     c0               at[2] ->

Invariant: rows of one cell are mixed in their order in the table, and each table's count behind them; so a row that moves to
another table, place or cell changes the digest.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.policy import Policy
from transforms.core.columns.arrow import micros
from transforms.core.columns.hashing import mix, mix_coded, mix_values, text_hashes
from transforms.core.columns.kernel import Ints, Words, kernel

CELLS: Final = pa.schema(
    [
        ("scale_set_id", pa.dictionary(pa.int32(), pa.string())),
        ("cell", TIMESTAMP),
        ("availability_rows", pa.int32()),
        ("attribution_rows", pa.int32()),
        ("operation_rows", pa.int32()),
        ("digest", pa.uint64()),
    ]
)


def _mix_column(hashes: Words, column: pa.Array) -> None:
    """Takes a column into the hash of each row, by content: not by place in a dictionary."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        codes = column.indices.fill_null(-1) if column.null_count else column.indices
        mix_coded(hashes, codes.to_numpy(), np.append(text_hashes(column.dictionary), np.uint64(0)))
    else:
        mix_values(hashes, _values(column))


def _values(column: pa.Array) -> Words:
    """A 64-bit value of each entry."""
    kind = column.type
    if pa.types.is_list(kind):
        return _list_hashes(column)
    if pa.types.is_string(kind):
        return text_hashes(column)
    if pa.types.is_floating(kind):
        return column.fill_null(-0.5).to_numpy().view(np.uint64)
    numbers = column.view(pa.int64()) if pa.types.is_timestamp(kind) else column.cast(pa.int64())
    return (numbers.fill_null(-(2**62)) if numbers.null_count else numbers).to_numpy().view(np.uint64)


@kernel
def _fold_lists(offsets: Ints, values: Words, out: Words) -> None:
    for row in range(len(out)):
        h = np.uint64(offsets[row + 1] - offsets[row])
        for at in range(offsets[row], offsets[row + 1]):
            h = mix(h, values[at])
        out[row] = h


def _list_hashes(column: pa.ListArray) -> Words:
    out = np.empty(len(column), np.uint64)
    _fold_lists(column.offsets.to_numpy().astype(np.int64), text_hashes(column.values), out)
    return out


def hash_tables(table: pa.RecordBatch) -> Words:
    """A hash of each row of a table without `as_of`, by content: the same whatever else is in the table."""
    hashes = np.zeros(table.num_rows, np.uint64)
    for column in table.columns:
        _mix_column(hashes, column)
    return hashes


@kernel
def _merge(
    sets: tuple[Ints, Ints, Ints], cells: tuple[Ints, Ints, Ints], hashes: tuple[Words, Words, Words], seed: np.uint64
) -> tuple[Ints, Ints, Ints, Words]:
    """Cells of three tables that are sorted by (set, cell): set, start, rows in each table, digest."""
    total = len(sets[0]) + len(sets[1]) + len(sets[2])
    out_set, out_cell = np.empty(total, np.int64), np.empty(total, np.int64)
    rows, digest = np.zeros((total, 3), np.int64), np.empty(total, np.uint64)
    at = np.zeros(3, np.int64)
    n = 0
    while True:
        found = False
        for k in range(3):
            if at[k] < len(sets[k]):
                s, c = sets[k][at[k]], cells[k][at[k]]
                if not found or s < out_set[n] or (s == out_set[n] and c < out_cell[n]):
                    out_set[n], out_cell[n], found = s, c, True
        if not found:
            return out_set[:n], out_cell[:n], rows[:n], digest[:n]
        h = seed
        for k in range(3):
            while at[k] < len(sets[k]) and sets[k][at[k]] == out_set[n] and cells[k][at[k]] == out_cell[n]:
                h = mix(h, hashes[k][at[k]])
                rows[n, k] += 1
                at[k] += 1
            h = mix(h, np.uint64(rows[n, k]))
        digest[n] = h
        n += 1


def cells_of(
    availability: pa.RecordBatch, attributions: pa.RecordBatch, operations: pa.RecordBatch, policy: Policy
) -> pa.RecordBatch:
    """The cells of three tables that share one sorted dictionary of scale sets; one row a cell that has rows in any of them."""
    tables = (availability, attributions, operations)
    sets: Any = tuple(table["scale_set_id"].indices.to_numpy().astype(np.int64) for table in tables)
    starts: Any = tuple(micros(table, "cell") for table in tables)
    seed = text_hashes(pa.array([policy.hash]))[0]
    hashes = (hash_tables(availability), hash_tables(attributions), hash_tables(operations))
    of_set, cell, rows, digest = _merge(sets, starts, hashes, seed)
    counts = [pa.array(rows[:, k].astype(np.int32)) for k in range(3)]
    ids = pa.DictionaryArray.from_arrays(pa.array(of_set.astype(np.int32)), availability["scale_set_id"].dictionary)
    return pa.RecordBatch.from_arrays([ids, pa.array(cell).view(TIMESTAMP), *counts, pa.array(digest)], schema=CELLS)
