"""Instance time by reported state and class, summed over scale sets and periods (rules: Ratios).

The kernel walks the runs of the series by (set, start), and cuts each at the edges of the periods:

    edges    |        |        |
    run          [=========)              two pieces; of each the time outside of all spells is its length less
    spells        [--)  [----)            what `covered` has at its end more than at its beginning

Invariant: runs ascend, so all pieces of one pair of a set and a period follow one another, and the last pair is the only one
that can still grow.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.core.columns.kernel import Ints, first_at_or_after, inner_kernel, kernel
from transforms.core.report.series import COUNTS, Runs
from transforms.core.report.spells import Spells

OUTSIDE: Final = ("outside_up", "outside_bad")
TIMES: Final = (*COUNTS, *OUTSIDE)
"""Columns of sums, in microseconds of instance time."""
_UP: Final = COUNTS.index("up")
_BAD: Final = tuple(COUNTS.index(name) for name in ("degraded", "unavailable", "overrun"))


Counts = npt.NDArray[np.int32]


class Sums(NamedTuple):
    """Instance time of TIMES, one column each."""

    by_set: Ints
    by_period: Ints
    set: Ints
    """Of each pair of a scale set and a period that has any time: the set, ..."""
    period: Ints
    """... the period, ..."""
    each: Ints
    """... and its sums."""


def sum_times(runs: Runs, edges: tuple[int, ...], spells: Spells, each: bool) -> Sums:
    """Sums of runs that lie within [edges[0], edges[-1]).

    Args:
        runs: clipped to the edges.
        edges: of the periods, in microseconds.
        spells: time of each set that is not *outside*.
        each: whether sums for each pair of set and period are wanted.
    """
    sets, periods, width = len(runs.ids), len(edges) - 1, len(TIMES)
    edge = np.array(edges, np.int64)
    pieces = np.searchsorted(edge, runs.end - 1, "right") - np.searchsorted(edge, runs.start, "right") + 1
    room = min(sets * periods, int(pieces.sum())) if each else 0
    by_set, by_period = np.zeros((sets, width), np.int64), np.zeros((periods, width), np.int64)
    pair, sums = np.empty((room, 2), np.int64), np.zeros((room, width), np.int64)
    lists = (spells.offsets, spells.start, spells.end, spells.before)
    used = _add(runs.set, runs.start, runs.end, runs.counts, edge, *lists, by_set, by_period, pair, sums)
    return Sums(by_set, by_period, pair[:used, 0], pair[:used, 1], sums[:used])


@inner_kernel
def covered(offsets: Ints, starts: Ints, ends: Ints, before: Ints, s: int, t: int) -> int:
    """How much of the spells of set s lies before t."""
    place = first_at_or_after(starts, offsets[s], offsets[s + 1], t)
    if place == offsets[s]:
        return 0
    return before[place - 1] + min(ends[place - 1], t) - starts[place - 1]


@kernel
def _add(
    code: Ints,
    start: Ints,
    end: Ints,
    counts: Counts,
    edges: Ints,
    offsets: Ints,
    starts: Ints,
    ends: Ints,
    before: Ints,
    by_set: Ints,
    by_period: Ints,
    pair: Ints,
    sums: Ints,
) -> int:
    """Adds the time of each run to its set, its periods and (where there is room) its pairs; says how many pairs there are."""
    used, times = 0, np.zeros(by_set.shape[1], np.int64)
    for row in range(len(code)):
        s, t = code[row], start[row]
        p = np.searchsorted(edges, t, side="right") - 1
        while t < end[row]:
            cut = min(end[row], edges[p + 1])
            inside = covered(offsets, starts, ends, before, s, cut) - covered(offsets, starts, ends, before, s, t)
            _times(counts, row, cut - t, cut - t - inside, times)
            by_set[s] += times
            by_period[p] += times
            if len(pair) > 0:
                if used == 0 or pair[used - 1, 0] != s or pair[used - 1, 1] != p:
                    pair[used, 0], pair[used, 1] = s, p
                    used += 1
                sums[used - 1] += times
            t, p = cut, p + 1
    return used


@inner_kernel
def _times(counts: Counts, row: int, length: int, outside: int, times: Ints) -> None:
    """TIMES of one interval; `outside` is the part of its length outside of all spells."""
    for column in range(len(counts)):
        times[column] = counts[column, row] * length
    times[-2] = counts[_UP, row] * outside
    times[-1] = 0
    for bad in _BAD:
        times[-1] += counts[bad, row] * outside
