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

from transforms.core.columns.kernel import NEVER, Ints, array_kernel, inner_kernel, kernel
from transforms.core.columns.spans import end_of_long, merge_spans, push_span
from transforms.core.rules.attribution import judge
from transforms.core.rules.classes import push_changes
from transforms.core.rules.entries import BEGUN, CHANGES, DECISIONS, FORGOTTEN, ROWS, WalkOutput, claim, push_removed, push_rows
from transforms.core.rules.life import Life, Rules, first_signal, life_of, signal_at
from transforms.core.rules.lines import AVAILABLE, DEGRADED, UNKNOWN, Lines
from transforms.core.rules.presumptions import count_left, decision_on, keep_begun, keep_decision
from transforms.core.rules.removals import definite_removals
from transforms.core.rules.targets import NONE
from transforms.core.rules.verdicts import GRANTED, NOT_GRANTED


@inner_kernel
def _episode_end(life: Life, k: int, wall: int) -> int:
    """Where the episode that begins under signal k ends: next Available, a turn out of Unknown, or the wall."""
    dormant = life.signals[k].state == UNKNOWN
    k += 1
    while k < life.k1 and life.signals[k].time < wall:
        if life.signals[k].state == AVAILABLE or (dormant and life.signals[k].state >= DEGRADED):
            return life.signals[k].time
        k += 1
    return wall


@array_kernel
def _walk_life(life: Life, head: int, version: int, out: WalkOutput) -> tuple[int, int, int]:
    """Walks one lifeline. Gives when it is forgotten (NEVER: not), and the onset and operation for which a decision is needed
    (-1: none)."""
    removals = definite_removals(life)
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
    forgotten = end_of_long(absent, n_absent, life.rules.max_open)
    row0, u, t = out.used[ROWS], 0, life.signals[life.k0].time
    onset = op = NONE
    while True:
        while u < len(removals) and removals[u, 0] <= t:
            t = max(t, removals[u, 2])
            u += 1
        if t >= min(forgotten, life.T):
            break
        wall = removals[u, 0] if u < len(removals) else NEVER
        k = signal_at(life, t)
        if life.signals[k].state == AVAILABLE:
            k = life.signals[k].next_other
            t = min(wall, life.signals[k].time if k < life.k1 else NEVER)
            continue
        b = _episode_end(life, k, wall)
        judged = judge(life, t, b, wall, decision_on(out.decisions, head, t))
        if judged.pending:
            onset, op = t, judged.op
            break
        push_rows(life, t, judged, life.signals[k].row if life.signals[k].time == t else NONE, out)
        t = b
        if judged.away != NONE:
            t = judged.back
            if judged.absent:
                absent = push_span(absent, n_absent, judged.away, judged.back)
                n_absent = merge_spans(absent, n_absent + 1)
                forgotten = end_of_long(absent, n_absent, life.rules.max_open)
            else:
                removed = push_span(removed, n_removed, judged.away, judged.back)
                n_removed = merge_spans(removed, n_removed + 1)
    for k in range(len(removals)):
        gone = life.ops[removals[k, 3]].gone
        if not life.is_own and gone and removals[k, 0] < min(removals[k, 1], forgotten):
            keep_begun(life.line, removals[k, 0], version, out)
    if op == NONE:
        push_changes(life, forgotten, row0, absent, n_absent, removed, n_removed, out)
        push_removed(life, forgotten, removals, stretches, n_stretches, absent, n_absent, out)
    return forgotten, onset, op


@array_kernel
def _walk_line(line: int, head: int, version: int, lines: Lines, rules: Rules, out: WalkOutput) -> tuple[int, int]:
    """Walks a line, lifeline after lifeline. Gives the onset and operation that wait for a decision, and then has written nothing
    (-1: none)."""
    rows, changes = out.used[ROWS], out.used[CHANGES]
    forgotten = out.forgotten[: min(out.used[FORGOTTEN], len(out.forgotten))]
    k0, moment = lines.lo[line], -NEVER
    while k0 < lines.lo[line + 1]:
        life = life_of(line, k0, moment, forgotten, lines, rules)
        moment, onset, op = _walk_life(life, head, version, out)
        if op != NONE:
            out.used[ROWS], out.used[CHANGES] = rows, changes
            return onset, op
        if moment >= life.T:
            break
        if life.is_own:
            at = claim(out, FORGOTTEN, len(out.forgotten))
            if at != NONE:
                out.forgotten[at] = moment
        k0 = first_signal(life, moment)
    return NONE, NONE


@kernel
def walk(lines: Lines, rules: Rules, decided: Ints, decided_lo: Ints, out: WalkOutput) -> None:
    """Walks all lines of all sets: of each set its own line first, since it bears presumptions out, then its instances; those
    that wait for a decision on a presumption then take turns, in order of (onset, instance).

    Args:
        lines: The lines of all sets, sorted.
        rules: The policy.
        decided: (line, onset, decision) a row: what a standing says of episodes that can change no more.
        decided_lo: `decided[decided_lo[s]:decided_lo[s + 1]]` are those of set s.
        out: Room for the results.
    """
    out.used[:] = 0
    for s in range(len(lines.ends)):
        first, last = lines.of_set[s], lines.of_set[s + 1]
        head, seen, version = np.full(last - first, NONE), np.full(last - first, NONE), np.zeros(last - first, np.int64)
        left = np.full(lines.op_lo[s + 1] - lines.op_lo[s], NONE)
        out.used[BEGUN] = out.used[DECISIONS] = out.used[FORGOTTEN] = 0
        for k in range(decided_lo[s], decided_lo[s + 1]):
            i = decided[k, 0] - first
            head[i] = keep_decision(head[i], decided[k, 1], decided[k, 2], out)
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
                o = op - lines.op_lo[s]
                if left[o] == NONE:
                    left[o] = count_left(op, first, version, seen, lines, rules, out)
                head[i] = keep_decision(head[i], onset, GRANTED if left[o] > 0 else NOT_GRANTED, out)
                if out.used[DECISIONS] > len(out.decisions):
                    return
                left[o] = max(left[o] - 1, 0)
                version[i] += 1
            onset, op = _walk_line(first + i, head[i], version[i], lines, rules, out)
            if op != NONE:
                heapq.heappush(waiting, (onset, i, op))
