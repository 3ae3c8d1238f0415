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

    Semantics.md 6.

    >>> row = {"scale_set_id": "a", "start": 0, "end": 60, **dict.fromkeys(TIMES, 0), "raw_degraded": 2, "up": 1, "excused": 1}
    >>> class_times(pa.Table.from_pylist([row])).select(["raw_degraded", "up", "excused"]).to_pylist()
    [{'raw_degraded': 120, 'up': 60, 'excused': 60}]
    """
    duration = _numbers(series, "end") - _numbers(series, "start")
    times = {name: _numbers(series, name) * duration for name in TIMES}
    ids = series.column("scale_set_id").cast(pa.string())
    sums = pa.table({"scale_set_id": ids, **times}).group_by("scale_set_id").aggregate([(name, "sum") for name in TIMES])
    return sums.rename_columns(["scale_set_id", *TIMES]).sort_by("scale_set_id")


def total_times(times: pa.Table) -> dict[str, int]:
    """The sum over all rows of `class_times`: a period and group of any size is a sum of such rows.

    >>> total_times(pa.table({"scale_set_id": ["a", "b"], **{name: [1, 2] for name in TIMES}}))["up"]
    3
    """
    return {name: int(_numbers(times, name).sum()) for name in TIMES}


def availability(times: dict[str, int]) -> float | None:
    """Corrected availability, a ratio of sums; None where nothing was expected to be up. Semantics.md 6.

    >>> availability({"up": 3, "degraded": 1, "unavailable": 0, "overrun": 0, "excused": 9})
    0.75
    """
    return _share(times["up"], bad(times))


def raw_availability(times: dict[str, int]) -> float | None:
    """The same of the states as reported. Semantics.md 6."""
    return _share(times["raw_available"], raw_bad(times))


def bad(times: dict[str, int]) -> int:
    """Time that counts against the corrected availability: degraded, unavailable and overrun."""
    return times["degraded"] + times["unavailable"] + times["overrun"]


def raw_bad(times: dict[str, int]) -> int:
    """Time reported as degraded or unavailable."""
    return times["raw_degraded"] + times["raw_unavailable"]


def _share(good: int, against: int) -> float | None:
    return good / (good + against) if good + against else None


def _numbers(table: pa.Table, column: str) -> Ints:
    numbers: Ints = table.column(column).cast(pa.int64()).to_numpy()
    return numbers.astype(np.int64)
