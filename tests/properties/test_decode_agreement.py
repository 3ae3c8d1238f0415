"""The columnar decoder and the models say the same of any record, and every record is accounted for."""

import copy
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.fixtures import decoding
from tests.fixtures.decoding import decode, one_by_one, rows, told
from tests.fixtures.forms import GRID_FORMS, REST_FORMS, csv_of, log_row, parquet_of
from tests.fixtures.native import AT, INSTANCE, MACHINE, OPERATIONS, ROBOT, SET, SPN, line
from tests.fixtures.records import INVENTORY, RECORDS
from transforms.core.decode import decode_log_table, decode_records, decode_text
from transforms.core.decode.blocks import decode_pieces
from transforms.core.decode.splitting.csv_text import csv_texts

EXACT = {*(name for record in RECORDS for name in record), "records", "value", "eventCategory", "requestBody", SPN, "Content"}
NAMES = sorted({*EXACT, *(name.upper() for name in EXACT), *("_" + name for name in EXACT)})
VALUES: list[Any] = [
    None,
    "",
    " ",
    0,
    5,
    -1,
    1.5,
    2.0,
    True,
    2**70,
    [],
    {},
    ["1"],
    ["*"],
    [None, "", "B", "b"],
    {"value": "Started"},
    {"value": None},
    {"value": 5},
    '{"instanceIds": ["9"]}',
    '{"currentHealthStatus": "Available"}',
    "******",
    {"Content": {"instanceIds": ["9"]}},
    {"Value": "Started"},
    {"Content": 5},
    "{}",
    [{"kind": "signal"}],
    "/Date(1790845210123)/",
    "10/1/2026, 9:00:10 AM",
    "Available",
    "available",
    "Succeeded",
    "CANCELLED",
    "Administrative",
    "resourcehealth",
    "Autoscale",
    "delete",
    "named",
    "unnamed",
    "VirtualMachineCrashed",
    OPERATIONS + "write",
    SET,
    INSTANCE + "/",
    MACHINE.upper(),
    MACHINE + "3",
    "/elsewhere",
    ROBOT.upper(),
    AT,
    "2026-10-01 10:00:10.5+01:00",
    "10/1/2026 9:00:10 AM",
    "2026-10-03T00:00:00Z",
    "1999-12-31T23:59:59Z",
    "2030-01-01T00:00:00Z",
    "2026-10-01T00:00Z",
    "signal",
    "Straße İ ǅ",
    "\x00",
    '"\\',
]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, item in inner for place in _places(item, (*path, name)))]


def _put(record: Any, path: tuple[Any, ...], value: Any) -> None:
    for name in path[:-1]:
        record = record[name]
    if value is ...:
        del record[path[-1]]
    else:
        record[path[-1]] = value


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """A record of any format, changed in some places."""
    record: dict[str, Any] = copy.deepcopy(json.loads(line(draw(st.sampled_from(RECORDS)))))
    for _ in range(draw(st.integers(0, 3))):
        places = [path for path in _places(record) if path]
        path = draw(st.sampled_from(places)) if places and draw(st.integers(0, 3)) else (draw(st.sampled_from(NAMES)),)
        value = draw(st.sampled_from([*VALUES, ...]))
        if value is not ... or path in places:
            _put(record, path, copy.deepcopy(value))
    return record


def _recased(draw: st.DrawFn, value: Any) -> Any:
    """The same with names spelt otherwise here and there."""
    if not isinstance(value, dict):
        return value
    spell = st.sampled_from([str, str, str.upper, lambda name: "_" + name, lambda name: name[:1].swapcase() + name[1:]])
    return {draw(spell)(name): _recased(draw, inner) for name, inner in value.items()}


@st.composite
def loose_records(draw: st.DrawFn) -> dict[str, Any]:
    """A record whose names are spelt in any way."""
    return dict(_recased(draw, draw(records())))


MODES = st.sampled_from(["auto", "auto", "auto", "eventgrid", "activitylog", "resourcegraph", "canonical"])
MANY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(st.lists(st.one_of(records(), loose_records()), max_size=6), MODES, st.booleans())
def test_columns_and_models_say_the_same_of_any_records(found: Any, mode: Any, with_inventory: bool) -> None:
    by = decoding.settings(INVENTORY if with_inventory else None, format=mode)
    decoded = decode(*found, by=by)
    counts = decoded.counts
    assert counts.records == counts.decoded.total() + counts.ignored.total() + counts.rejected.total()
    assert counts.rejected.total() == decoded.rejects.num_rows
    assert counts.decoded.total() == sum(not row["second"] for row in rows(decoded))


REST = [record for record in RECORDS if "eventDataId" in record]


