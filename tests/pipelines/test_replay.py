"""Files in the order in which their records would have arrived, and when each is due."""

import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.failures import UsageError
from pipelines.replay.cursor import Cursor
from pipelines.replay.publish import Pace, attributes_of, paced
from pipelines.replay.replay import Outgoing, replayed
from schemas.event import CANONICAL
from schemas.time import format_time
from schemas.timestamp import parse_time
from tests.fixtures.forms import avro_of, csv_of, log_row, packed, parquet_of
from tests.fixtures.native import AT_MICROS, SET_ID, line, rest
from transforms.core.decode.outline import UNKNOWN, Outline, outline_of
from transforms.files.shards import plan_shards


def record(seconds: float, event_id: str = "e") -> dict[str, Any]:
    moment = format_time(1_700_000_000_000_000 + int(seconds * 1e6))
    return {"kind": "signal", "event_id": event_id, "scale_set_id": "a", "time": moment, "state": "Available"}


def lines(path: Path, *seconds: float) -> None:
    path.write_text("".join(json.dumps(record(moment, f"{path.stem}{moment}")) + "\n" for moment in seconds))


def order(folder: Path, behind: dict[str, int] | None = None) -> list[str]:
    records = replayed(plan_shards([str(folder)]).shards, behind or {})
    return [json.loads(one.text)["event_id"] for one in records]


def test_records_of_one_file_stay_in_their_order(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", 3, 1, 2)
    assert order(tmp_path) == ["a3", "a1", "a2"]


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", 1, 4, 6)
    lines(tmp_path / "b.jsonl", 2, 3, 5)
    assert order(tmp_path) == ["a1", "b2", "b3", "a4", "b5", "a6"]


def test_a_record_that_arrived_late_stays_behind_those_that_came_before_it(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", 4, 1, 6)
    lines(tmp_path / "b.jsonl", 2, 3, 5)
    assert order(tmp_path) == ["b2", "b3", "a4", "a1", "b5", "a6"]


def test_what_is_behind_is_left_out(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", 1, 4, 6)
    lines(tmp_path / "b.jsonl", 2, 3, 5)
    behind = {str(tmp_path / "a.jsonl"): 2, str(tmp_path / "b.jsonl"): 3}
    assert order(tmp_path, behind) == ["a6"]


@pytest.mark.parametrize(
    "text",
    [
        '[{"event_id": "1"}, {"event_id": "2"}]',
        '{"records": [{"event_id": "1"},\n {"event_id": "2"}]}',
        '{"event_id": "1"}\n\n{"event_id": "2"}',
    ],
    ids=["array", "envelope", "lines"],
)
def test_each_record_of_a_file_is_one_as_it_stands(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    found = replayed(plan_shards([str(tmp_path)]).shards, {})
    assert [(one.number, one.text) for one in found] == [(1, b'{"event_id": "1"}'), (2, b'{"event_id": "2"}')]


def test_what_is_broken_is_sent_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"event_id": "1"}, {"event_id":')
    found = [one.text for one in replayed(plan_shards([str(tmp_path)]).shards, {})]
    assert found == [b'{"event_id": "1"}', b'{"event_id":']


def test_records_are_sent_out_of_whatever_holds_them(tmp_path: Path) -> None:
    row = log_row(rest())
    (tmp_path / "a.csv").write_bytes(csv_of([row]))
    (tmp_path / "b.parquet").write_bytes(parquet_of([row]))
    (tmp_path / "c.avro").write_bytes(avro_of(line([rest()]), b"", None))
    (tmp_path / "d.jsonl").write_text(packed(rest()) + "\n")
    found = list(replayed(plan_shards([str(tmp_path)]).shards, {}))
    assert {one.outline for one in found} == {Outline("activitylog", AT_MICROS, SET_ID)}
    assert (
        sorted(json.loads(one.text).get("eventDataId") or json.loads(one.text)["EventDataId"] for one in found) == ["rest-1"] * 4
    )


def test_rows_of_parquet_become_canonical_json(tmp_path: Path) -> None:
    row = {**record(0), "time": 1_700_000_000_000_000}
    table = pa.Table.from_pylist([{**row, "count": None}], CANONICAL.set(4, pa.field("time", pa.int64())))
    pq.write_table(table.set_column(4, "time", table["time"].cast(CANONICAL.field("time").type)), tmp_path / "a.parquet")
    assert [json.loads(one.text) for one in replayed(plan_shards([str(tmp_path)]).shards, {})] == [record(0)]


def outgoing(*seconds: float | None) -> list[Outgoing]:
    moments = [None if moment is None else int(moment * 1e6) for moment in seconds]
    return [Outgoing("f", number, b"x", Outline(None, moment, None)) for number, moment in enumerate(moments, 1)]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def sent(speed: float, *seconds: float | None) -> list[tuple[float, list[int]]]:
    """When each chunk was sent, in seconds after the beginning, and the numbers of its records."""
    clock = Clock()
    chunks = paced(outgoing(*seconds), Pace(speed, clock), clock.sleep)
    return [(round(clock.now - 100, 3), [record.number for record in chunk]) for chunk in chunks]


def test_without_a_speed_all_is_sent_at_once() -> None:
    assert sent(0, 0, 1000, 2000) == [(0, [1, 2, 3])]


def test_records_are_sent_at_a_multiple_of_real_time() -> None:
    assert sent(2, 0, 10, 30) == [(0, [1]), (5, [2]), (15, [3])]


def test_an_earlier_event_and_one_without_a_time_are_sent_with_the_one_before() -> None:
    assert sent(1, 0, 10, 5, None, 20) == [(0, [1]), (10, [2, 3, 4]), (20, [5])]


def test_what_is_due_almost_together_is_sent_together() -> None:
    assert sent(1, 0, 0.05, 0.051) == [(0, [1, 2]), (0.051, [3])]


def test_a_chunk_is_bounded() -> None:
    assert [len(numbers) for _, numbers in sent(0, *range(12_000))] == [5000, 5000, 2000]


def test_a_cursor_is_found_again(tmp_path: Path) -> None:
    path = str(tmp_path / "cursor.json")
    cursor = Cursor(path, "projects/p/topics/t")
    cursor.note(outgoing(0, 1, 2))
    cursor.write()
    assert dict(Cursor(path, "projects/p/topics/t").files) == {"f": 3}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{", "left is required"), ('{"published": 5}', "left is required"), ('{"topic": "u", "published": {}}', "got one to u")],
)
def test_a_cursor_of_something_else_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "cursor.json").write_text(text)
    with pytest.raises(UsageError, match=sentence):
        Cursor(str(tmp_path / "cursor.json"), "t")


def test_copies_of_a_text_have_one_id_and_each_message_tells_a_time() -> None:
    told, other = (json.dumps(record(0, name)).encode() for name in "ab")
    first, copy, second = (attributes_of(Outgoing("x", 1, text, outline_of(text))) for text in (told, told, other))
    assert first["id"] == copy["id"] != second["id"]
    assert parse_time(first["time"]) == 1_700_000_000_000_000
    began = time.time_ns() // 1000
    assert began <= parse_time(attributes_of(Outgoing("x", 1, b"{broken", UNKNOWN))["time"]) <= time.time_ns() // 1000
