"""Life: one lifeline, with all that is looked up to judge it.

A life points into the arrays of `Lines`, which hold one list behind the other; it owns none of them:

    signals       ... |k0 ........... k1| ...                     ascending, one a time
    faults        ... |fault_lo . fault_hi| ...                   ascending
    lists         ... |named_lo . named_hi| ... |all_lo . all_hi| ... |unnamed_lo . unnamed_hi| ...      ascending by start
    signals       ... |own_lo ..... own_hi| ...                   the set's own, which bear presumptions out

The kernels are searches by bisection, and "the next that ..." from there.
"""

from typing import NamedTuple

from transforms.core.columns.kernel import NEVER, Ints, Records, array_kernel, first_at_or_after, inner_kernel
from transforms.core.rules.lines import AVAILABLE, Lines, is_renewal


class Rules(NamedTuple):
    """The policy's times in microseconds."""

    skew: int
    unseen: int
    settle: int
    possible_excuse: int
    max_excuse: int
    presume_after: int
    max_open: int
    grid: int
    longest: int
    """The longest deadline."""


class Life(NamedTuple):
    """One lifeline: its line, whether that is the set's own, the arrays of `Lines` and which parts of them concern it, and by
    what it is judged. One value and flat, since compiled code copies a tuple within a tuple to read an array of it."""

    line: int
    is_own: bool
    signals: Records
    faults: Ints
    ops: Records
    lists: Records
    k0: int
    """`signals[k0:k1]` are its own: what came before a forgetting is another's."""
    k1: int
    named_lo: int
    named_hi: int
    """`lists[named_lo:named_hi]` are the operations that name the instance (of a set's own line: all of the set)."""
    all_lo: int
    all_hi: int
    unnamed_lo: int
    unnamed_hi: int
    fault_lo: int
    fault_hi: int
    floor: int
    """When the one before it was forgotten; fault notices before that are another's."""
    since: int
    """A removal that begins before it bears on the line no more: the line goes on from a standing."""
    own_lo: int
    own_hi: int
    """`signals[own_lo:own_hi]` are those of the set itself."""
    forgotten: Ints
    """The moments at which the set itself was forgotten."""
    T: int
    rules: Rules


@array_kernel
def life_of(line: int, k0: int, floor: int, forgotten: Ints, lines: Lines, rules: Rules) -> Life:
    """The lifeline of a line that begins with signal `k0`, the one before it having been forgotten at `floor` (-NEVER: there is
    none)."""
    s, lo = lines.set[line], lines.lo
    first = lines.of_set[s]
    own_hi = lo[first + 1] if lines.instance[first] == 0 else lo[first]
    return Life(
        line, lines.instance[line] == 0, lines.signals, lines.faults, lines.ops, lines.lists, k0, lo[line + 1],
        lines.named_lo[line], lines.named_lo[line + 1], lines.all_lo[s], lines.all_lo[s + 1],
        lines.unnamed_lo[s], lines.unnamed_lo[s + 1], lines.fault_lo[line], lines.fault_lo[line + 1], floor, lines.since[line],
        lo[first], own_hi, forgotten, lines.ends[s], rules,
    )  # fmt: skip


@inner_kernel
def first_within(signals: Records, lo: int, hi: int, x: int) -> int:
    """The first signal in [lo, hi) of a line at or after x, or hi."""
    while lo < hi:
        middle = (lo + hi) // 2
        if signals[middle].time < x:
            lo = middle + 1
        else:
            hi = middle
    return lo


@inner_kernel
def first_signal(life: Life, x: int) -> int:
    """The first signal of the lifeline at or after x, or k1."""
    return first_within(life.signals, life.k0, life.k1, x)


@inner_kernel
def first_own_signal(life: Life, x: int) -> int:
    """The set's own first signal at or after x, or own_hi."""
    return first_within(life.signals, life.own_lo, life.own_hi, x)


@inner_kernel
def signal_at(life: Life, t: int) -> int:
    """The signal that is in force at t."""
    return first_signal(life, t + 1) - 1


@inner_kernel
def first_fault(life: Life, x: int) -> int:
    """The first fault notice of the lifeline at or after x; NEVER if there is none."""
    k = first_at_or_after(life.faults, life.fault_lo, life.fault_hi, max(x, life.floor))
    return life.faults[k] if k < life.fault_hi else NEVER


@inner_kernel
def first_start(life: Life, lo: int, hi: int, x: int) -> int:
    """The first position in [lo, hi) of a list of operations with one that starts at or after x, or hi."""
    while lo < hi:
        middle = (lo + hi) // 2
        if life.lists[middle].start < x:
            lo = middle + 1
        else:
            hi = middle
    return lo


@inner_kernel
def next_renewal(life: Life, x: int) -> int:
    """The start, at or after x, of the first definite excusing operation that renews; NEVER if there is none. Of a set's own
    line: of all."""
    found = NEVER
    k = first_start(life, life.all_lo, life.all_hi, x)
    if k < life.all_hi and life.lists[k].more < life.all_hi:
        found = life.lists[life.lists[k].more].start
    if life.is_own:
        return found
    for k in range(first_start(life, life.named_lo, life.named_hi, x), life.named_hi):
        if life.lists[k].start >= found:
            break
        if is_renewal(life.lists[k].op, life.ops):
            return life.lists[k].start
    return found


@inner_kernel
def is_turn(life: Life, k: int) -> bool:
    """Whether signal k changes the reported state: of an Available, that it is a return and no repeat."""
    return k == life.k0 or life.signals[k - 1].state != life.signals[k].state


@inner_kernel
def next_return(life: Life, x: int) -> int:
    """The time of the first return at or after x; NEVER if there is none."""
    k = first_signal(life, x)
    if k < life.k1 and life.signals[k].next_available < life.k1:
        return life.signals[life.signals[k].next_available].time
    return NEVER


@inner_kernel
def next_recovery(life: Life, x: int) -> int:
    """The time of the first return at or after x that is no repeat; NEVER if there is none."""
    k = first_signal(life, x)
    if k < life.k1 and life.signals[k].state == AVAILABLE and not is_turn(life, k):
        k = life.signals[k].next_other
    if k < life.k1 and life.signals[k].next_available < life.k1:
        return life.signals[life.signals[k].next_available].time
    return NEVER
