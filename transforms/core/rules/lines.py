"""Lines: the signals and fault notices of each instance, and of each set itself, sorted and with ties decided (rules:
Reported state).

A *line* is one (scale set, instance) that has ever reported; instance code 0 stands for the set itself, whose line comes first.
All lists lie in few long arrays, one behind the other, and offsets say where each begins:

    lines     0: set 0 itself    1: set 0, instance 1    2: set 1, instance 1     of_set = [0, 2, 3]
    lo        [0,                3,                      7,              9]
    signals    s0 s1 s2 |        s3 s4 s5 s6 |           s7 s8 |
    lists     [ named, a part a line | all, a part a set | unnamed, a part a set ]

Invariants: within a part signals ascend by time, one a time, and operations by position, so by start. The kernels here walk each
part backwards for "the next that ...", and forwards for sums and "the latest limit so far".
"""

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from schemas.time import HOUR
from transforms.core.columns.kernel import NEVER, Ints, Records, group_by, inner_kernel, kernel
from transforms.core.columns.text_order import tie_ranks
from transforms.core.rules.operations import RENEWS, FoldedOperations, Operations, is_verb
from transforms.core.rules.targets import ALL, NONE, UNNAMED

AVAILABLE, UNKNOWN, DEGRADED, UNAVAILABLE = range(4)
MOST = 5_000
"""Operations of an hour that a line is judged by: more than Azure takes. A line walks all that are open when it falls, so that a
hostile set of a million instances and a million operations would work for a day (contract: Limits)."""


SIGNAL: Final = np.dtype([(name, "i8") for name in ("time", "state", "row", "next_available", "next_other", "well", "bad")])
"""A winning signal. `row`: whose event_id counts, the smallest of those that carry the winning state. `next_available`,
`next_other`: the first at or after it, in its line, that is (not) Available, or the end of the line. `well`, `bad`: microseconds
of Available, and of Degraded or Unavailable, before it in its line."""

OPERATION: Final = np.dtype(
    [(name, "i8") for name in ("start", "begin", "end", "limit", "outcome", "handed_by", "effect", "target", "how_many")]
    + [(name, "?") for name in ("refused", "gone", "excuses", "adds", "starts")]
)
"""An operation as the walk reads it: the fields of `Operations` that decide, and whether its verb is `start`."""


LISTED: Final = np.dtype([(name, "i8") for name in ("op", "start", "limit", "more", "more_by_start")])
"""An operation in a list, with what a walk over the list asks of each first: so it reads one array from front to back.
`more`, of those that target all: the first position at or after it, in its list, of one that renews (or its end); of unnamed
ones: the latest limit so far, in its list, of those that can bring back (-1: of none), `more_by_start` of those among them whose
verb is `start`."""


class Lines(NamedTuple):
    """Lines sorted by (set, instance), an entry each (offsets: one more), and what they are judged by."""

    signals: Records
    """Of SIGNAL."""
    faults: Ints
    ops: Records
    """Of OPERATION, sorted as `Operations`."""
    lists: Records
    """Of LISTED: operations by whom they target, each list ascending by position, so by start."""
    set: Ints
    instance: Ints
    lo: Ints
    """`signals[lo[line]:lo[line + 1]]` are the winning signals of a line, ascending, one a time."""
    fault_lo: Ints
    """`faults[fault_lo[line]:fault_lo[line + 1]]` are the times of its fault notices, ascending."""
    named_lo: Ints
    """`lists[named_lo[line]:named_lo[line + 1]]` name its instance; of a set's own line they are all operations of the set."""
    of_set: Ints
    """`of_set[s]:of_set[s + 1]` are the lines of set s."""
    all_lo: Ints
    """`lists[all_lo[s]:all_lo[s + 1]]` target all of set s."""
    unnamed_lo: Ints
    """`lists[unnamed_lo[s]:unnamed_lo[s + 1]]` are the unnamed ones of set s."""
    since: Ints
    """Of each line the moment before which no removal of it that counts begins; -NEVER, unless it goes on from a standing."""
    op_lo: Ints
    """`ops[op_lo[s]:op_lo[s + 1]]` are those of set s."""
    ends: Ints
    """T of each set."""


