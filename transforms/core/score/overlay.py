"""Time laid over time: how long what two kinds of intervals say holds together."""

from typing import NamedTuple

import numpy as np

from transforms.core.columns.kernel import Ints


class CodedSpells(NamedTuple):
    """Intervals with a code above 0; no two of one key overlap."""

    key: Ints
    start: Ints
    end: Ints
    code: Ints


def lay(one: CodedSpells, other: CodedSpells, shape: tuple[int, int]) -> Ints:
    """Time by the codes of both, of all keys together; 0 where there is no interval. Not what lies outside of all intervals.

    >>> a, b = (np.array([number]) for number in (7, 1))
    >>> lay(CodedSpells(a, b, b + 4, b), CodedSpells(a, b + 3, b + 9, b + 1), (2, 3)).tolist()
    [[0, 0, 5], [3, 0, 1]]
    """
    sizes = [len(one.code)] * 2 + [len(other.code)] * 2
    key = np.concatenate([one.key, one.key, other.key, other.key])
    time = np.concatenate([one.start, one.end, other.start, other.end])
    first = np.concatenate([one.code, np.zeros(sizes[0], np.int64), np.full(2 * sizes[2], -1)])
    second = np.concatenate([np.full(2 * sizes[0], -1), other.code, np.zeros(sizes[2], np.int64)])
    order = np.lexsort((np.repeat([1, 0, 1, 0], sizes), time, key))  # what ends at a moment comes before what begins there
    key, time = key[order], time[order]
    length = np.where(np.diff(key, append=-1) == 0, np.diff(time, append=0), 0)
    sums = np.zeros(shape, np.int64)
    at = _carried(first[order]), _carried(second[order])
    np.add.at(sums, at, np.where((at[0] > 0) | (at[1] > 0), length, 0))
    return sums


def _carried(codes: Ints) -> Ints:
    """Each entry that is -1 replaced by the last one before it that is not; 0 where there is none."""
    last = np.maximum.accumulate(np.where(codes >= 0, np.arange(len(codes)), -1))
    carried: Ints = np.where(last >= 0, codes[last], 0)
    return carried


def union(key: Ints, start: Ints, end: Ints) -> CodedSpells:
    """When at least one of some intervals of a key holds; codes 1."""
    keys, time = np.tile(key, 2), np.concatenate([start, end])
    step = np.repeat([1, -1], len(key))
    order = np.lexsort((-step, time, keys))  # what touches is one
    keys, time, step = keys[order], time[order], step[order]
    depth = np.cumsum(step)
    begins, ends = (depth == 1) & (step == 1), depth == 0
    return CodedSpells(keys[begins], time[begins], time[ends], np.ones(int(begins.sum()), np.int64))
