"""Messages of any shape are decoded together as each would be alone."""

import pytest

from schemas.policy import Policy
from tests.fixtures.decoding import NOW
from transforms.core.decode import DecodeSettings, decode_text
from transforms.core.decode.messages import decode_messages

SETTINGS = DecodeSettings(Policy(), NOW)
GOOD = b'{"kind": "signal", "event_id": "%s", "scale_set_id": "a", "time": "2026-01-01T00:00:00Z", "state": "Available"}'
BAD = b'{"kind": "signal", "event_id": "b", "scale_set_id": "a", "time": "2026-01-01T00:00:00Z", "state": "Fine"}'


def batch(*bodies: bytes) -> list[tuple[str, bytes]]:
    return [(f"m{number}", body) for number, body in enumerate(bodies)]


BODIES = {
    "one record": GOOD % b"1",
    "lines": GOOD % b"1" + b"\r\n\n" + GOOD % b"2" + b"\n",
    "array": b"[" + GOOD % b"1" + b",\n" + GOOD % b"2" + b"]",
    "envelope": b'{"records": [' + GOOD % b"1" + b"," + GOOD % b"2" + b"]}",
    "envelope over lines": b'{\n"value": [\n' + GOOD % b"1" + b"\n]}",
    "one record over lines": (GOOD % b"1").replace(b", ", b",\n"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD % b"1",
    "empty": b"",
    "blank": b" \r\n",
    "bad value": BAD,
    "one good and one bad line": GOOD % b"1" + b"\n" + BAD,
    "array with a bad one": b"[" + GOOD % b"1" + b"," + BAD + b"]",
    "broken": b'{"kind": "signal", ',
    "no text": b"\xff\xfe\x00",
    "a number": b"5",
    "another kind": b'{"eventType": "Microsoft.Storage.BlobCreated"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_message_is_read_as_its_text_would_be(body: bytes) -> None:
    together, alone = decode_messages(batch(body), "s", SETTINGS), decode_text(body, "s", SETTINGS)
    assert together.events.to_pylist() == alone.events.to_pylist()
    assert together.counts == alone.counts
    assert together.rejects.drop_columns(["location"]).equals(alone.rejects.drop_columns(["location"]))


def test_messages_together_give_what_they_give_alone() -> None:
    together = decode_messages(batch(*BODIES.values()), "s", SETTINGS)
    alone = [decode_text(body, "s", SETTINGS) for body in BODIES.values()]
    assert sorted(map(repr, together.events.to_pylist())) == sorted(
        repr(row) for decoded in alone for row in decoded.events.to_pylist()
    )
    assert len(together.events) > 8
    assert together.counts.records == sum(decoded.counts.records for decoded in alone)
    assert together.counts.rejected.total() == len(together.rejects) > 4


def test_a_reject_is_found_by_its_message() -> None:
    rejects = decode_messages(batch(GOOD % b"1", BAD, b"{broken"), "projects/p/subscriptions/s", SETTINGS).rejects.to_pylist()
    assert [(row["source"], row["location"], row["reason"]) for row in rejects] == [
        ("projects/p/subscriptions/s", "m1", "bad_value"),
        ("projects/p/subscriptions/s", "m2", "not_json"),
    ]


def test_rejects_of_one_message_are_told_apart() -> None:
    bodies = (BAD + b"\n" + BAD, b"[" + BAD + b"," + BAD + b"]", b'{"records": [' + BAD + b"," + BAD + b"]}")
    rejects = decode_messages(batch(*bodies), "s", SETTINGS).rejects
    assert sorted(rejects.column("location").to_pylist()) == [
        "m0, line 1",
        "m0, line 2",
        "m1, record 1",
        "m1, record 2",
        "m2, record 1",
        "m2, record 2",
    ]


def test_no_messages_give_nothing() -> None:
    decoded = decode_messages(batch(), "s", SETTINGS)
    assert (len(decoded.events), len(decoded.rejects), decoded.counts.records) == (0, 0, 0)
