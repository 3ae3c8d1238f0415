"""Attribution: what explains an episode, until when, and whether it may be presumed away (semantics.md 4, steps 1 to 5)."""

from typing import Final, NamedTuple

from schemas.attribution import VERDICTS
from transforms.core.kernel import NEVER, Ints, first_at_or_after, kernel
from transforms.core.lines import AVAILABLE, DEGRADED, UNKNOWN, Past
from transforms.core.operations import FAILED, MAY_REMOVE, REMOVES, SUCCEEDED, UNFINISHED, UNNAMED
from transforms.core.removals import Life, Rules, brought_back, first_signal, first_start, made_anew, next_renewal, next_return

EXPLAINED, REMOVED, PRESUMED, OVERRUN, UNEXCUSED, FAULT, UNEXPLAINED = range(len(VERDICTS))
UNDECIDED, REFUSED, ACCEPTED, AWAY_FOR_GOOD, GIVEN_UP_FOR_GOOD, OVERRUN_FOR_GOOD = range(-1, 5)
"""Decisions on an episode that goes on behind L: by the count of its operation, or for good, by a standing."""
_NO_KIND, _UNFINISHED, _FAILED, _UNNAMED, _UPDATE = range(5)
NONE: Final = -1


class Judged(NamedTuple):
    """What an episode is found to be."""

    verdict: int
    op: int
    """Position of the explaining operation, or -1."""
    limit: int
    """L, or NEVER where there is none."""
    candidates: int
    end: int
    """Where the episode's row ends: its own end, or where the instance becomes absent if that is earlier."""
    away: int
    """From here to `back` the instance is absent or removed, as far as can be told, and no episode begins; -1: nowhere."""
    back: int
    absent: bool
    pending: bool
    """All but the count allows the presumption: `decision` is needed."""


class Own(NamedTuple):
    """The set's own signals [lo, hi), and the moments at which the set was forgotten."""

    lo: int
    hi: int
    forgotten: Ints


@kernel
def own_signal_before(own: Own, t: int, past: Past) -> int:
    """The set's own latest signal before t, -1 if there is none or if it is forgotten by then."""
    k = first_signal(past, own.lo, own.hi, t) - 1
    if k < own.lo:
        return NONE
    for moment in own.forgotten:
        if past.signals[k].time < moment < t:
            return NONE
    return k


@kernel
def is_borne_out(own: Own, a: int, w: int, past: Past) -> bool:
    """Whether the last change of the set's own H before w is a turn to Available, after a."""
    k = own_signal_before(own, w, past)
    if k == NONE or past.signals[k].state != AVAILABLE:
        return False
    while past.signals[k].time > a:
        before = own_signal_before(own, past.signals[k].time, past)
        for moment in own.forgotten:
            if moment == past.signals[k].time:
                before = NONE
        if before == NONE:
            return False
        if past.signals[before].state != AVAILABLE:
            return True
        k = before
    return False


@kernel
def is_silent(life: Life, x: int, y: int, past: Past) -> bool:
    """Whether in (x, y) only Unknown is signalled and no fault is noticed."""
    k = first_signal(past, life.k0, life.k1, x + 1)
    while k < life.k1 and past.signals[k].time < y:
        if past.signals[k].state != UNKNOWN:
            return False
        k += 1
    return first_fault(life, x + 1, past) >= y


@kernel
def first_fault(life: Life, x: int, past: Past) -> int:
    """The first fault notice of the lifeline at or after x; NEVER if there is none."""
    k = first_at_or_after(past.faults, life.faults, life.faults_end, max(x, life.floor))
    return past.faults[k] if k < life.faults_end else NEVER


@kernel
def _is_over(life: Life, op: int, a: int, past: Past) -> bool:
    """Whether an unfinished removal only lost its end: before a, a renewal has started since and the instance has returned."""
    if past.ops[op].outcome != UNFINISHED or past.ops[op].effect != REMOVES:
        return False
    renewal = next_renewal(life, past.ops[op].start + 1, past)
    return renewal < a and next_return(life, renewal, past) < a


@kernel
def _better(op: int, rank: int, best: int, best_rank: int, past: Past) -> bool:
    """Step 3 between two candidates; operations of one start are in order of (operation_key, verb)."""
    if best == NONE or rank != best_rank:
        return best == NONE or rank > best_rank
    if past.ops[op].start != past.ops[best].start:
        return past.ops[op].start > past.ops[best].start
    return op < best


