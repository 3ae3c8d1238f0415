"""Rows of a table as they lie on disk."""

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.record.folder import files, read


def all_rows(root: str, table: str) -> pa.Table | None:
    """Every row of a table that is on disk, of superseded versions too; None if there is no file."""
    found = []
    for path in files(root, f"{table}/day=*/*.parquet"):
        with read(path) as source:
            found.append(pq.ParquetFile(source).read())
    return pa.concat_tables(found) if found else None
