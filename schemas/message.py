"""Messages of a subscription as one Arrow table: what travels from the source to decoding."""

from typing import Final

import pyarrow as pa

from schemas.event import TIMESTAMP

MESSAGES: Final = pa.schema(
    [
        pa.field("message_id", pa.string(), nullable=False),
        pa.field("published", TIMESTAMP, nullable=False),
        pa.field("data", pa.binary(), nullable=False),
    ]
)
"""One row a message: `published` is when the server took it in, `data` its bytes as they came."""
