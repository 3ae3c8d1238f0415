"""Until when an outage looks like an operation's doing, so that no caused, bounded rule can tell (contract: trueup score).

An outage that begins while an operation may have its instance in hand gives the same records as what the operation does. So
long as that operation, and those that follow it, may take, no rule that sees only causes and bounds can tell them apart. This is
no part of the correction and shares no code with it: it is what the correction is measured by.

The kernel walks the intervals of the truth by (instance, start). What is found of one goes on to the next, as long as trouble is
reported without a gap; where something else begins within it, the bounds may only grow:

    truth       | planned   | outage      | outage  | up
    reported    | Unavailable                       | Available
    bounds      widened      widened       as before
                at its start at its start
"""

from typing import Final, NamedTuple

import numpy as np

from schemas.policy import EFFECTS
from schemas.tables.truth import TRUTHS
from transforms.core.columns.kernel import NEVER, Bools, Ints, inner_kernel, kernel

REPORTED: Final = ("Available", "Unknown", "Degraded", "Unavailable")
NAMED, ALL, UNNAMED = 0, 1, 2
_RENEWS, _REMOVES = EFFECTS.index("renews"), EFFECTS.index("removes")
_PLANNED: Final = TRUTHS.index("planned")
_AVAILABLE, _UNKNOWN = REPORTED.index("Available"), REPORTED.index("Unknown")
NOWHERE: Final = -NEVER
"""Before any moment."""


class Truth(NamedTuple):
    """What was true and reported, one entry an interval, by (instance, start); no two of an instance overlap. Microseconds."""

    instance: Ints
    """Code of scale set and instance."""
    set: Ints
    """Code of the scale set."""
    start: Ints
    end: Ints
    truth: Ints
    """Place in TRUTHS."""
    cause: Ints
    """Code of the cause, -1 where there is none."""
    reported: Ints
    """Place in REPORTED, -1 before the first report."""


class OperationWindows(NamedTuple):
    """Operations as their records tell them, sorted by (set, start). Microseconds."""

    set: Ints
    start: Ints
    begin: Ints
    limit: Ints
    effect: Ints
    """Place in EFFECTS."""
    excuses: Bools
    refused: Bools
    """Nothing was done: it extends nothing, and takes nothing away."""
    late: Bools
    """It is merely the late end of a request, and asks for nothing anew."""
    adds: Bools
    """It makes new instances, and touches none that was there before."""
    target: Ints
    """NAMED, ALL or UNNAMED."""
    names_from: Ints
    """Where the named instances of each begin in `names`; one entry more than there are operations."""
    names: Ints
    """Codes of instances."""


class Faults(NamedTuple):
    """Annotations of faults, by (instance, time)."""

    instance: Ints
    time: Ints


class Bounds(NamedTuple):
    """One entry an interval of the truth. From which moment on a rule can tell that the instance is not merely..."""

    excused: Ints
    """...in the hands of an operation that will bring it back or take it away."""
    removed: Ints
    """...taken away."""


class Durations(NamedTuple):
    """Durations of the policy, in microseconds."""

    skew: int
    possible_excuse: int
    max_excuse: int


def bounds(truth: Truth, windows: OperationWindows, faults: Faults, spans: Durations) -> Bounds:
    """Until when each interval of the truth looks like an operation's doing.

    Of an interval in which no trouble is reported, and of one that began outside of every window, that is before any moment.

    Args:
        truth: sorted by (instance, start).
        windows: sorted by (set, start).
        faults: sorted by (instance, time).
        spans: of the policy.
    """
    found = Bounds(np.full(len(truth.start), NOWHERE), np.full(len(truth.start), NOWHERE))
    sets = int(max(truth.set.max(initial=-1), windows.set.max(initial=-1))) + 1
    _fill(truth, windows, np.searchsorted(windows.set, np.arange(sets + 1)), faults, spans, found)
    return found


@kernel
def _fill(truth: Truth, windows: OperationWindows, offsets: Ints, faults: Faults, spans: Durations, found: Bounds) -> None:
    silent, returned = False, False
    for row in range(len(truth.start)):
        returned = returned and row > 0 and truth.instance[row - 1] == truth.instance[row]
        if truth.reported[row] <= _AVAILABLE:
            returned = returned or truth.reported[row] == _AVAILABLE
            continue
        follows = _follows(truth, row)
        if follows:
            found.excused[row], found.removed[row] = found.excused[row - 1], found.removed[row - 1]
        speaks = truth.reported[row] != _UNKNOWN
        if not follows or (silent and speaks) or _is_other(truth, row):
            _widen(truth.start[row], row, truth, windows, offsets, faults, spans, returned, found)
        if follows and _is_other(truth, row):
            _widen(_brought_back(truth, row, windows, offsets), row, truth, windows, offsets, faults, spans, returned, found)
        silent = not speaks and (not follows or silent)


