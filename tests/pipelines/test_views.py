"""The views that ship hold what `pipelines.record.selection` gives, and what stood published at a moment
(contract: Current rows, Views)."""

import shutil
from collections import defaultdict
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

from pipelines.views.statements import DIALECTS, queries, setup
from schemas.tables.by_name import ROWS, TABLES
from tests.support.files import current_rows, trueup
from tests.support.files import table as all_rows
from tests.support.published import Published
from tests.support.views import LATER, Rows, is_view, moment_text, opened, plain


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's tables; one set's first cell published anew without instances, copies, and what a killed run left."""
    root = tmp_path_factory.mktemp("views") / "it's a record"
    assert trueup("demo", "--output", root).status == 0
    revisions = all_rows(root, "revisions")
    first = revisions.slice(0, 1)
    later = _later(first)
    for name, count in (("availability_rows", 1), ("attribution_rows", 0), ("operation_rows", 0)):
        place = later.schema.get_field_index(name)
        later = later.set_column(place, later.schema.field(place), pa.array([count], later.schema.field(place).type))
    pq.write_table(later, next(root.glob("revisions/day=*")) / "later.parquet")
    rows = all_rows(root, "availability")
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


@pytest.fixture
def database(record: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(record) as connection:
        yield connection


@pytest.mark.parametrize("table", ROWS)
def test_a_view_holds_the_current_rows(database: duckdb.DuckDBPyConnection, record: Path, table: str) -> None:
    expected = current_rows(record, table)
    assert len(expected) > 0
    found = held_by(database, table, expected.schema.names)
    assert in_order(found) == in_order([tuple(row.values()) for row in expected.to_pylist()])


def held_by(database: duckdb.DuckDBPyConnection, view: str, columns: list[str]) -> Rows:
    names = ", ".join(f'"{name}"' for name in columns)
    return database.execute(f"SELECT {names} FROM {view}").fetchall()


def in_order(rows: Rows) -> list[str]:
    return sorted(repr(row) for row in plain(rows))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("table", ROWS)
def test_as_of_a_moment_is_what_had_been_published_until_then(table: str, number: int, four_issues: Published) -> None:
    """From the microsecond of a publication on, and until the next one: all rows of that evaluation, and none of another."""
    issues = four_issues.issues
    rows = getattr(issues[number].evaluated, table)
    until = issues[number + 1].now - 1 if number < 3 else issues[number].now + 10**12
    for moment in (issues[number].now, until):
        with opened(four_issues.root, moment_text(moment)) as connection:
            found = held_by(connection, f"{table}_as_of", rows.schema.names)
        assert in_order(found) == in_order([tuple(row.values()) for row in rows.to_pylist()])


@pytest.mark.parametrize("number", range(4))
def test_an_episode_is_one_row_however_many_tell_of_it(number: int, four_issues: Published) -> None:
    expected: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in four_issues.issues[number].evaluated.attributions.to_pylist():
        expected[row["scale_set_id"], row["instance_id"], row["onset"], row["verdict"]].append(row)
    columns = ["scale_set_id", "instance_id", "onset", "verdict", "ended", "excused_until", "operation_key", "attribution_rows"]
    with opened(four_issues.root, moment_text(four_issues.issues[number].now)) as connection:
        found = held_by(connection, "episodes_as_of", [*columns, "excused_seconds", "still_open"])
    assert in_order(found) == in_order(
        [
            (
                *key,
                (end := None if any(row["end"] is None for row in rows) else max(row["end"] for row in rows)),
                *(rows[0][name] for name in ("limit", "operation_key")),
                len(rows),
                float(sum(row["excused_seconds"] or 0 for row in rows)),
                int(end is None),
            )
            for key, rows in expected.items()
        ]
    )
    assert number < 3 or max(map(len, expected.values())) > 1


def test_columns_whose_names_are_words_of_sql_have_others(database: duckdb.DuckDBPyConnection) -> None:
    same = 'COUNT(*) = COUNT(*) FILTER (ended IS NOT DISTINCT FROM "end"'
    assert database.execute(f"SELECT {same}) FROM availability").fetchall() == [(True,)]
    for table in ("attributions", "operations"):
        both = f'SELECT {same} AND excused_until IS NOT DISTINCT FROM "limit") FROM {table}'
        assert database.execute(both).fetchall() == [(True,)]


def test_before_anything_was_published_there_is_nothing(four_issues: Published) -> None:
    with opened(four_issues.root, moment_text(four_issues.issues[0].now - 1)) as connection:
        assert [held_by(connection, f"{table}_as_of", ["cell"]) for table in ROWS] == [[], [], []]


def test_the_same_cell_said_one_thing_on_monday_and_says_another_now(four_issues: Published) -> None:
    """3 of set b was presumed to be gone and is there: published again when it was heard of, and when the row was at its end."""
    monday = datetime(2027, 1, 18, 12, tzinfo=UTC)
    told = "SELECT verdict FROM {} WHERE scale_set_id = 'b' AND instance_id = '3' AND \"start\" = onset"
    with opened(four_issues.root, f"{monday:%Y-%m-%d %H:%M:%S}") as connection:
        assert connection.execute(told.format("attributions_as_of")).fetchall() == [("presumed_removed",)]
        assert connection.execute(told.format("attributions")).fetchall() == [("overrun",)]
        versions = told.replace("verdict", "COUNT(DISTINCT as_of)").format("all_attributions")
        assert connection.execute(versions).fetchall() == [(3,)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_statement_parses_in_its_dialect(dialect: str) -> None:
    statements = [*setup(dialect, "gs://it's/rec", LATER), *setup(dialect, "b", LATER, TABLES.keys() - ROWS.keys())]
    for statement in [*statements, *(text for _, text in queries(dialect))]:
        if not statement.startswith(("CALL", "SET", "USE")):
            known = statement.replace(" WITH PARTITION COLUMNS (day DATE)", "")  # BigQuery's, which sqlglot does not know
            (parsed,) = sqlglot.parse(known, read=dialect)
            assert not isinstance(parsed, sqlglot.exp.Command), statement


@pytest.mark.parametrize("name", ["it's", 'a "b"', "back\\slash", "{trueup}", "a;\nb", "100%", "<script>"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_folder_of_any_name_stays_one_text(dialect: str, name: str) -> None:
    for statement in setup(dialect, f"/r/{name}", LATER):
        if statement.startswith("CREATE") and not is_view(statement) and not statement.startswith("CREATE SCHEMA"):
            (parsed,) = sqlglot.parse(statement.replace(" WITH PARTITION COLUMNS (day DATE)", ""), read=dialect)
            assert parsed is not None
            texts = [literal.name for literal in parsed.find_all(sqlglot.exp.Literal) if literal.is_string]
            assert any(text.startswith(f"/r/{name}/") for text in texts), texts


def test_the_command_prints_what_duckdb_runs(record: Path) -> None:
    done = trueup("sql", "--data", record, "--as-of", datetime(2026, 6, 12, tzinfo=UTC).isoformat())
    assert done.status == 0
    with duckdb.connect() as connection:
        connection.execute(done.out)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_folder_that_only_the_engine_can_open_is_not_looked_into(dialect: str) -> None:
    done = trueup("sql", "--dialect", dialect, "--data", "nowhere://bucket/record")
    assert (done.status, done.err) == (0, "")
    assert done.out.count("nowhere://bucket/record/rejects") > 0


def test_a_folder_that_trueup_has_not_written_is_refused(tmp_path: Path) -> None:
    done = trueup("sql", "--data", tmp_path)
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "--data: a folder that trueup has written is required" in done.err


def test_a_table_without_files_is_an_empty_view(record: Path) -> None:
    assert not list(record.glob("rejects/day=*/*.parquet"))
    done = trueup("sql", "--data", record)
    with duckdb.connect() as connection:
        connection.execute(done.out)
        assert connection.execute("SELECT COUNT(*) FROM rejects").fetchall() == [(0,)]
