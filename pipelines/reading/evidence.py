"""The evidence behind a report: the operations on some of its scale sets, and what each of them explains."""

import pyarrow as pa

from pipelines.reading.report import days_of, reach_of
from pipelines.record.selection import Selection
from transforms.core.report.charts.marks import marks_of
from transforms.core.report.request import Report

_ATTRIBUTIONS = (
    "scale_set_id", "instance_id", "start", "end", "onset", "worst_state", "verdict", "operation_key", "verb", "initiator",
    "operation_start", "operation_end", "limit", "excused_seconds", "counted_seconds",
)  # fmt: skip
_OPERATIONS = ("scale_set_id", "operation_key", "verb", "initiator", "outcome", "target", "start", "end", "limit", "excuses")


def evidence(data: str, selection: Selection, report: Report, scale_sets: tuple[str, ...], most: int) -> pa.Table:
    """MARKS of `transforms.core.report.charts.marks`, of some scale sets in the period of a report.

    Args:
        data: the folder.
        selection: through which the report was read.
        report: whose period it is.
        scale_sets: their ids.
        most: how many marks of each.
    """
    request, narrow = report.request, selection.narrowed(scale_sets)
    since, until = request.since, request.until
    reach = reach_of(data, request.policies)
    attributions = narrow.table("attributions", days_of(since - reach.attribution, until), _ATTRIBUTIONS)
    operations = narrow.table("operations", days_of(since - reach.operation, until), _OPERATIONS)
    known = until if request.known is None else request.known[1]
    return marks_of(attributions, operations, (since, until, known), most)
