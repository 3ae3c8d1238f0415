"""The request for a report, and the report itself: the tables of `schemas.tables.report`."""

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa


class ReportRequest(NamedTuple):
    """What is asked for. Times in microseconds since the epoch."""

    edges: tuple[int, ...]
    """Where the periods begin, and where the last one ends; `period_edges` makes them. Ascending, at least two."""
    by: str
    """hour, day, week or month."""
    time_zone: str
    target: float | None = None
    """Wanted availability, a ratio: 0.999."""
    skew: int = 0
    """The policy's (rules: Defaults)."""
    each: bool = True
    """Whether `set_periods` is wanted: it has up to scale sets x periods rows."""
    charts: bool = True
    """Whether `series` is wanted, of which charts are made."""
    inventory: "tuple[Mapping[str, int], Mapping[str, int]] | None" = None
    """Instances that the inventory names, by scale set, at the first and the last microsecond of the period."""

    known: tuple[int, int] | None = None
    """From when to when anything is known of the scale sets."""
    policies: tuple[str, ...] = ()
    """Short hashes of the policies that the rows were made with."""

    @property
    def since(self) -> int:
        """Start of the period."""
        return self.edges[0]

    @property
    def until(self) -> int:
        """End of the period (exclusive)."""
        return self.edges[-1]


class Report(NamedTuple):
    """The figures of a period; each table is of the schema in `schemas.tables.report` that has its name in capitals."""

    request: ReportRequest
    fleet: pa.Table
    sets: pa.Table
    periods: pa.Table
    set_periods: pa.Table
    """Empty unless the request has `each`."""
    states: pa.Table
    causes: pa.Table
    chance: pa.Table
    coverage: pa.Table
    series: pa.Table
    """What the figures are made of: the series without the cuts of the grid (`transforms.core.report.series`), for charts.
    Empty unless the request has `charts`."""
