"""Targets: whom an operation concerns, as its records tell or the operation before it hands on, and which of others start beside
it (rules: Targets, Targets handed on, Adds).

`hand_on` walks operations by key and time; targets go from one to the next, as long as each begins as the end of the one before:

    op          0 names 1, 2     1 of no target, after 0    2 of no target, after 1
    handed_by   -1               0                          1

`count_beside` slides a window [start - skew, start + skew] over operations in order of (scale set, start). Invariant: both its
ends only move forward, and `inside` counts what is between them.

    others      x    x  |  x   op   x |     x
                        lo            hi
"""

from typing import Final

import numpy as np

from transforms.core.columns.kernel import Bools, Ints, kernel

NAMED, ALL, UNNAMED = 0, 1, 2
NONE: Final = -1
"""The position of no operation."""


def widest_targets(of_record: Ints, target: Ints, operations: int) -> Ints:
    """Of each operation: all if any of its records says all, else named if any names an instance, else unnamed.

    Args:
        of_record: The operation of each record.
        target: What each record says.
        operations: How many operations there are.
    """
    seen = np.zeros((operations, 3), np.bool_)
    seen[of_record, target] = True
    return np.where(seen[:, ALL], ALL, np.where(seen[:, NAMED], NAMED, UNNAMED)).astype(np.int64)


@kernel
def hand_on(after: Bools, target: Ints) -> Ints:
    """Hands targets on along the operations of each key, in order of time.

    Args:
        after: Whether the operation just before hands its targets on to this one, if its own records tell of none.
        target: What the records of each tell; becomes what it is with the targets handed on.

    Returns:
        Of each operation the position of the one that hands it targets, -1 if none does.
    """
    handed_by = np.full(len(after), NONE)
    for op in range(1, len(after)):
        if after[op] and target[op] == UNNAMED and target[op - 1] != UNNAMED:
            target[op], handed_by[op] = target[op - 1], op - 1
    return handed_by


def with_handed(pairs: Ints, width: int, handed_by: Ints) -> Ints:
    """The instances that each operation names, with those that were handed on to it.

    Args:
        pairs: What the records tell: operation x width + instance, ascending, each once.
        width: More than any instance code.
        handed_by: See `hand_on`.
    """
    heirs, source = np.flatnonzero(handed_by != NONE), handed_by.copy()
    while len(again := heirs[source[source[heirs]] != NONE]):  # back to the one that was told them
        source[again] = source[source[again]]
    lo, hi = (np.searchsorted(pairs, (source[heirs] + more) * width) for more in (0, 1))
    lengths = hi - lo
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    handed = np.repeat(heirs, lengths) * width + pairs[np.repeat(lo, lengths) + within] % width
    return np.sort(np.concatenate([pairs, handed])) if len(handed) else pairs


@kernel
def count_beside(which: Ints, set_: Ints, start: Ints, others: Bools, skew: int) -> Ints:
    """How many of each row of `others` start at most `skew` before or after each of `which`, in the same scale set.

    Args:
        which: Positions of operations, ascending.
        set_: The scale set of each operation; they are in order of (scale set, start).
        start: When each starts, microseconds.
        others: A row a question, an entry each operation.
        skew: Microseconds.
    """
    count = np.zeros((len(others), len(which)), np.int64)
    inside = np.zeros(len(others), np.int64)
    lo = hi = 0
    for i in range(len(which)):
        op = which[i]
        while hi < len(start) and (set_[hi] < set_[op] or (set_[hi] == set_[op] and start[hi] <= start[op] + skew)):
            inside += others[:, hi]
            hi += 1
        while set_[lo] < set_[op] or start[lo] < start[op] - skew:
            inside -= others[:, lo]
            lo += 1
        count[:, i] = inside
    return count
