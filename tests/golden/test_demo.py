"""The demo, from its native records to its tables and to what it shows; TRUEUP_UPDATE_GOLDEN=1 rewrites the expected rows."""

import csv
import io
import os
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.current import all_rows, current_rows
from runners.cli import run
from runners.demo_report import clock
from schemas.cell import VERSIONED
from transforms.core.availability import TIMES, availability, class_times, raw_availability, total_times

EXPECTED = Path(__file__).parent / "demo"
DAY = Path(__file__).parents[2] / "runners" / "demo_day"
PERSONAL = ("dana.example@example.com", "Dana Example", "203.0.113.77", "c44b0000-0000-4000-8000-00000000d370")
UNSTABLE = {"as_of", "policy", "arrived", "payload"}
"""Columns that differ from run to run, or with every change of the policy."""


class Shown(NamedTuple):
    """A demo that has run."""

    output: Path
    text: str


def show(output: Path) -> str:
    with redirect_stdout(io.StringIO()) as text:
        assert run(["demo", "--output", str(output)]) == 0
    return text.getvalue()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    output = tmp_path_factory.mktemp("demo") / "trueup-demo"
    return Shown(output, show(output))


def rows_of(output: Path, table: str) -> list[dict[str, str]]:
    found = all_rows(str(output), table) if table == "rejects" else current_rows(str(output), table)
    assert found is not None
    return [{name: text_of(value) for name, value in row.items() if name not in UNSTABLE} for row in found.to_pylist()]


def text_of(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(value).replace(str(DAY), "DAY").replace("\\", "/")


def as_csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: list(row.values())))
    return out.getvalue()


def contents(output: Path) -> dict[str, bytes]:
    tables = (*VERSIONED, "rejects")
    return {str(path): path.read_bytes() for name in tables for path in (output / name).rglob("*") if path.is_file()}


@pytest.mark.parametrize("table", ["availability", "attributions", "operations", "rejects"])
def test_tables_of_the_demo_are_the_expected_ones(shown: Shown, table: str) -> None:
    found, path = as_csv(rows_of(shown.output, table)), EXPECTED / f"{table}.csv"
    if os.environ.get("TRUEUP_UPDATE_GOLDEN"):
        path.write_text(found)
    assert found == path.read_text()


def test_every_verdict_is_to_be_seen(shown: Shown) -> None:
    verdicts = {row["verdict"] for row in rows_of(shown.output, "attributions")}
    assert verdicts == {"explained", "removed", "presumed_removed", "overrun", "unexcused", "fault", "unexplained"}


def test_a_second_demo_writes_nothing(shown: Shown) -> None:
    before = contents(shown.output)
    text = show(shown.output)
    assert contents(shown.output) == before
    assert "no cell was written" in text
    assert "no cell was written" not in shown.text


def test_no_personal_data_leaves_the_records(shown: Shown) -> None:
    records = "".join(path.read_text() for path in DAY.rglob("*") if path.is_file())
    assert all(word in records for word in PERSONAL)
    columns = "".join(str(pq.ParquetFile(path).read().to_pylist()) for path in shown.output.rglob("*.parquet"))
    raw = b"".join(path.read_bytes() for path in shown.output.rglob("*") if path.is_file())
    assert [word for word in PERSONAL if word in columns + shown.text or word.encode() in raw] == []


def test_availability_shown_is_the_ratio_of_sums(shown: Shown) -> None:
    series = current_rows(str(shown.output), "availability")
    assert series is not None
    total = total_times(class_times(series))
    corrected, raw = availability(total), raw_availability(total)
    assert corrected is not None
    assert raw is not None
    assert f"{100 * raw:.3f} %" in shown.text
    assert f"{100 * corrected:.3f} %" in shown.text
    assert corrected > raw


def test_every_reject_is_shown_with_its_reason(shown: Shown) -> None:
    assert "Rejected: eventgrid/cloudevents.jsonl, line 31: not_json: " in shown.text


def test_lines_fit_a_terminal(shown: Shown) -> None:
    free = ("Rejected:", "The records they were made of:", "The tables are Parquet, below")
    assert [line for line in shown.text.splitlines() if len(line.rstrip()) > 80 and not line.startswith(free)] == []


def test_a_folder_with_other_scale_sets_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "revisions" / "day=2026-01-01").mkdir(parents=True)
    pq.write_table(pa.table({"scale_set_id": ["/subscriptions/s/real"]}), tmp_path / "revisions/day=2026-01-01/x.parquet")
    assert run(["demo", "--output", str(tmp_path)]) == 1
    assert "an empty folder, or that of an earlier demo, is required" in capsys.readouterr().err


def test_availability_of_a_group_is_no_mean_of_ratios() -> None:
    zeros = dict.fromkeys(TIMES, 0)
    day = {**zeros, "scale_set_id": "a", "start": 0, "end": 100, "up": 1, "raw_available": 1}
    hour = {**zeros, "scale_set_id": "b", "start": 0, "end": 10, "overrun": 1, "excused": 5, "raw_unavailable": 6}
    total = total_times(class_times(pa.Table.from_pylist([day, hour])))
    assert availability(total) == 100 / 110
    assert raw_availability(total) == 100 / 160


def test_availability_of_nothing_is_none() -> None:
    assert availability(dict.fromkeys(TIMES, 0) | {"excused": 5, "removed": 5, "unknown": 5}) is None


def test_clock_is_cut_to_the_second() -> None:
    assert [clock(micros) for micros in (0, 999_999, 1_000_000, 90_061_000_000)] == ["0:00:00", "0:00:00", "0:00:01", "25:01:01"]