@kernel
def _next_states(lo: Ints, state: Ints) -> tuple[Ints, Ints]:
    available, other = np.empty(len(state), np.int64), np.empty(len(state), np.int64)
    for line in range(len(lo) - 1):
        a = o = lo[line + 1]
        for k in range(lo[line + 1] - 1, lo[line] - 1, -1):
            if state[k] == AVAILABLE:
                a = k
            else:
                o = k
            available[k], other[k] = a, o
    return available, other


@kernel
def _before(lo: Ints, time: Ints, state: Ints, least: int, most: int) -> Ints:
    """Of each signal, for how many microseconds its line has been in states least..most before it."""
    total = np.zeros(len(state), np.int64)
    for line in range(len(lo) - 1):
        for k in range(lo[line] + 1, lo[line + 1]):
            total[k] = total[k - 1] + (time[k] - time[k - 1] if least <= state[k - 1] <= most else 0)
    return total


class Signals(NamedTuple):
    """Signals or fault notices as codes, one entry each."""

    set: Ints
    instance: Ints
    time: Ints
    state: Ints
    event_id: pa.StringArray
    """That of each event of the batch, of whatever kind."""
    event: Ints
    """Which of them."""


def build_lines(given: Signals, faults: Signals, folded: FoldedOperations, verb_names: list[str], ends: Ints) -> Lines:
    """Sorts the signals of each line, decides equal times (the worst state wins), and lists the operations by whom they
    target.

    Args:
        given: The signals of all sets.
        faults: Their fault notices.
        folded: Their operations.
        verb_names: The texts of the verb codes.
        ends: T of each set.
    """
    width = 1 + int(max(x.max(initial=0) for x in (given.instance, faults.instance, folded.named_instance)))
    ids, code = np.unique(given.set * width + given.instance, return_inverse=True)
    of_set, instance = ids // width, ids % width
    lo, signals = _winning(given, code, len(ids))
    line, known = _find(ids, faults.set * width + faults.instance)
    known = known[np.argsort(faults.time[known], kind="stable")]
    fault_lo, order = group_by(line, len(ids), known)
    named_lo, named = _named(folded, ids, width, np.flatnonzero(instance == 0))
    all_lo, all_, unnamed_lo, unnamed = _wide(folded.ops, len(ends))
    lists = np.concatenate([named, all_, unnamed])
    all_lo, unnamed_lo = all_lo + len(named), unnamed_lo + len(named) + len(all_)
    ops = _table(OPERATION, folded.ops._asdict() | {"starts": is_verb("start", folded.ops, verb_names)})
    _note_renewing(all_lo, lists, ops)
    _note_covered(unnamed_lo, lists, ops)
    sets = np.arange(len(ends) + 1)
    return Lines(
        signals, faults.time[order], ops, lists, of_set, instance, lo, fault_lo, named_lo, np.searchsorted(of_set, sets),
        all_lo, unnamed_lo, np.full(len(ids), -NEVER), np.searchsorted(folded.ops.set, sets), ends,
    )  # fmt: skip


def _table(dtype: np.dtype[Any], columns: dict[str, Any]) -> Records:
    """One structured array of the columns that `dtype` names."""
    names = dtype.names or ()
    table = np.empty(len(columns[names[0]]), dtype)
    for name in names:
        table[name] = columns[name]
    return table


def _winning(given: Signals, line: Ints, lines: int) -> tuple[Ints, Records]:
    """The winning signals of each line: (offsets of the lines, array of SIGNAL)."""
    _, order = group_by(line, lines, np.argsort(given.time, kind="stable"))
    same = (np.diff(line[order]) == 0) & (np.diff(given.time[order]) == 0)
    if same.any():
        ties = tie_ranks(given.event_id, (line, given.time, given.state), given.event)
        order = np.lexsort((ties, -given.state, given.time, line))
    wins = order[np.r_[True, ~same]] if len(order) else order
    lo = np.r_[0, np.cumsum(np.bincount(line[wins], minlength=lines))].astype(np.int64)
    time, state = given.time[wins], given.state[wins]
    available, other = _next_states(lo, state)
    columns = {"time": time, "state": state, "row": wins, "next_available": available, "next_other": other}
    columns |= {"well": _before(lo, time, state, AVAILABLE, AVAILABLE), "bad": _before(lo, time, state, DEGRADED, UNAVAILABLE)}
    return lo, _table(SIGNAL, columns)


