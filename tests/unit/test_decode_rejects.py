"""Rejected records: a row each, never a crash, never a silent drop (contract: Rejected)."""

import base64
import json
from typing import Any

import pytest

from schemas.tables.reject import REJECTS
from tests.fixtures.decoding import NOW, SETTINGS, decode, one, rejected, rows, settings
from tests.fixtures.native import (
    annotation_event,
    export,
    fault,
    health_record,
    line,
    operation,
    resource_event,
    rest,
    signal,
    status_event,
)
from transforms.core.decode import DecodeResult, decode_records, decode_text
from transforms.core.decode.fast_path.columns import known_records
from transforms.core.decode.terms.text import DEEPEST


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        pytest.param(status_event("Bogus"), "bad_value", "availabilityState must be", id="state"),
        pytest.param(status_event(None), "missing_field", "availabilityState is required", id="no_state"),
        pytest.param(status_event(id=...), "missing_field", "id is required", id="no_id"),
        pytest.param(annotation_event("VirtualMachineCrashed") | {"id": ""}, "missing_field", "id is required", id="empty_id"),
        pytest.param(status_event(id=1.5), "bad_value", "id must be a text", id="id_of_another_type"),
        pytest.param(health_record("Bogus"), "bad_value", "currentHealthStatus must be", id="health"),
        pytest.param(health_record(eventDataId=None), "missing_field", "eventDataId is required", id="no_event_data_id"),
        pytest.param(rest(eventTimestamp=...), "missing_field", "eventTimestamp is required", id="no_event_timestamp"),
        pytest.param(rest(correlationId={}), "bad_value", "correlationId must be a text", id="correlation"),
        pytest.param(signal(event_id=None), "missing_field", "event_id is required", id="canonical_id"),
        pytest.param(signal(scale_set_id=""), "missing_field", "scale_set_id is required", id="canonical_set"),
        pytest.param(signal(state="available"), "bad_value", "state must be", id="canonical_state"),
        pytest.param(signal(instance_id=[]), "bad_value", "instance_id must be a text", id="canonical_instance"),
        pytest.param(fault(annotation=...), "missing_field", "annotation is required", id="no_annotation"),
        pytest.param(operation(verb="hibernate"), "bad_value", "verb must be a verb of the policy", id="verb"),
        pytest.param(
            operation(verb="restrat"),
            "bad_value",
            "verb must be a verb of the policy, got 'restrat'; the nearest is restart",
            id="verb nearly",
        ),
        pytest.param(operation(phase="done"), "bad_value", "phase must be", id="phase"),
        pytest.param(operation(initiator=...), "missing_field", "initiator is required", id="no_initiator"),
        pytest.param(operation(target="some"), "bad_value", "target must be", id="target"),
        pytest.param(operation(instance_ids=[]), "missing_field", "instance_ids is required", id="nobody_named"),
        pytest.param(operation(instance_ids=["", None]), "missing_field", "instance_ids is required", id="nothing_named"),
        pytest.param(operation(instance_ids=...), "missing_field", "instance_ids is required", id="no_names"),
        pytest.param(operation(instance_ids="7"), "bad_value", "instance_ids must be a list", id="names_as_text"),
        pytest.param(operation(instance_ids=[{}]), "bad_value", "instance_ids must be a text", id="odd_names"),
        pytest.param(operation(count=-1), "bad_value", "count must be a whole number", id="negative_count"),
        pytest.param(operation(count=1.5), "bad_value", "count must be a whole number", id="broken_count"),
        pytest.param(operation(count=2**63), "bad_value", "count must be a whole number", id="huge_count"),
        pytest.param(operation(count=True), "bad_value", "count must be a whole number", id="true_count"),
    ],
)
def test_a_known_kind_with_an_absent_or_impossible_field_is_rejected(record: Any, reason: str, detail: str) -> None:
    own_reason, own_detail = rejected(record)
    assert own_reason == reason
    assert own_detail.startswith(detail)


def test_numbers_and_texts_stand_for_each_other() -> None:
    assert one(operation(count="3"))["count"] == one(operation(count=3.0))["count"] == 3
    assert one(operation(instance_ids=[7, "8"]))["instance_ids"] == ["7", "8"]
    assert one(signal(instance_id=7, event_id=5))["event_id"] == "5"


