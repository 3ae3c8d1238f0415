"""Lines: the signals and fault notices of each instance, and of each set itself, sorted and with ties decided (semantics.md 4, "Reported state").

A *line* is one (scale set, instance) that has ever reported; instance code 0 stands for the set itself, whose line comes first.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from transforms.core.kernel import Ints, group_by, kernel
from transforms.core.operations import ALL, RENEWS, UNNAMED, Folded, Ops
from transforms.core.texts import tie_ranks

AVAILABLE, UNKNOWN, DEGRADED, UNAVAILABLE = range(4)


class Lines(NamedTuple):
    """Lines sorted by (set, instance); `lo[line]:lo[line + 1]` are its winning signals, one a time, ascending."""

    set: Ints
    instance: Ints
    lo: Ints
    time: Ints
    state: Ints
    row: Ints
    """Of each winning signal the row whose event_id counts: the smallest of those that carry the winning state."""
    next_available: Ints
    """Of each signal the first at or after it, in its line, that is Available (or the end of the line)."""
    next_other: Ints
    """Of each signal the first at or after it, in its line, that is not Available (or the end of the line)."""
    bad: Ints
    """Microseconds in which the line was Degraded or Unavailable before each signal."""
    fault_lo: Ints
    fault: Ints
    of_set: Ints
    """`of_set[s]:of_set[s + 1]` are the lines of set s."""


class Reach(NamedTuple):
    """Which operations target whom: positions in `Ops`, ascending, so by start."""

    named_lo: Ints
    """`named[named_lo[line]:named_lo[line + 1]]` name the instance of a line; of a set's own line they are all operations of the set."""
    named: Ints
    all_lo: Ints
    """`all[all_lo[s]:all_lo[s + 1]]` target all of set s."""
    all: Ints
    all_renews: Ints
    """Of each position in `all` the first at or after it, in its set, that renews and excuses (or the end of the set's)."""
    unnamed_lo: Ints
    unnamed: Ints
    covered: Ints
    """Of each position in `unnamed` the latest limit so far in its set of those that renew, excuse and are no create or scale_out."""


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
def _bad_before(lo: Ints, time: Ints, state: Ints) -> Ints:
    bad = np.zeros(len(state), np.int64)
    for line in range(len(lo) - 1):
        for k in range(lo[line] + 1, lo[line + 1]):
            bad[k] = bad[k - 1] + (time[k] - time[k - 1] if state[k - 1] >= DEGRADED else 0)
    return bad


class Signals(NamedTuple):
    """Signals or fault notices as codes, one entry each."""

    set: Ints
    instance: Ints
    time: Ints
    state: Ints
    event_id: pa.StringArray


def build_lines(signals: Signals, faults: Signals, sets: int) -> Lines:
    """Sorts the signals of each line and decides equal times: the worst state wins."""
    width = int(signals.instance.max(initial=0)) + 1
    ids, code = np.unique(signals.set * width + signals.instance, return_inverse=True)
    _, order = group_by(code, len(ids), np.argsort(signals.time, kind="stable"))
    line, time, state = code[order], signals.time[order], signals.state[order]
    same = (line[1:] == line[:-1]) & (time[1:] == time[:-1])
    if same.any():
        ties = tie_ranks(signals.event_id, (code, signals.time, signals.state))
        order = np.lexsort((ties, -signals.state, signals.time, code))
        line, time, state = code[order], signals.time[order], signals.state[order]
    wins = np.r_[True, ~same] if len(order) else np.empty(0, np.bool_)
    lo = np.r_[0, np.cumsum(np.bincount(line[wins], minlength=len(ids)))].astype(np.int64)
    fault_lo, fault = _faults_of(ids, faults, width)
    time, state = time[wins], state[wins]
    return Lines(
        ids // width, ids % width, lo, time, state, order[wins], *_next_states(lo, state), _bad_before(lo, time, state), fault_lo, fault,
        np.searchsorted(ids // width, np.arange(sets + 1)),
    )  # fmt: skip


def _faults_of(ids: Ints, faults: Signals, width: int) -> tuple[Ints, Ints]:
    """The times of the fault notices of each line, ascending; those on what never reported are nobody's."""
    wanted = np.where(faults.instance < width, faults.set * width + faults.instance, -1)
    line = np.searchsorted(ids, wanted)
    known = np.flatnonzero(ids[np.minimum(line, len(ids) - 1)] == wanted) if len(ids) else np.empty(0, np.int64)
    lo, order = group_by(line, len(ids), known[np.argsort(faults.time[known], kind="stable")])
    return lo, faults.time[order]


def build_reach(folded: Folded, lines: Lines, sets: int) -> Reach:
    """Lists of operations by whom they target."""
    ops = folded.ops
    positions = np.arange(len(ops.set))
    all_lo, all_ = group_by(ops.set, sets, positions[ops.target == ALL])
    unnamed_lo, unnamed = group_by(ops.set, sets, positions[ops.target == UNNAMED])
    width = int(max(lines.instance.max(initial=0), folded.named_instance.max(initial=0))) + 1
    ids = lines.set * width + lines.instance
    wanted = ops.set[folded.named_op] * width + folded.named_instance
    line = np.searchsorted(ids, wanted)
    known = ids[np.minimum(line, len(ids) - 1)] == wanted if len(ids) else np.zeros(len(wanted), np.bool_)
    own = np.full(sets, -1)
    own[lines.set[lines.instance == 0]] = np.flatnonzero(lines.instance == 0)
    to_own = np.flatnonzero(own[ops.set] >= 0)
    line = np.r_[line[known], own[ops.set[to_own]]]
    op = np.r_[folded.named_op[known], to_own]
    named_lo, order = group_by(line, len(ids), np.arange(len(line)))
    return Reach(
        named_lo, op[order],
        all_lo, all_, _next_renewing(all_lo, all_, ops), unnamed_lo, unnamed, _covered(unnamed_lo, unnamed, ops),
    )  # fmt: skip


@kernel
def _next_renewing(lo: Ints, all_: Ints, ops: Ops) -> Ints:
    out = np.empty(len(all_), np.int64)
    for s in range(len(lo) - 1):
        found = lo[s + 1]
        for k in range(lo[s + 1] - 1, lo[s] - 1, -1):
            if ops.effect[all_[k]] == RENEWS and ops.excuses[all_[k]]:
                found = k
            out[k] = found
    return out


@kernel
def _covered(lo: Ints, unnamed: Ints, ops: Ops) -> Ints:
    out = np.empty(len(unnamed), np.int64)
    for s in range(len(lo) - 1):
        latest = -1
        for k in range(lo[s], lo[s + 1]):
            op = unnamed[k]
            if ops.effect[op] == RENEWS and ops.excuses[op] and not ops.news[op]:
                latest = max(latest, ops.limit[op])
            out[k] = latest
    return out


