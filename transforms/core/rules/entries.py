"""Entries: what the walk of the lines writes, rows of attributions and changes of class
(rules: Class; contract: Attributions).

Output goes to arrays that were made before the walk. A place is claimed first; where there is none, nothing is written but the
need is counted, and the walk is repeated with more room. So a count in `used` may exceed the length of its array:

    rows   [ r0 | r1 | r2 ]      used[ROWS] = 5: two did not fit; peak[ROWS] = 5 is the room for the next attempt

`used` may be set back to take entries away again (a line that has to wait for a decision); `peak` never falls.

An attribution that stays open is cut into rows at multiples of the grid, the first at or after `start + max_open`:

    onset                cut                  cut
      |-------------------|--------------------|--------|
       row 1               row 2 (same onset)   row 3
"""

from typing import Final, NamedTuple

from transforms.core.columns.kernel import NEVER, Ints, inner_kernel
from transforms.core.rules.life import Life, signal_at
from transforms.core.rules.lines import DEGRADED
from transforms.core.rules.targets import NONE
from transforms.core.rules.verdicts import FAULT, PRESUMED, REMOVED, UNEXCUSED, UNEXPLAINED, Judgement

ROW_FIELDS: Final = 13
LINE, START, END, ONSET, WORST, VERDICT, OP, LIMIT, CANDIDATES, EXCUSED_US, COUNTED_US, SIGNAL, AWAY = range(ROW_FIELDS)
ROWS, CHANGES, BEGUN, DECISIONS, FORGOTTEN = range(5)


class WalkOutput(NamedTuple):
    """The arrays that the walk fills, and how much room it needed: if more than there is, the walk is repeated with more."""

    rows: Ints
    """Rows of attributions, ROW_FIELDS each."""
    changes: Ints
    """(time, line, code): from then on the line has that code."""
    begun: Ints
    """Within one set (line, moment, which walk of the line): when definite operations begin to remove an instance."""
    decisions: Ints
    """Within one set (onset, decision, the one before of the same line)."""
    forgotten: Ints
    """Within one set: when the set itself was forgotten."""
    used: Ints
    """How many of each there are."""
    peak: Ints
    """How many of each there were at most."""


@inner_kernel
def claim(out: WalkOutput, which: int, room: int) -> int:
    """The place for one more entry; -1 if there is no room."""
    at = out.used[which]
    out.used[which] = at + 1
    out.peak[which] = max(out.peak[which], at + 1)
    return at if at < room else NONE


@inner_kernel
def _bad_until(life: Life, t: int) -> int:
    """Microseconds of Degraded or Unavailable before t."""
    signal = life.signals[signal_at(life, t)]
    return signal.bad + (t - signal.time if signal.state >= DEGRADED else 0)


@inner_kernel
def _worst(life: Life, x: int, y: int) -> int:
    """The worst reported state in [x, y)."""
    k = signal_at(life, x)
    worst = life.signals[k].state
    k += 1
    while k < life.k1 and life.signals[k].time < y:
        worst = max(worst, life.signals[k].state)
        k += 1
    return worst


@inner_kernel
def _push_row(life: Life, start: int, end: int, onset: int, judged: Judgement, signal: int, out: WalkOutput) -> None:
    """One row; its seconds are those of its own part."""
    at = claim(out, ROWS, len(out.rows))
    if at == NONE:
        return
    excused = counted = 0
    if judged.verdict != REMOVED and end <= life.T:
        lapse = start if judged.verdict in (FAULT, UNEXCUSED, UNEXPLAINED) else min(max(judged.limit, start), end)
        excused = _bad_until(life, lapse) - _bad_until(life, start)
        if judged.verdict != PRESUMED:
            counted = _bad_until(life, end) - _bad_until(life, lapse)
    row = out.rows[at]
    row[LINE], row[START], row[END], row[ONSET] = life.line, start, end if end <= life.T else NEVER, onset
    row[WORST] = _worst(life, start, min(end, life.T))
    row[VERDICT], row[OP], row[LIMIT], row[CANDIDATES] = judged.verdict, judged.op, judged.limit, judged.candidates
    row[EXCUSED_US], row[COUNTED_US], row[SIGNAL], row[AWAY] = excused, counted, signal, judged.away


@inner_kernel
def push_rows(life: Life, start: int, judged: Judgement, signal: int, out: WalkOutput) -> None:
    """An attribution from `start` to `judged.end`, continued in a new row wherever one has been open for `max_open`."""
    onset = start
    while start < life.T:
        cut = -(-(start + life.rules.max_open) // life.rules.grid) * life.rules.grid
        if judged.end <= cut or cut > life.T:
            cut = judged.end
        _push_row(life, start, cut, onset, judged, signal, out)
        if cut == judged.end:
            break
        start, signal = cut, NONE


@inner_kernel
def push_removed(
    life: Life, until: int, removals: Ints, stretches: Ints, n: int, absent: Ints, n_absent: int, out: WalkOutput
) -> None:
    """Each maximal stretch of removed time outside absent time, with the first of its operations (rules: Removed stretches)."""
    ia = 0
    for k in range(n):
        x, y = stretches[k, 0], min(stretches[k, 1], until)
        while x < y:
            while ia < n_absent and absent[ia, 1] <= x:
                ia += 1
            hole = absent[ia, 0] if ia < n_absent else NEVER
            if hole <= x:
                x = absent[ia, 1]
                continue
            _push_stretch(life, x, min(y, hole), removals, out)
            x = min(y, hole)


@inner_kernel
def _push_stretch(life: Life, x: int, y: int, removals: Ints, out: WalkOutput) -> None:
    first, n = NONE, 0
    for k in range(len(removals)):
        if removals[k, 0] < y and removals[k, 1] > x and removals[k, 1] > removals[k, 0]:
            n += 1
            first = removals[k, 3] if first == NONE else min(first, removals[k, 3])
    if n:
        judged = Judgement(REMOVED, first, life.ops[first].limit, n, y, NONE, NONE, False, False)
        before = out.used[ROWS]
        push_rows(life, x, judged, NONE, out)
        for at in range(before, min(out.used[ROWS], len(out.rows))):
            out.rows[at, CANDIDATES] = _begun_before(out.rows[at, END], x, y, removals)


@inner_kernel
def _begun_before(end: int, x: int, y: int, removals: Ints) -> int:
    """How many operations of the stretch [x, y) begin to remove before a row of it ends: what comes later changes that row no
    more, however long the stretch goes on."""
    n = 0
    for k in range(len(removals)):
        n += removals[k, 0] < min(y, end) and removals[k, 1] > x and removals[k, 1] > removals[k, 0]
    return n
