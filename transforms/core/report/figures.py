"""The figures of a line of the report, computed from its sums (rules: Ratios); null where a denominator is 0."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.tables.availability import CLASSES, RAW
from schemas.tables.report import VALUES, VM_YEAR
from schemas.time import SECOND
from transforms.core.columns.arrow import Ints
from transforms.core.report.sums import TIMES

Floats = npt.NDArray[np.float64]


class Outages(NamedTuple):
    """For each line, how many interruptions begin, are repaired, or are still open, and the repair time in microseconds."""

    begun: Ints
    repaired: Ints
    repair: Ints
    open: Ints


def figures(sums: Ints, outages: Outages, target: float | None) -> dict[str, pa.Array]:
    """The columns of FIGURES.

    Args:
        sums: instance time in microseconds, one column each of TIMES, one row a line.
        outages: of the same lines.
        target: the wanted availability, if any: 0.999.
    """
    time = dict(zip(TIMES, sums.T, strict=True))
    bad = time["degraded"] + time["unavailable"] + time["overrun"]
    raw_bad, up, excused = time["raw_degraded"] + time["raw_unavailable"], time["up"], time["excused"]
    budget = None if target is None else float(1 - Fraction(repr(target))) * (up + bad)
    columns: dict[str, pa.Array] = {f"{name}_seconds": seconds(time[name]) for name in (*RAW, *CLASSES)}
    columns |= {
        "bad_seconds": seconds(bad),
        "outside_up_seconds": seconds(time["outside_up"]),
        "outside_bad_seconds": seconds(time["outside_bad"]),
        "raw_availability": ratio(time["raw_available"], time["raw_available"] + raw_bad),
        "availability": ratio(up, up + bad),
        "availability_excused_up": ratio(up + excused, up + excused + bad),
        "availability_operations_out": ratio(time["outside_up"], time["outside_up"] + time["outside_bad"]),
        "interruptions": pa.array(outages.begun),
        "repaired": pa.array(outages.repaired),
        "still_open": pa.array(outages.open),
        "repair_seconds": seconds(outages.repair),
        "mttr_seconds": ratio(outages.repair / SECOND, outages.repaired),
        "mtbf_seconds": ratio(up / SECOND, outages.begun),
        "interruptions_per_vm_year": ratio(outages.begun * VM_YEAR, (up + bad) / SECOND),
        **_budget(budget, bad),
    }
    assert set(columns) == set(VALUES)
    return columns


def _budget(budget: Floats | None, bad: Ints) -> dict[str, pa.Array]:
    if budget is None:
        return dict.fromkeys(("budget_seconds", "budget_spent", "budget_left_seconds"), pa.nulls(len(bad), pa.float64()))
    spent = ratio(bad, budget)
    return {"budget_seconds": seconds(budget), "budget_spent": spent, "budget_left_seconds": seconds(budget - bad)}


def ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> pa.Array:
    """part / whole; null where `whole` is 0.

    >>> ratio(np.array([1, 1]), np.array([2, 0])).to_pylist()
    [0.5, None]
    """
    divisor = np.asarray(whole, np.float64)
    none = divisor == 0
    return pa.array(np.asarray(part, np.float64) / np.where(none, 1, divisor), mask=none)


def seconds(micros: npt.ArrayLike) -> pa.Array:
    """Seconds of microseconds."""
    return pa.array(np.asarray(micros) / SECOND)
