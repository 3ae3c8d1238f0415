"""Instance time by reported state and class, summed over scale sets and periods (rules: Ratios).

The kernel walks the runs of the series by (set, start), and cuts each at the edges of the periods:

    edges    |        |        |
    run          [=========)              two pieces; of each the time outside of all spells is its length less
    spells        [--)  [----)            what `covered` has at its end more than at its beginning

Invariant: runs ascend, so all pieces of one pair of a set and a period follow one another, and `place`, the first spell of the
set that begins at or after the end of the last piece, only moves forward.
"""

from typing import Final, NamedTuple

import numpy as np

from transforms.core.columns.kernel import Ints, inner_kernel, kernel
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
    used, s, p, place, times = 0, -1, 0, 0, np.zeros(by_set.shape[1], np.int64)
    for row in range(len(code)):
        t = start[row]
        while t < end[row]:
            if code[row] != s or t >= edges[p + 1]:
                _close(s, p, used, times, by_set, by_period, pair, sums)
                if code[row] != s:
                    s, p, place = code[row], 0, offsets[code[row]]
                while t >= edges[p + 1]:
                    p += 1
                used += 1
            cut, inside = min(end[row], edges[p + 1]), 0
            for sign, moment in ((-1, t), (1, cut)):
                while place < offsets[s + 1] and starts[place] < moment:
                    place += 1
                inside += sign * _covered(starts, ends, before, offsets[s], place, moment)
            _add_times(counts, row, cut - t, cut - t - inside, times)
            t = cut
    _close(s, p, used, times, by_set, by_period, pair, sums)
    return used


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
def _close(s: int, p: int, used: int, times: Ints, by_set: Ints, by_period: Ints, pair: Ints, sums: Ints) -> None:
    """Adds the times of the last pair, if there is one, to all that it is part of, and makes them 0 for the next."""
    if used == 0:
        return
    for column in range(len(times)):
        by_set[s, column] += times[column]
        by_period[p, column] += times[column]
        if len(pair) > 0:
            pair[used - 1, 0], pair[used - 1, 1] = s, p
            sums[used - 1, column] = times[column]
        times[column] = 0
