"""Lifelines: each line walked in order of time into episodes, removed and absent time
(rules: Onset, Removed, Forgotten, The set itself).

A line is walked lifeline after lifeline; one ends where its instance has been absent for `max_open`, and is forgotten:

    signals [lo .................................. hi)
            [k0 ............. k1 = hi)     first lifeline: t goes from its first signal, over removals and episodes
                        forgotten |
                                  [k0 ..... k1)           the next one begins with the first signal from there on

Within a lifeline t only grows. At each t: over a removal that covers it, over Available time, or an episode [t, b) is judged,
and t becomes b, or what the judgement says of the instance's return:

    t -> |removed   |Available      |episode      b|        t = b
         |          |               |======|away |back      t = back, if it is presumed or given up

Of each set its own line comes first, since it bears presumptions out. A line whose next judgement depends on how many
presumptions an operation allows gives back what it has written, and waits; when all lines have been walked once, the one with
the smallest (onset, instance) gets its decision and is walked anew, from its beginning, until none waits.
"""

import heapq

import numpy as np

from transforms.core.columns.kernel import NEVER, Ints, kernel
from transforms.core.columns.spans import end_of_long, merge_spans, push_span
from transforms.core.rules.attribution import judge
from transforms.core.rules.classes import push_changes
from transforms.core.rules.entries import (
    BEGUN,
    CHANGES,
    DECISIONS,
    FORGOTTEN,
    ROWS,
    WalkOutput,
    claim,
    push_removed,
    push_rows,
    signal_at,
)
from transforms.core.rules.lapses import OwnSignals
from transforms.core.rules.lines import AVAILABLE, DEGRADED, UNKNOWN, Lines, Lookups
from transforms.core.rules.presumptions import count_left, decision_on, keep_begun, keep_decision
from transforms.core.rules.removals import Life, Rules, definite_removals, first_signal, rules_until
from transforms.core.rules.targets import NONE
from transforms.core.rules.verdicts import GRANTED, NOT_GRANTED


@kernel
def _episode_end(life: Life, k: int, wall: int, past: Lookups) -> int:
    """Where the episode that begins under signal k ends: next Available, a turn out of Unknown, or the wall."""
    dormant = past.signals[k].state == UNKNOWN
    k += 1
    while k < life.k1 and past.signals[k].time < wall:
        if past.signals[k].state == AVAILABLE or (dormant and past.signals[k].state >= DEGRADED):
            return past.signals[k].time
        k += 1
    return wall


@kernel
def _walk_life(
    life: Life, own: OwnSignals, head: int, version: int, past: Lookups, rules: Rules, out: WalkOutput
) -> tuple[int, int, int]:
    """Walks one lifeline. Gives when it is forgotten (NEVER: not), and the onset and operation for which a decision is needed
    (-1: none)."""
    removals = definite_removals(life, past, rules)
    absent, removed, n_absent, n_removed = np.empty((2, 2), np.int64), np.empty((2, 2), np.int64), 0, 0
    for k in range(len(removals)):
        if removals[k, 1] > removals[k, 0]:
            removed = push_span(removed, n_removed, removals[k, 0], removals[k, 1])
            n_removed += 1
        if removals[k, 2] > removals[k, 1]:
            absent = push_span(absent, n_absent, removals[k, 1], removals[k, 2])
            n_absent += 1
    n_removed, n_absent = merge_spans(removed, n_removed), merge_spans(absent, n_absent)
    stretches, n_stretches = removed[:n_removed].copy(), n_removed
    forgotten = end_of_long(absent, n_absent, rules.max_open)
    row0, u, t = out.used[ROWS], 0, past.signals[life.k0].time
    onset = op = NONE
    while True:
        while u < len(removals) and removals[u, 0] <= t:
            t = max(t, removals[u, 2])
            u += 1
        if t >= min(forgotten, rules.T):
            break
        wall = removals[u, 0] if u < len(removals) else NEVER
        k = signal_at(life, t, past)
        if past.signals[k].state == AVAILABLE:
            k = past.signals[k].next_other
            t = min(wall, past.signals[k].time if k < life.k1 else NEVER)
            continue
        b = _episode_end(life, k, wall, past)
        judged = judge(life, t, b, wall, decision_on(out.decisions, head, t), own, past, rules)
        if judged.pending:
            onset, op = t, judged.op
            break
        push_rows(life, t, judged, past.signals[k].row if past.signals[k].time == t else NONE, past, rules, out)
        t = b
        if judged.away != NONE:
            t = judged.back
            if judged.absent:
                absent = push_span(absent, n_absent, judged.away, judged.back)
                n_absent = merge_spans(absent, n_absent + 1)
                forgotten = end_of_long(absent, n_absent, rules.max_open)
            else:
                removed = push_span(removed, n_removed, judged.away, judged.back)
                n_removed = merge_spans(removed, n_removed + 1)
    for k in range(len(removals)):
        gone = past.ops[removals[k, 3]].gone
        if not life.own and gone and removals[k, 0] < min(removals[k, 1], forgotten):
            keep_begun(life.line, removals[k, 0], version, out)
    if op == NONE:
        push_changes(life, forgotten, row0, absent, n_absent, removed, n_removed, past, rules, out)
        push_removed(life, forgotten, removals, stretches, n_stretches, absent, n_absent, past, rules, out)
    return forgotten, onset, op


