"""A day made by hand, from its native records to its tables; TRUEUP_UPDATE_GOLDEN=1 rewrites the expected rows."""

import csv
import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from schemas.tables.attribution import VERDICTS
from schemas.tables.by_name import TABLES
from tests.support.files import current_rows, trueup
from tests.support.files import table as all_rows

EXPECTED = Path(__file__).parent / "tables"
DAY = Path(__file__).parent / "day"
PERSONAL = ("dana.example@example.com", "Dana Example", "203.0.113.77", "c44b0000-0000-4000-8000-00000000d370")
UNSTABLE = {"as_of", "policy", "arrived", "payload"}
"""Columns that differ from run to run, or with every change of the policy."""


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day") / "record"
    assert backfilled(folder)["cells"]["written"] == 96
    return folder


def backfilled(folder: Path) -> dict[str, Any]:
    day = ("--since", "2026-06-10T00:00:00Z", "--until", "2026-06-11T00:00:00Z", "--json")
    done = trueup("backfill", "--input", DAY / "events", "--inventory", DAY / "inventory.csv", "--output", folder, *day)
    assert done.status == 0, done.err
    return done.json


def rows_of(output: Path, table: str) -> list[dict[str, str]]:
    found = all_rows(output, "rejects") if table == "rejects" else current_rows(output, table)
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
    tables = TABLES
    return {str(path): path.read_bytes() for name in tables for path in (output / name).rglob("*") if path.is_file()}


@pytest.mark.parametrize("table", ["availability", "attributions", "operations", "rejects"])
def test_tables_of_the_day_are_the_expected_ones(output: Path, table: str) -> None:
    found, path = as_csv(rows_of(output, table)), EXPECTED / f"{table}.csv"
    if os.environ.get("TRUEUP_UPDATE_GOLDEN"):
        path.write_text(found)
    assert found == path.read_text()


def test_every_verdict_is_among_them(output: Path) -> None:
    assert {row["verdict"] for row in rows_of(output, "attributions")} == set(VERDICTS)


def test_a_second_run_writes_nothing(output: Path) -> None:
    before = contents(output)
    assert backfilled(output)["cells"]["written"] == 0
    assert contents(output) == before


def test_no_personal_data_leaves_the_records(output: Path) -> None:
    records = "".join(path.read_text() for path in DAY.rglob("*") if path.is_file())
    assert all(word in records for word in PERSONAL)
    columns = "".join(str(pq.ParquetFile(path).read().to_pylist()) for path in output.rglob("*.parquet"))
    raw = b"".join(path.read_bytes() for path in output.rglob("*") if path.is_file())
    printed = trueup("report", "--data", output).out + trueup("explain", "--data", output, "--scale-set", "web").out
    assert [word for word in PERSONAL if word in columns + printed or word.encode() in raw] == []
