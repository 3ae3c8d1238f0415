"""Instance time by reported state and class, summed over scale sets and periods (semantics.md 6)."""

from typing import Final, NamedTuple

import numpy as np

from transforms.core.kernel import Ints, first_at_or_after, kernel
from transforms.core.report.series import COUNTS, Runs
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
        each: whether pairs of set and period are wanted.
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
def covered(offsets: Ints, starts: Ints, ends: Ints, before: Ints, s: int, t: int) -> int:
    """How much of the spells of set s lies before t."""
    place = first_at_or_after(starts, offsets[s], offsets[s + 1], t)
    if place == offsets[s]:
        return 0
    return before[place - 1] + min(ends[place - 1], t) - starts[place - 1]


@kernel
def _add(code, start, end, counts, edges, offsets, starts, ends, before, by_set, by_period, pair, sums):  # type: ignore[no-untyped-def]
    used = 0
    for row in range(len(code)):
        s, t = code[row], start[row]
        p = np.searchsorted(edges, t, side="right") - 1
        while t < end[row]:
            cut = min(end[row], edges[p + 1])
            length = cut - t
            inside = covered(offsets, starts, ends, before, s, cut) - covered(offsets, starts, ends, before, s, t)
            if len(pair) > 0 and (used == 0 or pair[used - 1, 0] != s or pair[used - 1, 1] != p):
                pair[used, 0], pair[used, 1] = s, p
                used += 1
            for column in range(counts.shape[1] + 2):
                time = 0
                if column < counts.shape[1]:
                    time = counts[row, column] * length
                elif column == counts.shape[1]:
                    time = counts[row, _UP] * (length - inside)
                else:
                    for bad in _BAD:
                        time += counts[row, bad] * (length - inside)
                by_set[s, column] += time
                by_period[p, column] += time
                if len(pair) > 0:
                    sums[used - 1, column] += time
            t, p = cut, p + 1
    return used
