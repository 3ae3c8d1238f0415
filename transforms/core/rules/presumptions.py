"""Presumptions whose operation says how many it took, decided in order of (onset, instance) (rules: Counted).

Decisions of a line are a linked list within one array, the newest first: (onset, decision, the one before).

    decisions   0: (a0, d, -1)   1: (a1, d, 0)   2: (a0, d, -1)   3: (a2, d, 1)
    head        of one line 3 -> 1 -> 0, of another 2

A line may be walked more than once; `begun` keeps what each of its walks wrote, and only those of its present version count.
"""

from transforms.core.columns.kernel import Ints, inner_kernel
from transforms.core.rules.entries import BEGUN, DECISIONS, WalkOutput, claim
from transforms.core.rules.life import Rules
from transforms.core.rules.lines import Lines
from transforms.core.rules.targets import NONE
from transforms.core.rules.verdicts import UNDECIDED


@inner_kernel
def decision_on(decisions: Ints, head: int, onset: int) -> int:
    """What was decided on the episode of a line that begins at `onset`; `head` is the line's latest decision."""
    while head != NONE:
        if decisions[head, 0] == onset:
            return decisions[head, 1]
        head = decisions[head, 2]
    return UNDECIDED


@inner_kernel
def keep_decision(head: int, onset: int, decision: int, out: WalkOutput) -> int:
    """Writes a decision down; gives its place."""
    at = claim(out, DECISIONS, len(out.decisions))
    if at == NONE:
        return head
    out.decisions[at, 0], out.decisions[at, 1], out.decisions[at, 2] = onset, decision, head
    return at


@inner_kernel
def keep_begun(line: int, moment: int, version: int, out: WalkOutput) -> None:
    """Writes down that a definite operation begins to remove an instance."""
    at = claim(out, BEGUN, len(out.begun))
    if at != NONE:
        out.begun[at, 0], out.begun[at, 1], out.begun[at, 2] = line, moment, version


@inner_kernel
def count_left(op: int, first: int, version: Ints, seen: Ints, lines: Lines, rules: Rules, out: WalkOutput) -> int:
    """How many presumptions an operation allows: its count less the instances that definite operations begin to remove
    in [begin - skew, limit] of it. `version` and `seen` have an entry each line of the set, from line `first` on."""
    left = lines.ops[op].how_many
    for k in range(min(out.used[BEGUN], len(out.begun))):
        line, moment = out.begun[k, 0] - first, out.begun[k, 1]
        current = out.begun[k, 2] == version[line] and seen[line] != op
        if current and lines.ops[op].begin - rules.skew <= moment <= lines.ops[op].limit:
            seen[line] = op
            left -= 1
    return max(left, 0)
