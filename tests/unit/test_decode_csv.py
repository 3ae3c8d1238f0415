"""CSV: rows are records of their columns, and a bad one costs its own row (contract: Input)."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.decoding import decode, rows, settings
from tests.fixtures.forms import csv_of, log_row
from tests.fixtures.native import graph_row, line, rest, signal, state
from transforms.core.decode.blocks import decode_pieces
from transforms.core.decode.splitting import csv_text
from transforms.core.decode.splitting.csv_text import csv_texts
from transforms.files.shards import plan_shards, read_shard

HEADER = b"kind,event_id,scale_set_id,time,state,note\n"
GOOD = b"signal,s-%d,a,2026-10-01T09:00:10Z,Available,%s\n"


def read(text: bytes, block: int = 1 << 20) -> tuple[list[str], list[Any]]:
    """Event ids, and rejects as (location, reason)."""
    blocks = [text[start : start + block] for start in range(0, len(text), block)]
    found = list(decode_pieces(csv_texts(blocks), "f", settings()))
    ids = [row["event_id"] for piece in found for row in rows(piece)]
    return sorted(ids), sorted((r["location"], r["reason"]) for piece in found for r in piece.rejects.to_pylist())


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_fields_may_be_quoted_and_hold_anything(block: Any, end: bytes) -> None:
    notes = [b"x", b'"a, ""b"""', b'"two\nlines"', b"", b'""', b'"', b"'"]
    text = HEADER + b"".join(GOOD % (n, note) for n, note in enumerate(notes) if note != b'"')
    ids, rejects = read(b"\xef\xbb\xbf" + text.replace(b"\n", end).removesuffix(end), block)
    assert (ids, rejects) == ([f"s-{n}" for n, note in enumerate(notes) if note != b'"'], [])


def test_a_row_with_another_number_of_fields_is_not_json_and_says_its_line() -> None:
    text = HEADER + GOOD % (1, b'"\n\n"') + b"signal,s-2\n\n" + GOOD % (3, b"x,y") + GOOD % (4, b"x")
    assert read(text) == (["s-1", "s-4"], [("line 5", "not_json"), ("line 7", "not_json")])


def test_bytes_that_are_no_utf_8_cost_their_row() -> None:
    assert read(HEADER + GOOD % (1, b"\xff") + GOOD % (2, "é".encode())) == (["s-2"], [("line 2", "not_json")])


def test_a_quote_that_is_never_closed_costs_what_lies_behind_it() -> None:
    assert read(HEADER + GOOD % (1, b"x") + GOOD % (2, b'"x') + GOOD % (3, b"x")) == (["s-1"], [("line 3", "not_json")])


@pytest.mark.parametrize(("size", "reason"), [(1 << 20, []), ((1 << 20) + 1, ["too_large"])])
def test_the_size_of_a_row_is_the_sum_of_its_fields(size: Any, reason: Any) -> None:
    bare = len((GOOD % (1, b"")).strip().replace(b",", b""))
    text = HEADER + GOOD % (1, b'"' + b'""' * (size - bare) + b'"') + GOOD % (2, b"x")
    ids, rejects = read(text, 1 << 18)
    assert ([reason for _, reason in rejects], ids) == (reason, ["s-2"] if reason else ["s-1", "s-2"])


@pytest.mark.parametrize("quote", [b"", b'"'])
@pytest.mark.parametrize("block", [1000, 1 << 20])
def test_a_row_beyond_all_measure_is_passed_over(monkeypatch: pytest.MonkeyPatch, quote: bytes, block: Any) -> None:
    monkeypatch.setattr(csv_text, "LONGEST", 500)
    monkeypatch.setattr(csv_text, "_MOST", 5_000)
    pad = quote + b'x""\n'.replace(b'""\n', b'""\n' if quote else b"") * 10_000 + quote
    text = HEADER + GOOD % (1, b"x") + GOOD % (2, pad) + GOOD % (3, b"x")
    assert read(text, block) == (["s-1", "s-3"], [("line 3", "too_large")])


def test_an_empty_field_is_absent_and_a_local_time_none_of_ours() -> None:
    row = log_row(rest())
    text = csv_of([row | {"Level": ""}], {"TimeGenerated": "TimeGenerated [Local Time]"})
    assert read(text)[1] == [("line 2", "missing_field")]
    assert read(text.replace(b"[Local Time]", b"[UTC]"))[0] == ["rest-1"]


def test_what_must_be_an_object_is_json_text() -> None:
    (piece,) = decode_pieces(csv_texts([csv_of([graph_row(state())])]), "f", settings())
    assert rows(piece) == rows(decode(graph_row(state())))


@pytest.mark.parametrize("text", [b"", b"\xef\xbb\xbf", HEADER, HEADER.strip(), b"\n\n" + HEADER + b"\r\n \n"])
def test_no_rows_give_nothing(text: Any) -> None:
    assert read(text) == ([], [])


def test_of_a_damaged_file_the_rows_before_the_damage_stay(tmp_path: Path) -> None:
    packed = gzip.compress(HEADER + b"".join(GOOD % (n, b"x" * (n % 97)) for n in range(20_000)))
    (tmp_path / "a.csv.gz").write_bytes(packed[: len(packed) // 2])
    (shard,) = plan_shards([str(tmp_path)]).shards
    found = list(read_shard(shard, settings()))
    assert sum(piece.events.num_rows for piece in found) > 1_000
    assert [r["location"] for piece in found for r in piece.rejects.to_pylist()] == ["file"]


def test_a_row_that_is_a_message_is_unwrapped() -> None:
    body = line(signal(event_id="m")).replace(b'"', b'""')
    assert read(b'id,body\n1,"' + body + b'"\n') == (["m"], [])
