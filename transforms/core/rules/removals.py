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

from typing import NamedTuple

import numpy as np

from transforms.core.columns.kernel import NEVER, Ints, kernel
from transforms.core.rules.lines import AVAILABLE, UNKNOWN, Lookups, is_renewal
from transforms.core.rules.operations import FAILED, MAY_REMOVE, REMOVES, RENEWS, SUCCEEDED
from transforms.core.rules.targets import NONE


class Rules(NamedTuple):
    """The policy's times in microseconds, and T of the scale set at hand."""

    skew: int
    unseen: int
    settle: int
    possible_excuse: int
    max_excuse: int
    presume_after: int
    max_open: int
    grid: int
    longest: int
    """The longest deadline."""
    T: int


@kernel
def rules_until(T: int, rules: Rules) -> Rules:
    """The same rules with T of another scale set."""
    return Rules(
        rules.skew, rules.unseen, rules.settle, rules.possible_excuse, rules.max_excuse, rules.presume_after, rules.max_open,
        rules.grid, rules.longest, T,
    )  # fmt: skip


class Life(NamedTuple):
    """One lifeline that is being walked: its line, whether it is the set's own, and its signals [k0, k1).

    `k0` is the first signal of the lifeline: what came before a forgetting is another's.
    """

    line: int
    own: bool
    k0: int
    k1: int
    named: int
    named_end: int
    """`past.lists[named:named_end]` are the operations that name the instance (of a set's own line: all of the set)."""
    all: int
    all_end: int
    unnamed: int
    unnamed_end: int
    faults: int
    faults_end: int
    floor: int
    """When the one before it was forgotten; fault notices before that are another's."""
    since: int
    """A removal that begins before it bears on the line no more: the line goes on from a standing."""


@kernel
def first_signal(past: Lookups, lo: int, hi: int, x: int) -> int:
    """The first signal in [lo, hi) of a line at or after x, or hi."""
    while lo < hi:
        middle = (lo + hi) // 2
        if past.signals[middle].time < x:
            lo = middle + 1
        else:
            hi = middle
    return lo


@kernel
def first_start(past: Lookups, lo: int, hi: int, x: int) -> int:
    """The first position in [lo, hi) of a list of operations with one that starts at or after x, or hi."""
    while lo < hi:
        middle = (lo + hi) // 2
        if past.ops[past.lists[middle, 0]].start < x:
            lo = middle + 1
        else:
            hi = middle
    return lo


@kernel
def next_renewal(life: Life, x: int, past: Lookups) -> int:
    """The start, at or after x, of the first definite excusing operation that renews; NEVER if there is none. Of a set's own
    line: of all."""
    found = NEVER
    k = first_start(past, life.all, life.all_end, x)
    if k < life.all_end and past.lists[k, 1] < life.all_end:
        found = past.ops[past.lists[past.lists[k, 1], 0]].start
    if life.own:
        return found
    for k in range(first_start(past, life.named, life.named_end, x), life.named_end):
        op = past.lists[k, 0]
        if past.ops[op].start >= found:
            break
        if is_renewal(op, past.ops):
            return past.ops[op].start
    return found


@kernel
def is_covered(life: Life, t: int, starts: bool, past: Lookups, rules: Rules) -> bool:
    """Whether t lies within [begin, limit) of an unnamed excusing operation that renews and does not add (or a `start`)."""
    k = first_start(past, life.unnamed, life.unnamed_end, t + 1)
    if k > life.unnamed and past.lists[k - 1, 2 if starts else 1] > t:
        return True
    while k < life.unnamed_end and past.ops[past.lists[k, 0]].start <= t + rules.unseen:  # only its end was seen: it had begun
        op = past.ops[past.lists[k, 0]]
        if op.begin <= t and is_renewal(past.lists[k, 0], past.ops) and not op.adds and (op.starts or not starts):
            return True
        k += 1
    return False


@kernel
def is_turn(life: Life, k: int, past: Lookups) -> bool:
    """Whether signal k changes the reported state: of an Available, that it is a return and no repeat."""
    return k == life.k0 or past.signals[k - 1].state != past.signals[k].state