@st.composite
def rest_records(draw: st.DrawFn) -> dict[str, Any]:
    """A record of the REST interface, changed in some places, but not in what its forms have in other places."""
    record: dict[str, Any] = copy.deepcopy(json.loads(line(draw(st.sampled_from(REST)))))
    record["claims"] = draw(st.sampled_from([{}, {"aud": "x"}, {SPN: ROBOT}]))
    record["caller"] = draw(st.sampled_from(["", "jane@example.com", ROBOT]))
    for name in draw(st.sets(st.sampled_from(["caller", "status", "resourceId", "correlationId", "eventTimestamp"]))):
        record[name] = draw(st.sampled_from([{"value": text} for text in ("Failed", "x")] if name == "status" else TEXTS))
    record["properties"] |= {name: draw(st.sampled_from(VALUES)) for name in draw(st.sets(st.sampled_from(TOLD)))}
    return record


TEXTS = [SET, INSTANCE, "/elsewhere", AT, "10/1/2026, 9:00:10 AM", "soon", ROBOT, "", "5"]
TOLD = ["requestbody", "currentHealthStatus", "details", "context", "cause", "ResourceName", "OldInstancesCount"]


def _together(texts: list[bytes]) -> bytes:
    """Texts as one: as lines, or as a list where they have several."""
    return b"[" + b",".join(texts) + b"]" if len(texts) > 1 and b"\n" in texts[0].strip() else b"\n".join(texts)


@settings(MANY, max_examples=settings.default.max_examples // 3)
@given(st.lists(rest_records(), min_size=1, max_size=5))
def test_records_give_the_same_in_any_of_their_forms(records: Any) -> None:
    """Some at once, three in the mean: what a call takes does not depend on their number."""
    plain = decode_text(b"\n".join(map(line, records)), "test", decoding.SETTINGS)
    log_rows = [log_row(record) for record in records]
    found = [
        decode_text(_together([form(record) for record in records]), "test", decoding.SETTINGS) for form in REST_FORMS.values()
    ]
    found += decode_pieces(csv_texts([csv_of(log_rows)]), "test", decoding.SETTINGS)
    table = pq.read_table(pa.BufferReader(parquet_of(log_rows))).to_batches()
    found += [decode_log_table(batch, "test", 1, decoding.SETTINGS) for batch in table]
    for other in found:
        assert sorted(map(repr, rows(other))) == sorted(map(repr, rows(plain)))
        assert sorted(other.rejects["reason"].to_pylist()) == sorted(plain.rejects["reason"].to_pylist())
        assert +other.counts.ignored == +plain.counts.ignored


@MANY
@given(st.sampled_from(RECORDS[:6]), st.lists(st.sampled_from(list(GRID_FORMS.values())), max_size=4))
def test_an_event_gives_the_same_in_messages_in_messages(record: Any, forms: Any) -> None:
    by = decoding.settings(INVENTORY)
    text = line(record)
    for form in forms:
        text = form(json.loads(text)) if text.startswith(b"{") else line({"body": text.decode()})
    assert rows(decode_text(text, "test", by)) == rows(decode_text(line(record), "test", by))


@MANY
@given(records(), st.data())
def test_columns_and_models_say_the_same_of_any_damaged_text(record: Any, data: st.DataObject) -> None:
    text = bytearray(line(record))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from(
                [
                    b"",
                    b'"',
                    b"{",
                    b"}",
                    b"[",
                    b",",
                    b"\\",
                    b"\\u12",
                    b"\\ud800",
                    b"\xff",
                    b"\xc3\xa9",
                    b"\x00",
                    b"1",
                    b"e999",
                    b"-",
                ]
            )
        )
        assume(text)
    assume(b"\n" not in text)
    decode(bytes(text), by=decoding.settings(INVENTORY))


@MANY
@given(st.lists(records(), min_size=1, max_size=4), st.sampled_from(["array", "records", "value"]))
def test_a_value_holds_what_lines_hold(found: Any, envelope: Any) -> None:
    whole = found if envelope == "array" else {envelope: found}
    lines = decode_records([line(record) for record in found], "test", 1, decoding.SETTINGS)
    decoded = decode_text(line(whole), "test", decoding.SETTINGS)
    assert sorted(map(repr, rows(decoded))) == sorted(map(repr, rows(lines)))
    assert sorted(decoded.rejects["detail"].to_pylist()) == sorted(lines.rejects["detail"].to_pylist())
    assert told(decoded)[2] == told(lines)[2]


@MANY
@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(data: bytes) -> None:
    decoded = decode_text(data, "test", decoding.SETTINGS)
    assert decoded.events.num_rows == 0


@pytest.mark.parametrize("record", RECORDS, ids=range(len(RECORDS)))
def test_the_records_that_are_changed_are_decoded_as_they_are(record: Any) -> None:
    text = line(record)
    by = decoding.settings(INVENTORY, now=decoding.NOW)
    decoded = decode(text, by=by)
    assert told(decoded) == one_by_one([text], by)
    assert decoded.events.num_rows or decoded.counts.unplaced == 1
