"""Of several versions of a cell that would be published together, the newest: the others nobody could have seen."""

from typing import Final

import numpy as np
import pyarrow as pa

from schemas.tables.revision import CAUSES, REVISIONS
from transforms.core.columns.arrow import Ints, micros, one_batch, sorted_rows
from transforms.core.ledger.changes import CHECKPOINTS, Changes

_TABLES: Final = ("availability", "attributions", "operations")
_WEIGHT: Final = {"first": 3, "late": 2, "backfill": 1, "progress": 0}
"""Which cause stays, of versions of which only the newest is published: that which says most."""


def newest_versions(changes: list[Changes]) -> Changes:
    """Changes with one version a cell: the latest, with the weightiest cause of them all; and the last standing of each key.

    Where one of them would have been the first, which was never published, the one that stays is: with revision 0.

    Args:
        changes: standings in the order in which they were left, versions in any; rows of one version all lie in one of them.
    """
    if len(changes) == 1:
        return changes[0]
    revisions = one_batch([one.revisions for one in changes], REVISIONS)
    code, cell, as_of = _codes(revisions), micros(revisions, "cell"), micros(revisions, "as_of")
    order = np.lexsort((as_of, cell, code))
    last = np.append((np.diff(code[order]) != 0) | (np.diff(cell[order]) != 0), True)
    if last.all():
        return _sorted([_joined(changes, name) for name in _TABLES], revisions, _last_checkpoints(changes))
    groups = np.concatenate([[0], np.flatnonzero(last)[:-1] + 1])
    kept = order[last]
    newest = _with_causes(revisions, order, groups, kept)
    return _sorted(
        [_of_versions(_joined(changes, name), revisions.take(pa.array(kept))) for name in _TABLES],
        newest,
        _last_checkpoints(changes),
    )


def _joined(changes: list[Changes], name: str) -> pa.RecordBatch:
    batches = [getattr(one, name) for one in changes]
    return one_batch(batches, batches[0].schema)


def _sorted(tables: list[pa.RecordBatch], revisions: pa.RecordBatch, checkpoints: pa.RecordBatch) -> Changes:
    availability, attributions, operations = (sorted_rows(table, "start") for table in tables)
    return Changes(availability, attributions, operations, sorted_rows(revisions, "cell"), checkpoints)


def _last_checkpoints(changes: list[Changes]) -> pa.RecordBatch:
    """What was left of each key last."""
    rows = one_batch([one.checkpoints for one in changes], CHECKPOINTS)
    last = {key: row for row, key in enumerate(rows.column("key").to_pylist())}
    return rows.take(pa.array(list(last.values()), pa.int64()))


def _with_causes(revisions: pa.RecordBatch, order: Ints, groups: Ints, kept: Ints) -> pa.RecordBatch:
    weights = np.array([_WEIGHT[cause] for cause in CAUSES])
    weight = weights[revisions.column("cause").indices.to_numpy()]
    heaviest = np.maximum.reduceat(weight[order], groups)
    code_of = np.zeros(len(_WEIGHT), np.int8)
    code_of[weights] = np.arange(len(CAUSES))
    causes = pa.DictionaryArray.from_arrays(pa.array(code_of[heaviest]), pa.array(CAUSES))
    rows = revisions.take(pa.array(kept))
    first = heaviest == _WEIGHT["first"]
    number = np.where(first, 0, rows.column("revision").to_numpy()).astype(np.int32)
    place = {name: position for position, name in enumerate(rows.schema.names)}
    columns = list(rows.columns)
    columns[place["cause"]], columns[place["revision"]] = causes, pa.array(number)
    return pa.RecordBatch.from_arrays(columns, schema=REVISIONS)


def _of_versions(rows: pa.RecordBatch, revisions: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of some versions."""
    kept = set(zip(*_versions(revisions), strict=True))
    return rows.filter(pa.array([one in kept for one in zip(*_versions(rows), strict=True)], pa.bool_()))


def _versions(rows: pa.RecordBatch) -> tuple[list[str], list[int], list[int]]:
    return rows.column("scale_set_id").to_pylist(), micros(rows, "cell").tolist(), micros(rows, "as_of").tolist()


def _codes(revisions: pa.RecordBatch) -> Ints:
    codes: Ints = revisions.column("scale_set_id").indices.to_numpy()
    return codes
