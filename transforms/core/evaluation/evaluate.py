"""The evaluation: events of many scale sets, a policy and T in; series, attributions, operations and cells out
(rules: Same record)."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from schemas.policy import Policy
from transforms.core.columns.arrow import micros, no_rows
from transforms.core.columns.kernel import Bools, Words, group_by
from transforms.core.evaluation.cell_rows import CELLS, cells_of
from transforms.core.evaluation.codes import CodedEvents, encode
from transforms.core.evaluation.duplicates import remove_duplicates
from transforms.core.evaluation.ends import End, end_of_each, ends_of
from transforms.core.evaluation.resumed import NO_MARKS, ResumeMarks, resumed_from
from transforms.core.evaluation.rows import attribution_rows, operation_rows, series_rows
from transforms.core.rules.entries import CHANGES, ROW_FIELDS, ROWS, WalkOutput
from transforms.core.rules.life import Rules
from transforms.core.rules.lifelines import walk
from transforms.core.rules.lines import Lines, build_lines
from transforms.core.rules.operations import FoldedOperations, fold_operations
from transforms.core.rules.series import COUNTS, Series, build_series


class Evaluation(NamedTuple):
    """The result for all scale sets of a batch. The tables lack `as_of` and `policy`; their rows are in order of `cells`."""

    availability: pa.RecordBatch
    """`schemas.tables.availability.AVAILABILITY`, sorted by scale_set_id, start."""
    attributions: pa.RecordBatch
    """`schemas.tables.attribution.ATTRIBUTIONS`, sorted by scale_set_id, start, instance_id (null first)."""
    operations: pa.RecordBatch
    """`schemas.tables.operation.OPERATIONS`, sorted by scale_set_id, start, operation_key, verb."""
    cells: pa.RecordBatch
    """One row a cell that has rows: scale_set_id, cell, availability_rows, attribution_rows, operation_rows, digest (uint64)."""
    used: int
    """Records that gave an event which is no duplicate."""
    duplicates: int
    worked: "Workings | None" = None
    """Intermediate results, from which a standing is made."""


class Workings(NamedTuple):
    """Intermediate results of an evaluation: its events, and what the kernels made of them."""

    events: pa.RecordBatch
    """EVENTS without duplicates, those at or after T included."""
    early: Bools
    """Which of them lie before T."""
    identities: Words
    """`transforms.core.evaluation.duplicates.identities` of them."""
    coded: CodedEvents
    folded: FoldedOperations
    lines: Lines
    walked: WalkOutput
    resumed: ResumeMarks
    rules: Rules


def rules_of(policy: Policy) -> Rules:
    """The numbers of a policy as the kernels take them."""
    return Rules(
        policy.skew, policy.unseen, policy.settle, policy.possible_excuse, policy.max_excuse, policy.presume_after,
        policy.max_open, policy.grid, policy.longest_deadline,
    )  # fmt: skip


def _walk(lines: Lines, resumed: ResumeMarks, rules: Rules) -> WalkOutput:
    """The walk, repeated with more room in the rare case that the first guess was too small."""
    signals, lists = len(lines.signals), len(lines.lists)
    room = [2 * signals + 2 * lists + 64] * 2 + [lists + 64, signals + len(resumed.decided) + 64, 64]
    while True:
        shapes = ((room[0], ROW_FIELDS), (room[1], 3), (room[2], 3), (room[3], 3), room[4], len(room), len(room))
        out = WalkOutput(*(np.empty(shape, np.int64) for shape in shapes))
        out.peak[:] = 0
        walk(lines, rules, resumed.decided, resumed.decided_lo, out)
        if all(peak <= size for peak, size in zip(out.peak, room, strict=True)):
            return out._replace(rows=out.rows[: out.used[ROWS]], changes=out.changes[: out.used[CHANGES]])
        room = [size if peak <= size else max(int(peak), 2 * size) for peak, size in zip(out.peak, room, strict=True)]


def _series(walked: WalkOutput, lines: Lines, resumed: ResumeMarks, rules: Rules) -> Series:
    """The rows of the series of all sets."""
    changes, ends = walked.changes, lines.ends
    of_set = lines.set[changes[:, 1]]
    bounds, order = group_by(of_set, len(ends), np.argsort(changes[:, 0], kind="stable"))
    first = np.minimum(resumed.begun, ends)
    np.minimum.at(first, of_set, changes[:, 0])
    room = int(len(changes) + ((ends - first) // rules.grid + 2).sum())
    columns: Any = [np.empty(room, type_) for type_ in (np.int32, np.int64, np.int64, np.int8, np.int8)]
    columns += [np.empty((COUNTS, room), np.int32), np.zeros(1, np.int64)]
    out = Series(*columns)
    build_series(changes, bounds, order, lines.instance, resumed.begun, resumed.reported, ends, rules.grid, out)
    filled: Any = [column[..., : out.used[0]] for column in columns]
    return Series(*filled)


def evaluate(events: pa.RecordBatch, policy: Policy, T: End, marks: pa.RecordBatch = NO_MARKS) -> Evaluation:
    """Evaluates all scale sets of a batch in one call.

    The result is a function of the set of events, the policy and T: order, repetition and other sets do not matter.

    Args:
        events: `schemas.event.EVENTS`, in any order, with duplicates; verbs are those of the policy.
        policy: The parameters.
        T: The end of what is known, microseconds, a multiple of the grid, one for all scale sets or one each; events of a set at
            or after it are left out.
        marks: `transforms.core.evaluation.resumed.MARKS`, if events of a standing are among the events. Then cells before
            the one at which a set's standing opens are incomplete, and the result has no `cells`, until
            `transforms.core.standing.folding.resumed_cells` is called on it.

    Raises:
        KeyError: an operation has a verb that the policy lacks; T is one each, and lacks a scale set.
    """
    events, used, duplicates, identities = remove_duplicates(events)
    early: Bools = micros(events, "time") < end_of_each(T, events)
    coded = encode(events if early.all() else events.filter(pa.array(early)), marks.column("scale_set_id").dictionary)
    ends = ends_of(T, coded.texts.set_ids)
    rules = rules_of(policy)
    folded = fold_operations(coded.records, policy)
    lines = build_lines(coded.signals, coded.faults, folded, coded.texts.verbs, ends)
    resumed = resumed_from(marks, coded.texts.set_ids, coded.texts.instance_ids, lines, rules.skew + rules.unseen)
    lines = lines._replace(since=resumed.since)
    walked = _walk(lines, resumed, rules)
    series = _series(walked, lines, resumed, rules)
    attributions = attribution_rows(walked.rows, lines, folded.ops, coded, rules)
    operations = operation_rows(walked.rows, folded, coded, rules)
    tables = (series_rows(series, coded.texts, rules), attributions, operations)
    worked = Workings(events, early, identities, coded, folded, lines, walked, resumed, rules)
    cells = no_rows(CELLS) if len(marks) else cells_of(*tables, policy)
    return Evaluation(*tables, cells, used, duplicates, worked)
