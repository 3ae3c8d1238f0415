"""Current rows of a table: those of the latest published version of each cell (contract: Current rows)."""

from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.record.folder import files, read

_CELL: Final = ["scale_set_id", "cell"]
_VERSION: Final = [*_CELL, "as_of"]


def current_rows(root: str, table: str) -> pa.Table | None:
    """The current rows of a versioned table, sorted by scale_set_id and start; exact copies count once.

    Returns:
        None if nothing has been published in the folder.
    """
    revisions, rows = all_rows(root, "revisions"), all_rows(root, table)
    if revisions is None or rows is None:
        return None
    latest = revisions.group_by(_CELL).aggregate([("as_of", "max")]).rename_columns(_VERSION)
    numbered = rows.append_column("row", pa.array(range(len(rows)), pa.int64()))
    kept = numbered.select([*_VERSION, "row"]).join(latest, _VERSION, join_type="left semi").column("row")
    return _without_copies(rows.take(kept))


def all_rows(root: str, table: str) -> pa.Table | None:
    """Every row of a table that is on disk, of superseded versions too; None if there is no file."""
    found = []
    for path in files(root, f"{table}/day=*/*.parquet"):
        with read(path) as source:
            found.append(pq.ParquetFile(source).read())
    return pa.concat_tables(found) if found else None


def _without_copies(rows: pa.Table) -> pa.Table:
    plain = [field.name for field in rows.schema if not pa.types.is_list(field.type)]
    numbered = rows.select(plain).append_column("row", pa.array(range(len(rows)), pa.int64()))
    first = numbered.group_by(plain).aggregate([("row", "min")]).column("row_min")
    return rows.take(first).sort_by([("scale_set_id", "ascending"), ("start", "ascending")])