@kernel
def brought_back(life: Life, x: int, until: int, past: Lookups, rules: Rules) -> int:
    """The first moment in [x, until) at which something brings the instance back; `until` if there is none."""
    found = min(until, next_renewal(life, x, past))
    k = first_signal(past, life.k0, life.k1, x)
    while k < life.k1 and past.signals[k].time < found:
        signal = past.signals[k]
        turns = signal.state != UNKNOWN and is_turn(life, k, past)
        if turns and is_covered(life, signal.time, signal.state == AVAILABLE, past, rules):
            return signal.time
        k = signal.next_other if signal.state == AVAILABLE else k + 1
    return found


@kernel
def made_anew(life: Life, x: int, since: int, past: Lookups) -> int:
    """The start, at or after `since`, of the first operation that makes the instance (or the set) anew and has its `begin` at or
    after x; NEVER if there is none."""
    lo, hi = (life.all, life.all_end) if life.own else (life.named, life.named_end)
    for k in range(first_start(past, lo, hi, since), hi):
        op = past.lists[k, 0]
        makes = past.ops[op].effect == RENEWS or (past.ops[op].effect == MAY_REMOVE and not life.own)
        makes = makes and past.ops[op].excuses and past.ops[op].handed_by == NONE
        if makes and past.ops[op].outcome != FAILED and past.ops[op].begin >= x:
            return past.ops[op].start
    return NEVER


@kernel
def next_return(life: Life, x: int, past: Lookups) -> int:
    """The time of the first return at or after x; NEVER if there is none."""
    k = first_signal(past, life.k0, life.k1, x)
    if k < life.k1 and past.signals[k].next_available < life.k1:
        return past.signals[past.signals[k].next_available].time
    return NEVER


@kernel
def next_recovery(life: Life, x: int, past: Lookups) -> int:
    """The time of the first return at or after x that is no repeat; NEVER if there is none."""
    k = first_signal(past, life.k0, life.k1, x)
    if k < life.k1 and past.signals[k].state == AVAILABLE and not is_turn(life, k, past):
        k = past.signals[k].next_other
    if k < life.k1 and past.signals[k].next_available < life.k1:
        return past.signals[past.signals[k].next_available].time
    return NEVER


@kernel
def _return_after_end(life: Life, end: int, limit: int, past: Lookups) -> int:
    """The first return at or after `end`; a repeat counts only after `limit`."""
    k = first_signal(past, life.k0, life.k1, end)
    while k < life.k1 and past.signals[k].time <= limit:
        if past.signals[k].state == AVAILABLE and is_turn(life, k, past):
            return past.signals[k].time
        k += 1
    return next_return(life, limit + 1, past)


@kernel
def _removes_definitely(op: int, past: Lookups) -> bool:
    return past.ops[op].effect == REMOVES and past.ops[op].excuses and past.ops[op].outcome == SUCCEEDED


@kernel
def _add(life: Life, op: int, n: int, out: Ints, past: Lookups, rules: Rules) -> int:
    """Adds the removal of one operation as (start, end of the removed time, end of the absent time, operation)."""
    start = max(past.ops[op].start, past.signals[life.k0].time)
    end, limit = past.ops[op].end, past.ops[op].limit
    if past.ops[op].gone:
        back = min(next_return(life, limit + 1, past), made_anew(life, end, end, past))
        removed = min(limit, back)
    else:
        back = brought_back(life, end, _return_after_end(life, end, limit, past), past, rules)
        removed = back
    if back > start >= life.since:
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = start, max(removed, start), back, op
        n += 1
    return n


@kernel
def definite_removals(life: Life, past: Lookups, rules: Rules) -> Ints:
    """The definite removals of a lifeline, a row each: start, end of removed time, end of the absent time behind it,
    operation; by start."""
    first = past.signals[life.k0].time
    earliest = first - rules.longest - rules.settle
    n1, a1 = life.named_end, life.all_end
    n0 = n1 if life.own else first_start(past, life.named, n1, earliest)
    a0 = first_start(past, life.all, a1, earliest)
    out, n = np.empty((n1 - n0 + a1 - a0, 4), np.int64), 0
    while n0 < n1 or a0 < a1:
        if a0 >= a1 or (n0 < n1 and past.lists[n0, 0] < past.lists[a0, 0]):
            op = past.lists[n0, 0]
            n0 += 1
            reported = first <= past.ops[op].limit
        else:
            op = past.lists[a0, 0]
            a0 += 1
            reported = first <= past.ops[op].end and (past.ops[op].gone or not life.own)
        if reported and _removes_definitely(op, past):
            n = _add(life, op, n, out, past, rules)
    return out[:n]
