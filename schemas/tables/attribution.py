"""Table `attributions`: one row an episode or a stretch of removed time (contract: Attributions; rules: Episodes)."""

from typing import Final

import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.tables.cell import VERSION

VERDICTS: Final = ("explained", "removed", "presumed_removed", "overrun", "unexcused", "fault", "unexplained")
_CODE = pa.dictionary(pa.int8(), pa.string())
_ID = pa.dictionary(pa.int32(), pa.string())

ATTRIBUTIONS: Final = pa.schema(
    [
        ("scale_set_id", _ID),
        ("instance_id", _ID),
        ("start", TIMESTAMP),
        ("end", TIMESTAMP),
        ("onset", TIMESTAMP),
        ("worst_state", _CODE),
        ("verdict", _CODE),
        ("operation_key", _ID),
        ("verb", _ID),
        ("initiator", _CODE),
        ("operation_start", TIMESTAMP),
        ("operation_end", TIMESTAMP),
        ("limit", TIMESTAMP),
        ("lag_seconds", pa.float64()),
        ("candidates", pa.int32()),
        ("excused_seconds", pa.float64()),
        ("counted_seconds", pa.float64()),
        ("signal_event_id", pa.string()),
        *VERSION,
    ]
)
