"""The evaluation: events of many scale sets, a policy and T in; series, attributions, operations and cells out (semantics.md)."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import KINDS
from schemas.policy import Policy
from transforms.core.cell_rows import cells_of
from transforms.core.duplicates import remove_duplicates
from transforms.core.entries import CHANGES, ROW_FIELDS, ROWS, Walked
from transforms.core.kernel import Ints, group_by
from transforms.core.lifelines import walk
from transforms.core.lines import Lines, Past, Signals, build_lines
from transforms.core.operations import Folded, Records, fold_operations
from transforms.core.removals import Rules
from transforms.core.rows import Texts, attribution_rows, operation_rows, series_rows
from transforms.core.series import FIELDS, Series, build_series
from transforms.core.texts import rank_of

_SIGNAL, _FAULT, _OPERATION = range(len(KINDS))


class Evaluated(NamedTuple):
    """The answer for all scale sets of a batch. Tables lack `as_of` and `policy`; their rows are in order of `cells`."""

    availability: pa.RecordBatch
    """`schemas.availability.AVAILABILITY`, sorted by scale_set_id, start."""
    attributions: pa.RecordBatch
    """`schemas.attribution.ATTRIBUTIONS`, sorted by scale_set_id, start, instance_id (null first)."""
    operations: pa.RecordBatch
    """`schemas.operation_row.OPERATIONS`, sorted by scale_set_id, start, operation_key, verb."""
    cells: pa.RecordBatch
    """One row a cell that has rows: scale_set_id, cell, availability_rows, attribution_rows, operation_rows, digest (uint64)."""
    used: int
    """Records that gave an event which is no duplicate."""
    duplicates: int


class Coded(NamedTuple):
    """Events as codes: sorted texts, and the codes of signals, fault notices and operation records."""

    texts: Texts
    signals: Signals
    faults: Signals
    records: Records


def rules_of(policy: Policy, T: int) -> Rules:
    """The numbers of a policy as the kernels take them."""
    return Rules(
        policy.skew, policy.unseen, policy.settle, policy.possible_excuse, policy.max_excuse, policy.presume_after,
        policy.max_open, policy.grid, policy.longest_deadline, T,
    )  # fmt: skip


def _sorted_codes(column: pa.DictionaryArray, more: pa.StringArray | None = None) -> tuple[pa.StringArray, Ints, Ints]:
    """Sorted texts of a dictionary column (and of `more`), the code of each row (-1: null) and of each of `more`."""
    own = column.dictionary.cast(pa.string())
    encoded = pa.chunked_array([own] if more is None else [own, more]).dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    rank = rank_of(encoded.dictionary)
    place = rank[encoded.indices.to_numpy()]
    texts = encoded.dictionary.take(pc.sort_indices(encoded.dictionary))
    codes = np.r_[place[: len(own)], -1][column.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return texts, codes, place[len(own) :]


def _enum(column: pa.DictionaryArray) -> Ints:
    return column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def encode(events: pa.RecordBatch) -> Coded:
    """Splits events by kind and turns ids into codes whose order is that of the texts (code point order)."""
    kind = _enum(events["kind"])
    operations = events.filter(pa.array(kind == _OPERATION))
    lists = operations["instance_ids"]
    named = lists.flatten()
    set_ids, of_set, _ = _sorted_codes(events["scale_set_id"])
    instance_ids, of_instance, of_named = _sorted_codes(events["instance_id"], named)
    time = events["time"].cast(pa.int64()).to_numpy()
    state = _enum(events["state"])

    def signals(which: int) -> Signals:
        rows = np.flatnonzero(kind == which)
        ids = events["event_id"].take(pa.array(rows)) if which == _SIGNAL else pa.array([], pa.string())
        return Signals(of_set[rows], of_instance[rows] + 1, time[rows], state[rows], ids)

    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    keys, of_key, _ = _sorted_codes(operations["operation_key"])
    verbs = operations["verb"].dictionary.to_pylist()
    records = Records(
        of_set[kind == _OPERATION], time[kind == _OPERATION], of_key, _enum(operations["verb"]), _enum(operations["phase"]),
        _enum(operations["initiator"]), _enum(operations["target"]),
        operations["count"].fill_null(-1).to_numpy(zero_copy_only=False), operations["event_id"], keys, verbs,
        np.repeat(np.arange(len(lengths)), lengths), of_named + 1,
    )  # fmt: skip
    return Coded(Texts(set_ids, instance_ids, keys, verbs), signals(_SIGNAL), signals(_FAULT), records)


def _walk(lines: Lines, past: Past, folded: Folded, rules: Rules, sets: int) -> Walked:
    """The walk, repeated with more room in the rare case that the first guess was too small."""
    op_lo = np.searchsorted(folded.ops.set, np.arange(sets + 1))
    room = [2 * len(past.signals) + 2 * len(past.lists) + 64] * 2 + [len(past.lists) + 64, len(past.signals) + 64, 64]
    while True:
        shapes = ((room[0], ROW_FIELDS), (room[1], 3), (room[2], 3), (room[3], 3), room[4], len(room), len(room))
        out = Walked(*(np.empty(shape, np.int64) for shape in shapes))
        out.peak[:] = 0
        walk(lines, past, rules, op_lo, out)
        if all(peak <= size for peak, size in zip(out.peak, room, strict=True)):
            return out._replace(rows=out.rows[: out.used[ROWS]], changes=out.changes[: out.used[CHANGES]])
        room = [int(max(peak, size)) for peak, size in zip(out.peak, room, strict=True)]


def _series(walked: Walked, lines: Lines, rules: Rules, sets: int) -> Ints:
    """The rows of the series of all sets."""
    changes = walked.changes
    of_set = lines.set[changes[:, 1]]
    bounds, order = group_by(of_set, sets, np.argsort(changes[:, 0], kind="stable"))
    first = np.full(sets, rules.T)
    np.minimum.at(first, of_set, changes[:, 0])
    room = int(len(changes) + ((rules.T - first) // rules.grid + 2).sum())
    out = Series(np.empty((room, FIELDS), np.int64), np.zeros(1, np.int64))
    build_series(changes, bounds, order, lines, rules, out)
    return out.rows[: out.used[0]]


def evaluate(events: pa.RecordBatch, policy: Policy, T: int) -> Evaluated:
    """Evaluates all scale sets of a batch in one call.

    The result is a function of the set of events, the policy and T: order, repetition and other sets do not matter.

    Args:
        events: `schemas.event.EVENTS`, in any order, with duplicates; verbs are those of the policy.
        policy: The parameters.
        T: The end of what is known, microseconds, a multiple of the grid; events at or after it are left out.

    Raises:
        KeyError: an operation has a verb that the policy lacks.
    """
    events, used, duplicates = remove_duplicates(events)
    early = events["time"].cast(pa.int64()).to_numpy() < T
    if not early.all():
        events = events.filter(pa.array(early))
    rules = rules_of(policy, T)
    coded = encode(events)
    sets = len(coded.texts.set_ids)
    folded = fold_operations(coded.records, policy)
    lines, past = build_lines(coded.signals, coded.faults, folded, sets)
    walked = _walk(lines, past, folded, rules, sets)
    series = _series(walked, lines, rules, sets)
    attributions = attribution_rows(walked.rows, lines, folded.ops, coded, rules)
    operations = operation_rows(walked.rows, folded, coded, rules)
    tables = (series_rows(series, coded.texts, rules), attributions, operations)
    return Evaluated(*tables, cells_of(*tables, policy), used, duplicates)
