"""Table `availability`: the corrected series, one row an interval within one cell (contract: Availability; rules: Rows)."""

from typing import Final

import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.tables.cell import VERSION

SERIES_STATES: Final = ("Available", "Degraded", "Unavailable", "Unknown", "Planned", "Idle")
RAW: Final = ("raw_available", "raw_degraded", "raw_unavailable", "raw_unknown")
CLASSES: Final = ("up", "degraded", "unavailable", "overrun", "excused", "unknown", "removed")
_NAME = pa.dictionary(pa.int8(), pa.string())

AVAILABILITY: Final = pa.schema(
    [
        ("scale_set_id", pa.dictionary(pa.int32(), pa.string())),
        ("start", TIMESTAMP),
        ("end", TIMESTAMP),
        ("reported_state", _NAME),
        ("state", _NAME),
        *((name, pa.int32()) for name in (*RAW, *CLASSES)),
        *VERSION,
    ]
)
