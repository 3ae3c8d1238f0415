"""Attribution: what explains an episode, until when, and whether it may be presumed away (semantics.md 4, steps 1 to 5)."""

from typing import Final, NamedTuple

from schemas.attribution import VERDICTS
from transforms.core.kernel import NEVER, Ints, first_at_or_after, first_start, kernel
from transforms.core.lines import AVAILABLE, DEGRADED, UNKNOWN, Lines, Reach
from transforms.core.operations import FAILED, MAY_REMOVE, REMOVES, SUCCEEDED, UNFINISHED, UNNAMED, Ops
from transforms.core.removals import Life, Rules, brought_back, made_anew, next_renewal, next_return

EXPLAINED, REMOVED, PRESUMED, OVERRUN, UNEXCUSED, FAULT, UNEXPLAINED = range(len(VERDICTS))
UNDECIDED, REFUSED, ACCEPTED = -1, 0, 1
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
    """The set's own signals: [lo, hi) of `Lines`, and the moments at which the set was forgotten."""

    lo: int
    hi: int
    forgotten: Ints


@kernel
def own_signal_before(own: Own, t: int, lines: Lines) -> int:
    """The set's own latest signal before t, -1 if there is none or if it is forgotten by then."""
    k = first_at_or_after(lines.time, own.lo, own.hi, t) - 1
    if k < own.lo:
        return NONE
    for moment in own.forgotten:
        if lines.time[k] < moment < t:
            return NONE
    return k


@kernel
def is_borne_out(own: Own, a: int, w: int, lines: Lines) -> bool:
    """Whether the last change of the set's own H before w is a turn to Available, after a."""
    k = own_signal_before(own, w, lines)
    if k == NONE or lines.state[k] != AVAILABLE:
        return False
    while lines.time[k] > a:
        before = own_signal_before(own, lines.time[k], lines)
        for moment in own.forgotten:
            if moment == lines.time[k]:
                before = NONE
        if before == NONE:
            return False
        if lines.state[before] != AVAILABLE:
            return True
        k = before
    return False


@kernel
def is_silent(life: Life, x: int, y: int, lines: Lines) -> bool:
    """Whether in (x, y) only Unknown is signalled and no fault is noticed."""
    k = first_at_or_after(lines.time, life.k0, life.k1, x + 1)
    while k < life.k1 and lines.time[k] < y:
        if lines.state[k] != UNKNOWN:
            return False
        k += 1
    return first_fault(life, x + 1, lines) >= y


@kernel
def first_fault(life: Life, x: int, lines: Lines) -> int:
    """The first fault notice of the lifeline at or after x; NEVER if there is none."""
    hi = lines.fault_lo[life.line + 1]
    k = first_at_or_after(lines.fault, lines.fault_lo[life.line], hi, max(x, life.floor))
    return lines.fault[k] if k < hi else NEVER


@kernel
def _is_over(life: Life, op: int, a: int, lines: Lines, ops: Ops, reach: Reach) -> bool:
    """Whether only the end of an unfinished removal was lost: a renewal has started since and the instance has returned, both before a."""
    if ops.outcome[op] != UNFINISHED or ops.effect[op] != REMOVES:
        return False
    renewal = next_renewal(life, ops.start[op] + 1, ops, reach)
    return renewal < a and next_return(life, renewal, lines) < a


@kernel
def _better(op: int, rank: int, best: int, best_rank: int, ops: Ops) -> bool:
    """Step 3 between two candidates; operations of one start are in order of (operation_key, verb)."""
    if best == NONE or rank != best_rank:
        return best == NONE or rank > best_rank
    if ops.start[op] != ops.start[best]:
        return ops.start[op] > ops.start[best]
    return op < best


@kernel
def _best_of(
    life: Life, list_: Ints, lo: int, hi: int, definite: int, a: int, returned: bool, best: int, best_rank: int, n: int,
    lines: Lines, ops: Ops, reach: Reach, rules: Rules,
) -> tuple[int, int, int]:  # fmt: skip
    """Goes on with (best, its rank, candidates) over one list of operations."""
    k = first_start(ops.start, list_, lo, hi, a - rules.longest - rules.settle)
    while k < hi and ops.start[list_[k]] <= a + rules.skew + rules.unseen:
        op = list_[k]
        k += 1
        if ops.begin[op] - rules.skew > a or a >= ops.limit[op]:
            continue
        if not definite and ops.news[op] and returned:
            continue
        if _is_over(life, op, a, lines, ops, reach):
            continue
        n += 1
        rank = 4 * definite + 2 * (ops.effect[op] != MAY_REMOVE) + (ops.begin[op] <= a)
        if _better(op, rank, best, best_rank, ops):
            best, best_rank = op, rank
    return best, best_rank, n


