"""Event files: which are read, in which parts, and what damage costs (contract: Files, Texts, Table files)."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.event import CANONICAL
from tests.fixtures.decoding import SETTINGS, rows
from tests.fixtures.native import AT_MICROS, line, signal
from transforms.core.decode import Counts, blocks
from transforms.files import shards as files
from transforms.files import tables
from transforms.files.shards import InputError, plan_shards, read_shard


def _lines(count: int, start: int = 0) -> bytes:
    return b"".join(line(signal(event_id=f"s-{number}")) + b"\n" for number in range(start, start + count))


def _read(*patterns: Any) -> tuple[list[str], list[Any]]:
    """Event ids, rejects as (location, reason), and counts of all that the patterns match."""
    ids, rejects, counts = [], [], Counts()
    for shard in plan_shards([str(pattern) for pattern in patterns]).shards:
        for piece in read_shard(shard, SETTINGS):
            ids += [row["event_id"] for row in rows(piece)]
            rejects += [(row["location"], row["reason"]) for row in piece.rejects.to_pylist()]
            counts += piece.counts
    assert counts.records == len(ids) + len(rejects) + counts.ignored.total()
    return ids, rejects


def _ids(*numbers: int) -> list[str]:
    return [f"s-{number}" for number in numbers]


def _zst(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.NDJSON", "a.jsonl.gz", "A.JSON.GZ", "a.ndjson.zst"])
def test_a_file_is_read_by_its_ending(tmp_path: Path, name: str) -> None:
    packed = gzip.compress if name.lower().endswith("gz") else _zst if name.endswith("zst") else bytes
    (tmp_path / name).write_bytes(packed(_lines(3)))
    assert _read(tmp_path / name) == (_ids(0, 1, 2), [])


def test_a_directory_stands_for_all_below_it_and_a_file_counts_once(tmp_path: Path) -> None:
    (tmp_path / "x" / "day=1").mkdir(parents=True)
    (tmp_path / "x" / "a.jsonl").write_bytes(_lines(1))
    (tmp_path / "x" / "day=1" / "b.json").write_bytes(_lines(1, 1))
    (tmp_path / "x" / "notes.txt").write_bytes(b"no events")
    for patterns in (["x"], ["x/"], ["x/**"], ["x/*"], ["x", "x/a.jsonl", "x"], ["*"]):
        plan = plan_shards([str(tmp_path / pattern) for pattern in patterns])
        assert (plan.files, plan.skipped) == (2, 1)
        assert plan.bytes == 2 * len(_lines(1))
        assert sorted(_read(*(tmp_path / pattern for pattern in patterns))[0]) == _ids(0, 1)


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("", "an input must be a path or a pattern, got an empty one"),
        ("nothing/*.jsonl", "got none"),
        ("only", "got only 1 of other names"),
        ("empty", "got none"),
    ],
)
def test_a_pattern_without_event_files_is_one_sentence(tmp_path: Path, pattern: str, sentence: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "notes.txt").write_bytes(b"")
    with pytest.raises(InputError) as found:
        plan_shards([str(tmp_path / pattern) if pattern else ""])
    assert str(found.value).endswith(sentence)


def test_a_file_that_vanishes_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(_lines(1))
    (shard,) = plan_shards([str(tmp_path)]).shards
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(InputError, match=r"a\.jsonl: the input cannot be read"):
        list(read_shard(shard, SETTINGS))


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert plan_shards([str(tmp_path)]).shards == ()


@pytest.mark.parametrize("size", [1, 7, 150, 151, 400, 5000])
@pytest.mark.parametrize("block", [1, 64, 1 << 20])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_a_large_file_is_read_in_ranges_that_share_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, block: Any, end: bytes
) -> None:
    monkeypatch.setattr(files, "SHARD", size)
    (tmp_path / "a.jsonl").write_bytes(_lines(4) + b"\n" + _lines(2, 4) + b"{\r\n" + _lines(1, 6).strip() + end)
    monkeypatch.setattr(files, "_BLOCK", 1 << 20)
    plan = plan_shards([str(tmp_path)])
    monkeypatch.setattr(files, "_BLOCK", block)
    found = [piece for shard in plan.shards for piece in read_shard(shard, SETTINGS)]
    assert [row["event_id"] for piece in found for row in rows(piece)] == _ids(*range(7))
    assert [row["location"] for piece in found for row in piece.rejects.to_pylist()] == ["line 8"]


def test_pieces_are_bounded_and_lines_keep_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "PIECE", 1000)
    monkeypatch.setattr(files, "_BLOCK", 500)
    (tmp_path / "a.jsonl").write_bytes(_lines(50) + b"{\n" + _lines(10, 50))
    (shard,) = plan_shards([str(tmp_path)]).shards
    assert len(list(read_shard(shard, SETTINGS))) > 10
    assert _read(tmp_path) == (_ids(*range(60)), [("line 51", "not_json")])


def test_a_value_may_be_indented_over_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BLOCK", 10)
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps({"value": [signal(event_id="s-0"), 5]}, indent=2).encode())
    assert _read(tmp_path) == (_ids(0), [("record 2", "not_json")])


def test_a_line_of_100_mb_costs_one_row_and_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(_lines(1) + b'{"a": "')
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n' + _lines(1, 1))
    tracemalloc.start()
    try:
        assert _read(tmp_path) == (_ids(0, 1), [("line 2", "too_large")])
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text", [b'{"a": "' + b"x" * (3 << 20), b"x" * (3 << 20), b"\x00" * (3 << 20)], ids=["object", "text", "nul"]
)
def test_a_file_of_one_long_line_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: Any) -> None:
    monkeypatch.setattr(files, "_BLOCK", 1 << 18)
    (tmp_path / "a.json").write_bytes(text)
    assert _read(tmp_path) == ([], [("line 1", "too_large")])


@pytest.mark.parametrize("head", [b'{"value": [', b'{"nextLink": "x", "records" : [', b"["])
def test_an_envelope_or_array_on_one_long_line_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(files, "_BLOCK", 1 << 18)
    records = [line(signal(event_id=f"s-{number}", pad="x" * 500_000)) for number in range(6)]
    (tmp_path / "a.json").write_bytes(head + b",".join(records) + (b"]" if head == b"[" else b"]}"))
    assert _read(tmp_path) == (_ids(*range(6)), [])


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
@pytest.mark.parametrize("value", [False, True], ids=["lines", "value"])
def test_a_damaged_file_costs_one_row_and_of_lines_what_was_read_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: bool
) -> None:
    monkeypatch.setattr(files, "_STEP", 256)
    text = b"[" + _lines(3000).replace(b"\n", b", ").removesuffix(b", ") + b"]" if value else _lines(3000)
    packed = gzip.compress(text) if name.endswith("gz") else _zst(text)
    (tmp_path / name).write_bytes(packed[: len(packed) * 2 // 3])
    ids, rejects = _read(tmp_path)
    assert rejects == [("file", "not_json")]
    assert ids == ([] if value else _ids(*range(len(ids))))
    assert value or name.endswith("zst") or 0 < len(ids) < 3000


def test_lines_of_a_small_file_stay_up_to_near_the_damage(tmp_path: Path) -> None:
    packed = gzip.compress(_lines(3_000))
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    ids, rejects = _read(tmp_path)
    assert rejects == [("file", "not_json")]
    assert len(ids) > 1_000


def test_what_is_no_compressed_file_costs_one_row(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.zst"):
        (tmp_path / name).write_bytes(_lines(1))
    assert _read(tmp_path) == ([], [("file", "not_json")] * 2)


def test_members_of_a_compressed_file_follow_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(_lines(2)) + gzip.compress(_lines(1, 2)))
    (tmp_path / "b.jsonl.zst").write_bytes(_zst(_lines(1, 3)) + _zst(_lines(1, 4)))
    assert _read(tmp_path) == (_ids(0, 1, 2, 3, 4), [])


def _parquet(path: Path, count: int, group: int) -> None:
    events = [signal(event_id=f"s-{number}", state="x" if number == count - 1 else "Available") for number in range(count)]
    columns = {
        field.name: pa.array([event.get(field.name) for event in events], field.type)
        for field in CANONICAL
        if field.name != "time"
    }
    columns |= {"time": pa.array([AT_MICROS] * count, pa.timestamp("us", "UTC")), "more": pa.array(range(count))}
    pq.write_table(pa.table(columns), path, row_group_size=group)


@pytest.mark.parametrize("shard", [1, 1 << 30], ids=["each_group_alone", "all_together"])
def test_parquet_is_read_by_row_groups_and_rows_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard: Any
) -> None:
    monkeypatch.setattr(files, "TABLE_SHARD", shard)
    monkeypatch.setitem(tables._ROWS, "parquet", 3)
    _parquet(tmp_path / "a.parquet", 20, 7)
    assert len(plan_shards([str(tmp_path)]).shards) == (3 if shard == 1 else 1)
    assert _read(tmp_path) == (_ids(*range(19)), [("row 20", "bad_value")])


def test_what_is_no_parquet_costs_one_row(tmp_path: Path) -> None:
    _parquet(tmp_path / "a.parquet", 20, 7)
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(b"garbage")
    (tmp_path / "b.parquet").write_bytes(whole[:-100])
    (tmp_path / "c.parquet").write_bytes(b"PAR1" + b"\xff" * 600 + whole[604:])
    ids, rejects = _read(tmp_path)
    assert ids == []
    assert rejects == [("file", "not_json")] * 3
