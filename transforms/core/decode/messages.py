"""Messages to events: the records of many messages are decoded together (contract.md "Input")."""

from typing import Final

import pyarrow as pa

from transforms.core.decode.build import joined
from transforms.core.decode.settings import Decoded, DecodeSettings
from transforms.core.decode.split import Broken, split_value
from transforms.core.decode.streams import decode_records, is_lines, reject_whole
from transforms.core.decode.text import BOM

_BLANKS: Final = b" \t\r\n"


def decode_messages(messages: pa.RecordBatch, source: str, settings: DecodeSettings) -> Decoded:
    """The events of a batch of MESSAGES; each message as `decode_text` would read it.

    Args:
        messages: the batch.
        source: the subscription, for `rejects`; the location of a reject is the message's id (and which record of several it is).
        settings: policy, clock, inventory.
    """
    texts: list[bytes] = []
    places: list[str] = []
    broken: list[Decoded] = []
    for message_id, data in zip(messages.column("message_id").to_pylist(), messages.column("data").to_pylist(), strict=True):
        try:
            word, records = record_texts(data)
        except Broken as error:
            broken.append(reject_whole(source, "not_json", str(error), settings, message_id))
            continue
        texts += records
        places += _places(message_id, word, len(records))
    decoded = decode_records(texts, source, 1, settings)
    for one in broken:
        decoded = decoded._replace(counts=decoded.counts + one.counts)
    rejects = joined([_placed(decoded.rejects, places), *(one.rejects for one in broken)])
    return decoded._replace(rejects=rejects)


def record_texts(data: bytes) -> tuple[str, list[bytes]]:
    """The texts of the records in a message, and what each is called there.

    Raises:
        Broken: it has no lines of objects, and is no one value either.

    >>> record_texts(b'{"a": 1}'), record_texts(b'[{"a": 1}, {"b": 2}]')
    (('line', [b'{"a": 1}']), ('record', [b'{"a": 1}', b'{"b": 2}']))
    """
    text = data.removeprefix(BOM).strip(_BLANKS)
    if not text:
        return "line", []
    lines = text.split(b"\n")
    return ("line", lines) if is_lines(lines) else ("record", split_value(text))


def _places(message_id: str, word: str, records: int) -> list[str]:
    if records == 1:
        return [message_id]
    return [f"{message_id}, {word} {number}" for number in range(1, records + 1)]


def _placed(rejects: pa.RecordBatch, places: list[str]) -> pa.RecordBatch:
    """The same rejects, whose lines are messages, or records of them."""
    at = rejects.schema.get_field_index("location")
    moved = [_moved(location, places) for location in rejects.column(at).to_pylist()]
    return rejects.set_column(at, rejects.schema.field(at), pa.array(moved, pa.string()))


def _moved(location: str, places: list[str]) -> str:
    line, comma, inner = location.removeprefix("line ").partition(",")
    return f"{places[int(line) - 1]}{comma}{inner}"