def test_nothing_is_said_of_fields_that_a_kind_does_not_have() -> None:
    assert "verb" not in one(signal(verb="delete", phase=[], target=5))
    event = one(operation(target="all", instance_id="7", state="Available"))
    assert not {"instance_id", "instance_ids", "state"} & set(event)


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"garbage",
        b'{"a": 1} x',
        b'{"a": 1}\x00',
        b'\x00\x00{"a": 1}',
        b"[5]",
        b"5",
        b'"text"',
        b"null",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 01}',
        b'{"a": "\xff"}',
        b'{"\xc3": 1}',
        b'{"a": "\\ud800"}',
        b'{"a": "\x01"}',
        b'{"a": "\xed\xa0\x80"}',
        b'\xff\xfe{\x00"\x00',
    ],
    ids=repr,
)
def test_what_is_no_json_object_is_not_json(text: bytes) -> None:
    assert rejected(text)[0] == "not_json"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(line(signal())[:-1] + b', "a": 1e400}', id="number_beyond_doubles"),
        pytest.param(line(signal())[:-1] + b', "a": ' + b"9" * 5000 + b"}", id="huge_integer"),
        pytest.param(line(signal())[:-1] + b', "a": "\\u0000"}', id="nul_in_a_text"),
        pytest.param(line(signal())[:-1] + b', "state": "Degraded"}', id="a_key_twice"),
        pytest.param(b"  " + line(signal()) + b"\t\r", id="blanks_around"),
        pytest.param(line(signal(more=[[]] * 100, deep={"a": {"b": {}}})), id="many_brackets"),
    ],
)
def test_oddities_elsewhere_in_a_record_do_no_harm(text: Any) -> None:
    assert one(text) == one(signal())


def _nested(levels: int) -> bytes:
    return line(signal())[:-1] + b', "a": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def test_64_levels_are_fine_and_65_too_deep() -> None:
    assert one(_nested(64)) == one(signal())
    assert rejected(_nested(65)) == ("too_deep", "a record may have 64 levels, got 65")
    assert rejected(_nested(10_000))[0] == "too_deep"
    assert rejected(b"[" * 10_000 + b"]" * 10_000)[0] == "too_deep"


@pytest.mark.parametrize(
    "nest",
    [
        pytest.param(lambda deep: rest(claims=deep), id="claims"),
        pytest.param(lambda deep: rest(properties={"requestbody": deep}), id="request_body"),
        pytest.param(lambda deep: rest(properties={"requestBody": deep}), id="request_body_of_an_export"),
        pytest.param(lambda deep: export(identity={"claims": deep}), id="claims_of_an_identity"),
        pytest.param(lambda deep: resource_event(data=resource_event()["data"] | {"claims": deep}), id="claims_of_an_event"),
    ],
)
def test_what_is_kept_raw_of_a_known_record_may_not_be_too_deep(nest: Any) -> None:
    deep: Any = {}
    for level in range(DEEPEST):
        deep = {"a": deep} if level % 2 else [deep]
    assert known_records([line(nest({}))]) is not None
    assert rejected(nest(deep))[0] == "too_deep"


def test_brackets_in_texts_are_no_levels() -> None:
    assert one(signal(a="[{" * 500, b='\\"[[' * 100)) == one(signal())


def _sized(size: int) -> bytes:
    bare = len(line(signal(pad="")))
    return line(signal(pad="x" * (size - bare)))


def test_a_text_of_1_mib_is_fine_and_one_byte_more_too_large() -> None:
    assert one(_sized(1 << 20)) == one(signal())
    assert rejected(_sized((1 << 20) + 1))[0] == "too_large"


def test_a_reject_says_where_when_and_why() -> None:
    decoded = decode(signal(), b"", b"{")
    (reject,) = decoded.rejects.to_pylist()
    assert decoded.rejects.schema == REJECTS
    assert (reject["source"], reject["location"], reject["payload"]) == ("test", "line 3", None)
    assert decoded.counts.records == 2


def test_the_payload_is_kept_where_that_is_wanted() -> None:
    decoded = decode(b'{"a": "\xff"', rest(status="Bogus"), by=settings(keep_payload=True))
    first, second = decoded.rejects["payload"].to_pylist()
    assert first == '{"a": "\N{REPLACEMENT CHARACTER}"'
    assert json.loads(second) == json.loads(line(rest(status="Bogus")))


def test_one_bad_record_does_no_harm_to_others() -> None:
    decoded = decode(signal(), b"{", signal(event_id="s-2"), b"\xff", b"[" * 5000, signal(event_id="s-3"))
    assert [row["event_id"] for row in rows(decoded)] == ["s-1", "s-2", "s-3"]
    assert [reject["location"] for reject in decoded.rejects.to_pylist()] == ["line 2", "line 4", "line 5"]


def _read(text: bytes) -> DecodeResult:
    return decode_text(text, "file", SETTINGS)


TWO = line(signal()) + b"\n" + line(signal(event_id="s-2"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TWO, id="lines"),
        pytest.param(TWO.replace(b"\n", b"\r\n\r\n  \r\n") + b"\r\n", id="crlf_and_blank_lines"),
        pytest.param(b"\xef\xbb\xbf" + TWO, id="byte_order_mark"),
        pytest.param(b"[" + TWO.replace(b"\n", b",\n") + b"]", id="array"),
        pytest.param(b"\xef\xbb\xbf [" + TWO.replace(b"\n", b",") + b"]\n", id="array_with_a_mark"),
        pytest.param(json.dumps([signal(), signal(event_id="s-2")], indent=2).encode(), id="indented_array"),
        pytest.param(json.dumps({"records": [signal(), signal(event_id="s-2")]}).encode(), id="records"),
        pytest.param(json.dumps({"value": [signal(), signal(event_id="s-2")], "nextLink": "x"}, indent=1).encode(), id="value"),
        pytest.param(b"\n".join(line({"records": [signal(event_id=f"s-{n}")]}) for n in (1, 2)), id="envelopes_on_lines"),
    ],
)
def test_lines_arrays_and_envelopes_hold_the_same(text: Any) -> None:
    decoded = _read(text)
    assert sorted(row["event_id"] for row in rows(decoded)) == ["s-1", "s-2"]
    assert decoded.counts.records == 2
    assert decoded.rejects.num_rows == 0


