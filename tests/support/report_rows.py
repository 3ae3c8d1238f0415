"""The rows of a report, as tables that are there already."""

import pyarrow as pa

from transforms.core.report.report import ReportRows
from transforms.core.report.series import runs_of


def report_rows(series: pa.Table, attributions: pa.Table, operations: pa.Table) -> ReportRows:
    """ReportRows of tables."""
    return ReportRows(lambda: runs_of(series), lambda: attributions, lambda: operations)
