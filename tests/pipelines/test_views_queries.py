"""Each query that ships gives what a plain computation from the rows gives, whatever dialect it is spelled in."""

from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from pipelines.views.statements import DIALECTS, queries, setup
from schemas.tables.by_name import ROWS, TABLES
from tests.support.plain_views import ANSWERS, Tables
from tests.support.published import Published
from tests.support.views import Rows, is_view, moment_text, opened, plain

Database = duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def moment(four_issues: Published) -> int:
    """Between the first publication and the second."""
    return (four_issues.issues[0].now + four_issues.issues[1].now) // 2


@pytest.fixture(scope="module")
def tables(four_issues: Published, moment: int) -> Tables:
    return Tables(four_issues.root, moment)


@pytest.fixture(scope="module")
def database(four_issues: Published, moment: int) -> Database:
    return opened(four_issues.root, moment_text(moment))


def test_each_query_has_a_plain_counterpart() -> None:
    assert [name for name, _ in queries("duckdb")] == list(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_query_gives_what_the_rows_give(name: str, database: Database, tables: Tables) -> None:
    expected = plain(ANSWERS[name](tables))
    assert plain(run(database, dict(queries("duckdb"))[name])) == expected
    assert len(expected) > 1
    assert all(len({row[place] for row in expected}) > 1 for place in range(len(expected[0]))), "a column is the same in all rows"


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "duckdb"])
def test_what_other_engines_are_given_says_the_same(dialect: str, four_issues: Published, moment: int, tables: Tables) -> None:
    """Their tables, views and queries, read by a parser and written for DuckDB, give the same rows."""
    root, made = four_issues.root, []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for statement in setup(dialect, str(root), moment_text(moment)):
            if statement.startswith("CREATE") and not statement.startswith("CREATE SCHEMA"):
                made.append(kind := "view" if is_view(statement) else "table")
                connection.execute(in_duckdb(statement, dialect) if kind == "view" else over_files(statement, dialect, root))
        found = {name: plain(run(connection, in_duckdb(text, dialect))) for name, text in queries(dialect)}
    assert (made.count("table"), made.count("view")) == (len(TABLES), 2 * (len(ROWS) + 1))
    assert found == {name: plain(answer(tables)) for name, answer in ANSWERS.items()}


def over_files(statement: str, dialect: str, root: Path) -> str:
    """A table over the files of a folder as DuckDB reads them, with the columns and types of another dialect's statement."""
    known = statement.replace(" WITH PARTITION COLUMNS (day DATE)", "")  # BigQuery's, which the parser does not know
    (parsed,) = sqlglot.parse(known, read=dialect)
    assert isinstance(parsed, exp.Create)
    name = parsed.this.find(exp.Table).name
    folder = root / name.removeprefix("all_")
    texts = [literal.name for literal in parsed.find_all(exp.Literal)]
    assert any(text in (str(folder), f"{folder}/*") for text in texts), texts
    columns = [(column.name, column.kind.sql("duckdb")) for column in parsed.find_all(exp.ColumnDef) if column.name != "day"]
    casts = ", ".join(f'CAST("{column}" AS {kind}) AS "{column}"' for column, kind in columns)
    escaped = str(folder).replace("'", "''")
    return f"CREATE VIEW {name} AS SELECT {casts}, CAST(day AS DATE) AS day FROM '{escaped}/day=*/*.parquet'"


def in_duckdb(statement: str, dialect: str) -> str:
    """A statement of another dialect in DuckDB's; BigQuery's names lose their dataset."""
    (parsed,) = sqlglot.parse(statement, read=dialect)
    assert parsed is not None
    for table in parsed.find_all(exp.Table):
        table.set("db", None)
    return parsed.sql(dialect="duckdb")


def run(database: Database, text: str) -> Rows:
    return database.execute(text).fetchall()
