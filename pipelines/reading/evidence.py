"""The evidence behind a report: operations and troubles of scale sets, and the worst outages of all (contract: trueup report)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.reading.report import days_of, reach_of
from pipelines.record.selection import Selection
from schemas.tables.report import COUNTED
from schemas.time import DAY, to_micros
from transforms.core.report.charts.marks import outages_of
from transforms.core.report.request import Report

ATTRIBUTIONS = (
    "scale_set_id", "instance_id", "start", "end", "onset", "worst_state", "verdict", "operation_key", "verb", "initiator",
    "operation_start", "operation_end", "limit", "excused_seconds", "counted_seconds",
)  # fmt: skip
OPERATIONS = (
    "scale_set_id", "operation_key", "verb", "initiator", "outcome", "target", "start", "end", "limit", "excuses", "episodes",
)  # fmt: skip


class RankedOutage(NamedTuple):
    """One of the outages with the most counted time."""

    mark: dict[str, Any]
    """A row of MARKS of `transforms.core.report.charts.marks`."""
    before: dict[str, Any] | None
    """Of one that nothing explains: the last operation on its scale set that could have, within a day; verb, initiator, limit."""


class ReportEvidence(NamedTuple):
    """Reads what is behind a report."""

    data: str
    """The folder."""
    selection: Selection
    """Through which the report was read."""
    report: Report

    @property
    def period(self) -> tuple[int, int, int]:
        """Since, until, and T, in microseconds."""
        request = self.report.request
        return request.since, request.until, request.until if request.known is None else request.known[1]

    def rows(self, scale_sets: tuple[str, ...]) -> tuple[pa.Table, pa.Table]:
        """Attributions and operations of some scale sets that may matter in the period; there may be others among them."""
        narrow, (since, until, _) = self.selection.narrowed(scale_sets), self.period
        reach = reach_of(self.data, self.report.request.policies)
        attributions = narrow.table("attributions", days_of(since - reach.attribution, until), ATTRIBUTIONS)
        return attributions, narrow.table("operations", days_of(since - reach.operation, until), OPERATIONS)

    def outages(self, most: int) -> list[RankedOutage]:
        """The outages of all scale sets with the most counted time; those of a day are held, and of no other rows."""
        (since, until, _), reach = self.period, reach_of(self.data, self.report.request.policies)
        days = days_of(since - reach.attribution, until)
        counting = list(self.selection.rows("attributions", days, ATTRIBUTIONS, _counting))
        if not counting:
            return []
        return list(self._with_nearest(outages_of(pa.concat_tables(counting).unify_dictionaries(), self.period, most)))

    def _with_nearest(self, marks: pa.Table) -> Iterator[RankedOutage]:
        rows = marks.to_pylist()
        alone = [row for row in rows if row["verdict"] == "unexplained"]
        days = {to_micros(row["start"]) // DAY - back for row in alone for back in (0, 1)}
        narrow = self.selection.narrowed({row["scale_set_id"] for row in alone})
        operations = narrow.table("operations", days, OPERATIONS).to_pylist() if alone else []
        for row in rows:
            near = [one for one in operations if _could(one, row)] if row["verdict"] == "unexplained" else []
            yield RankedOutage(row, max(near, key=lambda one: one["limit"], default=None))


def _counting(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.and_(pc.is_valid(rows["instance_id"]), pc.is_in(rows["verdict"].cast(pa.string()), pa.array(COUNTED))))


def _could(operation: dict[str, Any], row: dict[str, Any]) -> bool:
    mine = operation["scale_set_id"] == row["scale_set_id"]
    return bool(mine and operation["excuses"] and operation["limit"] <= row["start"])
