"""Rows of a table as they lie on disk."""

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.record.folder import files, read
from pipelines.record.tables import day_number


def all_rows(root: str, table: str, since: int = 0) -> pa.Table | None:
    """Every row of a table that is on disk, of superseded versions too, from a day on, counted since the epoch; None: no file."""
    found = []
    for path in files(root, f"{table}/day=*/*.parquet"):
        if day_number(path) >= since:
            with read(path) as source:
                found.append(pq.ParquetFile(source).read())
    return pa.concat_tables(found) if found else None
