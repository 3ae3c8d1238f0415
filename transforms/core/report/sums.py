"""Instance time by reported state and class, summed over scale sets and periods (rules: Ratios).

The kernel walks the runs of the series set by set, and cuts each at the edges of the periods:

    edges    |        |        |
    run          [=========)              two pieces; of each the time outside of all spells is its length less
    spells        [--)  [----)            what `covered` has at its end more than at its beginning

Invariant: the runs of a set ascend, so all pieces of one pair of a set and a period follow one another, and `place`, the first
spell of the set that begins at or after the end of the last piece, only moves forward.
"""

from typing import Final, NamedTuple

import numpy as np

from transforms.core.columns.kernel import Bools, Ints, inner_kernel, kernel
from transforms.core.report.series import COUNTS, Counts, Runs
from transforms.core.report.spells import Spells

OUTSIDE: Final = ("outside_up", "outside_bad")
TIMES: Final = (*COUNTS, *OUTSIDE)
"""Columns of sums, in microseconds of instance time."""
_UP: Final = COUNTS.index("up")
_BAD: Final = tuple(COUNTS.index(name) for name in ("degraded", "unavailable", "overrun"))


class Sums(NamedTuple):
    """Instance time of TIMES, one column each."""

    by_set: Ints
    by_period: Ints
    each: Ints
    """Of all pairs of a set and a period, period by period within a set; no rows where they are not wanted."""
    told: Bools
    """Which of these have any time."""

    @property
    def pairs(self) -> Ints:
        """Those that have."""
        return np.flatnonzero(self.told)


def no_sums(sets: int, periods: int, each: bool) -> Sums:
    """Sums of no run.

    Args:
        sets: how many.
        periods: how many.
        each: whether sums for each pair of set and period are wanted.
    """
    pairs = sets * periods if each else 0
    by_set, by_period, each_pair = (np.zeros((size, len(TIMES)), np.int64) for size in (sets, periods, pairs))
    return Sums(by_set, by_period, each_pair, np.zeros(pairs, np.bool_))


def add_times(sums: Sums, runs: Runs, edges: tuple[int, ...], spells: Spells) -> None:
    """Adds what lies within [edges[0], edges[-1]).

    Args:
        sums: of earlier runs; they are changed.
        runs: clipped to the edges; those of a set stand together, and ascend.
        edges: of the periods, in microseconds.
        spells: time of each set that is not *outside*.
    """
    _add(runs.set, runs.start, runs.end, runs.counts, np.array(edges, np.int64), *spells, *sums)


def sum_times(runs: Runs, edges: tuple[int, ...], spells: Spells, each: bool) -> Sums:
    """The same of all runs at once."""
    sums = no_sums(len(runs.ids), len(edges) - 1, each)
    add_times(sums, runs, edges, spells)
    return sums


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
    each: Ints,
    told: Bools,
) -> None:
    """Adds the time of each run to its set, its period and (where that is wanted) its pair of both."""
    s, p, place, times = -1, 0, 0, np.zeros(by_set.shape[1], np.int64)
    for row in range(len(code)):
        t = start[row]
        while t < end[row]:
            if code[row] != s or t >= edges[p + 1]:
                _close(s, p, times, by_set, by_period, each, told)
                if code[row] != s:
                    s, p, place = code[row], 0, offsets[code[row]]
                while t >= edges[p + 1]:
                    p += 1
            cut, inside = min(end[row], edges[p + 1]), 0
            for sign, moment in ((-1, t), (1, cut)):
                while place < offsets[s + 1] and starts[place] < moment:
                    place += 1
                inside += sign * _covered(starts, ends, before, offsets[s], place, moment)
            _add_times(counts, row, cut - t, cut - t - inside, times)
            t = cut
    _close(s, p, times, by_set, by_period, each, told)


@inner_kernel
def _covered(starts: Ints, ends: Ints, before: Ints, first: int, place: int, t: int) -> int:
    """How much of the spells of a set, from the first on, lies before t; `place` is the first that begins at or after t."""
    return 0 if place == first else before[place - 1] + min(ends[place - 1], t) - starts[place - 1]


@inner_kernel
def _add_times(counts: Counts, row: int, length: int, outside: int, times: Ints) -> None:
    """Adds TIMES of one interval; `outside` is the part of its length outside of all spells."""
    for column in range(len(counts)):
        times[column] += counts[column, row] * length
    times[-2] += counts[_UP, row] * outside
    for bad in _BAD:
        times[-1] += counts[bad, row] * outside


@inner_kernel
def _close(s: int, p: int, times: Ints, by_set: Ints, by_period: Ints, each: Ints, told: Bools) -> None:
    """Adds the times of the last pair, if there is one, to all that it is part of, and makes them 0 for the next."""
    if s < 0:
        return
    pair = s * len(by_period) + p
    if len(told) > 0:
        told[pair] = True
    for column in range(len(times)):
        by_set[s, column] += times[column]
        by_period[p, column] += times[column]
        if len(told) > 0:
            each[pair, column] += times[column]
        times[column] = 0
