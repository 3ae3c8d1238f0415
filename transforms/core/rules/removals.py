"""Removed and absent time by definite removals, and what brings an instance back or makes it anew (rules: Removed,
Brings back, Makes anew, The set itself).

Everything here looks at one lifeline: its signals [k0, k1), and three lists of operations, each ascending by start.

    delete        start      end     limit            back
    (gone)        |==========|=======|                  |          removed until the limit, then absent until
                   removed           |------ absent ----|          it returns or is made anew
    deallocate    |==========|..........................|          removed until something brings it back
                   removed

The kernels find a first place by bisection and go forward from there. Invariants: `definite_removals` merges two lists by
position, so its rows ascend by operation and thereby by start; none begins before the first signal of the lifeline.
"""

import numpy as np

from transforms.core.columns.kernel import NEVER, Ints, array_kernel, inner_kernel
from transforms.core.rules.life import Life, first_signal, first_start, is_turn, next_renewal, next_return
from transforms.core.rules.lines import AVAILABLE, UNKNOWN, is_renewal
from transforms.core.rules.operations import FAILED, MAY_REMOVE, REMOVES, RENEWS, SUCCEEDED
from transforms.core.rules.targets import NONE


@inner_kernel
def is_covered(life: Life, t: int, starts: bool) -> bool:
    """Whether t lies within [begin, limit) of an unnamed excusing operation that renews and does not add (or a `start`)."""
    k = first_start(life, life.unnamed_lo, life.unnamed_hi, t + 1)
    if k > life.unnamed_lo and (life.lists[k - 1].more_by_start if starts else life.lists[k - 1].more) > t:
        return True
    while k < life.unnamed_hi and life.lists[k].start <= t + life.rules.unseen:  # only its end was seen: it had begun
        op = life.ops[life.lists[k].op]
        if op.begin <= t and is_renewal(life.lists[k].op, life.ops) and not op.adds and (op.starts or not starts):
            return True
        k += 1
    return False


@inner_kernel
def brought_back(life: Life, x: int, until: int) -> int:
    """The first moment in [x, until) at which something brings the instance back; `until` if there is none."""
    found = min(until, next_renewal(life, x))
    k = first_signal(life, x)
    while k < life.k1 and life.signals[k].time < found:
        signal = life.signals[k]
        turns = signal.state != UNKNOWN and is_turn(life, k)
        if turns and is_covered(life, signal.time, signal.state == AVAILABLE):
            return signal.time
        k = signal.next_other if signal.state == AVAILABLE else k + 1
    return found


@inner_kernel
def made_anew(life: Life, x: int, since: int) -> int:
    """The start, at or after `since`, of the first operation that makes the instance (or the set) anew and has its `begin` at or
    after x; NEVER if there is none."""
    lo, hi = (life.all_lo, life.all_hi) if life.is_own else (life.named_lo, life.named_hi)
    for k in range(first_start(life, lo, hi, since), hi):
        op = life.lists[k].op
        makes = life.ops[op].effect == RENEWS or (life.ops[op].effect == MAY_REMOVE and not life.is_own)
        makes = makes and life.ops[op].excuses and life.ops[op].handed_by == NONE
        if makes and life.ops[op].outcome != FAILED and life.ops[op].begin >= x:
            return life.ops[op].start
    return NEVER


@inner_kernel
def _return_after_end(life: Life, end: int, limit: int) -> int:
    """The first return at or after `end`; a repeat counts only after `limit`."""
    k = first_signal(life, end)
    while k < life.k1 and life.signals[k].time <= limit:
        if life.signals[k].state == AVAILABLE and is_turn(life, k):
            return life.signals[k].time
        k += 1
    return next_return(life, limit + 1)


@inner_kernel
def _removes_definitely(life: Life, op: int) -> bool:
    return life.ops[op].effect == REMOVES and life.ops[op].excuses and life.ops[op].outcome == SUCCEEDED


@inner_kernel
def _add(life: Life, op: int, n: int, out: Ints) -> int:
    """Adds the removal of one operation as (start, end of the removed time, end of the absent time, operation)."""
    start = max(life.ops[op].start, life.signals[life.k0].time)
    end, limit = life.ops[op].end, life.ops[op].limit
    if life.ops[op].gone:
        back = min(next_return(life, limit + 1), made_anew(life, end, end))
        removed = min(limit, back)
    else:
        back = brought_back(life, end, _return_after_end(life, end, limit))
        removed = back
    if back > start >= life.since:
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = start, max(removed, start), back, op
        n += 1
    return n


@array_kernel
def definite_removals(life: Life) -> Ints:
    """The definite removals of a lifeline, a row each: start, end of removed time, end of the absent time behind it,
    operation; by start."""
    first = life.signals[life.k0].time
    earliest = first - life.rules.longest - life.rules.settle
    n1, a1 = life.named_hi, life.all_hi
    n0 = n1 if life.is_own else first_start(life, life.named_lo, n1, earliest)
    a0 = first_start(life, life.all_lo, a1, earliest)
    out, n = np.empty((n1 - n0 + a1 - a0, 4), np.int64), 0
    while n0 < n1 or a0 < a1:
        if a0 >= a1 or (n0 < n1 and life.lists[n0].op < life.lists[a0].op):
            op = life.lists[n0].op
            n0 += 1
            reported = first <= life.ops[op].limit
        else:
            op = life.lists[a0].op
            a0 += 1
            reported = first <= life.ops[op].end and (life.ops[op].gone or not life.is_own)
        if reported and _removes_definitely(life, op):
            n = _add(life, op, n, out)
    return out[:n]
