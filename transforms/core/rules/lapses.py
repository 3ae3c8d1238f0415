"""Lapses: episodes that go on behind their limit, presumed removed, given up, or an overrun
(rules: Presumed removed, Given up, Overrun).

Each function looks at one episode of one lifeline whose explaining operation is known, and at the set's own signals:

    a             L   L + settle           w                    g = L + max_open
    |=============|---|....................|.....................|
      explained        only Unknown here: silent
                       until w: presumed removed, if the set bears it out
                       until g: else an overrun, given up at g

    w: the earlier of `a + presume_after` and what brings the instance back (or makes it anew) behind L

Invariants: signals of a line ascend, one a time; `next_available` and `next_other` of a signal are at or after it, so a walk
that follows them only moves forward. What a standing has decided for good (`decision`) is never judged again.
"""

from typing import NamedTuple

from transforms.core.columns.kernel import NEVER, Ints, first_at_or_after, kernel
from transforms.core.rules.lines import AVAILABLE, DEGRADED, UNKNOWN, Lookups
from transforms.core.rules.operations import FAILED, MAY_REMOVE, REMOVES, UNFINISHED
from transforms.core.rules.removals import Life, Rules, brought_back, first_signal, made_anew, next_renewal, next_return
from transforms.core.rules.targets import NONE
from transforms.core.rules.verdicts import (
    AWAY_FOR_GOOD,
    GIVEN_UP_FOR_GOOD,
    GRANTED,
    OVERRUN,
    OVERRUN_FOR_GOOD,
    PRESUMED,
    UNDECIDED,
    BestCandidate,
    Judgement,
)

_NO_KIND, _UNFINISHED, _FAILED, _UNNAMED, _UPDATE = range(5)


class OwnSignals(NamedTuple):
    """The set's own signals [lo, hi), and the moments at which the set was forgotten."""

    lo: int
    hi: int
    forgotten: Ints


@kernel
def own_signal_before(own: OwnSignals, t: int, past: Lookups) -> int:
    """The set's own latest signal before t, -1 if there is none or if it is forgotten by then."""
    k = first_signal(past, own.lo, own.hi, t) - 1
    if k < own.lo:
        return NONE
    for moment in own.forgotten:
        if past.signals[k].time < moment < t:
            return NONE
    return k


@kernel
def _is_first(own: OwnSignals, k: int, past: Lookups) -> bool:
    """Whether signal k is the first of the set itself, or the first since it was forgotten: then it turns from no state."""
    first = k == own.lo
    for moment in own.forgotten:
        first = first or past.signals[k - 1].time < moment <= past.signals[k].time
    return first


@kernel
def _first_recovery(own: OwnSignals, a: int, past: Lookups) -> int:
    """The set's own first signal behind a with which it turns to Available, having been bad at or after a; own.hi: none."""
    k = own_signal_before(own, a + 1, past)
    if k == NONE:
        k = first_signal(past, own.lo, own.hi, a + 1)
    k = _first_bad(k, own.hi, past)
    while k < own.hi:
        k = past.signals[k].next_available
        if k >= own.hi or not _is_first(own, k, past):
            break
        k = past.signals[k].next_other
    return k


@kernel
def _well_before(own: OwnSignals, t: int, past: Lookups) -> int:
    """For how many microseconds before t the set itself was Available: it is not, once it is forgotten."""
    k = first_signal(past, own.lo, own.hi, t) - 1
    well = past.signals[k].well + (t - past.signals[k].time if past.signals[k].state == AVAILABLE else 0)
    for moment in own.forgotten:
        k = first_signal(past, own.lo, own.hi, moment)
        if moment < t and k > own.lo and past.signals[k - 1].state == AVAILABLE:
            well -= (min(past.signals[k].time, t) if k < own.hi else t) - moment
    return well


@kernel
def is_borne_out(own: OwnSignals, a: int, w: int, past: Lookups, rules: Rules) -> bool:
    """Whether the set itself, having been bad at or after a, turns to Available before w, and from then on is so for more than
    half of the time up to w, and for `settle` at least."""
    k = _first_recovery(own, a, past)
    if k >= own.hi or past.signals[k].time >= w:
        return False
    turn = past.signals[k].time
    well = _well_before(own, w, past) - _well_before(own, turn, past)
    return 2 * well > w - turn and well >= rules.settle


@kernel
def _first_bad(k: int, hi: int, past: Lookups) -> int:
    """The first signal in [k, hi) of a line with which Degraded or Unavailable wins, or hi."""
    while k < hi and past.signals[k].state < DEGRADED:
        k = past.signals[k].next_other if past.signals[k].state == AVAILABLE else k + 1
    return k


@kernel
def is_silent(life: Life, x: int, y: int, past: Lookups) -> bool:
    """Whether in (x, y) only Unknown is signalled and no fault is noticed."""
    k = first_signal(past, life.k0, life.k1, x + 1)
    while k < life.k1 and past.signals[k].time < y:
        if past.signals[k].state != UNKNOWN:
            return False
        k += 1
    return first_fault(life, x + 1, past) >= y


