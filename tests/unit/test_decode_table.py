"""Canonical rows of Parquet say what canonical JSON says (contract: Canonical fields)."""

from typing import Any

import pyarrow as pa
import pytest

from schemas.event import CANONICAL, TIMESTAMP
from tests.fixtures.decoding import SETTINGS, decode, rows
from tests.fixtures.native import AT_MICROS, fault, operation, signal
from transforms.core.decode import DecodeResult, decode_table

EVENTS = [
    signal(),
    signal(instance_id=None, event_id="s-2"),
    fault(),
    operation(),
    operation(target="all", instance_ids=None, count=3, event_id="o-2"),
    signal(scale_set_id="Straße", instance_id="", event_id="s-3"),
    operation(instance_ids=["B", "a", "b", ""], event_id="o-3"),
    operation(instance_ids=["ß", "a"], event_id="o-4"),
]


def _table(*events: dict[str, Any], **columns: pa.Array) -> pa.RecordBatch:
    found = [{**event, "time": AT_MICROS} for event in events]
    arrays = {
        field.name: pa.array([event.get(field.name) for event in found], pa.int64() if field.name == "time" else field.type).cast(
            field.type
        )
        for field in CANONICAL
    }
    return pa.RecordBatch.from_pydict(arrays | columns)


def _decode(batch: pa.RecordBatch) -> DecodeResult:
    return decode_table(batch, "file", 1, SETTINGS)


def test_rows_say_what_lines_say() -> None:
    table, lines = _decode(_table(*EVENTS)), decode(*EVENTS)
    assert rows(table) == rows(lines)
    assert table.counts == lines.counts
    assert table.rejects.num_rows == 0


@pytest.mark.parametrize(
    ("column", "type"),
    [
        ("scale_set_id", pa.dictionary(pa.int32(), pa.string())),
        *(
            (name, pa.dictionary(pa.int32(), pa.string()))
            for name in ("kind", "event_id", "instance_id", "operation_key", "verb")
        ),
        ("kind", pa.dictionary(pa.int8(), pa.string())),
        ("event_id", pa.large_string()),
        ("state", pa.binary()),
        ("instance_ids", pa.large_list(pa.string())),
        ("count", pa.int8()),
        ("count", pa.float64()),
        ("count", pa.string()),
        ("time", pa.timestamp("ms", "UTC")),
        ("time", pa.timestamp("ns")),
        ("time", pa.timestamp("us", "Europe/Berlin")),
    ],
)
def test_columns_may_be_of_related_types(column: str, type: Any) -> None:
    batch = _table(*EVENTS)
    at = batch.schema.get_field_index(column)
    other = batch.set_column(at, pa.field(column, type), batch.column(at).cast(type, safe=False))
    expected = [row | {"time": row["time"].replace(microsecond=123000)} for row in rows(_decode(batch))]
    found = rows(_decode(other))
    assert found == (expected if type == pa.timestamp("ms", "UTC") else rows(_decode(batch)))


def test_nanoseconds_are_cut() -> None:
    batch = _table(signal(), time=pa.array([AT_MICROS * 1000 + 999], pa.timestamp("ns", "UTC")))
    assert _decode(batch).counts.latest == AT_MICROS


def test_times_may_be_texts() -> None:
    batch = _table(signal(), signal(), time=pa.array(["2026-10-01 09:00:10.123456", "soon"]))
    decoded = _decode(batch)
    assert (decoded.counts.latest, decoded.rejects["reason"].to_pylist()) == (AT_MICROS, ["bad_time"])


def test_missing_columns_are_null() -> None:
    batch = _table(signal()).select(["time", "state", "scale_set_id", "event_id", "kind"])
    assert rows(_decode(batch)) == rows(decode(signal(instance_id=None)))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (signal(state="x"), "bad_value"),
        (signal(event_id=None), "missing_field"),
        (signal(scale_set_id=""), "missing_field"),
        (operation(verb="x"), "bad_value"),
        (operation(count=-1), "bad_value"),
        (operation(instance_ids=[None]), "missing_field"),
        (fault(annotation=None), "missing_field"),
    ],
)
def test_a_bad_row_is_rejected_as_its_line_would_be_and_says_where_it_stands(event: Any, reason: str) -> None:
    decoded = decode_table(_table(signal(), event), "file", 11, SETTINGS)
    (reject,) = decoded.rejects.to_pylist()
    (line,) = decode(event).rejects.to_pylist()
    assert (reject["location"], reject["reason"], reject["detail"]) == ("row 12", reason, line["detail"])
    assert decoded.events.num_rows == 1


@pytest.mark.parametrize("time", [0, -(2**62), 2**62, None])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_an_impossible_time_is_rejected_whatever_its_unit(time: Any, unit: str) -> None:
    decoded = _decode(_table(signal(), time=pa.array([time], pa.timestamp(unit, "UTC"))))
    assert decoded.rejects["reason"].to_pylist() == ["missing_field" if time is None else "bad_time"]


@pytest.mark.parametrize("kind", ["other", None])
def test_a_row_of_no_kind_is_ignored(kind: str | None) -> None:
    assert _decode(_table(signal(kind=kind))).counts.ignored == {"no_format": 1}


def test_a_table_without_known_columns_is_ignored_row_by_row() -> None:
    assert _decode(pa.RecordBatch.from_pydict({"x": [1, 2]})).counts.ignored == {"no_format": 2}


def test_the_time_column_of_the_schema_is_in_microseconds() -> None:
    assert CANONICAL.field("time").type == TIMESTAMP
