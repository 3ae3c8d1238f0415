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

from transforms.core.columns.kernel import NEVER, Bools, Ints, kernel
from transforms.core.rules.classes import ABSENT, GONE, IS_REMOVED, UP
from transforms.core.rules.entries import AWAY, LIMIT, OP, START, VERDICT
from transforms.core.rules.lines import AVAILABLE, Lines, Lookups
from transforms.core.rules.removals import Rules, first_signal, first_start
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


@kernel
def _is_away(code: int) -> bool:
    return code // 4 == ABSENT or code // 4 == IS_REMOVED


@kernel
def _begun_by(line: int, x: int, found: LineHistories) -> int:
    """The onset of the episode whose presumption (or giving up) takes the line away from x on; -1 if none does."""
    for e in range(found.episode_lo[line], found.episode_lo[line + 1]):
        if found.episodes[e, AWAY] == x:
            return found.episodes[e, START]
    return NONE


@kernel
def _onset_before(line: int, t: int, found: LineHistories) -> int:
    """The onset of the latest episode that begins at or before t; -1 if there is none."""
    onset = NONE
    for e in range(found.episode_lo[line], found.episode_lo[line + 1]):
        if found.episodes[e, START] <= t:
            onset = found.episodes[e, START]
    return onset


@kernel
def latest_cut(line: int, keep_from: int, lines: Lines, past: Lookups, found: LineHistories) -> tuple[int, bool]:
    """The latest cut of a line at or before `keep_from`, and whether H just before it has to be kept (it begins a removal)."""
    first = found.change_lo[line]
    i = first - 1
    while i + 1 < found.change_lo[line + 1] and found.changes[i + 1, 0] < keep_from:
        i += 1
    if i < first or found.changes[i, 2] // 4 == UP:
        return keep_from, False
    if found.changes[i, 2] == GONE:
        return NO_LINE, False
    while True:
        if _is_away(found.changes[i, 2]):
            while i > first and found.changes[i - 1, 2] >= 0 and _is_away(found.changes[i - 1, 2]):
                i -= 1
            x = found.changes[i, 0]
            onset = _begun_by(line, x, found)
            if onset == NONE:
                return x, True
            x = onset
        else:
            x = _onset_before(line, found.changes[i, 0], found)
        k = first_signal(past, lines.lo[line], lines.lo[line + 1], x)
        if k < lines.lo[line + 1] and past.signals[k].time == x:
            return x, False
        while i >= first and found.changes[i, 0] >= x:
            i -= 1


@kernel
def _keep_signals(
    line: int, x: int, keep_from: int, before: bool, lines: Lines, past: Lookups, found: LineHistories, out: Retention
) -> int:
    """Marks the signals from the cut on, the latest return before it, the latest that is no repeat, and H just before it if that
    is needed.

    Returns:
        The time of H just before the cut, if that is kept and is not Available (an orphan onset), else -1.
    """
    k = first_signal(past, lines.lo[line], lines.lo[line + 1], x)
    for later in range(k, lines.lo[line + 1]):
        out.signals[later] = True
    born = -NEVER
    for i in range(found.change_lo[line], found.change_lo[line + 1]):
        if found.changes[i, 2] == GONE and found.changes[i, 0] <= x:
            born = found.changes[i, 0]
    orphan_onset = NONE
    if before and k > lines.lo[line] and past.signals[k - 1].time >= born and past.signals[k - 1].state != AVAILABLE:
        out.signals[k - 1] = True
        orphan_onset = past.signals[k - 1].time
    returned = NONE
    for earlier in range(k - 1, lines.lo[line] - 1, -1):
        if past.signals[earlier].time < born or (returned != NONE and past.signals[earlier].state != AVAILABLE):
            break
        if past.signals[earlier].state == AVAILABLE:
            if returned == NONE:
                out.signals[earlier] = True
            returned = earlier
    if returned != NONE:
        out.signals[returned] = True
    return orphan_onset


@kernel
def _push(line: int, onset: int, decision: int, out: Retention) -> None:
    at = out.used[0]
    out.used[0] += 1
    out.decided[at, 0], out.decided[at, 1], out.decided[at, 2] = line, onset, decision


