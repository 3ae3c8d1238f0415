"""Rows by their scale set: which scale sets a table has rows of, and the rows of some of them."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.core.columns.batches import compact
from transforms.core.columns.kernel import Bools, Ints


def ids_in_use(batch: pa.RecordBatch) -> pa.StringArray:
    """The scale sets of which a table has rows, each once."""
    ids = batch.column("scale_set_id")
    used = np.zeros(len(ids.dictionary), np.bool_)
    used[ids.indices.to_numpy()] = True
    return ids.dictionary if used.all() else ids.dictionary.filter(pa.array(used))


def places_of(ids: pa.DictionaryArray, names: pa.StringArray) -> Ints:
    """For each entry of a column of scale sets its place among some; -1: it is none of them."""
    return places_among(ids.dictionary, names)[ids.indices.to_numpy()] if len(ids) else np.empty(0, np.int64)


def places_among(texts: pa.StringArray, names: pa.StringArray) -> Ints:
    """For each text its place among some names; -1: it is none of them."""
    found = pc.index_in(texts, names)
    place: Ints = (found.fill_null(-1) if found.null_count else found).to_numpy().astype(np.int64)
    return place


def are_among(batch: pa.RecordBatch, names: pa.StringArray) -> Bools:
    """Which rows of a table are of some scale sets."""
    among: Bools = places_of(batch.column("scale_set_id"), names) >= 0
    return among


def rows_at(batch: pa.RecordBatch, which: Bools) -> pa.RecordBatch:
    """Some rows of a table, with dictionaries of no other ids."""
    return compact(batch if which.all() else batch.filter(pa.array(which)))


def rows_among(batch: pa.RecordBatch, names: pa.StringArray) -> pa.RecordBatch:
    """The rows of a table that are of some scale sets, and ids of no others; the table itself, if it knows no others."""
    among = are_among(batch, names)
    whole = among.all() and len(ids_in_use(batch)) == len(batch.column("scale_set_id").dictionary)
    return batch if whole else rows_at(batch, among)


def by_place(ufunc: Any, values: Ints, places: Ints, number: int, initial: int) -> Ints:
    """The least or greatest (np.minimum, np.maximum) of the values at each place.

    >>> by_place(np.maximum, np.array([3, 5]), np.array([1, 1]), 2, 0)
    array([0, 5])
    """
    out = np.full(number, initial)
    ufunc.at(out, places, values)
    return out
