"""Attribution: which operation explains an episode, and until when (rules: Candidates, Explaining operation, Extended).

Walks, for one episode [a, b) of one lifeline, the lists of operations that may concern it: those that name the instance, those
that target the whole set, and the unnamed ones. The first two kinds are *definite*, the last is only possible.

    begin - skew     a          limit
         |-----------x============|             a candidate, since begin - skew <= a < limit
           start |---------------------|        one that starts within `skew` of its start extends it to here (`_beside`),
                        start |------------|    and then a definite one that starts at or before that limit (`_chained`)

Invariants: a list ascends by start, so each walk begins at the first operation that could still reach a, and ends at the first
that starts too late. Of two candidates the one with the higher rank wins, then the later start, then the earlier position.
Extensions only make the limit later, and end at `a + max_excuse`.
"""

from transforms.core.columns.kernel import NEVER, kernel
from transforms.core.rules.lapses import OwnSignals, first_fault, judge_lapsed, kind_of
from transforms.core.rules.lines import Lookups
from transforms.core.rules.operations import MAY_REMOVE, REMOVES, RENEWS, UNFINISHED
from transforms.core.rules.removals import Life, Rules, first_start, next_recovery, next_renewal, next_return
from transforms.core.rules.targets import NONE
from transforms.core.rules.verdicts import EXPLAINED, FAULT, OVERRUN, UNEXCUSED, UNEXPLAINED, BestCandidate, Judgement

_CARRIED_OUT, _ANEW, _DEFINITE, _KNOWN, _BEGUN = 16, 8, 4, 2, 1
"""Step 3 as a number, the larger the better: not refused; not come back from; ..."""


@kernel
def _is_over(life: Life, op: int, a: int, past: Lookups) -> bool:
    """Whether an unfinished removal only lost its end: before a, a renewal has started since and the instance has returned."""
    if past.ops[op].outcome != UNFINISHED or past.ops[op].effect != REMOVES:
        return False
    renewal = next_renewal(life, past.ops[op].start + 1, past)
    return renewal < a and next_return(life, renewal, past) < a


@kernel
def _has_come_back(life: Life, op: int, a: int, past: Lookups) -> bool:
    """Whether a renewal had done its work before a: it is over, as far as is known, and the instance has returned since."""
    is_over = past.ops[op].outcome == UNFINISHED or past.ops[op].end <= a
    return past.ops[op].effect == RENEWS and is_over and next_recovery(life, past.ops[op].start, past) < a


@kernel
def _better(op: int, rank: int, found: BestCandidate, past: Lookups) -> bool:
    """Step 3 between two candidates; operations of one start are in order of (operation_key, verb)."""
    if found.op == NONE or rank != found.rank:
        return found.op == NONE or rank > found.rank
    if past.ops[op].start != past.ops[found.op].start:
        return past.ops[op].start > past.ops[found.op].start
    return op < found.op


@kernel
def _best_of(
    life: Life, lo: int, hi: int, definite: bool, a: int, returned: bool, found: BestCandidate, past: Lookups, rules: Rules
) -> BestCandidate:
    """Goes on over one list of operations."""
    k = first_start(past, lo, hi, a - rules.longest - rules.settle)
    while k < hi and past.ops[past.lists[k, 0]].start <= a + rules.skew + rules.unseen:
        op = past.lists[k, 0]
        k += 1
        if past.ops[op].begin - rules.skew > a or a >= past.ops[op].limit:
            continue
        if not definite and past.ops[op].adds and returned:
            continue
        if _is_over(life, op, a, past):
            continue
        came_back = _has_come_back(life, op, a, past)
        rank = 0 if past.ops[op].refused else _CARRIED_OUT
        rank += (0 if came_back else _ANEW) + (_DEFINITE if definite else 0)
        rank += (_KNOWN if past.ops[op].effect != MAY_REMOVE else 0) + (_BEGUN if past.ops[op].begin <= a else 0)
        best, n, came = _better(op, rank, found, past), found.candidates + 1, found.came_back or came_back
        found = BestCandidate(op if best else found.op, rank if best else found.rank, n, came)
    return found