@kernel
def first_fault(life: Life, x: int, past: Lookups) -> int:
    """The first fault notice of the lifeline at or after x; NEVER if there is none."""
    k = first_at_or_after(past.faults, life.faults, life.faults_end, max(x, life.floor))
    return past.faults[k] if k < life.faults_end else NEVER


@kernel
def kind_of(life: Life, op: int, definite: bool, returned: bool, past: Lookups) -> int:
    """Step 5, *kind*: which of the cases in which an instance may have been taken away, or none (so of the set itself)."""
    if life.own:
        return _NO_KIND
    removes, outcome = past.ops[op].effect == REMOVES, past.ops[op].outcome
    if definite:
        if removes and outcome == UNFINISHED:
            return _UNFINISHED
        return _FAILED if removes and outcome == FAILED and past.ops[op].gone and not past.ops[op].refused else _NO_KIND
    if outcome == FAILED:
        return _NO_KIND
    if removes:
        return _UNNAMED
    return _UPDATE if past.ops[op].effect == MAY_REMOVE and returned else _NO_KIND


@kernel
def _moment(life: Life, op: int, x: int, until: int, past: Lookups, rules: Rules) -> int:
    """The first moment in [x, until) that brings the instance back (if the verb leaves it behind) or makes it anew (if not)."""
    if past.ops[op].gone:
        return min(until, made_anew(life, x, x, past))
    return brought_back(life, x, until, past, rules)


@kernel
def _next_bad(life: Life, x: int, past: Lookups) -> int:
    """The first signal at or after x with which Degraded or Unavailable wins; NEVER if there is none."""
    k = _first_bad(first_signal(past, life.k0, life.k1, x), life.k1, past)
    return past.signals[k].time if k < life.k1 else NEVER


@kernel
def _needs_bearing_out(found: BestCandidate, kind: int, a: int, own: OwnSignals, past: Lookups) -> bool:
    """Step 5: whether the presumption needs that the set itself went on to say that it is well."""
    op = past.ops[found.op]
    if kind != _UNNAMED or op.outcome == UNFINISHED:
        return kind != _UNFINISHED
    return op.gone and own_signal_before(own, a + 1, past) != NONE and (op.how_many < 0 or found.came_back)


@kernel
def _may_be_presumed(
    life: Life, kind: int, found: BestCandidate, a: int, limit: int, w: int, own: OwnSignals, past: Lookups, rules: Rules
) -> bool:
    """Step 5, *borne out* and *silent*."""
    if _needs_bearing_out(found, kind, a, own, past) and not is_borne_out(own, a, w, past, rules):
        return False
    return next_return(life, limit + 1, past) >= w and is_silent(life, limit + rules.settle, w, past)


@kernel
def _given_up(life: Life, op: int, n: int, limit: int, g: int, past: Lookups, rules: Rules) -> Judgement:
    """An overrun that ends at g, since nothing more was heard of the instance."""
    back = min(next_return(life, g, past), _next_bad(life, g, past))
    if past.ops[op].gone:
        back = min(back, made_anew(life, limit + 1, g + 1, past))
    else:
        back = brought_back(life, g + 1, back, past, rules)
    return Judgement(OVERRUN, op, limit, n, g, g, back, True, False)


@kernel
def judge_lapsed(
    life: Life, found: BestCandidate, kind: int, a: int, b: int, wall: int, limit: int, decision: int,
    own: OwnSignals, past: Lookups, rules: Rules,
) -> Judgement:  # fmt: skip
    """Step 5 of an episode that goes on behind L: presumed removed, or an overrun that may be given up."""
    op, n = found.op, found.candidates
    overrun = Judgement(OVERRUN, op, limit, n, b, NONE, NONE, False, False)
    if decision == OVERRUN_FOR_GOOD or kind == _NO_KIND or next_renewal(life, a + 1, past) <= limit:
        return overrun
    w = _moment(life, op, limit + 1, a + rules.presume_after, past, rules)
    presumed = decision in (UNDECIDED, GRANTED) and _may_be_presumed(life, kind, found, a, limit, w, own, past, rules)
    if decision == AWAY_FOR_GOOD or presumed:
        back = _moment(life, op, limit + 1, next_return(life, a + 1, past), past, rules)
        if past.ops[op].gone:
            back = min(back, _next_bad(life, w, past))
        pending = decision == UNDECIDED and past.ops[op].how_many >= 0
        end = limit if past.ops[op].gone else min(wall, back)
        return Judgement(PRESUMED, op, limit, n, end, limit, back, past.ops[op].gone, pending)
    g = limit + rules.max_open
    if decision == GIVEN_UP_FOR_GOOD:
        return _given_up(life, op, n, limit, g, past, rules)
    if b <= g or g > rules.T or not is_silent(life, limit + rules.settle, g, past):
        return overrun
    k = own_signal_before(own, g, past)
    if (k != NONE and past.signals[k].state >= DEGRADED) or _moment(life, op, limit + 1, g + 1, past, rules) <= g:
        return overrun
    return _given_up(life, op, n, limit, g, past, rules)
