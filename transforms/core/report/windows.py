"""The worst window: the lowest availability of any stretch of time of one length, wherever it begins (sliding).

A window lies where the group is known from its first moment to its last: a set that is seen for the first time while it is bad
was not bad all week. Within a window availability is good / (good + bad) instance time. While the window slides, both change
linearly until either of its ends meets a change of the series; between two such moments the ratio only rises or only falls. So
the worst window begins or ends at a change (or at an edge of the period), and looking there finds it exactly.

The kernel lets the window slide over those moments, once with its beginning at them and once with its end:

    changes     m0        m1     m2            m3
    side 0      [t ............ t + width)                 t = m0, m1, ...
    side 1             [t ............ t + width)          t + width = m2, m3, ...

Invariant: within a side t only grows, so `left` and `right`, the changes at or before its two ends, only move forward.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.core.columns.kernel import Ints, array_kernel, inner_kernel, kernel

Floats = npt.NDArray[np.float64]


class Curve(NamedTuple):
    """Good and bad instances over time, of some groups; one entry an interval on which both are constant."""

    offsets: Ints
    """`start[offsets[g]:offsets[g + 1]]` are those of group g, ascending and without overlaps."""
    start: Ints
    end: Ints
    good: Ints
    bad: Ints


class Worst(NamedTuple):
    """The worst window of each group."""

    availability: Floats
    """NaN where no window has any good or bad time."""
    start: Ints
    """Where the earliest of them begins; -1 if there is none."""


def curve_of(offsets: Ints, start: Ints, end: Ints, good: Ints, bad: Ints) -> Curve:
    """A curve in which adjacent intervals with equal counts are joined into one."""
    group = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    first = np.ones(len(start), np.bool_)
    same = (group[1:] == group[:-1]) & (start[1:] == end[:-1]) & (good[1:] == good[:-1]) & (bad[1:] == bad[:-1])
    first[1:] = ~same
    begins = np.flatnonzero(first)
    last = np.append(begins[1:], len(start))[: len(begins)] - 1
    bounds = np.searchsorted(group[begins], np.arange(len(offsets)))
    return Curve(bounds, start[begins], end[last], good[begins], bad[begins])


def summed(curve: Curve) -> Curve:
    """The sum of all groups, as one group."""
    moments, place = np.unique(np.concatenate([curve.start, curve.end]), return_inverse=True)
    good, bad = (np.cumsum(_changes(place, column, len(moments)))[:-1] for column in (curve.good, curve.bad))
    return curve_of(np.array([0, len(good)]), moments[:-1], moments[1:], good, bad)


def worst_windows(curve: Curve, since: int, until: int, width: int) -> Worst:
    """The worst window [t, t + width) within [since, until), and within what is known, of each group; microseconds."""
    groups = len(curve.offsets) - 1
    worst, at = np.full(groups, np.nan), np.full(groups, -1, np.int64)
    if width <= until - since:
        _slide(*curve, since, until, width, worst, at)
    return Worst(worst, at)


def _changes(place: Ints, column: Ints, moments: int) -> Ints:
    change = np.zeros(moments, np.int64)
    np.add.at(change, place[: len(column)], column)
    np.subtract.at(change, place[len(column) :], column)
    return change


@kernel
def _slide(
    offsets: Ints, starts: Ints, ends: Ints, good: Ints, bad: Ints, since: int, until: int, width: int, worst: Floats, at: Ints
) -> None:
    """For each group, the lowest availability of a known [t, t + width) within [since, until), and the earliest such t."""
    for group in range(len(offsets) - 1):
        lo, hi = offsets[group], offsets[group + 1]
        if lo == hi:
            continue
        first, last = max(since, starts[lo]), min(until, ends[hi - 1]) - width
        moments, rates, sums = _integrals(starts[lo:hi], ends[lo:hi], good[lo:hi], bad[lo:hi])
        n, best, where = len(moments), np.inf, -1
        for side in range(2):
            left, right = 0, 0  # how many moments are at or before t, and at or before t + width
            for k in range(-1, n + 1):
                t = first if k < 0 else last if k == n else moments[k] - side * width
                if t < first or t > last:
                    continue
                while left < n and moments[left] <= t:
                    left += 1
                while right < n and moments[right] <= t + width:
                    right += 1
                up = _until(moments, rates, sums, 0, right, t + width) - _until(moments, rates, sums, 0, left, t)
                down = _until(moments, rates, sums, 1, right, t + width) - _until(moments, rates, sums, 1, left, t)
                ratio = up / (up + down) if up + down > 0 else np.inf
                if ratio < best or (ratio == best and t < where):
                    best, where = ratio, t
        if where >= 0:
            worst[group], at[group] = best, where


@array_kernel
def _integrals(starts: Ints, ends: Ints, good: Ints, bad: Ints) -> tuple[Ints, Ints, Ints]:
    """The moments at which a curve changes, the good and bad counts from each on, and the instance time of both before it."""
    moments, n = np.empty(2 * len(starts), np.int64), 0
    rates, sums = np.zeros((2 * len(starts), 2), np.int64), np.zeros((2 * len(starts), 2), np.int64)
    for row in range(len(starts)):
        if n == 0 or moments[n - 1] != starts[row]:
            moments[n] = starts[row]
            n += 1
        rates[n - 1, 0], rates[n - 1, 1] = good[row], bad[row]
        moments[n] = ends[row]
        n += 1
    for k in range(1, n):
        for column in range(2):
            sums[k, column] = sums[k - 1, column] + rates[k - 1, column] * (moments[k] - moments[k - 1])
    return moments[:n], rates[:n], sums[:n]


@inner_kernel
def _until(moments: Ints, rates: Ints, sums: Ints, column: int, after: int, t: int) -> int:
    """The instance time before t; `after` is the number of moments at or before t."""
    if after == 0:
        return 0
    return int(sums[after - 1, column] + rates[after - 1, column] * (t - moments[after - 1]))
