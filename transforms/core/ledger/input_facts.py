"""What a bounded input says of itself: its scale sets, since when each has events, and T (rules: T)."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.time import floor_to
from transforms.core.columns.arrow import micros
from transforms.core.evaluation.resumed import COMPLETE_UNTIL, OPENS, moments_of
from transforms.core.ledger.decisions import first_multiple_after
from transforms.core.standing.standing import Standing

FACTS: Final = pa.schema(
    [
        ("scale_set_id", pa.string()),
        ("first", pa.int64()),
        ("latest", pa.int64()),
        ("events", pa.int64()),
        ("resumed", pa.bool_()),
        ("came", pa.int64()),
    ]
)
"""One row a scale set: its first event, its latest not after the start of the run (null: none), how many it has, and whether the
run goes on from a standing of it; then the first is as early as the first cell that can still change, the latest reaches to where
the standing does, and `came` alone is the first event of the input itself (null: none)."""


def facts_of(events: pa.RecordBatch, now: int) -> pa.RecordBatch:
    """FACTS of a batch of EVENTS; `now` in microseconds."""
    ids, time = events.column("scale_set_id"), micros(events, "time")
    code, length = ids.indices.to_numpy(), len(ids.dictionary)
    first, latest = np.full(length, np.iinfo(np.int64).max), np.full(length, np.iinfo(np.int64).min)
    past = time <= now
    np.minimum.at(first, code, time)
    np.maximum.at(latest, code[past], time[past])
    number = np.bincount(code, minlength=length)
    columns = [
        ids.dictionary,
        pa.array(first),
        pa.array(latest, mask=latest == np.iinfo(np.int64).min),
        pa.array(number),
        pa.array(np.zeros(length, np.bool_)),
        pa.array(first),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=FACTS).filter(pa.array(number > 0))


def facts_of_standing(standing: Standing) -> pa.RecordBatch:
    """FACTS of a standing: they make its scale sets part of an input that has nothing of them."""
    known = moments_of(standing.marks, COMPLETE_UNTIL)
    first = moments_of(standing.marks, OPENS)
    for table in (standing.availability, standing.attributions, standing.operations):
        cells = zip(table.column("scale_set_id").to_pylist(), micros(table, "cell").tolist(), strict=True)
        for name, cell in set(cells):
            first[name] = min(first[name], cell)
    names = list(known)
    columns = [
        pa.array(names, pa.string()),
        pa.array([first[name] for name in names], pa.int64()),
        pa.array([known[name] - 1 for name in names], pa.int64()),
        pa.array([0] * len(names), pa.int64()),
        pa.array([True] * len(names), pa.bool_()),
        pa.nulls(len(names), pa.int64()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=FACTS)


def merged_facts(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    """FACTS of several pieces of one input as one, by scale_set_id."""
    grouped = pa.Table.from_batches(pieces, FACTS).group_by("scale_set_id")
    how = [("first", "min"), ("latest", "max"), ("events", "sum"), ("resumed", "max"), ("came", "min")]
    merged = grouped.aggregate(how).sort_by("scale_set_id")
    columns = [merged[name].combine_chunks() for name in ("scale_set_id", *("_".join(each) for each in how))]
    return pa.RecordBatch.from_arrays(columns, schema=FACTS)


def end_of_input(facts: pa.RecordBatch, until: int | None, now: int, grid: int) -> int:
    """T: the first multiple of the grid after the latest event, or `until` if that is later, but never later than now.

    >>> latest = pa.RecordBatch.from_arrays([pa.array(["a"]), *(pa.array([n]) for n in (0, 7, 3, False, 0))], schema=FACTS)
    >>> end_of_input(latest, None, now=100, grid=5), end_of_input(latest, 20, 100, 5), end_of_input(latest, None, 9, 5)
    (10, 20, 5)
    """
    present = floor_to(now, grid)
    latest = pc.max(facts.column("latest")).as_py()
    after = present if latest is None else first_multiple_after(latest, grid)
    return min(after if until is None else max(after, until), present)
