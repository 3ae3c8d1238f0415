"""The worst window: the lowest availability of any stretch of time of one length, wherever it begins (sliding).

A window lies where the group is known from its first moment to its last: a set that is seen for the first time while it is bad
was not bad all week. Within a window availability is good / (good + bad) instance time. While the window slides, both change
linearly until either of its ends meets a change of the series; between two such moments the ratio only rises or only falls. So
the worst window begins or ends at a change (or at an edge of the period), and looking there finds it exactly.

The kernel lets the window slide over those moments, once with its beginning at them and once with its end:

    changes     m0        m1     m2            m3
    side 0      [t ............ t + width)                 t = m0, m1, ...
    side 1             [t ............ t + width)          t + width = m2, m3, ...

Invariant: within a side t only grows, so `passed`, the moments at or before the end that is not at one, only moves forward.
Where some windows in a row cannot, for all that they have in common, be worse than the worst so far, none of them is looked at.
First it looks only at moments where availability can turn from falling to rising; where no window has bad time, then at all.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.core.columns.kernel import Ints, first_at_or_after, inner_kernel, kernel
from transforms.core.report.series import Runs
from transforms.core.report.steps import Steps

Floats = npt.NDArray[np.float64]
_HALF: Final = 32
_LOW: Final = (1 << _HALF) - 1
"""Of a number that holds two counts the bits of the second."""
_BLOCK: Final = 32
"""Windows in a row that are left out together, or looked at one by one."""
_MARGIN: Final = 1e-12
"""More than what a ratio is rounded by."""


class Worst(NamedTuple):
    """The worst window of each group."""

    availability: Floats
    """NaN where no window has any good or bad time."""
    start: Ints
    """Where the earliest of them begins; -1 if there is none."""


def rates_of(runs: Runs, good: str, bad: tuple[str, ...]) -> Ints:
    """Good and bad instances of each run in one number, good << 32 and bad, whose sums and differences are those of both."""
    rates = runs.of(good)
    rates <<= _HALF
    rates += runs.of(*bad)
    return rates


def worst_windows(steps: Steps, since: int, until: int, widths: Sequence[int]) -> list[Worst]:
    """Of each width the worst window [t, t + width) of each group within [since, until), and within what is known.

    Args:
        steps: of `rates_of`.
        since: start of the period, in microseconds.
        until: its end.
        widths: in microseconds.
    """
    groups = len(steps.first)
    worst, at = np.full((len(widths), groups), np.nan), np.full((len(widths), groups), -1, np.int64)
    _slide(*steps, since, until, np.array(widths, np.int64), worst, at)
    return [Worst(*both) for both in zip(worst, at, strict=True)]


@kernel
def _slide(
    firsts: Ints, lasts: Ints, moments: Ints, rates: Ints, since: int, until: int, widths: Ints, worst: Floats, at: Ints
) -> None:
    """For each width and group, the lowest availability of a known [t, t + width) within [since, until), and the first such t."""
    most = 0
    for group in range(len(firsts)):
        most = max(most, lasts[group] - firsts[group])
    sums = np.empty((most, 2), np.int64)
    for group in range(len(firsts)):
        lo, hi = firsts[group], lasts[group]
        if lo == hi:
            continue
        own, its = moments[lo:hi], rates[lo:hi]
        first, end = max(since, own[0]), min(until, own[-1])
        _integrate(own, its, sums)
        for k in range(len(widths)):
            if first + widths[k] <= end:
                share, where = _lowest(own, its, sums, first, end - widths[k], widths[k], False)
                if not share < 1:
                    share, where = _lowest(own, its, sums, first, end - widths[k], widths[k], True)
                if where >= 0:
                    worst[k, group], at[k, group] = share, where


@inner_kernel
def _lowest(moments: Ints, rates: Ints, sums: Ints, first: int, last: int, width: int, every: bool) -> tuple[float, int]:
    """The lowest availability of a [t, t + width) with t in [first, last], and the first such t; -1: there is none.

    Looks at windows that begin or end at a moment where availability can turn (or at every one), and at the first and the last.
    """
    best, where, n = np.inf, -1, len(moments)
    for t in (first, last):
        left, right = first_at_or_after(moments, 0, n, t + 1), first_at_or_after(moments, 0, n, t + width + 1)
        down = _until(moments, rates, sums, 1, right, t + width) - _until(moments, rates, sums, 1, left, t)
        up = _until(moments, rates, sums, 0, right, t + width) - _until(moments, rates, sums, 0, left, t)
        if up + down > 0 and up / (up + down) < best:
            best, where = up / (up + down), t
    for side in range(2):
        sign, passed = 1 - 2 * side, 0  # how many moments are at or before the other end
        for block in range(0, n, _BLOCK):
            stop = min(block + _BLOCK, n)
            if moments[stop - 1] - side * width < first:
                continue
            if moments[block] - side * width > (where if best == 0 else last):
                break  # of windows that are as bad as can be the first is told
            passed = _passed(moments, passed, moments[block] + sign * width)
            if best < 1 and _least(moments, rates, sums, passed, block, stop - 1, sign * width) > best + _MARGIN:
                continue
            for k in range(block, stop):
                t, end = moments[k] - side * width, moments[k] + sign * width
                if t < first or t > last or not (every or _turns(rates, k, side)):
                    continue
                passed = _passed(moments, passed, end)
                down = sign * (_until(moments, rates, sums, 1, passed, end) - sums[k, 1])
                if down == 0 and best < 1:
                    continue
                up = sign * (_until(moments, rates, sums, 0, passed, end) - sums[k, 0])
                ratio = up / (up + down) if up + down > 0 else np.inf
                if ratio < best or (ratio == best and t < where):
                    best, where = ratio, t
    return best, where


@inner_kernel
def _passed(moments: Ints, passed: int, t: int) -> int:
    """How many moments are at or before t, of which `passed` are."""
    while passed < len(moments) and moments[passed] <= t:
        passed += 1
    return passed


@inner_kernel
def _least(moments: Ints, rates: Ints, sums: Ints, passed: int, k: int, last: int, away: int) -> float:
    """No window from or to one of the moments k to `last` is less available: it has at least the good time that all of them
    have, and at most the bad time that any has. Its other end is `away`; `passed` moments are at or before that of k's."""
    if moments[last] - moments[k] >= abs(away):
        return 0.0
    there, here = moments[k] + away, moments[last] + away
    ahead = _passed(moments, passed, here)
    if away > 0:
        up = _until(moments, rates, sums, 0, passed, there) - sums[last, 0]
        down = _until(moments, rates, sums, 1, ahead, here) - sums[k, 1]
    else:
        up = sums[k, 0] - _until(moments, rates, sums, 0, ahead, here)
        down = sums[last, 1] - _until(moments, rates, sums, 1, passed, there)
    return up / (up + down) if up + down > 0 else 0.0


