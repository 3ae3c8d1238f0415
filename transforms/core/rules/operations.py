"""Operations: records of one key folded into one interval with an outcome, targets and a limit
(rules: Folding, Targets, Limit).

The kernel walks records in order of (scale set, key, verb, time, phase), and holds one operation at a time; each record belongs
to it, or opens the next:

    records    started   progress   succeeded      succeeded        started
    op         |============================|
                start                    end |~settle~|              |====
                                                ^ belongs to it       ^ opens the next

Invariants: an operation that was closed never changes; `owner[r]` never falls from one record to the next, and grows by one
where an operation opens. `after` looks back at the one before under the same key only.
"""

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import INITIATORS, PHASES
from schemas.policy import EFFECTS, Policy
from transforms.core.columns.kernel import NEVER, Bools, Ints, kernel
from transforms.core.columns.text_order import tie_ranks
from transforms.core.rules.targets import NAMED, NONE, UNNAMED, count_beside, hand_on, widest_targets, with_handed

REMOVES: Final = EFFECTS.index("removes")
RENEWS: Final = EFFECTS.index("renews")
MAY_REMOVE: Final = EFFECTS.index("may_remove")
SUCCEEDED, FAILED, UNFINISHED = 0, 1, 2
_STARTED, _PROGRESS, _ANNOUNCED, _SUCCEEDED, _FAILED = (
    PHASES.index(phase) for phase in ("started", "progress", "announced", "succeeded", "failed")
)
_UNKNOWN: Final = INITIATORS.index("unknown")


class Verbs(NamedTuple):
    """What the policy says of each verb of a batch; one entry a verb code."""

    effect: Ints
    deadline: Ints
    gone: Bools
    always: Bools


class Operations(NamedTuple):
    """Folded operations, one entry each, sorted by scale set, start, operation_key, verb. Times in microseconds."""

    set: Ints
    start: Ints
    begin: Ints
    end: Ints
    """NEVER where it was never closed."""
    limit: Ints
    outcome: Ints
    refused: Bools
    """Failed so soon that nothing was done."""
    handed_by: Ints
    """Position of the operation that hands its targets on to it (-1: none does); then it asks for nothing anew."""
    effect: Ints
    gone: Bools
    excuses: Bools
    target: Ints
    how_many: Ints
    """-1 where no record gives one."""
    adds: Bools
    """Makes new instances: it touches none that has returned before."""
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
    )


class _Intervals(NamedTuple):
    """Operations as the fold finds them, an entry each, in order of (scale set, key, start)."""

    start: Ints
    begin: Ints
    end: Ints
    outcome: Ints
    refused: Bools
    after: Bools
    """It begins with no `started` record, and the operation before it under its key, at most `presume_after` earlier, was never
    closed: that one hands its targets on, if no record tells of others."""
    initiator: Ints
    excuses: Bools


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
    presume_after: int,
) -> tuple[_Intervals, Ints]:
    """Folds records in order of (key, time, phase, event_id), `fresh` where a key begins: operations, and that of each record."""
    n = len(time)
    owner = np.empty(n, np.int64)
    ops = _Intervals(
        np.empty(n, np.int64), np.empty(n, np.int64), np.full(n, NEVER), np.full(n, UNFINISHED), np.zeros(n, np.bool_),
        np.zeros(n, np.bool_), np.full(n, _UNKNOWN), np.zeros(n, np.bool_),
    )  # fmt: skip
    op = NONE
    only_end = started = progress = False
    for r in range(n):
        t, p = time[r], phase[r]
        opens = fresh[r]
        belongs = False  # to an operation that is closed already
        if not opens:
            if ops.end[op] == NEVER:
                opens = t > ops.start[op] + verbs.deadline[verb[r]]
            else:
                within = t <= ops.end[op] + settle
                belongs = within and (p != _STARTED or (only_end and t <= ops.start[op] + skew))
                opens = not belongs
        if opens:
            op += 1
            only_end, started, progress = p == _SUCCEEDED, False, False
            ops.start[op], ops.begin[op] = t, t - unseen if only_end else t
            ops.excuses[op] = verbs.always[verb[r]]
            if not fresh[r] and p != _STARTED:
                ops.after[op] = ops.end[op - 1] == NEVER and ops.start[op - 1] >= t - presume_after
        owner[r] = op
        if belongs:
            continue
        started, progress = started or p == _STARTED, progress or p == _PROGRESS
        ops.excuses[op] = ops.excuses[op] or excused[initiator[r]]
        if ops.initiator[op] == _UNKNOWN:
            ops.initiator[op] = initiator[r]
        if p >= _ANNOUNCED:
            ops.end[op] = t
            ops.outcome[op] = FAILED if p == _FAILED else SUCCEEDED
            ops.refused[op] = p == _FAILED and started and not progress and t <= ops.start[op] + skew
    return ops, owner