@kernel
def explaining(life: Life, a: int, returned: bool, past: Lookups, rules: Rules) -> BestCandidate:
    """Steps 2 and 3."""
    found = BestCandidate(NONE, 0, 0, False)
    found = _best_of(life, life.named, life.named_end, True, a, returned, found, past, rules)
    if not life.own:
        found = _best_of(life, life.all, life.all_end, True, a, returned, found, past, rules)
        found = _best_of(life, life.unnamed, life.unnamed_end, False, a, returned, found, past, rules)
    return found


@kernel
def _extends(p: int, limit: int, past: Lookups) -> bool:
    return past.ops[p].excuses and not past.ops[p].refused and past.ops[p].limit > limit


@kernel
def _beside(lo: int, hi: int, op: int, b: int, skip_adds: bool, limit: int, cap: int, past: Lookups, rules: Rules) -> int:
    """The limit extended by operations of one list that start within `skew` of the explaining one."""
    k = first_start(past, lo, hi, past.ops[op].start - rules.skew)
    while k < hi and past.ops[past.lists[k, 0]].start <= past.ops[op].start + rules.skew and past.ops[past.lists[k, 0]].start < b:
        p = past.lists[k, 0]
        k += 1
        if _extends(p, limit, past) and not (skip_adds and past.ops[p].adds):
            limit = max(limit, min(past.ops[p].limit, cap))
    return limit


@kernel
def _chained(life: Life, a: int, b: int, limit: int, cap: int, past: Lookups, rules: Rules) -> int:
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
        if _extends(p, limit, past):
            limit = max(limit, min(past.ops[p].limit, cap))
    return limit


@kernel
def extended_limit(life: Life, op: int, definite: bool, a: int, b: int, returned: bool, past: Lookups, rules: Rules) -> int:
    """Step 4 without faults: L of an episode [a, b) that `op` explains."""
    limit, cap = past.ops[op].limit, a + rules.max_excuse
    limit = _beside(life.named, life.named_end, op, b, False, limit, cap, past, rules)
    if not life.own:
        limit = _beside(life.all, life.all_end, op, b, False, limit, cap, past, rules)
        limit = _beside(life.unnamed, life.unnamed_end, op, b, returned, limit, cap, past, rules)
    limit = _chained(life, a, b, limit, cap, past, rules)
    return limit if definite else min(limit, a + rules.possible_excuse)


@kernel
def judge(life: Life, a: int, b: int, wall: int, decision: int, own: OwnSignals, past: Lookups, rules: Rules) -> Judgement:
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
    found = explaining(life, a, returned, past, rules)
    op, n, definite = found.op, found.candidates, found.rank & _DEFINITE != 0
    if first_fault(life, a - rules.skew, past) <= a + rules.skew:
        return Judgement(FAULT, NONE, NEVER, n, b, NONE, NONE, False, False)
    if op == NONE:
        return Judgement(UNEXPLAINED, NONE, NEVER, n, b, NONE, NONE, False, False)
    if not past.ops[op].excuses:
        return Judgement(UNEXCUSED, op, NEVER, n, b, NONE, NONE, False, False)
    limit = extended_limit(life, op, definite, a, b, returned, past, rules)
    fault = first_fault(life, a + 1, past)
    if fault < b and fault < limit:
        return Judgement(OVERRUN, op, fault, n, b, NONE, NONE, False, False)
    if b <= limit or (b > rules.T and limit >= rules.T):
        return Judgement(EXPLAINED, op, limit, n, b, NONE, NONE, False, False)
    kind = kind_of(life, op, definite, returned, past)
    return judge_lapsed(life, found, kind, a, b, wall, limit, decision, own, past, rules)