@inner_kernel
def _widen(
    x: int,
    row: int,
    truth: Truth,
    windows: OperationWindows,
    offsets: Ints,
    faults: Faults,
    spans: Durations,
    returned: bool,
    found: Bounds,
) -> None:
    """Takes into account that something may have begun at x, as a rule sees it; returned: it was Available before."""
    last, gone = _until(x, truth.instance[row], truth.set[row], windows, offsets, faults, spans, returned)
    found.excused[row], found.removed[row] = max(found.excused[row], last), max(found.removed[row], gone)


@inner_kernel
def _brought_back(truth: Truth, row: int, windows: OperationWindows, offsets: Ints) -> int:
    """When the records tell that what was taken away is brought back: a rule sees the instance down from then on."""
    found = truth.start[row]
    for p in range(offsets[truth.set[row]], offsets[truth.set[row] + 1]):
        within = truth.start[row - 1] <= windows.start[p] < found
        if within and _asks_back(windows, p) and _touches(windows, p, truth.instance[row]):
            found = windows.start[p]
    return int(found)


@inner_kernel
def _asks_back(windows: OperationWindows, p: int) -> bool:
    return bool(windows.effect[p] == _RENEWS and windows.excuses[p] and not windows.late[p])


@inner_kernel
def _follows(truth: Truth, row: int) -> bool:
    """Whether trouble was reported of the same instance up to the beginning of this interval."""
    if row == 0 or truth.instance[row - 1] != truth.instance[row] or truth.end[row - 1] != truth.start[row]:
        return False
    return bool(truth.reported[row - 1] > _AVAILABLE)


@inner_kernel
def _is_other(truth: Truth, row: int) -> bool:
    """Whether an operation's doing ends here, or another's begins."""
    before = row - 1
    return bool(truth.truth[before] == _PLANNED and (truth.truth[row] != _PLANNED or truth.cause[row] != truth.cause[before]))


@inner_kernel
def _until(
    x: int,
    instance: int,
    its_set: int,
    windows: OperationWindows,
    offsets: Ints,
    faults: Faults,
    spans: Durations,
    returned: bool,
) -> tuple[int, int]:
    """Until when what begins at x may be in an operation's hands, and may have been taken away by one."""
    lo, hi = offsets[its_set], offsets[its_set + 1]
    own, surely, taken = NOWHERE, False, False
    first, last = NEVER, NOWHERE
    for p in range(lo, hi):
        if windows.begin[p] - spans.skew <= x < windows.limit[p] and _may_touch(windows, p, instance, returned):
            own, surely = max(own, windows.limit[p]), surely or _touches(windows, p, instance)
            taken = taken or (windows.effect[p] != _RENEWS and not windows.refused[p])
            first, last = min(first, windows.start[p]), max(last, windows.start[p])
    fault = _next_fault(faults, instance, x - spans.skew)
    if own == NOWHERE or fault <= x + spans.skew:
        return NOWHERE, NOWHERE
    until, again = own, NEVER
    for p in range(lo, hi):
        if _may_touch(windows, p, instance, returned):
            definite = _touches(windows, p, instance)
            near = first - spans.skew <= windows.start[p] <= last + spans.skew
            if not windows.refused[p] and (near or (definite and windows.start[p] <= until)):
                until = max(until, min(windows.limit[p], x + spans.max_excuse))
            if definite and windows.start[p] > x and windows.effect[p] != _REMOVES and not windows.late[p]:
                again = min(again, windows.start[p])
    if not surely:
        until = min(until, x + spans.possible_excuse)
    return min(until, fault), again if taken else NOWHERE


@inner_kernel
def _may_touch(windows: OperationWindows, p: int, instance: int, returned: bool) -> bool:
    perhaps = windows.target[p] == UNNAMED and not (returned and windows.adds[p])
    return bool(windows.excuses[p] and (perhaps or _touches(windows, p, instance)))


@inner_kernel
def _touches(windows: OperationWindows, p: int, instance: int) -> bool:
    if windows.target[p] == ALL:
        return True
    named = False
    for k in range(windows.names_from[p], windows.names_from[p + 1]):
        named = named or windows.names[k] == instance
    return named


@inner_kernel
def _next_fault(faults: Faults, instance: int, x: int) -> int:
    """The first fault of an instance at or after a moment."""
    place = np.searchsorted(faults.instance, instance)
    while place < len(faults.time) and faults.instance[place] == instance:
        if faults.time[place] >= x:
            return int(faults.time[place])
        place += 1
    return NEVER
