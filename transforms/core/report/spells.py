"""The time in which operations are under way or settling, for each scale set (rules: Limit)."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import kernel
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
    offsets, spells = np.zeros(sets + 1, np.int64), np.empty((3, len(code)), np.int64)
    size = _merge(code[order], start[order], end[order], offsets, *spells)
    return Spells(offsets, *(column[:size].copy() for column in spells))


@kernel
def _merge(code: Ints, start: Ints, end: Ints, offsets: Ints, starts: Ints, ends: Ints, before: Ints) -> int:
    """Writes the union of stretches of each set, which ascend; gives how many there are."""
    n, row = 0, 0
    for s in range(len(offsets) - 1):
        offsets[s] = n
        while row < len(code) and code[row] == s:
            if n > offsets[s] and start[row] <= ends[n - 1]:
                ends[n - 1] = max(ends[n - 1], end[row])
            else:
                starts[n], ends[n] = start[row], end[row]
                before[n] = before[n - 1] + ends[n - 1] - starts[n - 1] if n > offsets[s] else 0
                n += 1
            row += 1
    offsets[-1] = n
    return n
