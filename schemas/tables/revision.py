"""Table `revisions`: one row a published version of a cell; it alone makes the version visible (contract: Revisions)."""

from typing import Final

import pyarrow as pa

from schemas.event import TIMESTAMP

CAUSES: Final = ("first", "progress", "late", "backfill")

REVISIONS: Final = pa.schema(
    [
        ("scale_set_id", pa.dictionary(pa.int32(), pa.string())),
        ("cell", TIMESTAMP),
        ("as_of", TIMESTAMP),
        ("revision", pa.int32()),
        ("cause", pa.dictionary(pa.int8(), pa.string())),
        ("availability_rows", pa.int32()),
        ("attribution_rows", pa.int32()),
        ("operation_rows", pa.int32()),
        ("digest", pa.string()),
        ("policy", pa.dictionary(pa.int8(), pa.string())),
    ]
)
