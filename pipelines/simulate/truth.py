"""The ground truth of a simulated fleet as tables (schemas/tables/truth.py)."""

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

import pyarrow as pa

from pipelines.simulate.fleet.history import History
from pipelines.simulate.health.health import Health
from schemas.tables.truth import TRUE_FAULTS, TRUE_INSTANCES, TRUE_OPERATIONS
from schemas.time import NEVER


def instances(history: History, machines: list[Health]) -> pa.Table:
    """TRUE_INSTANCES of one scale set."""
    rows = [row for health in machines for row in _instance_rows(history, health)]
    return _table(rows, TRUE_INSTANCES)


def operations(history: History) -> pa.Table:
    """TRUE_OPERATIONS of one scale set, as their records show them."""
    return _table([_operation_row(history, each) for each in history.operations], TRUE_OPERATIONS)


def faults(history: History, machines: list[Health]) -> pa.Table:
    """TRUE_FAULTS of one scale set."""
    rows = [
        (_set_id(history), health.machine.name.casefold(), notice.time, notice.annotation)
        for health in machines
        for notice in health.notices
    ]
    return _table(rows, TRUE_FAULTS)


def _instance_rows(history: History, health: Health) -> Iterator[tuple[Any, ...]]:
    """The longest intervals in which neither the truth nor the reported state changes."""
    edges = {max(health.machine.born, history.start), health.machine.gone, history.end}
    edges |= {moment for spell in health.spells for moment in spell[:2]} | {signal.time for signal in health.signals}
    spans = pairwise(sorted(edge for edge in edges if history.start <= edge <= history.end))
    told = [(start, end, (*_true_at(health, start), _reported_at(health, start))) for start, end in spans]
    for values, alike in groupby(told, key=itemgetter(2)):
        whole = list(alike)
        yield (_set_id(history), health.machine.name.casefold(), whole[0][0], whole[-1][1], *values)


def _true_at(health: Health, moment: int) -> tuple[str, str | None]:
    if moment >= health.machine.gone:
        return "gone", None
    return next(((spell.truth, spell.cause) for spell in health.spells if spell.start <= moment < spell.end), ("up", None))


def _reported_at(health: Health, moment: int) -> str | None:
    return next((signal.state for signal in reversed(health.signals) if signal.time <= moment), None)


def _operation_row(history: History, operation: Any) -> tuple[Any, ...]:
    opened = operation.start if operation.opened or operation.end is None else operation.end
    names = sorted(name.casefold() for name in operation.names)
    outcome = None if operation.end is None else "succeeded" if operation.succeeded else "failed"
    return (
        _set_id(history), operation.verb, operation.initiator, operation.target, names, opened, operation.end,
        outcome, operation.opened, operation.accepted,
    )  # fmt: skip


def _set_id(history: History) -> str:
    return history.scale_set.resource_id.casefold()


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = []
    for field, values in zip(schema, columns, strict=True):
        plain = pa.int64() if pa.types.is_timestamp(field.type) else field.type
        given = [None if value == NEVER else value for value in values] if plain == pa.int64() else list(values)
        arrays.append(pa.array(given, plain).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