@kernel
def _decide(line: int, x: int, keep_from: int, orphan_onset: int, found: LineHistories, rules: Rules, out: Retention) -> None:
    """Records the decisions on the episodes of the line since its cut."""
    if orphan_onset != NONE:
        _push(line, orphan_onset, OVERRUN_FOR_GOOD, out)
    for e in range(found.episode_lo[line], found.episode_lo[line + 1]):
        row = found.episodes[e]
        if not x <= row[START] < keep_from:
            continue
        if row[VERDICT] == PRESUMED:
            _push(line, row[START], AWAY_FOR_GOOD, out)
        elif row[VERDICT] == OVERRUN and row[LIMIT] + rules.max_open >= keep_from:
            _push(line, row[START], NOT_GRANTED, out)
        elif row[VERDICT] == OVERRUN:
            _push(line, row[START], GIVEN_UP_FOR_GOOD if row[AWAY] != NONE else OVERRUN_FOR_GOOD, out)


@kernel
def _bears(
    op: int, definite: bool, line: int, x: int, keep_from: int, lines: Lines, past: Lookups, found: LineHistories, rules: Rules
) -> bool:
    """Whether an operation may have had a part in what the line was between its cut and `keep_from`."""
    earliest, limit = past.ops[op].begin - rules.skew, past.ops[op].limit
    if definite:
        return True  # a renewal too that is long over: it tells that a removal before it has only lost its end
    if limit < x:
        return False
    for i in range(found.change_lo[line], found.change_lo[line + 1]):
        if x <= found.changes[i, 0] < keep_from and earliest <= found.changes[i, 0] <= limit:
            return True
    k0 = first_signal(past, lines.lo[line], lines.lo[line + 1], max(x, earliest))
    if k0 < lines.lo[line + 1] and past.signals[k0].time <= limit:
        return True
    for e in range(found.episode_lo[line], found.episode_lo[line + 1]):
        row = found.episodes[e]
        if x <= row[START] < keep_from and row[OP] != NONE:
            lapses = row[VERDICT] == OVERRUN and row[LIMIT] < NEVER and row[LIMIT] + rules.max_open >= keep_from
            until = keep_from if lapses else min(row[LIMIT], keep_from)
            if earliest <= max(until, row[START]) and limit >= row[START]:
                return True
    return False


@kernel
def _keep_ops(
    line: int, lo: int, hi: int, definite: bool, x: int, keep_from: int, lines: Lines, past: Lookups, found: LineHistories,
    rules: Rules, out: Retention,
) -> None:  # fmt: skip
    for k in range(first_start(past, lo, hi, x - rules.longest - rules.settle), hi):
        op = past.lists[k, 0]
        if past.ops[op].begin - rules.skew > keep_from:
            break
        if not out.ops[op] and _bears(op, definite, line, x, keep_from, lines, past, found, rules):
            out.ops[op] = True


@kernel
def keep_lines(keep_from: Ints, lines: Lines, past: Lookups, found: LineHistories, rules: Rules, out: Retention) -> None:
    """Marks what is kept of each line.

    Args:
        keep_from: Of each set, the moment from which on everything is kept.
        lines: The lines.
        past: Their signals and operations.
        found: What the walk found of them.
        rules: The policy.
        out: What is marked.
    """
    for line in range(len(lines.set)):
        s = lines.set[line]
        x, before = latest_cut(line, keep_from[s], lines, past, found)
        out.cut[line] = x
        if x == NO_LINE:
            k = first_signal(past, lines.lo[line], lines.lo[line + 1], keep_from[s])
            for later in range(k, lines.lo[line + 1]):
                out.signals[later] = True
            continue
        orphan_onset = _keep_signals(line, x, keep_from[s], before, lines, past, found, out)
        if x >= keep_from[s]:
            continue
        _decide(line, x, keep_from[s], orphan_onset, found, rules, out)
        own = lines.instance[line] == 0
        _keep_ops(line, lines.named_lo[line], lines.named_lo[line + 1], True, x, keep_from[s], lines, past, found, rules, out)
        if not own:
            _keep_ops(line, lines.all_lo[s], lines.all_lo[s + 1], True, x, keep_from[s], lines, past, found, rules, out)
            _keep_ops(line, lines.unnamed_lo[s], lines.unnamed_lo[s + 1], False, x, keep_from[s], lines, past, found, rules, out)
