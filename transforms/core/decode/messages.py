"""Messages to events: the records of many messages are decoded together (contract: Queue messages)."""

from collections.abc import Iterable

import pyarrow as pa

from transforms.core.decode.splitting.split import texts_of
from transforms.core.decode.streams import LocatedTexts, decode_texts
from transforms.core.decode.terms.settings import DecodeResult, DecodeSettings


def decode_messages(messages: pa.RecordBatch, source: str, settings: DecodeSettings) -> DecodeResult:
    """The events of a batch of MESSAGES; each message as `decode_text` would read it.

    Args:
        messages: the batch.
        source: the subscription, for `rejects`; the location of a reject is the message's id (and which record of several it is).
        settings: policy, clock, inventory.
    """
    ids, data = messages.column("message_id").to_pylist(), messages.column("data").to_pylist()
    return decode_many(zip(ids, data, strict=True), source, settings)


def decode_many(messages: Iterable[tuple[str, bytes]], source: str, settings: DecodeSettings) -> DecodeResult:
    """The events of messages with their places."""
    return decode_texts([LocatedTexts(texts_of(data), place) for place, data in messages], source, settings)
