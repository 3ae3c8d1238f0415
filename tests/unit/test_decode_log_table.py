"""Log Analytics in Parquet says what its JSON lines say; hostile Parquet and Avro cost rows (contract: Input)."""

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fixtures.decoding import SETTINGS, decode, rows, settings
from tests.fixtures.forms import avro_of, csv_of, log_row, parquet_of, texts
from tests.fixtures.native import AT_MICROS, SET, autoscale, health_record, line, rest, status_event
from transforms.core.decode import Counts, decode_log_table
from transforms.files.shards import plan_shards, read_shard

ROWS = [
    log_row(rest()),
    log_row(health_record("Degraded", "VirtualMachinePreempted")),
    log_row(autoscale()),
    log_row(rest(claims={"aud": "x"}, caller=...)),
]


def batch(*found: Any, **columns: Any) -> pa.RecordBatch:
    plain = [texts(row) for row in found]
    names = list(dict.fromkeys(name for row in plain for name in row))
    arrays = {name: pa.array([row.get(name) for row in plain], pa.string()) for name in names}
    return pa.RecordBatch.from_pydict(arrays | columns)


def test_rows_say_what_lines_say() -> None:
    table, lines = decode_log_table(batch(*ROWS), "f", 1, SETTINGS), decode(*map(texts, ROWS))
    assert rows(table) == rows(lines) == rows(decode(*ROWS))
    assert table.counts == lines.counts