class FoldedOperations(NamedTuple):
    """Operations and whom they name."""

    ops: Operations
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


def fold_operations(records: Records, policy: Policy) -> FoldedOperations:
    """Folds the records of each (scale_set_id, operation_key, verb) into operations (rules: Folding)."""
    verbs = verbs_of(records.verb_names, policy)
    key = records.key * max(len(records.verb_names), 1) + records.verb
    ties = tie_ranks(records.event_id, (records.set, key, records.time, records.phase))
    order = np.lexsort((ties, records.phase, records.time, key, records.set))
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(records.set[order]) != 0) | (np.diff(key[order]) != 0)
    excused = np.array([name in policy.excused_initiators for name in INITIATORS])
    room, owner = _fold(
        fresh, records.time[order], records.phase[order], records.verb[order], records.initiator[order], excused, verbs,
        policy.skew, policy.unseen, policy.settle, policy.presume_after,
    )  # fmt: skip
    first = order[np.flatnonzero(np.diff(owner, prepend=NONE))]
    found = _Intervals(*(column[: len(first)] for column in room))  # type: ignore[arg-type]  # each column keeps its type
    of_record = np.empty(len(order), np.int64)
    of_record[order] = owner
    target = widest_targets(of_record, records.target, len(first))
    handed_by = hand_on(found.after, target)
    count = np.full(len(first), -1, np.int64)
    np.maximum.at(count, of_record, records.how_many)
    verb = records.verb[first]
    closed = np.where(found.refused, min(policy.skew, policy.settle), policy.settle)
    limit = np.where(found.end == NEVER, found.start + verbs.deadline[verb] + policy.settle, found.end + closed)
    ops = Operations(
        records.set[first], found.start, found.begin, found.end, limit, found.outcome, found.refused, handed_by,
        verbs.effect[verb], verbs.gone[verb], found.excuses, target, count, np.zeros(len(first), np.bool_), found.initiator,
        records.key[first], verb,
    )  # fmt: skip
    folded = _sorted(ops, of_record, records)
    return folded._replace(ops=folded.ops._replace(adds=_which_add(folded.ops, records.verb_names, policy.skew)))


def is_verb(name: str, ops: Operations, verb_names: list[str]) -> Bools:
    """Which operations have that verb; `verb_names` are the texts of the codes."""
    return np.array([*(verb == name for verb in verb_names), False], np.bool_)[ops.verb]


def _which_add(ops: Operations, verb_names: list[str], skew: int) -> Bools:
    """Which operations, in order of (scale set, start), make new instances and touch none that was there: unnamed creates and
    scale-outs, and the unnamed updates that carry out a scale-out and no scale-in."""
    unnamed = ops.target == UNNAMED
    creates, grows, shrinks = (unnamed & is_verb(name, ops, verb_names) for name in ("create", "scale_out", "scale_in"))
    updates = np.flatnonzero(unnamed & ops.excuses & (ops.effect == MAY_REMOVE))
    growing, shrinking = count_beside(updates, ops.set, ops.start, np.stack([grows & ~ops.refused, shrinks]), skew)
    adds: Bools = creates | grows
    adds[updates] = (growing > 0) & (shrinking == 0)
    return adds


def _sorted(ops: Operations, of_record: Ints, records: Records) -> FoldedOperations:
    """Operations by (scale set, start, operation_key, verb), and the pairs of those that name instances."""
    by_verb = (
        np.argsort(np.argsort(np.array(records.verb_names, dtype=object), kind="stable"), kind="stable")[ops.verb]
        if len(ops.verb)
        else ops.verb
    )
    keys = pc.take(records.keys, pa.array(ops.key))
    order = np.lexsort((by_verb, tie_ranks(keys, (ops.set, ops.start)), ops.start, ops.set))
    place = np.empty(len(order) + 1, np.int64)
    place[order], place[NONE] = np.arange(len(order)), NONE
    ops = Operations(*(column[order] for column in ops))  # type: ignore[arg-type]  # each column keeps its type
    ops = ops._replace(handed_by=place[ops.handed_by])
    op = place[of_record[records.named_row]]
    keep = ops.target[op] == NAMED
    width = int(records.named_instance.max(initial=0)) + 1
    pairs = with_handed(np.unique(op[keep] * width + records.named_instance[keep]), width, ops.handed_by)
    return FoldedOperations(ops, pairs // width, pairs % width, place[of_record])