@kernel
def explaining(
    life: Life, a: int, returned: bool, lines: Lines, ops: Ops, reach: Reach, rules: Rules
) -> tuple[int, bool, int]:
    """Steps 2 and 3: (explaining operation or -1, whether it targets definitely, number of candidates)."""
    best, rank, n = NONE, 0, 0
    lo, hi = reach.named_lo[life.line], reach.named_lo[life.line + 1]
    best, rank, n = _best_of(life, reach.named, lo, hi, 1, a, returned, best, rank, n, lines, ops, reach, rules)
    if not life.own:
        lo, hi = reach.all_lo[life.set], reach.all_lo[life.set + 1]
        best, rank, n = _best_of(life, reach.all, lo, hi, 1, a, returned, best, rank, n, lines, ops, reach, rules)
        lo, hi = reach.unnamed_lo[life.set], reach.unnamed_lo[life.set + 1]
        best, rank, n = _best_of(life, reach.unnamed, lo, hi, 0, a, returned, best, rank, n, lines, ops, reach, rules)
    return best, rank >= 4, n


@kernel
def _beside(
    list_: Ints, lo: int, hi: int, op: int, b: int, skip_news: bool, limit: int, cap: int, ops: Ops, rules: Rules
) -> int:
    """The limit extended by operations of one list that start within `skew` of the explaining one."""
    k = first_start(ops.start, list_, lo, hi, ops.start[op] - rules.skew)
    while k < hi and ops.start[list_[k]] <= ops.start[op] + rules.skew and ops.start[list_[k]] < b:
        p = list_[k]
        k += 1
        if ops.excuses[p] and ops.limit[p] > limit and not (skip_news and ops.news[p]):
            limit = max(limit, min(ops.limit[p], cap))
    return limit


@kernel
def _chained(life: Life, a: int, b: int, limit: int, cap: int, ops: Ops, reach: Reach, rules: Rules) -> int:
    """The limit extended by definite operations that start at or before it, each from there."""
    earliest = a - rules.longest - rules.settle
    n, n1 = reach.named_lo[life.line], reach.named_lo[life.line + 1]
    w, w1 = reach.all_lo[life.set], reach.all_lo[life.set + 1]
    n = first_start(ops.start, reach.named, n, n1, earliest)
    w = w1 if life.own else first_start(ops.start, reach.all, w, w1, earliest)
    while n < n1 or w < w1:
        if w >= w1 or (n < n1 and reach.named[n] < reach.all[w]):
            p = reach.named[n]
            n += 1
        else:
            p = reach.all[w]
            w += 1
        if ops.start[p] > limit or ops.start[p] >= b:
            break
        if ops.excuses[p] and ops.limit[p] > limit:
            limit = max(limit, min(ops.limit[p], cap))
    return limit


@kernel
def extended_limit(
    life: Life, op: int, definite: bool, a: int, b: int, returned: bool, ops: Ops, reach: Reach, rules: Rules
) -> int:
    """Step 4 without faults: L of an episode [a, b) that `op` explains."""
    limit, cap = ops.limit[op], a + rules.max_excuse
    limit = _beside(reach.named, reach.named_lo[life.line], reach.named_lo[life.line + 1], op, b, False, limit, cap, ops, rules)
    if not life.own:
        lo, hi = reach.all_lo[life.set], reach.all_lo[life.set + 1]
        limit = _beside(reach.all, lo, hi, op, b, False, limit, cap, ops, rules)
        lo, hi = reach.unnamed_lo[life.set], reach.unnamed_lo[life.set + 1]
        limit = _beside(reach.unnamed, lo, hi, op, b, returned, limit, cap, ops, rules)
    limit = _chained(life, a, b, limit, cap, ops, reach, rules)
    return limit if definite else min(limit, a + rules.possible_excuse)


@kernel
def _kind(op: int, definite: bool, returned: bool, ops: Ops) -> int:
    """Step 5, *kind*: which of the cases in which an instance may have been taken away, or none."""
    removes, outcome = ops.effect[op] == REMOVES, ops.outcome[op]
    if definite:
        if removes and outcome == UNFINISHED:
            return _UNFINISHED
        return _FAILED if removes and outcome == FAILED and ops.gone[op] else _NO_KIND
    if outcome != SUCCEEDED or ops.target[op] != UNNAMED:
        return _NO_KIND
    if removes:
        return _UNNAMED
    return _UPDATE if ops.effect[op] == MAY_REMOVE and returned else _NO_KIND


@kernel
def _moment(life: Life, op: int, x: int, until: int, lines: Lines, ops: Ops, reach: Reach) -> int:
    """The first moment in [x, until) at which something brings the instance back (if the verb leaves it behind) or makes it anew."""
    if ops.gone[op]:
        return min(until, made_anew(life, x, ops, reach))
    return brought_back(life, x, until, lines, ops, reach)


