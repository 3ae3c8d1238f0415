"""Classes: what an instance counts as at every moment of a lifeline (rules: Class).

Walks four ascending lists of one lifeline side by side, and stops wherever one of them changes:

    signals     | Available     | Unavailable                 | Available
    episodes                    |===============|=============|              a limit within: excused before it, overrun behind
    removed             |-------|
    absent                                              |-----|
    t           ^       ^       ^               ^       ^     ^              at each a change is written, if the code differs

Invariants: no list overlaps with itself; each index points at the first entry that ends behind t. Where lists overlap, absent
wins over removed, and removed over what the state and the verdict say.
"""

from typing import Final

from schemas.tables.availability import CLASSES
from transforms.core.columns.kernel import NEVER, Ints, inner_kernel
from transforms.core.rules.entries import CHANGES, END, LIMIT, ROWS, START, VERDICT, WalkOutput, claim
from transforms.core.rules.life import Life
from transforms.core.rules.lines import AVAILABLE, DEGRADED, UNKNOWN
from transforms.core.rules.targets import NONE
from transforms.core.rules.verdicts import EXPLAINED, OVERRUN, PRESUMED, UNEXPLAINED

UP, BAD_DEGRADED, BAD_UNAVAILABLE, OVERRUNS, EXCUSED, IS_UNKNOWN, IS_REMOVED = range(len(CLASSES))
ABSENT: Final = len(CLASSES)
GONE: Final = -1
"""The code of a line that does not exist (any more); else a code is 4 x class + reported state."""


@inner_kernel
def class_of(state: int, verdict: int, lapsed: bool) -> int:
    """The class of a line that is neither absent nor removed."""
    if state == AVAILABLE:
        return UP
    if state == UNKNOWN:
        return IS_UNKNOWN
    if verdict in (EXPLAINED, PRESUMED, OVERRUN):
        return OVERRUNS if lapsed else EXCUSED
    return BAD_DEGRADED if state == DEGRADED else BAD_UNAVAILABLE


@inner_kernel
def push_changes(
    life: Life, until: int, row0: int, absent: Ints, n_absent: int, removed: Ints, n_removed: int, out: WalkOutput
) -> None:
    """The class of a lifeline at every moment before `until`, as changes; its episodes are the rows from `row0` on."""
    ia = ir = 0
    ie, rows = row0, min(out.used[ROWS], len(out.rows))
    k, last, t = life.k0, GONE, life.signals[life.k0].time
    stop = min(until, life.T)
    while t < stop:
        while k + 1 < life.k1 and life.signals[k + 1].time <= t:
            k += 1
        while ia < n_absent and absent[ia, 1] <= t:
            ia += 1
        while ir < n_removed and removed[ir, 1] <= t:
            ir += 1
        while ie < rows and out.rows[ie, END] <= t:
            ie += 1
        at = life.signals[k + 1].time if k + 1 < life.k1 else NEVER
        verdict, limit = UNEXPLAINED, NEVER
        if ie < rows:
            at = min(at, out.rows[ie, END] if out.rows[ie, START] <= t else out.rows[ie, START])
            if out.rows[ie, START] <= t:
                verdict, limit = out.rows[ie, VERDICT], out.rows[ie, LIMIT]
                at = min(at, limit) if limit > t else at
        class_ = class_of(life.signals[k].state, verdict, limit <= t)
        if ir < n_removed:
            at = min(at, removed[ir, 1] if removed[ir, 0] <= t else removed[ir, 0])
            class_ = IS_REMOVED if removed[ir, 0] <= t else class_
        if ia < n_absent:
            at = min(at, absent[ia, 1] if absent[ia, 0] <= t else absent[ia, 0])
            class_ = ABSENT if absent[ia, 0] <= t else class_
        code = 4 * class_ + life.signals[k].state
        if code != last:
            _push_change(t, life.line, code, out)
            last = code
        t = at
    if until < life.T:
        _push_change(until, life.line, GONE, out)


@inner_kernel
def _push_change(t: int, line: int, code: int, out: WalkOutput) -> None:
    at = claim(out, CHANGES, len(out.changes))
    if at != NONE:
        out.changes[at, 0], out.changes[at, 1], out.changes[at, 2] = t, line, code