@kernel
def _life_of(line: int, lines: Lines) -> Life:
    """The first lifeline of a line."""
    s = lines.set[line]
    return Life(
        line, lines.instance[line] == 0, lines.lo[line], lines.lo[line + 1], lines.named_lo[line], lines.named_lo[line + 1],
        lines.all_lo[s], lines.all_lo[s + 1], lines.unnamed_lo[s], lines.unnamed_lo[s + 1],
        lines.fault_lo[line], lines.fault_lo[line + 1], -NEVER, lines.since[line],
    )  # fmt: skip


@kernel
def _reborn(life: Life, k0: int, floor: int) -> Life:
    """The next lifeline of a line, from signal k0 on, after a forgetting."""
    return Life(
        life.line, life.own, k0, life.k1, life.named, life.named_end, life.all, life.all_end, life.unnamed, life.unnamed_end,
        life.faults, life.faults_end, floor, life.since,
    )  # fmt: skip


@kernel
def _walk_line(
    life: Life, own: OwnSignals, head: int, version: int, past: Lookups, rules: Rules, out: WalkOutput
) -> tuple[int, int]:
    """Walks a line, lifeline after lifeline. Gives the onset and operation that wait for a decision, and then has written nothing
    (-1: none)."""
    rows, changes = out.used[ROWS], out.used[CHANGES]
    while life.k0 < life.k1:
        moment, onset, op = _walk_life(life, own, head, version, past, rules, out)
        if op != NONE:
            out.used[ROWS], out.used[CHANGES] = rows, changes
            return onset, op
        if moment >= rules.T:
            break
        if life.own:
            at = claim(out, FORGOTTEN, len(out.forgotten))
            if at != NONE:
                out.forgotten[at] = moment
        life = _reborn(life, first_signal(past, life.k0, life.k1, moment), moment)
    return NONE, NONE


@kernel
def walk(
    lines: Lines, past: Lookups, given: Rules, ends: Ints, op_lo: Ints, settled: Ints, settled_lo: Ints, out: WalkOutput
) -> None:
    """Walks all lines of all sets: of each set its own line first, since it bears presumptions out, then its instances; those
    that wait for a decision on a presumption then take turns, in order of (onset, instance).

    Args:
        lines: The lines of all sets, sorted.
        past: Their signals, fault notices and operations.
        given: The policy.
        ends: T of each set.
        op_lo: `op_lo[s]:op_lo[s + 1]` are the operations of set s.
        settled: (line, onset, decision) a row: what a standing says of episodes that can change no more.
        settled_lo: `settled[settled_lo[s]:settled_lo[s + 1]]` are those of set s.
        out: Room for the results.
    """
    out.used[:] = 0
    for s in range(len(op_lo) - 1):
        rules = rules_until(ends[s], given)
        first, last = lines.of_set[s], lines.of_set[s + 1]
        head, seen, version = np.full(last - first, NONE), np.full(last - first, NONE), np.zeros(last - first, np.int64)
        left = np.full(op_lo[s + 1] - op_lo[s], NONE)
        out.used[BEGUN] = out.used[DECISIONS] = out.used[FORGOTTEN] = 0
        lo, hi = (lines.lo[first], lines.lo[first + 1]) if first < last and lines.instance[first] == 0 else (0, 0)
        for k in range(settled_lo[s], settled_lo[s + 1]):
            i = settled[k, 0] - first
            head[i] = keep_decision(head[i], settled[k, 1], settled[k, 2], out)
        if out.used[DECISIONS] > len(out.decisions):
            return  # undecided, a line would wait again, for ever; the walk is repeated with more room
        waiting = [(0, 0, 0) for _ in range(0)]
        line = first
        while line < last or len(waiting) > 0:
            if line < last:
                i = line - first
                line += 1
            else:
                onset, i, op = heapq.heappop(waiting)
                o = op - op_lo[s]
                if left[o] == NONE:
                    left[o] = count_left(op, first, version, seen, past, rules, out)
                head[i] = keep_decision(head[i], onset, GRANTED if left[o] > 0 else NOT_GRANTED, out)
                if out.used[DECISIONS] > len(out.decisions):
                    return
                left[o] = max(left[o] - 1, 0)
                version[i] += 1
            own = OwnSignals(lo, hi, out.forgotten[: min(out.used[FORGOTTEN], len(out.forgotten))])
            onset, op = _walk_line(_life_of(first + i, lines), own, head[i], version[i], past, rules, out)
            if op != NONE:
                heapq.heappush(waiting, (onset, i, op))
