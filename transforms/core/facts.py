"""What a bounded input says of itself: its scale sets, since when each has events, and T (semantics.md, header)."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.time import floor_to
from transforms.core.columns import micros
from transforms.core.ledger import first_multiple_after

FACTS: Final = pa.schema(
    [
        ("scale_set_id", pa.string()),
        ("first", pa.int64()),
        ("latest", pa.int64()),
        ("events", pa.int64()),
    ]
)
"""One row a scale set: its first event, its latest not after the start of the run (null: none), and how many it has."""


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
    ]
    return pa.RecordBatch.from_arrays(columns, schema=FACTS).filter(pa.array(number > 0))


def merged_facts(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    """FACTS of several pieces of one input as one, by scale_set_id."""
    grouped = pa.Table.from_batches(pieces, FACTS).group_by("scale_set_id")
    merged = grouped.aggregate([("first", "min"), ("latest", "max"), ("events", "sum")]).sort_by("scale_set_id")
    columns = [merged[name].combine_chunks() for name in ("scale_set_id", "first_min", "latest_max", "events_sum")]
    return pa.RecordBatch.from_arrays(columns, schema=FACTS)


def end_of_input(facts: pa.RecordBatch, until: int | None, now: int, grid: int) -> int:
    """T: the first multiple of the grid after the latest event, or `until` if that is later, but never later than now.

    >>> latest = pa.RecordBatch.from_arrays([pa.array(["a"]), *(pa.array([n]) for n in (0, 7, 3))], schema=FACTS)
    >>> end_of_input(latest, None, now=100, grid=5), end_of_input(latest, 20, 100, 5), end_of_input(latest, None, 9, 5)
    (10, 20, 5)
    """
    present = floor_to(now, grid)
    latest = pc.max(facts.column("latest")).as_py()
    after = present if latest is None else first_multiple_after(latest, grid)
    return min(after if until is None else max(after, until), present)
