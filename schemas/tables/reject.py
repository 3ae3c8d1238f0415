"""Table `rejects`: one row a record that could not be taken in, and why (contract: Rejects, Rejected)."""

from typing import Final

import pyarrow as pa

from schemas.event import TIMESTAMP

REASONS: Final = ("not_json", "missing_field", "bad_value", "bad_time", "too_large", "too_deep", "late")

REJECTS: Final = pa.schema(
    [
        ("source", pa.string()),
        ("location", pa.string()),
        ("arrived", TIMESTAMP),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("payload", pa.string()),
    ]
)
