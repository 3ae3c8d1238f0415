"""Folding: an evaluation into the standing of its scale sets; and what came later, on top of one, into cells
(rules: Standing)."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import KINDS
from schemas.policy import Policy
from schemas.time import DAY
from transforms.core.columns.arrow import codes_of, dictionary_column, micros, one_batch
from transforms.core.columns.batches import compact
from transforms.core.columns.hashing import mix_coded, mix_values, text_hashes
from transforms.core.columns.kernel import NEVER, Bools, Ints, Words, group_by
from transforms.core.columns.members import places_of
from transforms.core.columns.text_order import rank_of
from transforms.core.evaluation.cell_rows import cells_of
from transforms.core.evaluation.duplicates import identities
from transforms.core.evaluation.ends import End, end_of_each, ends_of
from transforms.core.evaluation.evaluate import Evaluation, Workings
from transforms.core.evaluation.resumed import (
    BEGUN,
    CLOSED,
    COMPLETE_UNTIL,
    DECIDED,
    MARK_NAMES,
    MARKS,
    OPENS,
    REPORTED,
    SINCE,
    moments_at,
)
from transforms.core.rules.entries import LIMIT, LINE, ONSET, OP, START, VERDICT
from transforms.core.rules.life import Rules
from transforms.core.rules.operations import FAILED, MAY_REMOVE, REMOVES, UNFINISHED
from transforms.core.rules.targets import NONE, UNNAMED
from transforms.core.rules.verdicts import OVERRUN, PRESUMED, REMOVED
from transforms.core.standing.related import with_related
from transforms.core.standing.retention import NO_LINE, LineHistories, Retention, keep_lines
from transforms.core.standing.standing import DROPPED, EVALUATED, NO_STANDING, Standing

KNOWN_AGAIN: Final = DAY
"""How long a standing remembers dropped events, back from where it is closed, to recognise copies: a message that was not
acknowledged is delivered again."""
_SIGNAL, _FAULT, _OPERATION = range(len(KINDS))
_DECISION_NAMES = {decision: name for name, decision in DECIDED.items()}


class FoldResult(NamedTuple):
    """An evaluation, split into what is kept and what is not."""

    standing: Standing
    settled: pa.RecordBatch
    """DROPPED: the events that the standing does not keep."""


def folded(evaluated: Evaluation, closed: End, before: Standing = NO_STANDING) -> Standing:
    """The standing of the scale sets of an evaluation: see `fold`."""
    return fold(evaluated, closed, before).standing


def fold(evaluated: Evaluation, closed: End, before: Standing = NO_STANDING) -> FoldResult:
    """The standing of the scale sets of an evaluation, and what it does not keep.

    Args:
        evaluated: The evaluation, `resumed_cells` of it if it went on from a standing.
        closed: The horizon, microseconds, one for all scale sets or one each: no event before it will be taken in any more.
        before: What it went on from: of no other scale sets.
    """
    worked: Any = evaluated.worked
    histories = _histories(worked)
    horizon = ends_of(closed, worked.coded.texts.set_ids)
    opens = _opens(worked, histories, horizon)
    keep_from = opens - worked.rules.skew - worked.rules.unseen
    lines = worked.lines
    keeping = Retention(
        np.full(len(lines.set), NEVER),
        np.zeros(len(lines.signals), np.bool_),
        # A renewal that is long over may still tell of a removal that only lost its end: so not by their limits.
        lines.ops["start"] >= keep_from[worked.folded.ops.set] - worked.rules.longest - worked.rules.settle,
        np.empty((len(histories.episodes) + len(lines.set), 3), np.int64),
        np.zeros(1, np.int64),
    )
    keep_lines(keep_from, lines, histories, worked.rules, keeping)
    keeping.ops[:] = with_related(keeping.ops, worked.folded.ops, worked.coded.texts.verbs, keep_from, worked.rules)
    kept = _kept_events(worked, keeping, keep_from)
    events = compact(worked.events.filter(pa.array(kept)))
    settled = _dropped(worked, ~kept)
    marks = _marks(worked, keeping, opens, keep_from, horizon)
    availability, attributions, operations = _open_cells(evaluated, opens, worked.rules)
    dropped = compact(one_batch([_recent(before.dropped, closed), _recent(settled, closed)], DROPPED))
    return FoldResult(Standing(events, marks, availability, attributions, operations, dropped), settled)


def _dropped(worked: Workings, which: Bools) -> pa.RecordBatch:
    ids, time = worked.events.column("scale_set_id"), micros(worked.events, "time")
    columns = [ids.filter(pa.array(which)), pa.array(time[which]), pa.array(worked.identities[which])]
    return pa.RecordBatch.from_arrays(columns, schema=DROPPED)


def _recent(dropped: pa.RecordBatch, closed: End) -> pa.RecordBatch:
    """Those of which copies are still recognised."""
    return dropped.filter(pa.array(dropped.column("time").to_numpy() >= end_of_each(closed, dropped) - KNOWN_AGAIN))


def is_copy(events: pa.RecordBatch, standing: Standing) -> Bools:
    """Which events are copies of dropped ones."""
    dropped = standing.dropped.column("time").to_numpy()
    copies = micros(events, "time") <= dropped.max(initial=-NEVER)
    if copies.any():  # what is on time never is: the identities of a day are looked through for the rest alone
        copies[copies] = np.isin(identities(events.filter(pa.array(copies))), standing.dropped.column("identity").to_numpy())
    return copies


def closed_before(events: pa.RecordBatch, standing: Standing) -> Ints:
    """For each event the moment before which no event of its scale set is taken in any more, in microseconds; -NEVER: any is."""
    ids = events.column("scale_set_id")
    return moments_at(standing.marks, CLOSED, ids.dictionary)[ids.indices.to_numpy()] if len(events) else np.empty(0, np.int64)


def is_behind(events: pa.RecordBatch, standing: Standing) -> Bools:
    """Which events come too late for a standing: older than its horizon, and not copies of events that it keeps."""
    behind: Bools = micros(events, "time") < closed_before(events, standing)
    if behind.any():
        behind[behind] = ~np.isin(identities(events.filter(pa.array(behind))), identities(standing.events))
    return behind


def is_held(known: pa.RecordBatch, standing: Standing) -> Bools:
    """Which cells of PUBLISHED can still change."""
    names = known.column("scale_set_id").dictionary
    place, cell = places_of(known.column("scale_set_id"), names), micros(known, "cell")
    kept = [_hashed(places_of(table.column("scale_set_id"), names), micros(table, "cell")) for table in standing[2:5]]
    held: Bools = cell >= moments_at(standing.marks, OPENS, names)[place]
    return held | np.isin(_hashed(place, cell), np.concatenate(kept))


def _hashed(*columns: Ints) -> Words:
    """A number for the numbers of each row: a hash, mixed column by column."""
    keys = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mix_values(keys, column.view(np.uint64))
    return keys


def _histories(worked: Workings) -> LineHistories:
    changes, rows, lines = worked.walked.changes, worked.walked.rows, len(worked.lines.set)
    # The walk goes through each line in order of time, so that those of a line are in order of it already. Copies, since a column
    # of a table is another type of array, for which the kernel would be compiled once more.
    change_lo, order = group_by(changes[:, 1].copy(), lines, np.arange(len(changes)))
    first = rows[(rows[:, VERDICT] != REMOVED) & (rows[:, START] == rows[:, ONSET])]
    episode_lo, of_line = group_by(first[:, LINE].copy(), lines, np.arange(len(first)))
    return LineHistories(change_lo, changes[order], episode_lo, first[of_line])


def _opens(worked: Workings, histories: LineHistories, horizon: Ints) -> Ints:
    """Of each set the first cell that an event at or after its horizon can change, but for attributions that are open there."""
    rules, ops = worked.rules, worked.lines.ops
    of_op, early = worked.folded.ops.set, rules.skew + rules.unseen
    settled = horizon - early
    open_ops = np.where(ops["refused"], ops["end"] + rules.settle, ops["limit"]) >= horizon[of_op]
    # What extends it may be an update beside it, and whether that adds tells a scale-out beside that, which may yet be refused.
    open_ops |= ops["start"] >= horizon[of_op] - 3 * rules.skew
    np.minimum.at(settled, of_op[open_ops], ops["begin"][open_ops] - rules.skew)
    opens = settled.copy()
    rows = histories.episodes
    of_row, onset, limit, op = worked.lines.set[rows[:, LINE]], rows[:, START], rows[:, LIMIT], rows[:, OP]
    named = op != NONE
    before = settled[of_row]
    unsettled = onset + early >= before
    unsettled |= named & (limit < NEVER) & (limit >= before)
    if len(ops):
        unsettled |= named & (ops["start"][op] >= before)
    np.minimum.at(opens, of_row[unsettled], onset[unsettled])
    lapsed = np.isin(rows[:, VERDICT], (OVERRUN, PRESUMED)) & (onset + rules.presume_after >= before)
    if len(ops):
        lapsed &= _may_presume(ops)[op] & (worked.lines.instance[rows[:, LINE]] > 0)
        np.minimum.at(opens, of_row[lapsed], np.minimum(onset, ops["begin"][op] - rules.skew)[lapsed])
    return _with_sharers(worked, histories, opens)


def _with_sharers(worked: Workings, histories: LineHistories, opens: Ints) -> Ints:
    """Opens so early that of the episodes which share the count of an operation all are decided for good, or none."""
    rules, ops, rows, early = worked.rules, worked.lines.ops, histories.episodes, worked.rules.skew + worked.rules.unseen
    floored: Ints = np.maximum(opens - opens % rules.grid, worked.resumed.opens)
    rows = rows[np.isin(rows[:, VERDICT], (OVERRUN, PRESUMED))]
    rows = rows[ops["how_many"][rows[:, OP]] >= 0] if len(ops) else rows[:0]
    op, onset, of_op = rows[:, OP], rows[:, START], worked.folded.ops.set
    first, last = np.full(len(ops), NEVER), np.full(len(ops), -NEVER)
    np.minimum.at(first, op, onset)
    np.maximum.at(last, op, onset)
    while True:
        keep_from, earlier = floored[of_op] - early, floored.copy()
        apart = (first < keep_from) & (last >= keep_from)
        np.minimum.at(earlier, of_op[apart], first[apart])
        earlier = np.maximum(earlier - earlier % rules.grid, worked.resumed.opens)
        if (earlier == floored).all():
            return floored
        floored = earlier


def _may_presume(ops: npt.NDArray[Any]) -> Bools:
    """Which operations are of a *kind* that may leave an instance presumed away, whatever the instance."""
    removes, outcome, unnamed = ops["effect"] == REMOVES, ops["outcome"], ops["target"] == UNNAMED
    lost = removes & ((outcome == UNFINISHED) | ((outcome == FAILED) & ops["gone"] & ~ops["refused"]))
    may: Bools = np.where(unnamed, (outcome != FAILED) & (removes | (ops["effect"] == MAY_REMOVE)), lost)
    return may


def _kept_events(worked: Workings, keeping: Retention, keep_from: Ints) -> Bools:
    """Which events are kept."""
    events = worked.events
    keep, kind = np.ones(len(events), np.bool_), events["kind"].indices.to_numpy()
    coded, rows = worked.coded, np.flatnonzero(worked.early)
    signal_rows, fault_rows, op_rows = (rows[kind[rows] == which] for which in (_SIGNAL, _FAULT, _OPERATION))
    keep[signal_rows] = coded.signals.time >= keep_from[coded.signals.set]
    keep[signal_rows[worked.lines.signals["row"][keeping.signals]]] = True
    keep[op_rows] = keeping.ops[worked.folded.of_record]
    keep[fault_rows] = coded.faults.time >= _fault_floor(worked, keeping, keep_from)
    return keep


def _fault_floor(worked: Workings, keeping: Retention, keep_from: Ints) -> Ints:
    """From when on the fault notices of each line count, an entry each fault notice."""
    faults, lines, skew = worked.coded.faults, worked.lines, worked.rules.skew
    floor = keep_from[faults.set] - skew
    if not len(faults.set) or not len(lines.set):
        return floor
    width = 1 + int(max(faults.instance.max(), lines.instance.max()))
    ids, wanted = lines.set * width + lines.instance, faults.set * width + faults.instance
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    cut = np.where((ids[place] == wanted) & (keeping.cut[place] != NO_LINE), keeping.cut[place], keep_from[faults.set])
    return np.minimum(floor, cut - skew)


def _pasts(worked: Workings, opens: Ints) -> tuple[Bools, Bools]:
    """Of each set, whether it has had a signal before its standing opens, and whether one of an instance."""
    lines, resumed = worked.lines, worked.resumed
    filled = np.flatnonzero(lines.lo[1:] > lines.lo[:-1])
    old = filled[worked.lines.signals["time"][lines.lo[filled]] < opens[lines.set[filled]]]
    begun, reported = resumed.begun != NEVER, resumed.reported.copy()
    begun[lines.set[old]] = True
    reported[lines.set[old[lines.instance[old] > 0]]] = True
    return begun, reported


def _marks(worked: Workings, keeping: Retention, opens: Ints, keep_from: Ints, horizon: Ints) -> pa.RecordBatch:
    lines, texts, sets = worked.lines, worked.coded.texts, len(opens)
    begun, reported = _pasts(worked, opens)
    later, decided = np.flatnonzero(keeping.cut < keep_from[lines.set]), keeping.decided[: keeping.used[0]]
    names = [MARK_NAMES.index(_DECISION_NAMES[decision]) for decision in decided[:, 2].tolist()]
    of_set: list[tuple[str, Ints, Ints]] = [
        (OPENS, np.arange(sets), opens),
        (CLOSED, np.arange(sets), horizon),
        (COMPLETE_UNTIL, np.arange(sets), worked.lines.ends),
        (BEGUN, np.flatnonzero(begun), opens[begun]),
        (REPORTED, np.flatnonzero(reported), opens[reported]),
    ]
    codes = np.concatenate([*(sets_ for _, sets_, _ in of_set), lines.set[later], lines.set[decided[:, 0]]])
    own = np.zeros(len(codes) - len(later) - len(decided), np.int64)
    instance = np.concatenate([own, lines.instance[later], lines.instance[decided[:, 0]]])
    mark = [np.full(len(sets_), MARK_NAMES.index(name)) for name, sets_, _ in of_set]
    mark += [np.full(len(later), MARK_NAMES.index(SINCE)), np.array(names, np.int64)]
    moment = np.concatenate([*(moments for _, _, moments in of_set), keeping.cut[later], decided[:, 1]])
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), texts.set_ids),
        pc.take(texts.instance_ids, pa.array(np.maximum(instance - 1, 0), mask=instance == 0)),
        pa.DictionaryArray.from_arrays(pa.array(np.concatenate(mark).astype(np.int8)), pa.array(MARK_NAMES)),
        pa.array(moment.astype(np.int64)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=MARKS)


def _codes(table: pa.RecordBatch) -> Ints:
    """The code of each row's scale set."""
    codes: Ints = table.column("scale_set_id").indices.to_numpy().astype(np.int64)
    return codes


