"""The series: instances counted by reported state and by class, cut into rows (rules: Counts, State, Rows).

The kernel walks the changes of each set in order of time. It keeps the code that each line has now, and how many instances have
each, so that a change costs the same in a small set and in a large one:

    changes     t0: line 1 -> up      t1: line 2 -> up     t2: line 1 -> degraded
    counts      up 1                  up 2                 up 1, degraded 1
    rows        [t0 ........ t1)      [t1 .... | .... t2)  [t2 ...               and at each multiple of the grid a row is cut
                                             grid

Invariants: all changes of one moment are taken in before a row is written; a row is written only when its end is known; counts
never fall below 0. A code of -1 is a line that is not there, and the set's own line is not counted.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.tables.availability import CLASSES, RAW, SERIES_STATES
from transforms.core.columns.kernel import NEVER, Bools, Ints, inner_kernel, kernel
from transforms.core.rules.classes import ABSENT, BAD_DEGRADED, EXCUSED, IS_REMOVED, IS_UNKNOWN, OVERRUNS, UP
from transforms.core.rules.lines import DEGRADED

_AVAILABLE, _DEGRADED, _UNAVAILABLE, _UNKNOWN, _PLANNED, _IDLE = range(len(SERIES_STATES))
_NULL: Final = -1
_STATE_OF: Final = (_AVAILABLE, _UNKNOWN, _DEGRADED, _UNAVAILABLE)
"""The name in the series of each reported state."""
COUNTS: Final = len(RAW) + len(CLASSES)
_CLASS0: Final = len(RAW)
_RAW_OF: Final = (0, 3, 1, 2)
"""The column, among `RAW`, of each reported state."""


class Series(NamedTuple):
    """Columns of the rows of the series, in the types of their table, and how many rows there are."""

    set: npt.NDArray[np.int32]
    start: Ints
    end: Ints
    reported: npt.NDArray[np.int8]
    """-1: null."""
    state: npt.NDArray[np.int8]
    counts: npt.NDArray[np.int32]
    """(COUNTS, rows): by reported state, then by class."""
    used: Ints


@inner_kernel
def _state(up: int, bad: int, bad_degraded: int, excused: int, unknown: int) -> int:
    """The state of a set of which some instance is present."""
    if bad > 0:
        return _DEGRADED if up > 0 or bad_degraded > 0 else _UNAVAILABLE
    if up > 0:
        return _AVAILABLE
    if excused > 0:
        return _PLANNED
    return _UNKNOWN if unknown > 0 else _IDLE


@inner_kernel
def _own_state(code: int) -> int:
    """The state of a set of which no instance has ever reported, from its own line."""
    if code < 0 or code // 4 >= IS_REMOVED:
        return _IDLE
    if code // 4 == EXCUSED:
        return _AVAILABLE if code % 4 == DEGRADED else _PLANNED
    return _STATE_OF[code % 4]


@inner_kernel
def _states(counts: Ints, overrun_degraded: int, own: int, reported: bool) -> tuple[int, int]:
    """(reported_state, state) of a set, from its counts and its own line."""
    raw, classes = counts[:_CLASS0], counts[_CLASS0:]
    present = raw[0] + raw[1] + raw[2] + raw[3] > 0
    if present:
        bad = classes[BAD_DEGRADED] + classes[BAD_DEGRADED + 1] + classes[OVERRUNS]
        state = _state(classes[UP], bad, classes[BAD_DEGRADED] + overrun_degraded, classes[EXCUSED], classes[IS_UNKNOWN])
    else:
        state = _IDLE if reported else _own_state(own)
    if own >= 0:
        return _STATE_OF[own % 4], state
    return (_state(raw[0], raw[1] + raw[2], raw[1], 0, raw[3]) if present else _NULL), state


@inner_kernel
def _count(counts: Ints, code: int, by: int) -> int:
    """Counts an instance of a code in or out; gives the change of overruns that are Degraded."""
    if code < 0 or code // 4 == ABSENT:
        return 0
    counts[_RAW_OF[code % 4]] += by
    counts[_CLASS0 + code // 4] += by
    return by if code // 4 == OVERRUNS and code % 4 == DEGRADED else 0


@inner_kernel
def _push(s: int, x: int, y: int, reported: int, state: int, counts: Ints, grid: int, out: Series) -> None:
    """Rows of [x, y), cut at the grid."""
    while x < y:
        end = min(y, x - x % grid + grid)
        at = out.used[0]
        out.used[0] += 1
        out.set[at], out.start[at], out.end[at], out.reported[at], out.state[at] = s, x, end, reported, state
        for k in range(COUNTS):
            out.counts[k, at] = counts[k]
        x = end


@kernel
def build_series(
    changes: Ints, bounds: Ints, order: Ints, instance: Ints, begun: Ints, reported_before: Bools, ends: Ints, grid: int,
    out: Series,
) -> None:  # fmt: skip
    """Rows: maximal intervals on which counts and states are constant, cut at every multiple of the grid, up to T.

    Args:
        changes: (time, line, code) a row: from that time on the line has that code.
        bounds: `order[bounds[s]:bounds[s + 1]]` are the changes of set s.
        order: Positions in `changes`, of each set in order of time.
        instance: Of each line, 0: it is the set's own.
        begun: Of each set a moment from which on it has rows, whether or not a line changes then; NEVER if it begins with a line.
        reported_before: Of each set whether an instance that is forgotten has reported.
        ends: T of each set.
        grid: Microseconds.
        out: Room for the rows: one a change, and one a grid interval from the first of a set to T.
    """
    code = np.full(len(instance), -1, np.int64)
    counts, shown = np.zeros(COUNTS, np.int64), np.zeros(COUNTS, np.int64)
    for s in range(len(bounds) - 1):
        rows = order[bounds[s] : bounds[s + 1]]
        counts[:] = 0
        overrun_degraded, own, reported = 0, -1, reported_before[s]
        since, r0, s0 = NEVER, _NULL, _NULL
        k = 0
        if begun[s] < (changes[rows[0], 0] if len(rows) > 0 else NEVER):
            since, s0 = begun[s], _IDLE
            shown[:] = 0
        while k < len(rows):
            t = changes[rows[k], 0]
            while k < len(rows) and changes[rows[k], 0] == t:
                line, new = changes[rows[k], 1], changes[rows[k], 2]
                if instance[line] == 0:
                    own = new
                else:
                    overrun_degraded += _count(counts, code[line], -1) + _count(counts, new, 1)
                    reported = True
                code[line] = new
                k += 1
            r1, s1 = _states(counts, overrun_degraded, own, reported)
            if since != NEVER and r1 == r0 and s1 == s0 and (counts == shown).all():
                continue
            if since != NEVER:
                _push(s, since, t, r0, s0, shown, grid, out)
            since, r0, s0 = t, r1, s1
            shown[:] = counts
        if since != NEVER:
            _push(s, since, ends[s], r0, s0, shown, grid, out)
