"""Lifelines: each line walked in order of time into episodes, removed and absent time, and its class at every moment
(semantics.md 4 and 5)."""

import heapq
from typing import Final, NamedTuple

import numpy as np

from schemas.availability import CLASSES
from transforms.core.attribution import (
    ACCEPTED,
    EXPLAINED,
    FAULT,
    NONE,
    OVERRUN,
    PRESUMED,
    REFUSED,
    REMOVED,
    UNDECIDED,
    UNEXCUSED,
    UNEXPLAINED,
    Judged,
    Own,
    judge,
)  # fmt: skip
from transforms.core.kernel import NEVER, Ints, kernel
from transforms.core.lines import AVAILABLE, DEGRADED, UNKNOWN, Lines, Past
from transforms.core.removals import Life, Rules, definite_removals, first_signal

UP, BAD_DEGRADED, BAD_UNAVAILABLE, OVERRUNS, EXCUSED, IS_UNKNOWN, IS_REMOVED = range(len(CLASSES))
ABSENT: Final = len(CLASSES)
GONE: Final = -1
"""The code of a line that does not exist (any more); else a code is 4 x class + reported state."""

ROW_FIELDS: Final = 12
LINE, START, END, ONSET, WORST, VERDICT, OP, LIMIT, CANDIDATES, EXCUSED_US, COUNTED_US, SIGNAL = range(ROW_FIELDS)


class Walked(NamedTuple):
    """What the walk writes: rows of attributions (ROW_FIELDS), changes of class (time, line, code), and how many there are
    of each."""

    rows: Ints
    changes: Ints
    used: Ints
    """[rows, changes]; more than there is room for: the walk has to be repeated with more room."""


@kernel
def _last_at(life: Life, t: int, past: Past) -> int:
    """The signal that is in force at t."""
    return first_signal(past, life.k0, life.k1, t + 1) - 1


@kernel
def _bad_until(life: Life, t: int, past: Past) -> int:
    """Microseconds of Degraded or Unavailable before t."""
    k = _last_at(life, t, past)
    return past.signals[k].bad + (t - past.signals[k].time if past.signals[k].state >= DEGRADED else 0)


@kernel
def _worst(life: Life, x: int, y: int, past: Past) -> int:
    """The worst reported state in [x, y)."""
    k = _last_at(life, x, past)
    worst = past.signals[k].state
    k += 1
    while k < life.k1 and past.signals[k].time < y:
        worst = max(worst, past.signals[k].state)
        k += 1
    return worst


@kernel
def _push_row(
    life: Life, start: int, end: int, onset: int, verdict: int, op: int, limit: int, n: int, signal: int,
    past: Past, rules: Rules, out: Walked,
) -> None:  # fmt: skip
    """One row of attributions; its seconds are those of its own part."""
    excused = counted = 0
    if verdict != REMOVED and end <= rules.T:
        lapse = start if verdict in (FAULT, UNEXCUSED, UNEXPLAINED) else min(max(limit, start), end)
        excused = _bad_until(life, lapse, past) - _bad_until(life, start, past)
        if verdict != PRESUMED:
            counted = _bad_until(life, end, past) - _bad_until(life, lapse, past)
    at = out.used[0]
    out.used[0] += 1
    if at < len(out.rows):
        worst = _worst(life, start, min(end, rules.T), past)
        end = end if end <= rules.T else NEVER
        out.rows[at] = (life.line, start, end, onset, worst, verdict, op, limit, n, excused, counted, signal)