def _is_open(attributions: pa.RecordBatch, opens: Ints, rules: Rules) -> Bools:
    """Which attributions that start before their set's standing opens can still change: those that
    reach beyond `keep_from`."""
    end = attributions.column("end").cast(pa.int64()).fill_null(NEVER).to_numpy()
    bound = opens[_codes(attributions)]
    still: Bools = (micros(attributions, "start") < bound) & (end >= bound - rules.skew - rules.unseen)
    return still


def _open_cells(evaluated: Evaluation, opens: Ints, rules: Rules) -> list[pa.RecordBatch]:
    """The rows of the cells before `opens` that hold an attribution which is still open."""
    steps = [micros(table, "cell") // rules.grid for table in evaluated[:3]]
    span = 1 + max(int(step.max(initial=0)) for step in steps)
    places = [_codes(table) * span + step for table, step in zip(evaluated[:3], steps, strict=True)]
    wanted = np.append(np.unique(places[1][_is_open(evaluated.attributions, opens, rules)]), NEVER)
    return [
        compact(table.filter(pa.array(wanted[np.searchsorted(wanted, place)] == place)))  # few rows know few operations
        for table, place in zip(evaluated[:3], places, strict=True)
    ]


def resumed_cells(evaluated: Evaluation, standing: Standing, policy: Policy) -> Evaluation:
    """The cells of an evaluation that went on from a standing: those from where it opens on, and those before that hold an
    attribution which was still open.

    Args:
        evaluated: The evaluation of the standing's events and later ones, with its marks.
        standing: What it went on from.
        policy: The parameters.
    """
    if not len(standing.marks):
        return evaluated
    worked: Any = evaluated.worked
    opens, set_ids = worked.resumed.opens, worked.coded.texts.set_ids
    if not any(map(len, standing[2:5])):
        return _with_cells(evaluated, [_from(table, opens) for table in evaluated[:3]], policy)
    availability, attributions, operations = (_recoded(table, set_ids) for table in standing[2:5])
    kept = (availability, _patched(attributions, evaluated.attributions, opens, worked.rules), operations)
    tables: list[pa.RecordBatch] = []
    for table, before, schema, order in zip(evaluated[:3], kept, EVALUATED, _ORDERS, strict=True):
        both = one_batch([before, _from(table, opens)], schema)
        tables.append(_sorted(_recoded(both, set_ids), order))
    return _with_cells(evaluated, tables, policy)


def _from(table: pa.RecordBatch, opens: Ints) -> pa.RecordBatch:
    """The rows of the cells at or after `opens`."""
    return table.filter(pa.array(micros(table, "cell") >= opens[_codes(table)]))


def _with_cells(evaluated: Evaluation, tables: list[pa.RecordBatch], policy: Policy) -> Evaluation:
    availability, attributions, operations = tables
    cells = cells_of(availability, attributions, operations, policy)
    return evaluated._replace(availability=availability, attributions=attributions, operations=operations, cells=cells)


_ORDERS = (
    ("scale_set_id", "start"),
    ("scale_set_id", "start", "instance_id"),
    ("scale_set_id", "start", "operation_key", "verb"),
)


def _recoded(table: pa.RecordBatch, set_ids: pa.StringArray) -> pa.RecordBatch:
    """The table with the codes of scale sets that the evaluation uses: the three tables of an answer share them."""
    ids = table.column("scale_set_id")
    return table.set_column(0, table.schema.field(0), dictionary_column(places_of(ids, set_ids), set_ids))


def _sorted(table: pa.RecordBatch, order: tuple[str, ...]) -> pa.RecordBatch:
    """The rows in order of some columns; the codes of scale sets are in the order of their texts."""
    return table.take(pa.array(np.lexsort([_ranks(table, name) for name in reversed(order)])))


def _ranks(table: pa.RecordBatch, name: str) -> Ints:
    if name == "start":
        return micros(table, name)
    if name == "scale_set_id":
        return _codes(table)
    column = table.column(name)
    return np.append(rank_of(column.dictionary), -1)[codes_of(column)]


def _patched(kept: pa.RecordBatch, evaluated: pa.RecordBatch, opens: Ints, rules: Rules) -> pa.RecordBatch:
    """Kept attributions; of those that were open, what has become of them."""
    before = evaluated.filter(pa.array(micros(evaluated, "start") < opens[_codes(evaluated)]))
    keys, keys_before = _line_keys(kept), _line_keys(before)
    again = np.isin(keys_before, keys[_is_open(kept, opens, rules)])
    stay = ~np.isin(keys, keys_before[again])
    schema = EVALUATED[1]
    return one_batch([kept.filter(pa.array(stay)), before.filter(pa.array(again))], schema)


def _line_keys(attributions: pa.RecordBatch) -> Words:
    """A number a (set, instance, start): a hash of it."""
    keys, instances = _hashed(_codes(attributions), micros(attributions, "start")), attributions.column("instance_id")
    mix_coded(keys, codes_of(instances), np.append(text_hashes(instances.dictionary), np.uint64(0)))
    return keys
