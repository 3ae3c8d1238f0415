"""Operations: records of one key folded into one interval with an outcome, targets and a limit (semantics.md 3)."""

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import INITIATORS, PHASES
from schemas.policy import EFFECTS, Policy
from transforms.core.kernel import NEVER, Bools, Ints, kernel
from transforms.core.texts import tie_ranks

REMOVES: Final = EFFECTS.index("removes")
RENEWS: Final = EFFECTS.index("renews")
MAY_REMOVE: Final = EFFECTS.index("may_remove")
NAMED, ALL, UNNAMED = 0, 1, 2
SUCCEEDED, FAILED, UNFINISHED = 0, 1, 2
_STARTED, _ANNOUNCED, _SUCCEEDED, _FAILED = (PHASES.index(p) for p in ("started", "announced", "succeeded", "failed"))
_UNKNOWN: Final = INITIATORS.index("unknown")
NEW_ONES: Final = ("create", "scale_out")
"""Verbs that, unnamed, make new instances and touch none that was there (semantics.md 3)."""


class Verbs(NamedTuple):
    """What the policy says of each verb of a batch; one entry a verb code."""

    effect: Ints
    deadline: Ints
    gone: Bools
    always: Bools
    news: Bools


class Ops(NamedTuple):
    """Folded operations, one entry each, sorted by scale set, start, operation_key, verb. Times in microseconds."""

    set: Ints
    start: Ints
    begin: Ints
    end: Ints
    """NEVER where it was never closed."""
    limit: Ints
    outcome: Ints
    effect: Ints
    gone: Bools
    excuses: Bools
    target: Ints
    how_many: Ints
    """-1 where no record gives one."""
    news: Bools
    initiator: Ints
    key: Ints
    verb: Ints


def verbs_of(names: list[str], policy: Policy) -> Verbs:
    """The policy's answers for verbs by code.

    Raises:
        KeyError: a verb that the policy lacks (decoding rejects those).
    """
    verbs = [policy.verbs[name] for name in names]
    return Verbs(
        np.array([EFFECTS.index(v.effect) for v in verbs], np.int64),
        np.array([v.deadline for v in verbs], np.int64),
        np.array([v.gone for v in verbs], np.bool_),
        np.array([name in policy.always_excused for name in names], np.bool_),
        np.array([name in NEW_ONES for name in names], np.bool_),
    )


@kernel
def _fold(
    fresh: Bools,
    time: Ints,
    phase: Ints,
    verb: Ints,
    initiator: Ints,
    excused: Bools,
    verbs: Verbs,
    skew: int,
    unseen: int,
    settle: int,
) -> tuple[Ints, Ints, Ints, Ints, Ints, Bools, Ints]:
    """Folds records in order of (key, time, phase, event_id), `fresh` where a key begins: fields of operations, and the
    operation of each record."""
    n = len(time)
    start, begin, end = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    outcome, who = np.empty(n, np.int64), np.empty(n, np.int64)
    excuses, owner = np.empty(n, np.bool_), np.empty(n, np.int64)
    op = -1
    only_end = False
    for r in range(n):
        t, p = time[r], phase[r]
        opens = fresh[r]
        belongs = False  # to an operation that is closed already
        if not opens:
            if end[op] == NEVER:
                opens = t > start[op] + verbs.deadline[verb[r]]
            else:
                within = t <= end[op] + settle
                belongs = within and (p != _STARTED or (only_end and t <= start[op] + skew))
                opens = not belongs
        if opens:
            op += 1
            start[op], end[op], outcome[op] = t, NEVER, UNFINISHED
            only_end = p == _SUCCEEDED
            begin[op] = t - unseen if only_end else t
            who[op], excuses[op] = _UNKNOWN, verbs.always[verb[r]]
        owner[r] = op
        if belongs:
            continue
        excuses[op] = excuses[op] or excused[initiator[r]]
        if who[op] == _UNKNOWN:
            who[op] = initiator[r]
        if p >= _ANNOUNCED:
            end[op] = t
            outcome[op] = FAILED if p == _FAILED else SUCCEEDED
    op += 1
    return start[:op], begin[:op], end[:op], outcome[:op], who[:op], excuses[:op], owner


