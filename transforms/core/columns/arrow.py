"""Columns of batches: one batch of many, times as numbers, and the order in which rows are written (contract: Parquet)."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]


def no_rows(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows.

    >>> len(no_rows(pa.schema([("a", pa.int8())])))
    0
    """
    return pa.RecordBatch.from_arrays([pa.array([], kind) for kind in schema.types], schema=schema)


def one_batch(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """The rows of all batches as one, with one dictionary a column."""
    filled = [batch for batch in batches if len(batch)] or batches[:1]
    if len(filled) == 1:
        return filled[0]
    joined = pa.Table.from_batches(filled, schema).unify_dictionaries().combine_chunks().to_batches()
    return joined[0] if joined else no_rows(schema)


def micros(batch: pa.RecordBatch, column: str) -> Ints:
    """A column of timestamps without nulls as microseconds."""
    numbers: Ints = batch.column(column).view(pa.int64()).to_numpy()  # a cast would cost five times as much
    return numbers


def codes_of(column: pa.DictionaryArray) -> Ints:
    """The code of each row of a dictionary column; -1: null."""
    indices = column.indices
    codes: Ints = (indices.fill_null(-1) if indices.null_count else indices).to_numpy().astype(np.int64, copy=False)
    return codes


def dictionary_column(
    codes: npt.NDArray[Any],
    names: pa.StringArray,
    null: npt.NDArray[np.bool_] | None = None,
    width: type[np.integer[Any]] = np.int32,
) -> pa.DictionaryArray:
    """A dictionary column of codes; under a null the index is 0 whatever the code.

    Arrow follows the index there too when it unifies dictionaries: one that points outside reads foreign memory (seen: a crash).

    >>> dictionary_column(np.array([1, -1]), pa.array(["a", "b"]), np.array([False, True])).to_pylist()
    ['b', None]
    """
    followed = codes if null is None else np.where(null, 0, codes)
    return pa.DictionaryArray.from_arrays(pa.array(followed.astype(width, copy=False), mask=null), names)


def follows(later: pa.RecordBatch, batch: pa.RecordBatch) -> bool:
    """Whether the scale sets of a table, in order of them, all come behind those of another."""
    if not len(later) or not len(batch):
        return True
    last, first = batch.column("scale_set_id")[-1].as_py(), later.column("scale_set_id")[0].as_py()
    return bool(last.encode() < first.encode())


def sorted_rows(batch: pa.RecordBatch, time: str) -> pa.RecordBatch:
    """The rows by scale_set_id, then by the column `time`; equal ones keep their order."""
    ids = batch.column("scale_set_id")
    rank = np.empty(len(ids.dictionary), np.int64)
    rank[pc.sort_indices(ids.dictionary).to_numpy()] = np.arange(len(ids.dictionary))
    order = np.lexsort((micros(batch, time), rank[ids.indices.to_numpy()]))
    return batch.take(pa.array(order))
