"""What a standing keeps of each line: the signals and operations that still decide something (rules: Standing).

A line goes on from a *cut*: a moment x from which on it is what it is whatever came before, as long as H just before x, the
latest return before x, the latest that is no repeat, and `since` = x are kept. Such a moment is any at which the line is up, the
onset of an episode that begins with a signal, and the beginning of a definite removal. Everything of the line from its latest cut
before `keep_from` on is kept.

    changes   | up         | bad        | away           | bad
                           ^ onset      ^ removal begins      ^ keep_from
                                        x: the latest cut
    kept        r        h              |-------------------------->

r is the latest return (where that is a repeat, the latest that is none is kept, too); h is H just before x, kept if x begins a
removal. If h is not Available it is an *orphan onset*: kept alone, it looks like the onset of an episode, so a decision goes with
it that nothing more comes of that.

Invariants: the walk back from `keep_from` only moves to earlier changes, and ends at the first of the line. Only what a line
needs is marked; nothing that another line has marked is unmarked.
"""

from typing import Final, NamedTuple

import numpy as np

from transforms.core.columns.kernel import NEVER, Bools, Ints, inner_kernel, kernel
from transforms.core.rules.classes import ABSENT, GONE, IS_REMOVED, UP
from transforms.core.rules.entries import AWAY, LIMIT, OP, START, VERDICT
from transforms.core.rules.life import Life, Rules, first_signal, first_start, life_of
from transforms.core.rules.lines import AVAILABLE, Lines
from transforms.core.rules.targets import NONE
from transforms.core.rules.verdicts import AWAY_FOR_GOOD, GIVEN_UP_FOR_GOOD, NOT_GRANTED, OVERRUN, OVERRUN_FOR_GOOD, PRESUMED

NO_LINE: Final = NEVER
"""The cut of a line of which nothing is kept: it is forgotten."""


class LineHistories(NamedTuple):
    """Output of the walk, sorted by line: `changes[change_lo[line]:change_lo[line + 1]]` are those of a line, `episodes` likewise
    (of each only its first row)."""

    change_lo: Ints
    changes: Ints
    """(time, line, code), by line and time."""
    episode_lo: Ints
    episodes: Ints
    """Rows as the walk wrote them, by line and start."""


class Retention(NamedTuple):
    """What is kept: arrays that the kernels fill."""

    cut: Ints
    """Of each line."""
    signals: Bools
    ops: Bools
    decided: Ints
    """(line, onset, decision)."""
    used: Ints
    """How many decisions."""


@inner_kernel
def _is_away(code: int) -> bool:
    return code // 4 == ABSENT or code // 4 == IS_REMOVED


@inner_kernel
def _begun_by(life: Life, x: int, histories: LineHistories) -> int:
    """The onset of the episode whose presumption (or giving up) takes the line away from x on; -1 if none does."""
    for e in range(histories.episode_lo[life.line], histories.episode_lo[life.line + 1]):
        if histories.episodes[e, AWAY] == x:
            return histories.episodes[e, START]
    return NONE


@inner_kernel
def _onset_before(life: Life, t: int, histories: LineHistories) -> int:
    """The onset of the latest episode that begins at or before t; -1 if there is none."""
    onset = NONE
    for e in range(histories.episode_lo[life.line], histories.episode_lo[life.line + 1]):
        if histories.episodes[e, START] <= t:
            onset = histories.episodes[e, START]
    return onset


@inner_kernel
def latest_cut(life: Life, keep_from: int, histories: LineHistories) -> tuple[int, bool]:
    """The latest cut of a line at or before `keep_from`, and whether H just before it has to be kept (it begins a removal)."""
    first = histories.change_lo[life.line]
    i = first - 1
    while i + 1 < histories.change_lo[life.line + 1] and histories.changes[i + 1, 0] < keep_from:
        i += 1
    if i < first or histories.changes[i, 2] // 4 == UP:
        return keep_from, False
    if histories.changes[i, 2] == GONE:
        return NO_LINE, False
    while True:
        if _is_away(histories.changes[i, 2]):
            while i > first and histories.changes[i - 1, 2] >= 0 and _is_away(histories.changes[i - 1, 2]):
                i -= 1
            x = histories.changes[i, 0]
            onset = _begun_by(life, x, histories)
            if onset == NONE:
                return x, True
            x = onset
        else:
            x = _onset_before(life, histories.changes[i, 0], histories)
        k = first_signal(life, x)
        if k < life.k1 and life.signals[k].time == x:
            return x, False
        while i >= first and histories.changes[i, 0] >= x:
            i -= 1


@inner_kernel
def _keep_signals(life: Life, x: int, before: bool, histories: LineHistories, out: Retention) -> int:
    """Marks the signals from the cut on, the latest return before it, the latest that is no repeat, and H just before it if that
    is needed.

    Returns:
        The time of H just before the cut, if that is kept and is not Available (an orphan onset), else -1.
    """
    k = first_signal(life, x)
    for later in range(k, life.k1):
        out.signals[later] = True
    born = -NEVER
    for i in range(histories.change_lo[life.line], histories.change_lo[life.line + 1]):
        if histories.changes[i, 2] == GONE and histories.changes[i, 0] <= x:
            born = histories.changes[i, 0]
    orphan_onset = NONE
    if before and k > life.k0 and life.signals[k - 1].time >= born and life.signals[k - 1].state != AVAILABLE:
        out.signals[k - 1] = True
        orphan_onset = life.signals[k - 1].time
    returned = NONE
    for earlier in range(k - 1, life.k0 - 1, -1):
        if life.signals[earlier].time < born or (returned != NONE and life.signals[earlier].state != AVAILABLE):
            break
        if life.signals[earlier].state == AVAILABLE:
            if returned == NONE:
                out.signals[earlier] = True
            returned = earlier
    if returned != NONE:
        out.signals[returned] = True
    return orphan_onset


