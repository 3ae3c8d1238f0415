"""Order of texts, by code point, without a Python object for each: ranks of dictionaries, and of rows that tie."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.core.columns.kernel import Ints


def rank_of(texts: pa.StringArray) -> Ints:
    """The place of each (distinct) text in code point order (Arrow compares UTF-8 bytes, which sort alike)."""
    order = pc.sort_indices(texts).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def tie_ranks(texts: pa.StringArray, keys: tuple[Ints, ...], places: Ints | None = None) -> Ints:
    """Zeros, but among rows that are equal in all `keys` the rank of their text: only those need to be compared. `places` says
    which of the texts each row has; None: they are as many."""
    ranks = np.zeros(len(keys[0]), np.int64)
    if len(ranks) < 2:
        return ranks
    order = np.lexsort(keys[::-1])
    same = np.logical_and.reduce([key[order][1:] == key[order][:-1] for key in keys])
    tied = np.zeros(len(order), np.bool_)
    tied[1:] |= same
    tied[:-1] |= same
    rows = order[tied]
    if len(rows):
        coded = pc.take(texts, pa.array(rows if places is None else places[rows])).dictionary_encode()
        ranks[rows] = rank_of(coded.dictionary)[coded.indices.to_numpy()]
    return ranks