class Folded(NamedTuple):
    """Operations and whom they name."""

    ops: Ops
    named_op: Ints
    """Pairs (operation, code of an instance id), sorted and each once; none of an operation that targets all."""
    named_instance: Ints
    of_record: Ints
    """The operation of each record."""


class Records(NamedTuple):
    """Operation records as codes, one entry each."""

    set: Ints
    time: Ints
    key: Ints
    verb: Ints
    phase: Ints
    initiator: Ints
    target: Ints
    how_many: Ints
    event_id: pa.StringArray
    keys: pa.StringArray
    """The texts of the key codes."""
    verb_names: list[str]
    named_row: Ints
    """Pairs (record, code of an instance id that it names)."""
    named_instance: Ints


def fold_operations(records: Records, policy: Policy) -> Folded:
    """Folds the records of each (scale_set_id, operation_key, verb) into operations (semantics.md 3)."""
    verbs = verbs_of(records.verb_names, policy)
    key = records.key * max(len(records.verb_names), 1) + records.verb
    ties = tie_ranks(records.event_id, (records.set, key, records.time, records.phase))
    order = np.lexsort((ties, records.phase, records.time, key, records.set))
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(records.set[order]) != 0) | (np.diff(key[order]) != 0)
    excused = np.array([name in policy.excused_initiators for name in INITIATORS])
    start, begin, end, outcome, who, excuses, owner = _fold(
        fresh, records.time[order], records.phase[order], records.verb[order], records.initiator[order], excused, verbs,
        policy.skew, policy.unseen, policy.settle,
    )  # fmt: skip
    first = order[np.unique(owner, return_index=True)[1]] if len(owner) else order
    of_record = np.empty(len(order), np.int64)
    of_record[order] = owner
    target, count = _widest(of_record, records, len(start))
    verb = records.verb[first]
    ops = Ops(
        records.set[first], start, begin, end, np.where(end == NEVER, start + verbs.deadline[verb], end) + policy.settle, outcome,
        verbs.effect[verb], verbs.gone[verb], excuses, target, count, verbs.news[verb], who, records.key[first], verb,
    )  # fmt: skip
    return _sorted(ops, of_record, records)


def _widest(of_record: Ints, records: Records, n: int) -> tuple[Ints, Ints]:
    """Of each operation: all if any record says all, else named if any names one, else unnamed; and the largest count."""
    seen = np.zeros((n, 3), np.bool_)
    seen[of_record, records.target] = True
    count = np.full(n, -1, np.int64)
    np.maximum.at(count, of_record, records.how_many)
    return np.where(seen[:, ALL], ALL, np.where(seen[:, NAMED], NAMED, UNNAMED)).astype(np.int64), count


def _sorted(ops: Ops, of_record: Ints, records: Records) -> Folded:
    """Operations by (scale set, start, operation_key, verb), and the pairs of those that name instances."""
    by_verb = (
        np.argsort(np.argsort(np.array(records.verb_names, dtype=object), kind="stable"), kind="stable")[ops.verb]
        if len(ops.verb)
        else ops.verb
    )
    keys = pc.take(records.keys, pa.array(ops.key))
    order = np.lexsort((by_verb, tie_ranks(keys, (ops.set, ops.start)), ops.start, ops.set))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    ops = Ops(*(column[order] for column in ops))  # type: ignore[arg-type]  # each column keeps its type
    op = place[of_record[records.named_row]]
    keep = ops.target[op] == NAMED
    width = int(records.named_instance.max(initial=0)) + 1
    pairs = np.unique(op[keep] * width + records.named_instance[keep])
    return Folded(ops, pairs // width, pairs % width, place[of_record])
