"""Rows of the output tables from the kernels' numbers (contract: Output)."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import INITIATORS, STATES, TARGETS, TIMESTAMP
from schemas.policy import EFFECTS
from schemas.tables.attribution import ATTRIBUTIONS, VERDICTS
from schemas.tables.availability import AVAILABILITY, CLASSES, RAW, SERIES_STATES
from schemas.tables.operation import OPERATIONS, OUTCOMES
from transforms.core.columns.arrow import dictionary_column
from transforms.core.columns.kernel import NEVER, Bools, Ints
from transforms.core.evaluation.codes import CodedEvents, CodeTexts
from transforms.core.rules.entries import (
    CANDIDATES,
    COUNTED_US,
    END,
    EXCUSED_US,
    LIMIT,
    LINE,
    ONSET,
    OP,
    SIGNAL,
    START,
    VERDICT,
    WORST,
)  # fmt: skip
from transforms.core.rules.life import Rules
from transforms.core.rules.lines import Lines
from transforms.core.rules.operations import FoldedOperations, Operations
from transforms.core.rules.series import Series

_REMOVED = VERDICTS.index("removed")


def _times(micros: Ints, null: Bools | None = None) -> pa.Array:
    return pa.array(micros, mask=null).view(TIMESTAMP)


@cache
def _texts(names: tuple[str, ...]) -> pa.StringArray:
    return pa.array(names, pa.string())


def _names(codes: npt.NDArray[Any], names: tuple[str, ...], null: Bools | None = None) -> pa.DictionaryArray:
    return dictionary_column(codes, _texts(names), null, np.int8)


def _batch(columns: dict[str, pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    fields = [schema.field(name) for name in columns]
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=pa.schema(fields))


def _seconds(micros: Ints, null: Bools) -> pa.Array:
    return pa.array(micros / 1e6, mask=null)


def series_rows(series: Series, texts: CodeTexts, rules: Rules) -> pa.RecordBatch:
    """`availability` from the series."""
    counts = {name: pa.array(column) for name, column in zip((*RAW, *CLASSES), series.counts, strict=True)}
    return _batch(
        {
            "scale_set_id": dictionary_column(series.set, texts.set_ids),
            "start": _times(series.start),
            "end": _times(series.end),
            "reported_state": _names(series.reported, SERIES_STATES, series.reported < 0),
            "state": _names(series.state, SERIES_STATES),
            **counts,
            "cell": _times(series.start - series.start % rules.grid),
        },
        AVAILABILITY,
    )


def attribution_rows(rows: Ints, lines: Lines, ops: Operations, coded: CodedEvents, rules: Rules) -> pa.RecordBatch:
    """`attributions` from the rows of the walk."""
    order = np.lexsort((lines.instance[rows[:, LINE]], rows[:, START], lines.set[rows[:, LINE]]))
    rows = rows[order]
    line, op, verdict, end = rows[:, LINE], rows[:, OP], rows[:, VERDICT], rows[:, END]
    none, open_ = op < 0, end == NEVER
    start, cell = rows[:, START], rows[:, START] - rows[:, START] % rules.grid
    columns: Any = [column[np.maximum(op, 0)] if len(column) else np.zeros(len(op), column.dtype) for column in ops]
    ops = Operations(*columns)
    instance = lines.instance[line]
    unseconded = open_ & (verdict != _REMOVED)
    return _batch(
        {
            "scale_set_id": dictionary_column(lines.set[line], coded.texts.set_ids),
            "instance_id": dictionary_column(instance - 1, coded.texts.instance_ids, instance == 0),
            "start": _times(start),
            "end": _times(end, open_),
            "onset": _times(rows[:, ONSET]),
            "worst_state": _names(rows[:, WORST], STATES),
            "verdict": _names(verdict, VERDICTS),
            "operation_key": dictionary_column(ops.key, coded.texts.keys, none),
            "verb": dictionary_column(ops.verb, pa.array(coded.texts.verbs, pa.string()), none),
            "initiator": _names(ops.initiator, INITIATORS, none),
            "operation_start": _times(ops.start, none),
            "operation_end": _times(ops.end, none | (ops.end == NEVER)),
            "limit": _times(rows[:, LIMIT], rows[:, LIMIT] == NEVER),
            "lag_seconds": _seconds(rows[:, ONSET] - ops.start, none),
            "candidates": pa.array(rows[:, CANDIDATES].astype(np.int32)),
            "excused_seconds": _seconds(rows[:, EXCUSED_US], unseconded),
            "counted_seconds": _seconds(rows[:, COUNTED_US], unseconded),
            "signal_event_id": _signal_ids(rows[:, SIGNAL], lines, coded),
            "cell": _times(cell),
        },
        ATTRIBUTIONS,
    )


def _signal_ids(row: Ints, lines: Lines, coded: CodedEvents) -> pa.StringArray:
    signals = coded.signals
    event = signals.event[row] if len(signals.event) else row
    return pc.take(signals.event_id, pa.array(event, mask=row < 0))


def operation_rows(rows: Ints, folded: FoldedOperations, coded: CodedEvents, rules: Rules) -> pa.RecordBatch:
    """`operations`, with how many episodes name each: instances' and the set's own, each once, however often its row is
    continued."""
    ops = folded.ops
    episodes = rows[(rows[:, VERDICT] != _REMOVED) & (rows[:, OP] >= 0) & (rows[:, START] == rows[:, ONSET])]
    return _batch(
        {
            "scale_set_id": dictionary_column(ops.set, coded.texts.set_ids),
            "operation_key": dictionary_column(ops.key, coded.texts.keys),
            "verb": dictionary_column(ops.verb, pa.array(coded.texts.verbs, pa.string())),
            "effect": _names(ops.effect, EFFECTS),
            "initiator": _names(ops.initiator, INITIATORS),
            "outcome": _names(ops.outcome, OUTCOMES),
            "target": _names(ops.target, TARGETS),
            "instance_ids": _named_lists(folded, coded),
            "start": _times(ops.start),
            "end": _times(ops.end, ops.end == NEVER),
            "limit": _times(ops.limit),
            "excuses": pa.array(ops.excuses),
            "episodes": pa.array(np.bincount(episodes[:, OP], minlength=len(ops.set)).astype(np.int32)),
            "cell": _times(ops.start - ops.start % rules.grid),
        },
        OPERATIONS,
    )


def _named_lists(folded: FoldedOperations, coded: CodedEvents) -> pa.ListArray:
    """The sorted instance ids that each operation names; codes are in order of the texts."""
    lengths: npt.NDArray[np.int64] = np.bincount(folded.named_op, minlength=len(folded.ops.set))
    offsets = np.r_[0, np.cumsum(lengths)].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), coded.texts.instance_ids.take(pa.array(folded.named_instance - 1)))
