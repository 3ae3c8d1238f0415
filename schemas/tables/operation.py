"""Table `operations`: one row a folded operation (contract: Operations; rules: Folding)."""

from typing import Final

import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.tables.cell import VERSION

OUTCOMES: Final = ("succeeded", "failed", "unfinished")
_CODE = pa.dictionary(pa.int8(), pa.string())
_ID = pa.dictionary(pa.int32(), pa.string())

OPERATIONS: Final = pa.schema(
    [
        ("scale_set_id", _ID),
        ("operation_key", _ID),
        ("verb", _ID),
        ("effect", _CODE),
        ("initiator", _CODE),
        ("outcome", _CODE),
        ("target", _CODE),
        ("instance_ids", pa.list_(pa.string())),
        ("start", TIMESTAMP),
        ("end", TIMESTAMP),
        ("limit", TIMESTAMP),
        ("excuses", pa.bool_()),
        ("episodes", pa.int32()),
        *VERSION,
    ]
)
