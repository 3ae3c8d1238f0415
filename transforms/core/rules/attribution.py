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

from transforms.core.columns.kernel import NEVER, inner_kernel
from transforms.core.rules.lapses import judge_lapsed, kind_of
from transforms.core.rules.life import Life, first_fault, first_start, next_recovery, next_renewal, next_return
from transforms.core.rules.operations import MAY_REMOVE, REMOVES, RENEWS, UNFINISHED
from transforms.core.rules.targets import NONE
from transforms.core.rules.verdicts import EXPLAINED, FAULT, OVERRUN, UNEXCUSED, UNEXPLAINED, BestCandidate, Judgement

_CARRIED_OUT, _ANEW, _DEFINITE, _KNOWN, _BEGUN = 16, 8, 4, 2, 1
"""Step 3 as a number, the larger the better: not refused; not come back from; ..."""


@inner_kernel
def _is_over(life: Life, op: int, a: int) -> bool:
    """Whether an unfinished removal only lost its end: before a, a renewal has started since and the instance has returned."""
    if life.ops[op].outcome != UNFINISHED or life.ops[op].effect != REMOVES:
        return False
    renewal = next_renewal(life, life.ops[op].start + 1)
    return renewal < a and next_return(life, renewal) < a


@inner_kernel
def _has_come_back(life: Life, op: int, a: int) -> bool:
    """Whether a renewal had done its work before a: it is over, as far as is known, and the instance has returned since."""
    is_over = life.ops[op].outcome == UNFINISHED or life.ops[op].end <= a
    return life.ops[op].effect == RENEWS and is_over and next_recovery(life, life.ops[op].start) < a


@inner_kernel
def _better(life: Life, op: int, rank: int, found: BestCandidate) -> bool:
    """Step 3 between two candidates; operations of one start are in order of (operation_key, verb)."""
    if found.op == NONE or rank != found.rank:
        return found.op == NONE or rank > found.rank
    if life.ops[op].start != life.ops[found.op].start:
        return life.ops[op].start > life.ops[found.op].start
    return op < found.op


@inner_kernel
def _best_of(life: Life, lo: int, hi: int, definite: bool, a: int, returned: bool, found: BestCandidate) -> BestCandidate:
    """Goes on over one list of operations."""
    k = first_start(life, lo, hi, a - life.rules.longest - life.rules.settle)
    while k < hi and life.lists[k].start <= a + life.rules.skew + life.rules.unseen:
        op, limit = life.lists[k].op, life.lists[k].limit
        k += 1
        if a >= limit or life.ops[op].begin - life.rules.skew > a:
            continue
        if not definite and life.ops[op].adds and returned:
            continue
        if _is_over(life, op, a):
            continue
        came_back = _has_come_back(life, op, a)
        rank = 0 if life.ops[op].refused else _CARRIED_OUT
        rank += (0 if came_back else _ANEW) + (_DEFINITE if definite else 0)
        rank += (_KNOWN if life.ops[op].effect != MAY_REMOVE else 0) + (_BEGUN if life.ops[op].begin <= a else 0)
        best, n, came = _better(life, op, rank, found), found.candidates + 1, found.came_back or came_back
        found = BestCandidate(op if best else found.op, rank if best else found.rank, n, came)
    return found


@inner_kernel
def explaining(life: Life, a: int, returned: bool) -> BestCandidate:
    """Steps 2 and 3."""
    found = BestCandidate(NONE, 0, 0, False)
    found = _best_of(life, life.named_lo, life.named_hi, True, a, returned, found)
    if not life.is_own:
        found = _best_of(life, life.all_lo, life.all_hi, True, a, returned, found)
        found = _best_of(life, life.unnamed_lo, life.unnamed_hi, False, a, returned, found)
    return found


@inner_kernel
def _extends(life: Life, p: int, limit: int) -> bool:
    return life.ops[p].excuses and not life.ops[p].refused and life.ops[p].limit > limit


@inner_kernel
def _beside(life: Life, lo: int, hi: int, op: int, b: int, skip_adds: bool, limit: int, cap: int) -> int:
    """The limit extended by operations of one list that start within `skew` of the explaining one."""
    k = first_start(life, lo, hi, life.ops[op].start - life.rules.skew)
    while k < hi and life.lists[k].start <= life.ops[op].start + life.rules.skew and life.lists[k].start < b:
        p = life.lists[k].op
        k += 1
        if _extends(life, p, limit) and not (skip_adds and life.ops[p].adds):
            limit = max(limit, min(life.ops[p].limit, cap))
    return limit


@inner_kernel
def _chained(life: Life, a: int, b: int, limit: int, cap: int) -> int:
    """The limit extended by definite operations that start at or before it, each from there."""
    earliest = a - life.rules.longest - life.rules.settle
    n1, w1 = life.named_hi, life.all_hi
    n = first_start(life, life.named_lo, n1, earliest)
    w = w1 if life.is_own else first_start(life, life.all_lo, w1, earliest)
    while n < n1 or w < w1:
        if w >= w1 or (n < n1 and life.lists[n].op < life.lists[w].op):
            p = life.lists[n].op
            n += 1
        else:
            p = life.lists[w].op
            w += 1
        if life.ops[p].start > limit or life.ops[p].start >= b:
            break
        if _extends(life, p, limit):
            limit = max(limit, min(life.ops[p].limit, cap))
    return limit


@inner_kernel
def extended_limit(life: Life, op: int, definite: bool, a: int, b: int, returned: bool) -> int:
    """Step 4 without faults: L of an episode [a, b) that `op` explains."""
    limit, cap = life.ops[op].limit, a + life.rules.max_excuse
    limit = _beside(life, life.named_lo, life.named_hi, op, b, False, limit, cap)
    if not life.is_own:
        limit = _beside(life, life.all_lo, life.all_hi, op, b, False, limit, cap)
        limit = _beside(life, life.unnamed_lo, life.unnamed_hi, op, b, returned, limit, cap)
    limit = _chained(life, a, b, limit, cap)
    return limit if definite else min(limit, a + life.rules.possible_excuse)


@inner_kernel
def judge(life: Life, a: int, b: int, wall: int, decision: int) -> Judgement:
    """Judges the episode [a, b) of a lifeline (b is NEVER while it is open).

    Args:
        life: The lifeline.
        a: The onset, microseconds.
        b: Where it ends: the next Available, the next episode, or definite removed or absent time.
        wall: Where the next definite removed or absent time begins.
        decision: Whether the count of the explaining operation allows a presumption, once that is known.
    """
    returned = next_return(life, life.signals[life.k0].time) < a
    found = explaining(life, a, returned)
    op, n, definite = found.op, found.candidates, found.rank & _DEFINITE != 0
    if first_fault(life, a - life.rules.skew) <= a + life.rules.skew:
        return Judgement(FAULT, NONE, NEVER, n, b, NONE, NONE, False, False)
    if op == NONE:
        return Judgement(UNEXPLAINED, NONE, NEVER, n, b, NONE, NONE, False, False)
    if not life.ops[op].excuses:
        return Judgement(UNEXCUSED, op, NEVER, n, b, NONE, NONE, False, False)
    limit = extended_limit(life, op, definite, a, b, returned)
    fault = first_fault(life, a + 1)
    if fault < b and fault < limit:
        return Judgement(OVERRUN, op, fault, n, b, NONE, NONE, False, False)
    if b <= limit or (b > life.T and limit >= life.T):
        return Judgement(EXPLAINED, op, limit, n, b, NONE, NONE, False, False)
    kind = kind_of(life, op, definite, returned)
    return judge_lapsed(life, found, kind, a, b, wall, limit, decision)