def _find(ids: Ints, wanted: Ints) -> tuple[Ints, Ints]:
    """Of each wanted id its place in sorted ids, and which of them are there; what never reported is nobody's."""
    place = np.searchsorted(ids, wanted)
    found = ids[np.minimum(place, len(ids) - 1)] == wanted if len(ids) else np.zeros(len(wanted), np.bool_)
    return place, np.flatnonzero(found)


def _named(folded: FoldedOperations, ids: Ints, width: int, own: Ints) -> tuple[Ints, Records]:
    """Lists of the operations that name the instance of each line; of a set's own line (`own`) all operations of the set."""
    line, known = _find(ids, folded.ops.set[folded.named_op] * width + folded.named_instance)
    own_line, of_own = _find(ids[own], folded.ops.set * width)
    line = np.r_[line[known], own[own_line[of_own]]]
    op = np.r_[folded.named_op[known], of_own]
    lo, order = group_by(line, len(ids), np.arange(len(line)))
    return _list_of(lo, op[order], folded.ops)


def _wide(ops: Operations, sets: int) -> tuple[Ints, Records, Ints, Records]:
    """Lists, a set, of the operations that target all, and of the unnamed ones: offsets and lists of each."""
    positions = np.arange(len(ops.set))
    all_lo, all_ = group_by(ops.set, sets, positions[ops.target == ALL])
    unnamed_lo, unnamed = group_by(ops.set, sets, positions[ops.target == UNNAMED])
    return *_list_of(all_lo, all_, ops), *_list_of(unnamed_lo, unnamed, ops)


def _list_of(lo: Ints, which: Ints, ops: Operations) -> tuple[Ints, Records]:
    """Lists of operations as `Lines.lists` holds them, without more yet: in each, MOST of an hour, those that start first.

    Args:
        lo: offsets of the lists.
        which: positions of operations, of each list in the order in which they start.
        ops: the operations.
    """
    if len(which) > MOST:
        list_, hour = np.repeat(np.arange(len(lo) - 1), np.diff(lo)), ops.start[which] // HOUR
        begins = np.flatnonzero(np.r_[True, (np.diff(list_) != 0) | (np.diff(hour) != 0)])
        within = np.arange(len(which)) - np.repeat(begins, np.diff(np.r_[begins, len(which)]))
        kept = within < MOST
        lo, which = np.r_[0, np.cumsum(np.bincount(list_[kept], minlength=len(lo) - 1))], which[kept]
    return lo, _table(LISTED, {"op": which, "start": ops.start[which], "limit": ops.limit[which], "more": 0, "more_by_start": 0})


@inner_kernel
def is_renewal(op: int, ops: Records) -> bool:
    """Whether an operation renews what it targets: it excuses, and is not only the late end of what was asked for before."""
    return ops[op].effect == RENEWS and ops[op].excuses and ops[op].handed_by == NONE


@kernel
def _note_renewing(lo: Ints, lists: Records, ops: Records) -> None:
    for s in range(len(lo) - 1):
        found = lo[s + 1]
        for k in range(lo[s + 1] - 1, lo[s] - 1, -1):
            if is_renewal(lists[k].op, ops):
                found = k
            lists[k].more = found


@kernel
def _note_covered(lo: Ints, lists: Records, ops: Records) -> None:
    for s in range(len(lo) - 1):
        latest = latest_start = -1
        for k in range(lo[s], lo[s + 1]):
            op = lists[k].op
            if is_renewal(op, ops) and not ops[op].adds:
                latest = max(latest, ops[op].limit)
                if ops[op].starts:
                    latest_start = max(latest_start, ops[op].limit)
            lists[k].more, lists[k].more_by_start = latest, latest_start
