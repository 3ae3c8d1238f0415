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

from transforms.core.columns.kernel import NEVER, inner_kernel
from transforms.core.rules.life import Life, first_fault, first_own_signal, first_signal, next_renewal, next_return
from transforms.core.rules.lines import AVAILABLE, DEGRADED, UNKNOWN
from transforms.core.rules.operations import FAILED, MAY_REMOVE, REMOVES, UNFINISHED
from transforms.core.rules.removals import brought_back, made_anew
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


@inner_kernel
def own_signal_before(life: Life, t: int) -> int:
    """The set's own latest signal before t, -1 if there is none or if it is forgotten by then."""
    k = first_own_signal(life, t) - 1
    if k < life.own_lo:
        return NONE
    for moment in life.forgotten:
        if life.signals[k].time < moment < t:
            return NONE
    return k


@inner_kernel
def _is_first(life: Life, k: int) -> bool:
    """Whether signal k is the first of the set itself, or the first since it was forgotten: then it turns from no state."""
    first = k == life.own_lo
    for moment in life.forgotten:
        first = first or life.signals[k - 1].time < moment <= life.signals[k].time
    return first


@inner_kernel
def _first_recovery(life: Life, a: int) -> int:
    """The set's own first signal behind a with which it turns to Available, having been bad at or after a; own_hi: none."""
    k = own_signal_before(life, a + 1)
    if k == NONE:
        k = first_own_signal(life, a + 1)
    k = _first_bad(life, k, life.own_hi)
    while k < life.own_hi:
        k = life.signals[k].next_available
        if k >= life.own_hi or not _is_first(life, k):
            break
        k = life.signals[k].next_other
    return k


@inner_kernel
def _well_before(life: Life, t: int) -> int:
    """For how many microseconds before t the set itself was Available: it is not, once it is forgotten."""
    k = first_own_signal(life, t) - 1
    well = life.signals[k].well + (t - life.signals[k].time if life.signals[k].state == AVAILABLE else 0)
    for moment in life.forgotten:
        k = first_own_signal(life, moment)
        if moment < t and k > life.own_lo and life.signals[k - 1].state == AVAILABLE:
            well -= (min(life.signals[k].time, t) if k < life.own_hi else t) - moment
    return well


@inner_kernel
def is_borne_out(life: Life, a: int, w: int) -> bool:
    """Whether the set itself, having been bad at or after a, turns to Available before w, and from then on is so for more than
    half of the time up to w, and for `settle` at least."""
    k = _first_recovery(life, a)
    if k >= life.own_hi or life.signals[k].time >= w:
        return False
    turn = life.signals[k].time
    well = _well_before(life, w) - _well_before(life, turn)
    return 2 * well > w - turn and well >= life.rules.settle


@inner_kernel
def _first_bad(life: Life, k: int, hi: int) -> int:
    """The first signal in [k, hi) of a line with which Degraded or Unavailable wins, or hi."""
    while k < hi and life.signals[k].state < DEGRADED:
        k = life.signals[k].next_other if life.signals[k].state == AVAILABLE else k + 1
    return k


@inner_kernel
def is_silent(life: Life, x: int, y: int) -> bool:
    """Whether in (x, y) only Unknown is signalled and no fault is noticed."""
    k = first_signal(life, x + 1)
    while k < life.k1 and life.signals[k].time < y:
        if life.signals[k].state != UNKNOWN:
            return False
        k += 1
    return first_fault(life, x + 1) >= y


@inner_kernel
def kind_of(life: Life, op: int, definite: bool, returned: bool) -> int:
    """Step 5, *kind*: which of the cases in which an instance may have been taken away, or none (so of the set itself)."""
    if life.is_own:
        return _NO_KIND
    removes, outcome = life.ops[op].effect == REMOVES, life.ops[op].outcome
    if definite:
        if removes and outcome == UNFINISHED:
            return _UNFINISHED
        return _FAILED if removes and outcome == FAILED and life.ops[op].gone and not life.ops[op].refused else _NO_KIND
    if outcome == FAILED:
        return _NO_KIND
    if removes:
        return _UNNAMED
    return _UPDATE if life.ops[op].effect == MAY_REMOVE and returned else _NO_KIND