@inner_kernel
def _turns(rates: Ints, k: int, side: int) -> bool:
    """Whether the availability of a window with bad time can turn where it begins (side 0) or ends (1) at the moment k.

    From falling to rising it turns at its beginning only where counts get worse, which it leaves behind from there on, and at its
    end only where they get better. And the first of equal windows can be one that has taken in what follows on uncounted time.
    """
    before = rates[k - 1] if k > 0 else 0
    good, bad = (rates[k] >> _HALF) - (before >> _HALF), (rates[k] & _LOW) - (before & _LOW)
    if side == 0:
        return bool(bad > 0 or good < 0)
    return bool(bad < 0 or good > 0 or (k > 1 and rates[k - 2] == 0))


@inner_kernel
def _integrate(moments: Ints, rates: Ints, sums: Ints) -> None:
    """The instance time of both, good and bad, before each moment."""
    sums[0] = 0
    for k in range(1, len(moments)):
        length = moments[k] - moments[k - 1]
        sums[k, 0] = sums[k - 1, 0] + (rates[k - 1] >> _HALF) * length
        sums[k, 1] = sums[k - 1, 1] + (rates[k - 1] & _LOW) * length


@inner_kernel
def _until(moments: Ints, rates: Ints, sums: Ints, column: int, after: int, t: int) -> int:
    """The instance time before t; `after` is the number of moments at or before t."""
    if after == 0:
        return 0
    rate = rates[after - 1] & _LOW if column else rates[after - 1] >> _HALF
    return int(sums[after - 1, column] + rate * (t - moments[after - 1]))
