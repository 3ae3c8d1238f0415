"""The time in which operations are under way or settling, for each scale set (rules: Limit)."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import NEVER, sort_by
from transforms.core.report.series import in_order, numbered, times


class Spells(NamedTuple):
    """Separate stretches of time of each scale set, ascending."""

    offsets: Ints
    """`start[offsets[s]:offsets[s + 1]]` are those of set s."""
    start: Ints
    end: Ints
    before: Ints
    """How much time the earlier ones of its set have."""


def spells_of(operations: pa.Table, ids: pa.StringArray) -> Spells:
    """The union of [start, limit) of all operations that excuse.

    Args:
        operations: current rows of table `operations`.
        ids: the scale sets, by whose order they are numbered.
    """
    excusing = operations.select(["scale_set_id", "start", "limit"]).filter(operations.column("excuses"))
    _, code = numbered(excusing.column("scale_set_id"), ids)
    return merged(code, times(excusing, "start"), times(excusing, "limit"), len(ids))


def no_spells(sets: int) -> Spells:
    """Spells of no operation."""
    return Spells(np.zeros(sets + 1, np.int64), *[np.zeros(0, np.int64)] * 3)


def merged(code: Ints, start: Ints, end: Ints, sets: int) -> Spells:
    """Stretches of time without overlaps; code -1 is left out."""
    kept = (code >= 0) & (start < end)
    code, start, end = code[kept], start[kept], end[kept]
    order = in_order(code, start, sets)
    code, start, end = code[order], start[order], end[order]
    reached = _running_end(code, end)
    first = np.ones(len(code), np.bool_)
    first[1:] = (code[1:] != code[:-1]) | (start[1:] > reached[:-1])
    begins = np.flatnonzero(first)
    last = np.append(begins[1:], len(code))[: len(begins)] - 1
    offsets = np.searchsorted(code[begins], np.arange(sets + 1))
    length = reached[last] - start[begins]
    total = np.cumsum(length) - length
    base = np.append(total, 0)[offsets[:-1]]
    before = total - np.repeat(base, np.diff(offsets))
    return Spells(offsets, start[begins], reached[last], before)


def _running_end(code: Ints, end: Ints) -> Ints:
    """The latest end so far within each set. Ends are ranked and shifted by set, so that one running maximum serves all sets."""
    least, rows = end.min(initial=NEVER), np.arange(len(end))
    ends, order = sort_by(end - least, rows)
    rank = np.empty_like(rows)
    rank[order] = rows
    shift = code * len(end)
    highest: Ints = np.maximum.accumulate(rank + shift) - shift
    return ends[highest] + least