@inner_kernel
def _moment(life: Life, op: int, x: int, until: int) -> int:
    """The first moment in [x, until) that brings the instance back (if the verb leaves it behind) or makes it anew (if not)."""
    if life.ops[op].gone:
        return min(until, made_anew(life, x, x))
    return brought_back(life, x, until)


@inner_kernel
def _next_bad(life: Life, x: int) -> int:
    """The first signal at or after x with which Degraded or Unavailable wins; NEVER if there is none."""
    k = _first_bad(life, first_signal(life, x), life.k1)
    return life.signals[k].time if k < life.k1 else NEVER


@inner_kernel
def _needs_bearing_out(life: Life, found: BestCandidate, kind: int, a: int) -> bool:
    """Step 5: whether the presumption needs that the set itself went on to say that it is well."""
    op = life.ops[found.op]
    if kind != _UNNAMED or op.outcome == UNFINISHED:
        return kind != _UNFINISHED
    return op.gone and own_signal_before(life, a + 1) != NONE and (op.how_many < 0 or found.came_back)


@inner_kernel
def _may_be_presumed(life: Life, kind: int, found: BestCandidate, a: int, limit: int, w: int) -> bool:
    """Step 5, *borne out* and *silent*."""
    if _needs_bearing_out(life, found, kind, a) and not is_borne_out(life, a, w):
        return False
    return next_return(life, limit + 1) >= w and is_silent(life, limit + life.rules.settle, w)


@inner_kernel
def _given_up(life: Life, op: int, n: int, limit: int, g: int) -> Judgement:
    """An overrun that ends at g, since nothing more was heard of the instance."""
    back = min(next_return(life, g), _next_bad(life, g))
    back = min(back, made_anew(life, limit + 1, g + 1)) if life.ops[op].gone else brought_back(life, g + 1, back)
    return Judgement(OVERRUN, op, limit, n, g, g, back, True, False)


@inner_kernel
def judge_lapsed(
    life: Life, found: BestCandidate, kind: int, a: int, b: int, wall: int, limit: int, decision: int) -> Judgement:  # fmt: skip
    """Step 5 of an episode that goes on behind L: presumed removed, or an overrun that may be given up."""
    op, n = found.op, found.candidates
    overrun = Judgement(OVERRUN, op, limit, n, b, NONE, NONE, False, False)
    if decision == OVERRUN_FOR_GOOD or kind == _NO_KIND or next_renewal(life, a + 1) <= limit:
        return overrun
    w = _moment(life, op, limit + 1, a + life.rules.presume_after)
    presumed = decision in (UNDECIDED, GRANTED) and _may_be_presumed(life, kind, found, a, limit, w)
    if decision == AWAY_FOR_GOOD or presumed:
        back = _moment(life, op, limit + 1, next_return(life, a + 1))
        if life.ops[op].gone:
            back = min(back, _next_bad(life, w))
        pending = decision == UNDECIDED and life.ops[op].how_many >= 0
        end = limit if life.ops[op].gone else min(wall, back)
        return Judgement(PRESUMED, op, limit, n, end, limit, back, life.ops[op].gone, pending)
    g = limit + life.rules.max_open
    if decision == GIVEN_UP_FOR_GOOD:
        return _given_up(life, op, n, limit, g)
    if b <= g or g > life.T or not is_silent(life, limit + life.rules.settle, g):
        return overrun
    k = own_signal_before(life, g)
    if (k != NONE and life.signals[k].state >= DEGRADED) or _moment(life, op, limit + 1, g + 1) <= g:
        return overrun
    return _given_up(life, op, n, limit, g)
