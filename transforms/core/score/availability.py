"""Availability over a period: instance time by class, summed over rows of the series (rules: Ratios)."""

import numpy as np
import pyarrow as pa

from schemas.tables.availability import CLASSES, RAW
from transforms.core.columns.arrow import Ints

TIMES = (*RAW, *CLASSES)
"""The columns of `class_times` beside `scale_set_id`."""


def class_times(series: pa.Table) -> pa.Table:
    """Instance time of each scale set by reported state and by class, in microseconds: count x duration, summed.

    Args:
        series: current rows of table `availability`; one row an interval [start, end).

    Returns:
        `scale_set_id` and the columns TIMES (int64); one row a scale set, in the order of their ids.

    >>> row = {"scale_set_id": "a", "start": 0, "end": 60, **dict.fromkeys(TIMES, 0), "raw_degraded": 2, "up": 1, "excused": 1}
    >>> class_times(pa.Table.from_pylist([row])).select(["raw_degraded", "up", "excused"]).to_pylist()
    [{'raw_degraded': 120, 'up': 60, 'excused': 60}]
    """
    duration = _numbers(series, "end") - _numbers(series, "start")
    times = {name: _numbers(series, name) * duration for name in TIMES}
    ids = series.column("scale_set_id").cast(pa.string())
    sums = pa.table({"scale_set_id": ids, **times}).group_by("scale_set_id").aggregate([(name, "sum") for name in TIMES])
    return sums.rename_columns(["scale_set_id", *TIMES]).sort_by("scale_set_id")


def _numbers(table: pa.Table, column: str) -> Ints:
    numbers: Ints = table.column(column).cast(pa.int64()).to_numpy()
    return numbers.astype(np.int64)