def test_one_object_over_many_lines_is_a_value() -> None:
    assert rows(_read(json.dumps(rest(), indent=2).encode())) == rows(decode(rest()))


@pytest.mark.parametrize("end", [b"]", b"\n]\n", b"\r\n]", b",\n5]"])
def test_a_text_that_is_one_value_is_read_as_that_however_its_lines_are_cut(end: bytes) -> None:
    decoded = _read(b"[\n" + TWO.replace(b"\n", b",\n") + end)
    assert decoded.events.num_rows == 2
    assert decoded.rejects["location"].to_pylist() == (["record 3"] if b"5" in end else [])


@pytest.mark.parametrize(
    "text", [line(signal()), line([signal()]), base64.b64encode(line(signal()))], ids=["object", "array", "base64"]
)
def test_any_other_is_lines_if_one_of_them_stands_alone(text: Any) -> None:
    decoded = _read(b"[\n" + text + b",\n,\n{\n],\nx")
    assert [(reject["location"], reject["reason"]) for reject in decoded.rejects.to_pylist()] == [
        ("line 4", "not_json"),
        ("line 6", "not_json"),
    ]
    assert decoded.events.num_rows == 1


@pytest.mark.parametrize(
    ("end", "complete"), [(b"", 2), (b",", 2), (b"]]", 2), (b",]", 2), (b"] x", 2), (b", {", 2), (b', {"a": 01}]', 2)]
)
def test_a_value_that_breaks_off_keeps_what_is_complete_and_costs_one_row(end: bytes, complete: int) -> None:
    decoded = _read(b"[" + TWO.replace(b"\n", b", ") + end)
    (reject,) = decoded.rejects.to_pylist()
    assert (reject["reason"], decoded.events.num_rows, decoded.counts.records) == ("not_json", complete, complete + 1)
    assert reject["location"] == f"record {complete + 1}"


def test_in_a_value_records_have_numbers_and_other_elements_are_rejected() -> None:
    decoded = decode_text(b"[5, " + line(signal()) + b", [], " + line(signal(state="x")) + b"]", "file", SETTINGS)
    found = [(reject["location"], reject["reason"]) for reject in decoded.rejects.to_pylist()]
    assert found == [("record 1", "not_json"), ("record 3", "not_json"), ("record 4", "bad_value")]
    assert decoded.events.num_rows == 1


def test_a_deep_record_in_a_value_does_no_harm_to_its_neighbours() -> None:
    decoded = decode_text(b"[" + line(signal()) + b", " + _nested(10_000) + b", " + line(signal()) + b"]", "file", SETTINGS)
    assert decoded.events.num_rows == 2
    assert decoded.rejects["reason"].to_pylist() == ["too_deep"]


def test_an_envelope_may_be_larger_and_deeper_than_a_record() -> None:
    records = [json.loads(_sized(600_000)), json.loads(_nested(64))]
    decoded = decode(line({"nextLink": "x", "value": records}))
    assert (decoded.events.num_rows, decoded.rejects.num_rows) == (2, 0)


def test_an_envelope_on_a_line_tells_where_its_records_are() -> None:
    decoded = decode(signal(), {"records": [signal(), signal(state="x")]})
    assert decoded.rejects["location"].to_pylist() == ["line 2, record 2"]


@pytest.mark.parametrize("text", [b"", b"  \n\r\n", b"[]", b'{"records": []}', b"\xef\xbb\xbf"])
def test_nothing_holds_no_records(text: bytes) -> None:
    decoded = _read(text)
    assert (decoded.counts.records, decoded.rejects.num_rows) == (0, 0)


@pytest.mark.parametrize("text", [b"garbage", b"5\n6", b"\x00" * 100, b"null"])
def test_a_text_that_is_no_value_costs_one_row(text: Any) -> None:
    assert _read(text).rejects["reason"].to_pylist() == ["not_json"]


def test_rejects_arrive_now() -> None:
    assert decode(b"{").rejects["arrived"].cast("int64").to_pylist() == [NOW]


@pytest.mark.parametrize(
    "body", [b'"\xff{}"', b'"\\ud800"', b'"\\ud83d {}"'], ids=["no UTF-8", "half a pair", "half a pair first"]
)
@pytest.mark.parametrize("name", ["body", "content", "messageText"])
def test_a_message_whose_text_is_none_costs_its_own_row(name: str, body: bytes) -> None:
    text = b'{"id": "m", "%s": %s}' % (name.encode(), body)
    decoded = decode_records([text, line(signal())], "x", 1, SETTINGS)
    assert [row["reason"] for row in decoded.rejects.to_pylist()] == ["not_json"]
    assert len(decoded.events) == 1
