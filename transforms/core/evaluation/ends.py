"""Ends: until when each scale set of an evaluation is known (rules: T)."""

from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.core.columns.kernel import Ints


class Ends(NamedTuple):
    """T of each of some scale sets."""

    set_ids: pa.StringArray
    moments: Ints
    """Microseconds, an entry each scale set."""


End: TypeAlias = int | Ends
"""T: one for all scale sets, or one each."""


def end_of_each(T: End, table: pa.RecordBatch) -> Ints:
    """T of the scale set of each row of a table.

    Raises:
        KeyError: T is one each, and lacks one.
    """
    ids = table.column("scale_set_id")
    return ends_of(T, ids.dictionary)[ids.indices.to_numpy()] if len(table) else np.empty(0, np.int64)


def ends_of(T: End, set_ids: pa.StringArray) -> Ints:
    """T of each scale set.

    Args:
        T: one for all, or one each.
        set_ids: the scale sets, in any order.

    Raises:
        KeyError: T is one each, and lacks one.

    >>> ends_of(7, pa.array(["a", "b"])), ends_of(Ends(pa.array(["b", "a"]), np.array([3, 4])), pa.array(["a", "b"]))
    (array([7, 7]), array([4, 3]))
    """
    if not isinstance(T, Ends):
        return np.full(len(set_ids), T)
    place = pc.index_in(set_ids, T.set_ids)
    if place.null_count:
        raise KeyError(set_ids.filter(place.is_null())[0].as_py())
    return T.moments[place.to_numpy()]
