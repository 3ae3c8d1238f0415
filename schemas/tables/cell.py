"""A cell: one grid interval of one scale set, the unit that is published and replaced (contract: Cell columns; rules: Cells)."""

from typing import Final

import pyarrow as pa

from schemas.event import TIMESTAMP

VERSION: Final = (
    pa.field("cell", TIMESTAMP),
    pa.field("as_of", TIMESTAMP),
    pa.field("policy", pa.dictionary(pa.int8(), pa.string())),
)
"""The columns with which every row of availability, attributions and operations ends."""
