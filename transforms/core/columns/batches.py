"""Record batches of EVENTS that carry no more than they use: dictionaries of ids compacted and unified."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.event import EVENTS, IDS, empty_events
from transforms.core.columns.arrow import dictionary_column


def compact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with dictionaries of ids that hold only values in use, each once; O(rows + dictionary).

    A slice of a batch still carries the dictionaries of the whole: compact it before it crosses a stage.
    """
    columns = [
        _compact(column) if name in IDS and pa.types.is_dictionary(column.type) else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def concat(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of EVENTS of many, in their order, with unified dictionaries; an empty one of none."""
    filled = [batch for batch in batches if batch.num_rows]
    if len(filled) < 2:
        return filled[0] if filled else empty_events()
    table = pa.Table.from_batches(filled, EVENTS).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]


def _compact(column: pa.DictionaryArray) -> pa.DictionaryArray:
    size, indices = len(column.dictionary), column.indices
    codes = (indices.fill_null(0) if indices.null_count else indices).to_numpy()
    valid = None if indices.null_count == 0 else indices.is_valid().to_numpy(zero_copy_only=False)
    used = np.zeros(size + 1, bool)
    used[codes if valid is None else codes[valid]] = True
    if used[:size].all():
        return column
    renumbered = np.cumsum(used, dtype=np.int32)[codes] - 1 if size else codes
    names = column.dictionary.take(pa.array(np.flatnonzero(used[:size])))
    return dictionary_column(renumbered, names, None if valid is None else ~valid)
