"""The rows of a report, as tables that are there already."""

import pyarrow as pa

from transforms.core.report.report import ReportRows
from transforms.core.report.series import numbered


def report_rows(series: pa.Table, attributions: pa.Table, operations: pa.Table) -> ReportRows:
    """ReportRows of tables."""
    ids, _ = numbered(series.column("scale_set_id"))
    return ReportRows(ids, lambda then: [then(series)], lambda then: [then(attributions)], lambda: operations)