@kernel
def _push_rows(
    life: Life,
    start: int,
    end: int,
    verdict: int,
    op: int,
    limit: int,
    n: int,
    signal: int,
    past: Past,
    rules: Rules,
    out: Walked,
) -> None:
    """An attribution, continued in a new row wherever one has been open for `max_open` (contract.md, attributions)."""
    onset = start
    while start < rules.T:
        cut = -(-(start + rules.max_open) // rules.grid) * rules.grid
        if end <= cut or cut > rules.T:
            _push_row(life, start, end, onset, verdict, op, limit, n, signal, past, rules, out)
            return
        _push_row(life, start, cut, onset, verdict, op, limit, n, signal, past, rules, out)
        start, signal = cut, NONE


@kernel
def _push_span(spans: Ints, n: int, x: int, y: int) -> Ints:
    """Writes [x, y) at n, making room if there is none."""
    if n == len(spans):
        more = np.empty((2 * n + 4, 2), np.int64)
        more[:n] = spans
        spans = more
    spans[n, 0], spans[n, 1] = x, y
    return spans


@kernel
def _merged(spans: Ints, n: int) -> Ints:
    """The union of spans as disjoint spans, ascending; touching ones become one."""
    if n == 0:
        return np.empty((0, 2), np.int64)
    spans = spans[:n][np.argsort(spans[:n, 0], kind="mergesort")]
    last = 0
    for k in range(1, n):
        if spans[k, 0] <= spans[last, 1]:
            spans[last, 1] = max(spans[last, 1], spans[k, 1])
        else:
            last += 1
            spans[last] = spans[k]
    return spans[: last + 1]


@kernel
def _forgetting(absent: Ints, n: int, max_open: int) -> int:
    """When the instance has been absent for `max_open` without a break; NEVER if it never was."""
    if n == 0:
        return NEVER
    for span in _merged(absent, n):
        if span[1] - span[0] >= max_open:
            return span[0] + max_open
    return NEVER


@kernel
def _episode_end(life: Life, k: int, wall: int, past: Past) -> int:
    """Where the episode that begins under signal k ends: next Available, a turn out of Unknown, or the wall."""
    dormant = past.signals[k].state == UNKNOWN
    k += 1
    while k < life.k1 and past.signals[k].time < wall:
        if past.signals[k].state == AVAILABLE or (dormant and past.signals[k].state >= DEGRADED):
            return past.signals[k].time
        k += 1
    return wall


@kernel
def _class_of(state: int, verdict: int, lapsed: bool) -> int:
    """The class of a line that is neither absent nor removed."""
    if state == AVAILABLE:
        return UP
    if state == UNKNOWN:
        return IS_UNKNOWN
    if verdict in (EXPLAINED, PRESUMED, OVERRUN):
        return OVERRUNS if lapsed else EXCUSED
    return BAD_DEGRADED if state == DEGRADED else BAD_UNAVAILABLE


@kernel
def _push_changes(life: Life, until: int, row0: int, absent: Ints, removed: Ints, past: Past, rules: Rules, out: Walked) -> None:
    """The class of a lifeline at every moment before `until`, as changes; its episodes are the rows from `row0` on."""
    ia = ir = 0
    ie, rows = row0, min(out.used[0], len(out.rows))
    k, last, t = life.k0, GONE, past.signals[life.k0].time
    stop = min(until, rules.T)
    while t < stop:
        while k + 1 < life.k1 and past.signals[k + 1].time <= t:
            k += 1
        while ia < len(absent) and absent[ia, 1] <= t:
            ia += 1
        while ir < len(removed) and removed[ir, 1] <= t:
            ir += 1
        while ie < rows and out.rows[ie, END] <= t:
            ie += 1
        at = past.signals[k + 1].time if k + 1 < life.k1 else NEVER
        verdict, limit = UNEXPLAINED, NEVER
        if ie < rows:
            at = min(at, out.rows[ie, END] if out.rows[ie, START] <= t else out.rows[ie, START])
            if out.rows[ie, START] <= t:
                verdict, limit = out.rows[ie, VERDICT], out.rows[ie, LIMIT]
                at = min(at, limit) if limit > t else at
        class_ = _class_of(past.signals[k].state, verdict, limit <= t)
        if ir < len(removed):
            at = min(at, removed[ir, 1] if removed[ir, 0] <= t else removed[ir, 0])
            class_ = IS_REMOVED if removed[ir, 0] <= t else class_
        if ia < len(absent):
            at = min(at, absent[ia, 1] if absent[ia, 0] <= t else absent[ia, 0])
            class_ = ABSENT if absent[ia, 0] <= t else class_
        code = 4 * class_ + past.signals[k].state
        if code != last:
            _push_change(t, life.line, code, out)
            last = code
        t = at
    if until < rules.T:
        _push_change(until, life.line, GONE, out)


@kernel
def _push_change(t: int, line: int, code: int, out: Walked) -> None:
    at = out.used[1]
    out.used[1] += 1
    if at < len(out.changes):
        out.changes[at] = (t, line, code)


@kernel
def _push_removed(life: Life, until: int, removals: Ints, absent: Ints, past: Past, rules: Rules, out: Walked) -> None:
    """Each maximal stretch of removed time outside absent time, with the first of its operations (semantics.md 4, "Removed")."""
    stretches = _merged(removals[:, :2].copy(), len(removals))
    ia = 0
    for span in stretches:
        x = span[0]
        y = min(span[1], until)
        while x < y:
            while ia < len(absent) and absent[ia, 1] <= x:
                ia += 1
            hole = absent[ia, 0] if ia < len(absent) else NEVER
            if hole <= x:
                x = absent[ia, 1]
                continue
            end = min(y, hole)
            first, n = NONE, 0
            for removal in removals:
                if removal[0] < end and removal[1] > x and removal[1] > removal[0]:
                    n += 1
                    first = removal[3] if first == NONE else min(first, removal[3])
            if n:
                _push_rows(life, x, end, REMOVED, first, past.ops[first].limit, n, NONE, past, rules, out)
            x = end


@kernel
def _decided(counting: Ints, head: int, a: int) -> int:
    """The decision on the episode of a line that begins at a, if there is one."""
    while head != NONE:
        if counting[head, 0] == a:
            return counting[head, 1]
        head = counting[head, 2]
    return UNDECIDED


@kernel
def _push_episode(life: Life, a: int, k: int, judged: Judged, past: Past, rules: Rules, out: Walked) -> None:
    signal = past.signals[k].row if past.signals[k].time == a else NONE
    _push_rows(life, a, judged.end, judged.verdict, judged.op, judged.limit, judged.candidates, signal, past, rules, out)


@kernel
def _walk_life(
    life: Life, own: Own, counting: Ints, head: int, past: Past, rules: Rules, out: Walked
) -> tuple[int, int, int, Ints]:
    """Walks one lifeline. Gives when it is forgotten (NEVER: not), the onset and the operation for which a decision is
    needed (-1: none),
    and its definite removals."""
    removals = definite_removals(life, past, rules)
    absent, removed, n_absent, n_removed = np.empty((4, 2), np.int64), np.empty((4, 2), np.int64), 0, 0
    for removal in removals:
        if removal[1] > removal[0]:
            removed = _push_span(removed, n_removed, removal[0], removal[1])
            n_removed += 1
        if removal[2] > removal[1]:
            absent = _push_span(absent, n_absent, removal[1], removal[2])
            n_absent += 1
    forgotten = _forgetting(absent, n_absent, rules.max_open)
    row0, u, t = out.used[0], 0, past.signals[life.k0].time
    while True:
        while u < len(removals) and removals[u, 0] <= t:
            t = max(t, removals[u, 2])
            u += 1
        if t >= min(forgotten, rules.T):
            break
        wall = removals[u, 0] if u < len(removals) else NEVER
        k = _last_at(life, t, past)
        if past.signals[k].state == AVAILABLE:
            k = past.signals[k].next_other
            t = min(wall, past.signals[k].time if k < life.k1 else NEVER)
            continue
        b = _episode_end(life, k, wall, past)
        judged = judge(life, t, b, wall, _decided(counting, head, t), own, past, rules)
        if judged.pending:
            return NEVER, t, judged.op, removals
        _push_episode(life, t, k, judged, past, rules, out)
        t = b
        if judged.away != NONE:
            t = judged.back
            if judged.absent:
                absent = _push_span(absent, n_absent, judged.away, judged.back)
                n_absent += 1
                forgotten = _forgetting(absent, n_absent, rules.max_open)
            else:
                removed = _push_span(removed, n_removed, judged.away, judged.back)
                n_removed += 1
    absent = _merged(absent, n_absent)
    _push_changes(life, forgotten, row0, absent, _merged(removed, n_removed), past, rules, out)
    _push_removed(life, forgotten, removals, absent, past, rules, out)
    return forgotten, NONE, NONE, removals


@kernel
def _life_of(line: int, lines: Lines) -> Life:
    """The first lifeline of a line."""
    s = lines.set[line]
    return Life(
        line, lines.instance[line] == 0, lines.lo[line], lines.lo[line + 1], lines.named_lo[line], lines.named_lo[line + 1],
        lines.all_lo[s], lines.all_lo[s + 1], lines.unnamed_lo[s], lines.unnamed_lo[s + 1],
        lines.fault_lo[line], lines.fault_lo[line + 1], -NEVER,
    )  # fmt: skip


@kernel
def _reborn(life: Life, k0: int, floor: int) -> Life:
    """The next lifeline of a line, from signal k0 on, after a forgetting."""
    return Life(
        life.line, life.own, k0, life.k1, life.named, life.named_end, life.all, life.all_end, life.unnamed, life.unnamed_end,
        life.faults, life.faults_end, floor,
    )  # fmt: skip


@kernel
def _walk_line(
    life: Life, own: Own, counting: Ints, head: int, past: Past, rules: Rules, out: Walked
) -> tuple[int, int, Ints, Ints]:
    """Walks a line, lifeline after lifeline. Gives the onset and operation that wait for a decision (-1: none; nothing is
    written then),
    the moments at which it was forgotten, and when definite operations begin to remove it."""
    rows, changes = out.used[0], out.used[1]
    forgotten, begun = np.empty((0, 2), np.int64), np.empty((0, 2), np.int64)
    n = m = 0
    while life.k0 < life.k1:
        moment, a, op, removals = _walk_life(life, own, counting, head, past, rules, out)
        for removal in removals:
            if removal[1] > removal[0] and removal[0] < moment:
                begun = _push_span(begun, m, removal[0], 0)
                m += 1
        if a != NONE:
            out.used[0], out.used[1] = rows, changes
            return a, op, forgotten[:n, 0].copy(), begun[:m, 0].copy()
        if moment >= rules.T:
            break
        forgotten = _push_span(forgotten, n, moment, 0)
        n += 1
        life = _reborn(life, first_signal(past, life.k0, life.k1, moment), moment)
    return NONE, NONE, forgotten[:n, 0].copy(), begun[:m, 0].copy()


@kernel
def _begun_within(begun: Ints, n: int, version: Ints, first: int, x: int, y: int, seen: Ints, stamp: int) -> int:
    """How many lines definite operations begin to remove in [x, y]; `begun` has (line, moment, version of the line's walk)."""
    count = 0
    for k in range(n):
        line = begun[k, 0] - first
        if begun[k, 2] == version[line] and x <= begun[k, 1] <= y and seen[line] != stamp:
            seen[line] = stamp
            count += 1
    return count


@kernel
def _keep_begun(begun: Ints, n: int, line: int, version: int, moments: Ints) -> Ints:
    if n + len(moments) > len(begun):
        more = np.empty((2 * (n + len(moments)) + 16, 3), np.int64)
        more[:n] = begun[:n]
        begun = more
    for k in range(len(moments)):
        begun[n + k] = (line, moments[k], version)
    return begun


@kernel
def _walk_counted(s: int, own: Own, op0: int, op1: int, lines: Lines, past: Past, rules: Rules, out: Walked) -> None:
    """Walks the instances of a set in which an operation has a count: presumptions wait for their turn, in order of (onset,
    instance)."""
    first, last = lines.of_set[s], lines.of_set[s + 1]
    if first < last and lines.instance[first] == 0:
        first += 1
    size = last - first
    head, version, seen = np.full(size, NONE, np.int64), np.zeros(size, np.int64), np.full(size, NONE, np.int64)
    begun, n_begun = np.empty((16, 3), np.int64), 0
    decisions, n = np.empty((16, 3), np.int64), 0
    left = np.full(op1 - op0, NONE, np.int64)
    waiting = [(0, 0, 0) for _ in range(0)]
    for line in range(first, last):
        waiting.append((-NEVER, line, NONE))
    while len(waiting) > 0:
        a, line, op = heapq.heappop(waiting)
        i = line - first
        if op != NONE:
            if left[op - op0] == NONE:
                x, y = past.ops[op].begin - rules.skew, past.ops[op].limit
                left[op - op0] = max(past.ops[op].how_many - _begun_within(begun, n_begun, version, first, x, y, seen, op), 0)
            accepted = left[op - op0] > 0
            left[op - op0] -= accepted
            if n == len(decisions):
                more = np.empty((2 * n, 3), np.int64)
                more[:n] = decisions
                decisions = more
            decisions[n] = (a, ACCEPTED if accepted else REFUSED, head[i])
            head[i] = n
            n += 1
        a, op, _, moments = _walk_line(_life_of(line, lines), own, decisions, head[i], past, rules, out)
        version[i] += 1
        begun = _keep_begun(begun, n_begun, line, version[i], moments)
        n_begun += len(moments)
        if a != NONE:
            heapq.heappush(waiting, (a, line, op))


@kernel
def walk(lines: Lines, past: Past, rules: Rules, counts: Ints, op_lo: Ints, out: Walked) -> None:
    """Walks all lines of all sets (semantics.md 4 and 5).

    Args:
        lines: The lines of all sets, sorted.
        past: Their signals, fault notices and operations.
        rules: The policy and T.
        counts: Of each set whether an operation of it has a count.
        op_lo: `op_lo[s]:op_lo[s + 1]` are the operations of set s.
        out: Room for the results; `out.used` says how much was needed.
    """
    nothing = np.empty((0, 3), np.int64)
    for s in range(len(counts)):
        first, last = lines.of_set[s], lines.of_set[s + 1]
        own = Own(0, 0, np.empty(0, np.int64))
        if first < last and lines.instance[first] == 0:
            own = Own(lines.lo[first], lines.lo[first + 1], np.empty(0, np.int64))
            _, _, forgotten, _ = _walk_line(_life_of(first, lines), own, nothing, NONE, past, rules, out)
            own = Own(lines.lo[first], lines.lo[first + 1], forgotten)
            first += 1
        if counts[s]:
            _walk_counted(s, own, op_lo[s], op_lo[s + 1], lines, past, rules, out)
        else:
            for line in range(first, last):
                _walk_line(_life_of(line, lines), own, nothing, NONE, past, rules, out)
