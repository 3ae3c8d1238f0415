"""A report in Prometheus' text format, for a file that its node exporter or a push gateway takes (contract: trueup report).

Every figure is a gauge over the period of the report, and its name tells the unit. Figures of scale sets and of the fleet have
names of their own, so that a sum over one of them counts nothing twice.
"""

from collections.abc import Iterator
from typing import Any, Final

from runners.words.names import harmless
from schemas.tables.report import VALUES
from transforms.core.report.request import Report

_FIGURES: Final = {
    "raw_availability": "raw_availability_ratio",
    "availability": "availability_ratio",
    "up_seconds": "up_seconds",
    "bad_seconds": "counted_seconds",
    "excused_seconds": "excused_seconds",
    "removed_seconds": "removed_seconds",
    "unknown_seconds": "unknown_seconds",
    "interruptions": "interruptions",
    "still_open": "open_interruptions",
    "budget_spent": "error_budget_spent_ratio",
}
"""Columns of the report, and how a metric of each is called."""
_ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def prometheus_text(report: Report, top: int | None) -> str:
    """The figures of the fleet, and of each scale set or the `top` worst. A ratio of nothing has no sample.

    Args:
        report: the report.
        top: how many scale sets; None: all.
    """
    request, sets = report.request, report.sets.slice(0, top).to_pylist()
    lines = [
        *_metric("trueup_period_start_timestamp_seconds", "where the period begins", [("", request.since / 1e6)]),
        *_metric("trueup_period_end_timestamp_seconds", "where the period ends", [("", request.until / 1e6)]),
        *_metric("trueup_target_ratio", "the wanted availability", [("", request.target)]),
    ]
    labels = [f'{{scale_set_id="{harmless(row["scale_set_id"]).translate(_ESCAPED)}"}}' for row in sets]
    for column, name in _FIGURES.items():
        fleet = report.fleet[column][0].as_py()
        lines += _metric(f"trueup_fleet_{name}", f"all scale sets: {VALUES[column]}", [("", fleet)])
        each = [(label, row[column]) for label, row in zip(labels, sets, strict=True)]
        lines += _metric(f"trueup_scale_set_{name}", f"one scale set: {VALUES[column]}", each)
    return "".join(f"{line}\n" for line in lines)


def _metric(name: str, meaning: str, samples: list[tuple[str, Any]]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    yield from (f"{name}{labels} {value!r}" for labels, value in samples if value is not None)