@pytest.mark.parametrize("type", [pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
@pytest.mark.parametrize("column", ["OperationNameValue", "Properties_d", "TimeGenerated", "Claims_d"])
def test_columns_may_be_of_related_types(column: str, type: Any) -> None:
    found = batch(*ROWS)
    at = found.schema.get_field_index(column)
    other = found.set_column(at, pa.field(column, type), found.column(at).cast(type))
    assert rows(decode_log_table(other, "f", 1, SETTINGS)) == rows(decode_log_table(found, "f", 1, SETTINGS))


@pytest.mark.parametrize("unit", ["us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_times_may_be_timestamps(unit: str, zone: str | None) -> None:
    moment = AT_MICROS * (1000 if unit == "ns" else 1)
    decoded = decode_log_table(batch(ROWS[0], TimeGenerated=pa.array([moment], pa.timestamp(unit, zone))), "f", 1, SETTINGS)
    assert decoded.counts.latest == AT_MICROS


def test_properties_may_be_a_structure() -> None:
    told = pa.array([{"requestbody": '{"instanceIds": ["3"]}'}, None])
    row = log_row(rest("Microsoft.Compute/virtualMachineScaleSets/restart/action"))
    decoded = decode_log_table(batch(row, row, Properties_d=told), "f", 1, SETTINGS)
    assert sorted(event.get("instance_ids", []) for event in rows(decoded)) == [[], ["3"]]


def test_a_column_that_is_spelt_loosely_counts() -> None:
    row = log_row(rest())
    assert rows(decode_log_table(batch({**row, "CORRELATIONID": row.pop("CorrelationId")}), "f", 1, SETTINGS)) == rows(
        decode(rest())
    )


def test_a_bad_row_costs_itself_and_says_where_it_stands() -> None:
    found = [
        ROWS[0],
        ROWS[0] | {"ActivityStatusValue": "x"},
        ROWS[0] | {"TimeGenerated": None},
        ROWS[0] | {"Level": "x" * (1 << 20)},
        ROWS[0] | {"OperationNameValue": ""},
        ROWS[0] | {"Properties_d": "******"},
    ]
    decoded = decode_log_table(batch(*found), "f", 11, SETTINGS)
    assert sorted((r["location"], r["reason"]) for r in decoded.rejects.to_pylist()) == [
        ("row 12", "bad_value"),
        ("row 13", "missing_field"),
        ("row 14", "too_large"),
    ]
    assert decoded.counts.decoded.total() == 2
    assert decoded.counts.ignored.total() == 1


def test_a_wanted_format_is_taken_for_every_row() -> None:
    assert rows(decode_log_table(batch(ROWS[0]), "f", 1, settings(format="activitylog"))) == rows(decode(ROWS[0]))
    assert decode_log_table(batch(ROWS[0]), "f", 1, settings(format="canonical")).counts.ignored == {"kind:none": 1}


@pytest.mark.parametrize("name", ["a.parquet", "a.avro"])
def test_a_foreign_file_costs_one_row(name: str, tmp_path: Path) -> None:
    if name.endswith("avro"):
        (tmp_path / name).write_bytes(avro_of(b"x").replace(b"Body", b"Bady"))
    else:
        pq.write_table(pa.table({"x": [1, 2], "state": ["Up", "Down"]}), tmp_path / name)
    assert read(tmp_path) == (0, [("file", "not_json")])


@pytest.mark.parametrize("column", ["kind", "event_id", "scale_set_id", "instance_id", "time", "state"])
@pytest.mark.parametrize("values", [None, [1, 2], [["x"], []], [{"a": 1}, None], [b"a", b"b"], [None, None]], ids=str)
def test_a_column_that_lacks_or_is_of_another_type_costs_rows_and_not_the_run(column: str, values: Any, tmp_path: Path) -> None:
    good = {"kind": "signal", "scale_set_id": "a", "instance_id": "1", "time": "2026-01-01T00:00:00Z", "state": "Degraded"}
    columns = {"event_id": ["1", "2"], **{name: [value] * 2 for name, value in good.items()}}
    assert read_columns(columns, tmp_path / "good") == (2, [])
    changed = {name: each for name, each in {**columns, column: values}.items() if each is not None}
    used, rejects = read_columns(changed, tmp_path / "changed")
    assert used <= 2
    assert len(rejects) <= 2


def read_columns(columns: dict[str, list[Any]], folder: Path) -> tuple[int, list[tuple[str, str]]]:
    folder.mkdir()
    pq.write_table(pa.table(columns), folder / "a.parquet")
    return read(folder)


def read(path: Path, check: bool = True) -> tuple[Any, Any]:
    """How many events, and rejects as (location, reason)."""
    events, rejects, counts = 0, [], Counts()
    for shard in plan_shards([str(path)]).shards:
        for piece in read_shard(shard, SETTINGS):
            events += piece.events.num_rows
            rejects += [(r["location"], r["reason"]) for r in piece.rejects.to_pylist()]
            counts += piece.counts
    assert counts.records == counts.decoded.total() + counts.ignored.total() + len(rejects)
    return events, rejects


WHOLE = {
    "a.avro": avro_of(*[line(status_event(id=f"{n}")) for n in range(50)]),
    "a.parquet": parquet_of(ROWS * 10),
    "a.csv": csv_of(ROWS * 10),
    "a.json": line({"value": [rest()] * 5, "tables": [{"columns": [{"name": "x"}], "rows": [["y"]]}]}),
}


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("name", WHOLE)
def test_hostile_files_raise_nothing_and_cost_rows(name: Any, seed: int, tmp_path: Path) -> None:
    draw, text = random.Random(seed), bytearray(WHOLE[name])
    for _ in range(draw.randrange(1, 6)):
        at = draw.randrange(len(text))
        text[at : at + draw.randrange(4)] = draw.choice(
            [b"", b"\x00", b"\xff" * 5, b'"', b"\n", b"{", b"]", bytes([draw.randrange(256)])]
        )
    if seed % 3 == 0:
        del text[draw.randrange(1, len(text)) :]
    (tmp_path / name).write_bytes(text)
    read(tmp_path)


@pytest.mark.parametrize("name", ["a.avro", "a.parquet"])
def test_what_was_read_before_the_damage_stays_and_one_row_tells_of_it(name: str, tmp_path: Path) -> None:
    whole = WHOLE[name]
    (tmp_path / name).write_bytes(whole[: len(whole) * 2 // 3])
    assert read(tmp_path)[1] == [("file", "not_json")]


def test_a_resource_of_another_kind_is_ignored_in_parquet_too() -> None:
    decoded = decode_log_table(batch(ROWS[0] | {"_ResourceId": SET + "/extensions/x"}), "f", 1, SETTINGS)
    assert decoded.counts.ignored == {"other_resource": 1}
