"""Messages to events: the records of many messages are decoded together (contract: Queue messages)."""

from collections.abc import Iterable

from transforms.core.decode.splitting.split import texts_of
from transforms.core.decode.streams import LocatedTexts, decode_texts
from transforms.core.decode.terms.settings import DecodeResult, DecodeSettings


def decode_messages(messages: Iterable[tuple[str, bytes]], source: str, settings: DecodeSettings) -> DecodeResult:
    """The events of messages; each message as `decode_text` would read it.

    Args:
        messages: the id of each, and its data.
        source: the subscription, for `rejects`; the location of a reject is the message's id (and which record of several it is).
        settings: policy, clock, inventory.
    """
    return decode_texts([LocatedTexts(texts_of(data), place) for place, data in messages], source, settings)
