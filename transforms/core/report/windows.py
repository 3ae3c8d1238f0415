"""The worst window: the lowest availability of any stretch of time of one length, wherever it begins (sliding).

Within a window availability is good / (good + bad) instance time. While the window slides, both change linearly until either of
its ends meets a change of the series; between two such moments the ratio only rises or only falls. So the worst window begins or
ends at a change (or at an edge of the period), and looking there finds it exactly.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.core.kernel import Ints, kernel

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
    """A curve of intervals that may be joined: those that meet and are equal become one."""
    group = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    first = np.ones(len(start), np.bool_)
    same = (group[1:] == group[:-1]) & (start[1:] == end[:-1]) & (good[1:] == good[:-1]) & (bad[1:] == bad[:-1])
    first[1:] = ~same
    begins = np.flatnonzero(first)
    last = np.append(begins[1:], len(start))[: len(begins)] - 1
    bounds = np.searchsorted(group[begins], np.arange(len(offsets)))
    return Curve(bounds, start[begins], end[last], good[begins], bad[begins])


def summed(curve: Curve) -> Curve:
    """All groups as one."""
    moments, place = np.unique(np.concatenate([curve.start, curve.end]), return_inverse=True)
    good, bad = (np.cumsum(_changes(place, column, len(moments)))[:-1] for column in (curve.good, curve.bad))
    return curve_of(np.array([0, len(good)]), moments[:-1], moments[1:], good, bad)


def worst_windows(curve: Curve, since: int, until: int, width: int) -> Worst:
    """The worst window [t, t + width) within [since, until) of each group; microseconds."""
    groups = len(curve.offsets) - 1
    worst, at = np.full(groups, np.nan), np.full(groups, -1, np.int64)
    if width <= until - since:
        _slide(*curve, since, until - width, width, worst, at)
    return Worst(worst, at)


def _changes(place: Ints, column: Ints, moments: int) -> Ints:
    change = np.zeros(moments, np.int64)
    np.add.at(change, place[: len(column)], column)
    np.subtract.at(change, place[len(column) :], column)
    return change


@kernel
def _slide(offsets, starts, ends, good, bad, first, last, width, worst, at):  # type: ignore[no-untyped-def]
    for group in range(len(offsets) - 1):
        lo, hi = offsets[group], offsets[group + 1]
        moments = np.empty(2 * (hi - lo) + 2, np.int64)
        n = 0
        for row in range(lo, hi):
            if n == 0 or moments[n - 1] != starts[row]:
                moments[n] = starts[row]
                n += 1
            moments[n] = ends[row]
            n += 1
        up, down = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
        rate_up, rate_down = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
        row = lo
        for k in range(n - 1):
            if row < hi and moments[k] == starts[row]:
                rate_up[k], rate_down[k] = good[row], bad[row]
                row += 1
            length = moments[k + 1] - moments[k]
            up[k + 1], down[k + 1] = up[k] + rate_up[k] * length, down[k] + rate_down[k] * length
        best, where = np.inf, -1
        for side in range(2):
            left, right = 0, 0
            for k in range(-1, n + 1):
                t = first if k < 0 else last if k == n else moments[k] - side * width
                if t < first or t > last:
                    continue
                while left < n and moments[left] <= t:
                    left += 1
                while right < n and moments[right] <= t + width:
                    right += 1
                g, b = _total(moments, up, rate_up, right, t + width), _total(moments, down, rate_down, right, t + width)
                g, b = g - _total(moments, up, rate_up, left, t), b - _total(moments, down, rate_down, left, t)
                if g + b > 0:
                    ratio = g / (g + b)
                    if ratio < best or (ratio == best and t < where):
                        best, where = ratio, t
        if where >= 0:
            worst[group], at[group] = best, where


@kernel
def _total(moments, sums, rates, after, t):  # type: ignore[no-untyped-def]
    """The integral up to t; `after`: how many moments are at or before t."""
    if after == 0:
        return 0
    return sums[after - 1] + rates[after - 1] * (t - moments[after - 1])
