"""The SQL that ships with the program gives what `pipelines.current` and plain computations give (contract.md "Current rows")."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import sqlglot

from pipelines.current import all_rows, current_rows
from pipelines.views.statements import DIALECTS, OTHERS, ROWS, queries, setup
from tests.support.files import trueup

WHEN = "2999-01-01 00:00:00"
UP, BAD = ("up",), ("degraded", "unavailable", "overrun")
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's tables; one set's first cell published anew without instances, copies, and what a killed run left."""
    root = tmp_path_factory.mktemp("views") / "it's a record"
    assert trueup("demo", "--output", root).status == 0
    revisions = all_rows(str(root), "revisions")
    assert revisions is not None
    first = revisions.slice(0, 1)
    later = _later(first)
    pq.write_table(later, next(root.glob("revisions/day=*")) / "later.parquet")
    rows = all_rows(str(root), "availability")
    assert rows is not None
    file = next(root.glob("availability/day=*/*.parquet"))
    cell = pc.and_(pc.equal(rows["cell"], first["cell"][0]), pc.equal(rows["scale_set_id"], first["scale_set_id"][0]))
    pq.write_table(_later(rows.filter(cell)).slice(0, 1), file.with_name("later.parquet"))
    pq.write_table(_later(_later(rows)), file.with_name("killed.parquet"))
    for table in ("availability", "attributions", "operations"):
        for path in sorted(root.glob(f"{table}/day=*/*.parquet")):
            shutil.copy(path, path.with_name(f"copy-{path.name}"))
    return root


def _later(rows: pa.Table) -> pa.Table:
    moved = pc.add(rows["as_of"], pa.scalar(timedelta(seconds=1), pa.duration("us")))
    return rows.set_column(rows.schema.get_field_index("as_of"), "as_of", moved)


def empty_tables(root: Path) -> frozenset[str]:
    return frozenset(table for table in {**ROWS, **OTHERS} if not list(root.glob(f"{table}/day=*/*.parquet")))


@pytest.fixture
def database(record: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for statement in setup("duckdb", str(record), WHEN, empty_tables(record)):
            connection.execute(statement)
        yield connection


@pytest.mark.parametrize("table", ROWS)
def test_a_view_holds_the_current_rows(database: duckdb.DuckDBPyConnection, record: Path, table: str) -> None:
    expected = current_rows(str(record), table)
    assert expected is not None
    assert len(expected) > 0
    names = ", ".join(f'"{name}"' for name in expected.schema.names)
    found = database.execute(f"SELECT {names} FROM {table}").fetchall()
    assert sorted(_plain(row) for row in found) == sorted(_plain(tuple(row.values())) for row in expected.to_pylist())


def test_as_of_the_first_publication_the_later_version_does_not_count(record: Path) -> None:
    revisions = all_rows(str(record), "revisions")
    assert revisions is not None
    first = pc.min(revisions["as_of"]).as_py()
    with duckdb.connect() as connection:
        for statement in setup("duckdb", str(record), f"{first:%Y-%m-%d %H:%M:%S.%f}", empty_tables(record)):
            connection.execute(statement)
        before = connection.execute("SELECT MAX(as_of) FROM availability_as_of").fetchone()
        now = connection.execute("SELECT MAX(as_of) FROM availability").fetchone()
    assert before is not None
    assert now is not None
    assert before[0] == first
    assert now[0] == first + timedelta(seconds=1)


def run_query(database: duckdb.DuckDBPyConnection, name: str) -> Rows:
    return database.execute(dict(queries("duckdb"))[name]).fetchall()


def test_availability_by_set_is_the_ratio_of_sums(database: duckdb.DuckDBPyConnection, record: Path) -> None:
    rows = current_rows(str(record), "availability")
    assert rows is not None
    sums: dict[str, list[float]] = {}
    for row in rows.to_pylist():
        seconds = (row["end"] - row["start"]) / timedelta(seconds=1)
        up, bad = sum(row[name] for name in UP), sum(row[name] for name in BAD)
        held = sums.setdefault(row["scale_set_id"], [0.0, 0.0])
        held[0] += up * seconds
        held[1] += (up + bad) * seconds
    found = {(row[0], row[1]): row[3] for row in run_query(database, "01_availability_by_set_and_month")}
    assert found == {(name, "2026-06"): pytest.approx(up / all_) for name, (up, all_) in sums.items() if all_}


def test_unexplained_episodes_come_longest_first(database: duckdb.DuckDBPyConnection, record: Path) -> None:
    rows = current_rows(str(record), "attributions")
    assert rows is not None
    real = [row for row in rows.to_pylist() if row["verdict"] in {"unexplained", "fault"} and row["start"] == row["onset"]]
    found = run_query(database, "07_unexplained_longest_first")
    assert len(found) == len(real) > 0
    assert [row[5] for row in found] == sorted((row[5] for row in found), reverse=True)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_statement_parses_in_its_dialect(dialect: str) -> None:
    statements = [*setup(dialect, "gs://b/record", WHEN), *setup(dialect, "b", WHEN, frozenset(OTHERS))]
    for statement in [*statements, *(text for _, text in queries(dialect))]:
        if not statement.startswith(("CALL", "SET", "USE")):
            known = statement.replace(" WITH PARTITION COLUMNS (day DATE)", "")  # BigQuery's, which sqlglot does not know
            (parsed,) = sqlglot.parse(known, read=dialect)
            assert not isinstance(parsed, sqlglot.exp.Command), statement


def test_a_dozen_queries_run_in_duckdb(database: duckdb.DuckDBPyConnection) -> None:
    names = [name for name, _ in queries("duckdb")]
    assert len(names) == 12
    for name in names:
        run_query(database, name)


def test_the_command_prints_what_duckdb_runs(record: Path) -> None:
    done = trueup("sql", "--data", record, "--as-of", datetime(2026, 6, 12, tzinfo=UTC).isoformat())
    assert done.status == 0
    with duckdb.connect() as connection:
        connection.execute(done.out)


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17")
@pytest.mark.filterwarnings("ignore")
def test_spark_gives_what_duckdb_gives(database: duckdb.DuckDBPyConnection, record: Path) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="PySpark is in the dependency group spark")
    session = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        for statement in setup("spark", str(record), WHEN, empty_tables(record)):
            session.sql(statement)
        for name, text in queries("spark"):
            found = [tuple(row) for row in session.sql(text).collect()]
            assert [_plain(row) for row in found] == [_plain(row) for row in run_query(database, name)], name
    finally:
        session.stop()


def _plain(row: tuple[Any, ...]) -> list[str]:
    """Doubles to nine digits, times as microseconds: engines add in their own order and give times in zones of their own."""
    kept = [f"{value:.9g}" if isinstance(value, float) else value for value in row]
    return [repr(value.timestamp()) if isinstance(value, datetime) else str(value) for value in kept]
