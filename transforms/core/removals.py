"""Removed and absent time by definite removals, and what brings an instance back or makes it anew (semantics.md 4, "Removed"; 5 for a set's own line)."""

from typing import NamedTuple

import numpy as np

from transforms.core.kernel import NEVER, Ints, first_at_or_after, first_start, kernel
from transforms.core.lines import AVAILABLE, DEGRADED, Lines, Reach
from transforms.core.operations import FAILED, MAY_REMOVE, REMOVES, RENEWS, SUCCEEDED, Ops


class Rules(NamedTuple):
    """The policy's times in microseconds, and T."""

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


class Life(NamedTuple):
    """One lifeline that is being walked: its line, its set, whether it is the set's own, and its signals [k0, k1).

    `k0` is the first signal of the lifeline: what came before a forgetting is another's.
    """

    line: int
    set: int
    own: bool
    k0: int
    k1: int
    floor: int
    """When the one before it was forgotten; fault notices before that are another's."""


@kernel
def next_renewal(life: Life, x: int, ops: Ops, reach: Reach) -> int:
    """The start, at or after x, of the first definite excusing operation that renews; NEVER if there is none. Of a set's own line: of all."""
    lo, hi = reach.all_lo[life.set], reach.all_lo[life.set + 1]
    found = NEVER
    k = first_start(ops.start, reach.all, lo, hi, x)
    if k < hi and reach.all_renews[k] < hi:
        found = ops.start[reach.all[reach.all_renews[k]]]
    if life.own:
        return found
    lo, hi = reach.named_lo[life.line], reach.named_lo[life.line + 1]
    for k in range(first_start(ops.start, reach.named, lo, hi, x), hi):
        op = reach.named[k]
        if ops.start[op] >= found:
            break
        if ops.effect[op] == RENEWS and ops.excuses[op]:
            return ops.start[op]
    return found


@kernel
def is_covered(life: Life, t: int, ops: Ops, reach: Reach) -> bool:
    """Whether t lies within [start, limit) of an unnamed excusing operation that renews and is no create or scale_out."""
    lo, hi = reach.unnamed_lo[life.set], reach.unnamed_lo[life.set + 1]
    k = first_start(ops.start, reach.unnamed, lo, hi, t + 1)
    return k > lo and reach.covered[k - 1] > t


@kernel
def brought_back(life: Life, x: int, until: int, lines: Lines, ops: Ops, reach: Reach) -> int:
    """The first moment in [x, until) at which something brings the instance back; `until` if there is none."""
    found = min(until, next_renewal(life, x, ops, reach))
    k = first_at_or_after(lines.time, life.k0, life.k1, x)
    while k < life.k1 and lines.time[k] < found:
        turns = lines.state[k] >= DEGRADED and (k == life.k0 or lines.state[k - 1] != lines.state[k])
        if turns and is_covered(life, lines.time[k], ops, reach):
            return lines.time[k]
        k = lines.next_other[k] if lines.state[k] == AVAILABLE else k + 1
    return found


@kernel
def made_anew(life: Life, x: int, ops: Ops, reach: Reach) -> int:
    """The start of the first operation with `begin` at or after x that makes the instance (or the set) anew; NEVER if there is none."""
    list_ = reach.all if life.own else reach.named
    lo = reach.all_lo[life.set] if life.own else reach.named_lo[life.line]
    hi = reach.all_lo[life.set + 1] if life.own else reach.named_lo[life.line + 1]
    for k in range(first_start(ops.start, list_, lo, hi, x), hi):
        op = list_[k]
        makes = ops.effect[op] == RENEWS or (ops.effect[op] == MAY_REMOVE and not life.own)
        if makes and ops.excuses[op] and ops.outcome[op] != FAILED and ops.begin[op] >= x:
            return ops.start[op]
    return NEVER


@kernel
def next_return(life: Life, x: int, lines: Lines) -> int:
    """The time of the first return at or after x; NEVER if there is none."""
    k = first_at_or_after(lines.time, life.k0, life.k1, x)
    if k < life.k1 and lines.next_available[k] < life.k1:
        return lines.time[lines.next_available[k]]
    return NEVER


@kernel
def _return_after_end(life: Life, end: int, limit: int, lines: Lines) -> int:
    """The first return at or after `end`; a repeat counts only after `limit`."""
    k = first_at_or_after(lines.time, life.k0, life.k1, end)
    while k < life.k1 and lines.time[k] <= limit:
        if lines.state[k] == AVAILABLE and (k == life.k0 or lines.state[k - 1] != AVAILABLE):
            return lines.time[k]
        k += 1
    return next_return(life, limit + 1, lines)


@kernel
def _removes_definitely(op: int, ops: Ops) -> bool:
    return ops.effect[op] == REMOVES and ops.excuses[op] and ops.outcome[op] == SUCCEEDED


@kernel
def _add(life: Life, op: int, n: int, out: Ints, lines: Lines, ops: Ops, reach: Reach) -> int:
    """Adds the removal of one operation as (start, end of the removed time, end of the absent time, operation)."""
    start = max(ops.start[op], lines.time[life.k0])
    end, limit = ops.end[op], ops.limit[op]
    if ops.gone[op]:
        back = min(next_return(life, limit + 1, lines), made_anew(life, end, ops, reach))
        removed = min(limit, back)
    else:
        back = brought_back(life, end, _return_after_end(life, end, limit, lines), lines, ops, reach)
        removed = back
    if back > start:
        out[n] = (start, max(removed, start), back, op)
        n += 1
    return n


@kernel
def definite_removals(life: Life, lines: Lines, ops: Ops, reach: Reach, rules: Rules) -> Ints:
    """The definite removals of a lifeline, a row each: start, end of removed time, end of the absent time behind it, operation; by start."""
    first = lines.time[life.k0]
    n0, n1 = reach.named_lo[life.line], reach.named_lo[life.line + 1]
    a0, a1 = reach.all_lo[life.set], reach.all_lo[life.set + 1]
    earliest = first - rules.longest - rules.settle
    n0, a0 = first_start(ops.start, reach.named, n0, n1, earliest), first_start(ops.start, reach.all, a0, a1, earliest)
    if life.own:
        n0 = n1
    out, n = np.empty((n1 - n0 + a1 - a0, 4), np.int64), 0
    for k in range(n0, n1):
        op = reach.named[k]
        if _removes_definitely(op, ops) and first <= ops.limit[op]:
            n = _add(life, op, n, out, lines, ops, reach)
    for k in range(a0, a1):
        op = reach.all[k]
        if _removes_definitely(op, ops) and first <= ops.end[op] and (ops.gone[op] or not life.own):
            n = _add(life, op, n, out, lines, ops, reach)
    if n < 2:
        return out[:n]
    return out[:n][np.argsort(out[:n, 0], kind="mergesort")]