@inner_kernel
def _push(line: int, onset: int, decision: int, out: Retention) -> None:
    at = out.used[0]
    out.used[0] += 1
    out.decided[at, 0], out.decided[at, 1], out.decided[at, 2] = line, onset, decision


@inner_kernel
def _decide(life: Life, x: int, keep_from: int, orphan_onset: int, histories: LineHistories, out: Retention) -> None:
    """Records the decisions on the episodes of the line since its cut."""
    if orphan_onset != NONE:
        _push(life.line, orphan_onset, OVERRUN_FOR_GOOD, out)
    for e in range(histories.episode_lo[life.line], histories.episode_lo[life.line + 1]):
        row = histories.episodes[e]
        if not x <= row[START] < keep_from:
            continue
        if row[VERDICT] == PRESUMED:
            _push(life.line, row[START], AWAY_FOR_GOOD, out)
        elif row[VERDICT] == OVERRUN and row[LIMIT] + life.rules.max_open >= keep_from:
            _push(life.line, row[START], NOT_GRANTED, out)
        elif row[VERDICT] == OVERRUN:
            _push(life.line, row[START], GIVEN_UP_FOR_GOOD if row[AWAY] != NONE else OVERRUN_FOR_GOOD, out)


@inner_kernel
def _keep_definite(life: Life, lo: int, hi: int, x: int, keep_from: int, out: Retention) -> None:
    """Marks the operations of a list that may reach beyond the cut: a renewal too that is long over, since it tells that a
    removal before it has only lost its end."""
    for k in range(first_start(life, lo, hi, x - life.rules.longest - life.rules.settle), hi):
        op = life.lists[k].op
        if life.ops[op].begin - life.rules.skew > keep_from:
            break
        out.ops[op] = True


@inner_kernel
def _keep_reaching(life: Life, x: int, y: int, out: Retention) -> None:
    """Marks the unnamed operations that may have had a part in what the line was within [x, y]."""
    earliest = first_start(life, life.unnamed_lo, life.unnamed_hi, x - life.rules.longest - life.rules.settle)
    for k in range(earliest, life.unnamed_hi):
        if life.lists[k].start - life.rules.unseen - life.rules.skew > y:
            break
        op = life.lists[k].op
        if life.lists[k].limit >= x and not out.ops[op]:
            out.ops[op] = life.ops[op].begin - life.rules.skew <= y


@inner_kernel
def _keep_unnamed(life: Life, x: int, keep_from: int, histories: LineHistories, out: Retention) -> None:
    """Marks the unnamed operations that may have had a part in what the line was between its cut and `keep_from`: in a change, a
    signal, or an episode."""
    for i in range(histories.change_lo[life.line], histories.change_lo[life.line + 1]):
        if x <= histories.changes[i, 0] < keep_from:
            _keep_reaching(life, histories.changes[i, 0], histories.changes[i, 0], out)
    for k in range(first_signal(life, x), life.k1):
        if life.signals[k].time >= keep_from:
            break
        _keep_reaching(life, life.signals[k].time, life.signals[k].time, out)
    for e in range(histories.episode_lo[life.line], histories.episode_lo[life.line + 1]):
        row = histories.episodes[e]
        if x <= row[START] < keep_from and row[OP] != NONE:
            lapses = row[VERDICT] == OVERRUN and row[LIMIT] < NEVER and row[LIMIT] + life.rules.max_open >= keep_from
            _keep_reaching(life, row[START], keep_from if lapses else max(row[START], min(row[LIMIT], keep_from)), out)


@kernel
def keep_lines(keep_from: Ints, lines: Lines, histories: LineHistories, rules: Rules, out: Retention) -> None:
    """Marks what is kept of each line.

    Args:
        keep_from: Of each set, the moment from which on everything is kept.
        lines: The lines.
        histories: What the walk found of them.
        rules: The policy.
        out: What is marked.
    """
    never = np.empty(0, np.int64)
    for line in range(len(lines.set)):
        since = keep_from[lines.set[line]]
        life = life_of(line, lines.lo[line], -NEVER, never, lines, rules)
        x, before = latest_cut(life, since, histories)
        out.cut[line] = x
        if x == NO_LINE:
            for later in range(first_signal(life, since), life.k1):
                out.signals[later] = True
            continue
        orphan_onset = _keep_signals(life, x, before, histories, out)
        if x >= since:
            continue
        _decide(life, x, since, orphan_onset, histories, out)
        _keep_definite(life, life.named_lo, life.named_hi, x, since, out)
        if not life.is_own:
            _keep_definite(life, life.all_lo, life.all_hi, x, since, out)
            _keep_unnamed(life, x, since, histories, out)