@kernel
def _next_bad(life: Life, x: int, lines: Lines) -> int:
    """The first signal at or after x with which Degraded or Unavailable wins; NEVER if there is none."""
    k = first_at_or_after(lines.time, life.k0, life.k1, x)
    while k < life.k1:
        if lines.state[k] >= DEGRADED:
            return lines.time[k]
        k = lines.next_other[k] if lines.state[k] == AVAILABLE else k + 1
    return NEVER


@kernel
def _may_be_presumed(life: Life, kind: int, op: int, a: int, limit: int, w: int, own: Own, lines: Lines, ops: Ops, rules: Rules) -> bool:
    """Step 5, *borne out* and *silent*."""
    needs = kind == _FAILED or kind == _UPDATE
    if kind == _UNNAMED:
        needs = ops.gone[op] and ops.count[op] < 0 and own_signal_before(own, a + 1, lines) != NONE
    if needs and not is_borne_out(own, a, w, lines):
        return False
    return is_silent(life, limit + rules.settle, w, lines)


@kernel
def _lapsed(
    life: Life, op: int, n: int, kind: int, a: int, b: int, wall: int, limit: int, decision: int,
    own: Own, lines: Lines, ops: Ops, reach: Reach, rules: Rules,
) -> Judged:  # fmt: skip
    """Step 5 of an episode that goes on behind L: presumed removed, or an overrun that may be given up."""
    overrun = Judged(OVERRUN, op, limit, n, b, NONE, NONE, False, False)
    if kind == _NO_KIND or next_renewal(life, a + 1, ops, reach) <= limit:
        return overrun
    w = _moment(life, op, limit + 1, a + rules.presume_after, lines, ops, reach)
    if decision != REFUSED and _may_be_presumed(life, kind, op, a, limit, w, own, lines, ops, rules):
        back = _moment(life, op, limit + 1, next_return(life, a + 1, lines), lines, ops, reach)
        if ops.gone[op]:
            back = min(back, _next_bad(life, w, lines))
        pending = decision == UNDECIDED and ops.count[op] >= 0
        end = limit if ops.gone[op] else min(wall, back)
        return Judged(PRESUMED, op, limit, n, end, limit, back, ops.gone[op], pending)
    g = limit + rules.max_open
    if b <= g or g > rules.T or not is_silent(life, limit + rules.settle, g, lines):
        return overrun
    k = own_signal_before(own, g, lines)
    if (k != NONE and lines.state[k] >= DEGRADED) or _moment(life, op, limit + 1, g + 1, lines, ops, reach) <= g:
        return overrun
    back = _moment(life, op, g + 1, min(next_return(life, g, lines), _next_bad(life, g, lines)), lines, ops, reach)
    return Judged(OVERRUN, op, limit, n, g, g, back, True, False)


@kernel
def judge(
    life: Life, a: int, b: int, wall: int, decision: int, own: Own, lines: Lines, ops: Ops, reach: Reach, rules: Rules
) -> Judged:
    """Judges the episode [a, b) of a lifeline (b is NEVER while it is open).

    Args:
        life: The lifeline.
        a: The onset, microseconds.
        b: Where it ends: the next Available, the next episode, or definite removed or absent time.
        wall: Where the next definite removed or absent time begins.
        decision: Whether the count of the explaining operation allows a presumption, once that is known.
        own: The set's own signals, which bear a presumption out.
        lines: All lines.
        ops: All operations.
        reach: Whom they target.
        rules: The policy.
    """
    returned = next_return(life, lines.time[life.k0], lines) < a
    op, definite, n = explaining(life, a, returned, lines, ops, reach, rules)
    if first_fault(life, a - rules.skew, lines) <= a + rules.skew:
        return Judged(FAULT, NONE, NEVER, n, b, NONE, NONE, False, False)
    if op == NONE:
        return Judged(UNEXPLAINED, NONE, NEVER, n, b, NONE, NONE, False, False)
    if not ops.excuses[op]:
        return Judged(UNEXCUSED, op, NEVER, n, b, NONE, NONE, False, False)
    limit = extended_limit(life, op, definite, a, b, returned, ops, reach, rules)
    fault = first_fault(life, a + 1, lines)
    if fault < b and fault < limit:
        return Judged(OVERRUN, op, fault, n, b, NONE, NONE, False, False)
    if b <= limit or (b > rules.T and limit >= rules.T):
        return Judged(EXPLAINED, op, limit, n, b, NONE, NONE, False, False)
    kind = _NO_KIND if life.own else _kind(op, definite, returned, ops)
    return _lapsed(life, op, n, kind, a, b, wall, limit, decision, own, lines, ops, reach, rules)