@kernel
def _best_of(
    life: Life, lo: int, hi: int, definite: int, a: int, returned: bool, best: int, best_rank: int, n: int,
    past: Past, rules: Rules,
) -> tuple[int, int, int]:  # fmt: skip
    """Goes on with (best, its rank, candidates) over one list of operations."""
    k = first_start(past, lo, hi, a - rules.longest - rules.settle)
    while k < hi and past.ops[past.lists[k, 0]].start <= a + rules.skew + rules.unseen:
        op = past.lists[k, 0]
        k += 1
        if past.ops[op].begin - rules.skew > a or a >= past.ops[op].limit:
            continue
        if not definite and past.ops[op].news and returned:
            continue
        if _is_over(life, op, a, past):
            continue
        n += 1
        rank = 4 * definite + 2 * (past.ops[op].effect != MAY_REMOVE) + (past.ops[op].begin <= a)
        if _better(op, rank, best, best_rank, past):
            best, best_rank = op, rank
    return best, best_rank, n


@kernel
def explaining(life: Life, a: int, returned: bool, past: Past, rules: Rules) -> tuple[int, bool, int]:
    """Steps 2 and 3: (explaining operation or -1, whether it targets definitely, number of candidates)."""
    best, rank, n = NONE, 0, 0
    best, rank, n = _best_of(life, life.named, life.named_end, 1, a, returned, best, rank, n, past, rules)
    if not life.own:
        best, rank, n = _best_of(life, life.all, life.all_end, 1, a, returned, best, rank, n, past, rules)
        best, rank, n = _best_of(life, life.unnamed, life.unnamed_end, 0, a, returned, best, rank, n, past, rules)
    return best, rank >= 4, n


@kernel
def _beside(lo: int, hi: int, op: int, b: int, skip_news: bool, limit: int, cap: int, past: Past, rules: Rules) -> int:
    """The limit extended by operations of one list that start within `skew` of the explaining one."""
    k = first_start(past, lo, hi, past.ops[op].start - rules.skew)
    while k < hi and past.ops[past.lists[k, 0]].start <= past.ops[op].start + rules.skew and past.ops[past.lists[k, 0]].start < b:
        p = past.lists[k, 0]
        k += 1
        if past.ops[p].excuses and past.ops[p].limit > limit and not (skip_news and past.ops[p].news):
            limit = max(limit, min(past.ops[p].limit, cap))
    return limit


@kernel
def _chained(life: Life, a: int, b: int, limit: int, cap: int, past: Past, rules: Rules) -> int:
    """The limit extended by definite operations that start at or before it, each from there."""
    earliest = a - rules.longest - rules.settle
    n1, w1 = life.named_end, life.all_end
    n = first_start(past, life.named, n1, earliest)
    w = w1 if life.own else first_start(past, life.all, w1, earliest)
    while n < n1 or w < w1:
        if w >= w1 or (n < n1 and past.lists[n, 0] < past.lists[w, 0]):
            p = past.lists[n, 0]
            n += 1
        else:
            p = past.lists[w, 0]
            w += 1
        if past.ops[p].start > limit or past.ops[p].start >= b:
            break
        if past.ops[p].excuses and past.ops[p].limit > limit:
            limit = max(limit, min(past.ops[p].limit, cap))
    return limit


@kernel
def extended_limit(life: Life, op: int, definite: bool, a: int, b: int, returned: bool, past: Past, rules: Rules) -> int:
    """Step 4 without faults: L of an episode [a, b) that `op` explains."""
    limit, cap = past.ops[op].limit, a + rules.max_excuse
    limit = _beside(life.named, life.named_end, op, b, False, limit, cap, past, rules)
    if not life.own:
        limit = _beside(life.all, life.all_end, op, b, False, limit, cap, past, rules)
        limit = _beside(life.unnamed, life.unnamed_end, op, b, returned, limit, cap, past, rules)
    limit = _chained(life, a, b, limit, cap, past, rules)
    return limit if definite else min(limit, a + rules.possible_excuse)


@kernel
def _kind(op: int, definite: bool, returned: bool, past: Past) -> int:
    """Step 5, *kind*: which of the cases in which an instance may have been taken away, or none."""
    removes, outcome = past.ops[op].effect == REMOVES, past.ops[op].outcome
    if definite:
        if removes and outcome == UNFINISHED:
            return _UNFINISHED
        return _FAILED if removes and outcome == FAILED and past.ops[op].gone else _NO_KIND
    if outcome != SUCCEEDED or past.ops[op].target != UNNAMED:
        return _NO_KIND
    if removes:
        return _UNNAMED
    return _UPDATE if past.ops[op].effect == MAY_REMOVE and returned else _NO_KIND


@kernel
def _moment(life: Life, op: int, x: int, until: int, past: Past) -> int:
    """The first moment in [x, until) that brings the instance back (if the verb leaves it behind) or makes it anew (if not)."""
    if past.ops[op].gone:
        return min(until, made_anew(life, x, past))
    return brought_back(life, x, until, past)


