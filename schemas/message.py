"""Messages of a subscription as one Arrow table: what travels from the source to decoding; and names in Pub/Sub."""

import re
from typing import Final, Literal

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


def misnamed(name: str, kind: Literal["topics", "subscriptions"]) -> str | None:
    """What is wrong with the name of a topic or a subscription; None if it is right.

    >>> misnamed("orders", "topics"), misnamed("projects/p/topics/orders", "topics")
    ("a name like projects/P/topics/T is required, got 'orders'", None)
    """
    if re.fullmatch(rf"projects/[^/]+/{kind}/[^/]+", name):
        return None
    return f"a name like projects/P/{kind}/{kind[0].upper()} is required, got {name!r}"
