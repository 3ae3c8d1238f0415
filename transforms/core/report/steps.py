"""Step functions of time: what holds from each moment on until the next, of each scale set, or of the sum of all.

They are made of the rows of a part of the time, chained to those of the parts before it, and summed over all scale sets:

    moments    m0        m1     m2            m3
    rates      [    a    |  b   |     0       |  0        m2 to m3 is a gap, and what is known ends at m3

Invariant: of a set each moment has another rate than the one before it, but where rows begin or end that do not meet.
"""

from typing import Final, NamedTuple

import numpy as np

from transforms.core.columns.kernel import Ints, inner_kernel, kernel, sort_by
from transforms.core.report.series import Runs

_AT_ONCE: Final = 16_384
"""Changes that are sorted at once: as many as a processor has at hand."""


class Steps(NamedTuple):
    """Step functions: `moments[first[g]:last[g]]` are those of group g, ascending; between groups there may be room."""

    first: Ints
    last: Ints
    moments: Ints
    rates: Ints
    """From each moment on; the last of a group, where what is known of it ends, has 0."""

    def integral(self) -> Ints:
        """Of each group over all time."""
        sums = np.zeros(len(self.first), np.int64)
        _integrate(*self, sums)
        return sums


def steps_of(runs: Runs, rates: Ints) -> Steps:
    """The steps of each scale set, of a number for each of its runs; those of a set stand together, and ascend."""
    room, sets = 2 * len(runs.set), len(runs.ids)
    first, last = np.zeros((2, sets), np.int64)
    moments, each = np.empty((2, room), np.int64)
    size = _step(runs.set, runs.start, runs.end, rates, first, last, moments, each)
    return Steps(first, last, moments[:size].copy(), each[:size].copy())


def chained(parts: list[Steps]) -> Steps:
    """The steps of parts of the time, of the same groups, one behind the other."""
    if len(parts) == 1:
        return parts[0]
    sizes = np.sum([part.last - part.first for part in parts], axis=0)
    first = np.cumsum(sizes) - sizes
    last, room = first.copy(), int(sizes.sum())
    moments, rates = np.empty((2, room), np.int64)
    for part in parts:
        _chain(*part, first, last, moments, rates)
    return Steps(first, last, moments, rates)


def summed(steps: Steps) -> Steps:
    """The sum of all groups, as one group."""
    room, held = len(steps.moments) + 2, steps.first < steps.last
    moments, rates = np.empty((2, room), np.int64)
    size = 0
    if held.any():
        low, high = int(steps.moments[steps.first[held]].min()), int(steps.moments[steps.last[held] - 1].max())
        size = _sum(*steps, low, high, 1 + room // _AT_ONCE, moments, rates)
    return Steps(np.zeros(1, np.int64), np.full(1, size), moments[:size], rates[:size])


@kernel
def _step(code: Ints, start: Ints, end: Ints, counts: Ints, first: Ints, last: Ints, moments: Ints, rates: Ints) -> int:
    n, s = 0, -1
    for row in range(len(code)):
        if code[row] != s:
            s = code[row]
            first[s] = n
        if n == first[s] or moments[n - 1] != start[row]:
            moments[n], rates[n] = start[row], counts[row]
            n += 1
        elif rates[n - 2] != counts[row]:
            rates[n - 1] = counts[row]
        else:
            n -= 1  # it goes on as before
        moments[n], rates[n] = end[row], 0
        n += 1
        last[s] = n
    return n


@kernel
def _chain(
    begins: Ints, stops: Ints, moments: Ints, rates: Ints, first: Ints, last: Ints, all_moments: Ints, all_rates: Ints
) -> None:
    """Puts the steps of a part behind those that each group has so far, and moves `last` on."""
    for group in range(len(first)):
        n, k = last[group], begins[group]
        if k < stops[group] and n > first[group] and all_moments[n - 1] == moments[k]:
            n -= 1
            if all_rates[n - 1] == rates[k]:  # it goes on as before
                k += 1
        while k < stops[group]:
            all_moments[n], all_rates[n] = moments[k], rates[k]
            n += 1
            k += 1
        last[group] = n


@kernel
def _integrate(first: Ints, last: Ints, moments: Ints, rates: Ints, sums: Ints) -> None:
    for group in range(len(first)):
        for k in range(first[group], last[group] - 1):
            sums[group] += rates[k] * (moments[k + 1] - moments[k])


@kernel
def _sum(first: Ints, last: Ints, steps: Ints, rates: Ints, low: int, high: int, parts: int, moments: Ints, totals: Ints) -> int:
    """Writes the moments in [low, high] at which the sum of all groups changes, and the sum from each on; gives their number.

    It goes through parts of the time, so that little is sorted at once: each group goes on where it stood.
    """
    at = first.copy()
    n, total, width = 1, 0, (high - low) // parts + 1
    moments[0], totals[0] = low, 0
    for part in range(parts):
        floor = low + width * part
        m = n
        for group in range(len(at)):
            k = at[group]
            while k < last[group] and steps[k] < floor + width:
                change = rates[k] - (rates[k - 1] if k > first[group] else 0)
                if change != 0:
                    moments[m], totals[m] = steps[k] - floor, change
                    m += 1
                k += 1
            at[group] = k
        keys, changes = sort_by(moments[n:m], totals[n:m])
        for k in range(len(keys)):
            total += changes[k]
            if k + 1 == len(keys) or keys[k + 1] != keys[k]:
                n = _go_on(moments, totals, n, keys[k] + floor, total)
    if moments[n - 1] != high:
        n = _go_on(moments, totals, n, high, -1)
    totals[n - 1] = 0
    return n


@inner_kernel
def _go_on(moments: Ints, totals: Ints, n: int, moment: int, total: int) -> int:
    """Writes that from a moment on the sum is another; gives the number of moments."""
    if moments[n - 1] == moment:
        totals[n - 1] = total
    elif totals[n - 1] != total:
        moments[n], totals[n] = moment, total
        n += 1
    return n