@kernel
def _next_bad(life: Life, x: int, past: Past) -> int:
    """The first signal at or after x with which Degraded or Unavailable wins; NEVER if there is none."""
    k = first_signal(past, life.k0, life.k1, x)
    while k < life.k1:
        if past.signals[k].state >= DEGRADED:
            return past.signals[k].time
        k = past.signals[k].next_other if past.signals[k].state == AVAILABLE else k + 1
    return NEVER


@kernel
def _may_be_presumed(life: Life, kind: int, op: int, a: int, limit: int, w: int, own: Own, past: Past, rules: Rules) -> bool:
    """Step 5, *borne out* and *silent*."""
    needs = kind in (_FAILED, _UPDATE)
    if kind == _UNNAMED:
        needs = past.ops[op].gone and past.ops[op].how_many < 0 and own_signal_before(own, a + 1, past) != NONE
    if needs and not is_borne_out(own, a, w, past):
        return False
    return is_silent(life, limit + rules.settle, w, past)


@kernel
def _given_up(life: Life, op: int, n: int, limit: int, g: int, past: Past) -> Judged:
    """An overrun that ends at g, since nothing more was heard of the instance."""
    back = _moment(life, op, g + 1, min(next_return(life, g, past), _next_bad(life, g, past)), past)
    return Judged(OVERRUN, op, limit, n, g, g, back, True, False)


@kernel
def _lapsed(
    life: Life, op: int, n: int, kind: int, a: int, b: int, wall: int, limit: int, decision: int,
    own: Own, past: Past, rules: Rules,
) -> Judged:  # fmt: skip
    """Step 5 of an episode that goes on behind L: presumed removed, or an overrun that may be given up."""
    overrun = Judged(OVERRUN, op, limit, n, b, NONE, NONE, False, False)
    if decision == OVERRUN_FOR_GOOD or kind == _NO_KIND or next_renewal(life, a + 1, past) <= limit:
        return overrun
    w = _moment(life, op, limit + 1, a + rules.presume_after, past)
    presumed = decision in (UNDECIDED, ACCEPTED) and _may_be_presumed(life, kind, op, a, limit, w, own, past, rules)
    if decision == AWAY_FOR_GOOD or presumed:
        back = _moment(life, op, limit + 1, next_return(life, a + 1, past), past)
        if past.ops[op].gone:
            back = min(back, _next_bad(life, w, past))
        pending = decision == UNDECIDED and past.ops[op].how_many >= 0
        end = limit if past.ops[op].gone else min(wall, back)
        return Judged(PRESUMED, op, limit, n, end, limit, back, past.ops[op].gone, pending)
    g = limit + rules.max_open
    if decision == GIVEN_UP_FOR_GOOD:
        return _given_up(life, op, n, limit, g, past)
    if b <= g or g > rules.T or not is_silent(life, limit + rules.settle, g, past):
        return overrun
    k = own_signal_before(own, g, past)
    if (k != NONE and past.signals[k].state >= DEGRADED) or _moment(life, op, limit + 1, g + 1, past) <= g:
        return overrun
    return _given_up(life, op, n, limit, g, past)


@kernel
def judge(life: Life, a: int, b: int, wall: int, decision: int, own: Own, past: Past, rules: Rules) -> Judged:
    """Judges the episode [a, b) of a lifeline (b is NEVER while it is open).

    Args:
        life: The lifeline.
        a: The onset, microseconds.
        b: Where it ends: the next Available, the next episode, or definite removed or absent time.
        wall: Where the next definite removed or absent time begins.
        decision: Whether the count of the explaining operation allows a presumption, once that is known.
        own: The set's own signals, which bear a presumption out.
        past: All signals, fault notices and operations.
        rules: The policy.
    """
    returned = next_return(life, past.signals[life.k0].time, past) < a
    op, definite, n = explaining(life, a, returned, past, rules)
    if first_fault(life, a - rules.skew, past) <= a + rules.skew:
        return Judged(FAULT, NONE, NEVER, n, b, NONE, NONE, False, False)
    if op == NONE:
        return Judged(UNEXPLAINED, NONE, NEVER, n, b, NONE, NONE, False, False)
    if not past.ops[op].excuses:
        return Judged(UNEXCUSED, op, NEVER, n, b, NONE, NONE, False, False)
    limit = extended_limit(life, op, definite, a, b, returned, past, rules)
    fault = first_fault(life, a + 1, past)
    if fault < b and fault < limit:
        return Judged(OVERRUN, op, fault, n, b, NONE, NONE, False, False)
    if b <= limit or (b > rules.T and limit >= rules.T):
        return Judged(EXPLAINED, op, limit, n, b, NONE, NONE, False, False)
    kind = _NO_KIND if life.own else _kind(op, definite, returned, past)
    return _lapsed(life, op, n, kind, a, b, wall, limit, decision, own, past, rules)
