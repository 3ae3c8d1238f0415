"""Groups of scale sets: the keys under which events travel."""

import zlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from transforms.core.columns.arrow import Ints


def group_codes(ids: pa.StringArray, groups: int) -> Ints:
    """The group of each id in [0, groups): a hash that is the same in every process and run."""
    return np.array([zlib.crc32(text.encode()) % groups for text in ids.to_pylist()], np.int64)


def group_keys(groups: int) -> list[str]:
    """The key of each group."""
    return [str(group) for group in range(groups)]


def split_by_group(batch: pa.RecordBatch, groups: int | None) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows of a batch by the group of their scale set: one (key, rows) a group that has any, rows in their order.

    Args:
        batch: any table with a dictionary column `scale_set_id`.
        groups: how many; None: one a scale set, whose id is then the key.
    """
    if groups == 1:
        yield from [("0", batch)] if len(batch) else []
        return
    names, codes = _codes(batch, groups)
    order = np.argsort(codes, kind="stable")
    edges = np.flatnonzero(np.diff(codes[order], prepend=-1, append=-1))
    rows = batch.take(pa.array(order)) if len(edges) > 2 else batch
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield names[codes[order[start]]], rows.slice(start, end - start)


def _codes(batch: pa.RecordBatch, groups: int | None) -> tuple[list[str], Ints]:
    ids = batch.column("scale_set_id")
    indices: Ints = ids.indices.to_numpy()
    if groups is None:
        return ids.dictionary.to_pylist(), indices
    return group_keys(groups), group_codes(ids.dictionary, groups)[indices]
