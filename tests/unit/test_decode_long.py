"""Values that are too long to hold say what they would say whole, in bounded memory (contract: Input)."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.decoding import rows, settings
from tests.fixtures.forms import table_of
from tests.fixtures.native import line, signal
from transforms.core.decode import blocks
from transforms.core.decode.blocks import DamagedText, decode_blocks
from transforms.core.decode.splitting.long import LongValue


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "PIECE", 1_000)


def read(text: bytes, block: int = 97, damage: str = "") -> tuple[list[str], list[tuple[str, str]]]:
    """Event ids, and rejects as (location, reason)."""

    def parts() -> Iterator[bytes]:
        yield from (text[start : start + block] for start in range(0, len(text), block))
        if damage:
            raise DamagedText(damage)

    found = list(decode_blocks(parts, "f", settings()))
    ids = [row["event_id"] for piece in found for row in rows(piece)]
    return ids, [(r["location"], r["reason"]) for piece in found for r in piece.rejects.to_pylist()]


def records(count: int, **fields: Any) -> list[Any]:
    return [signal(event_id=f"s-{number}", **fields) for number in range(count)]


def ids(count: int) -> list[str]:
    return [f"s-{number}" for number in range(count)]


MANY = records(40)
VALUES = {
    "array": MANY,
    "records": {"records": MANY},
    "value": {"nextLink": "x" * 3_000, "value": MANY, "count": 40},
    "data": {"count": 40, "data": MANY, "facets": []},
    "table": {"data": table_of(MANY), "facets": []},
    "table alone": table_of(MANY),
    "tables": {"tables": [table_of(MANY[:20]), table_of(MANY[20:])]},
    "envelopes": [{"records": MANY[:20]}, {"value": MANY[20:]}],
    "pad behind": {"value": MANY, "pad": '\\"[{' * 3_000},
    "small before a pad": {"records": MANY[:2], "value": [], "pad": ["}"] * 3_000} | {"records": MANY[:2]},
}


@pytest.mark.parametrize("block", [1, 97, 1 << 20])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_a_long_value_holds_what_it_holds(value: Any, indent: int | None, block: Any) -> None:
    assert read(b"\xef\xbb\xbf " + json.dumps(value, indent=indent).encode() + b"\n", block) == (
        ids(2 if isinstance(value, dict) and value.get("value") == [] else 40),
        [],
    )


def test_records_on_lines_of_their_own_within_an_envelope_are_one_value_whatever_one_of_them_is() -> None:
    odd = [signal(event_id="big", pad="x" * 5_000), signal(event_id="deep", pad=[]), 5]
    texts = [line(record).replace(b'"pad": []', b'"pad": ' + b"[" * 100 + b"]" * 100) for record in [*MANY, *odd, *MANY]]
    found, rejects = read(b'{"value": [\n' + b",\n".join(texts) + b"\n]}")
    assert found == ids(40) * 2
    assert rejects == [("record 41", "too_large"), ("record 42", "too_deep"), ("record 43", "not_json")]


def test_an_outsized_record_within_an_envelope_on_lines_is_one_row(tmp_path: Path) -> None:
    """1 MiB is the limit of a record, and the file is held whole."""
    blocks.PIECE = 32 << 20
    texts = [line(record) for record in [*MANY, signal(event_id="big", pad="x" * (2 << 20)), *MANY]]
    assert read(b'{"records": [\n' + b",\n".join(texts) + b"\n]}\n", 1 << 18) == (ids(40) * 2, [("record 41", "too_large")])


@pytest.mark.parametrize(
    ("value", "where"),
    [
        pytest.param({"kind": "signal", "value": MANY}, "record 1", id="a_mark_before"),
        pytest.param({"value": MANY, "eventType": "x"}, "record 1", id="a_mark_behind"),
        pytest.param({"items": MANY}, "record 1", id="no_envelope"),
        pytest.param([{"value": MANY, "EventTimestamp": "x"}, 5], "record 1", id="a_loose_mark_in_an_element"),
    ],
)
def test_a_long_object_that_is_no_envelope_is_outsized(value: Any, where: str) -> None:
    found, rejects = read(line(value))
    assert found == []
    assert rejects[0] == (where, "too_large")
    assert len(rejects) == (2 if isinstance(value, list) else 1)


@pytest.mark.parametrize("end", [b"", b",", b", {", b"]]", b"] x", b',"', b", {} {}]"])
def test_a_long_value_that_breaks_off_keeps_what_is_complete(end: bytes) -> None:
    found, rejects = read(b"[" + b", ".join(line(record) for record in MANY) + end)
    assert (found, [reason for _, reason in rejects]) == (ids(40), ["not_json"])


def test_a_long_table_that_breaks_off_keeps_its_complete_rows() -> None:
    text = line({"data": table_of(MANY)})
    found, rejects = read(text[: text.rfind(b"[")])
    assert (found, [reason for _, reason in rejects]) == (ids(39), ["not_json"])


@pytest.mark.parametrize("start", [b"[\n", b'{"value": [\n'])
def test_what_is_no_one_value_is_lines_however_late_that_is_seen(start: bytes) -> None:
    text = start + b",\n".join(line(record) for record in MANY) + b',\n{"a": "x"" },\n' + line(signal(event_id="s-40"))
    found, rejects = read(text)
    assert sorted(found) == sorted(ids(41))
    assert rejects == [*([("line 1", "not_json")] if start.startswith(b"{") else []), ("line 42", "not_json")]


def test_of_a_damaged_value_nothing_stays_and_of_lines_what_is_whole() -> None:
    text = b", ".join(line(record) for record in MANY)
    assert read(b"[" + text, damage="x") == ([], [("file", "not_json")])
    assert read(text.replace(b", {", b"\n{"), damage="x") == (ids(39), [("file", "not_json")])
    assert read(b"[\n" + text.replace(b"}, {", b"},\n{"), damage="x") == (ids(39), [("file", "not_json")])


def test_a_long_value_takes_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "PIECE", 1 << 20)
    text = b'{"records": [' + b", ".join(line(record) for record in records(30, pad="x" * 1_000_000)) + b"]}"
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        assert read(text, 1 << 16) == (ids(30), [])
        assert tracemalloc.get_traced_memory()[1] - before < 12 << 20
    finally:
        tracemalloc.stop()


def test_a_mark_that_is_spelt_in_many_ways_fills_no_memory() -> None:
    marks = {"t" + "_" * number + "ype": "x" * 100 for number in range(1_000)}
    text = line(marks)
    value = LongValue(iter([text[:500], text[500:1_000], text[1_000:]]), 1_000)
    assert list(value.pieces()) == []
    assert [len(members) for members in value.skeletons] == [64]


@pytest.mark.parametrize("text", [b"[" * 20_000, b'{"value":' * 5_000, b'["' + b"\\" * 9_999, b"x" * 5_000, b'{"a"' * 5_000])
def test_hostile_texts_cost_one_row(text: Any) -> None:
    found, rejects = read(text, 1 << 20)
    assert (found, len(rejects)) == ([], 1)
