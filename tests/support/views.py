"""The statements of `pipelines.views` run by DuckDB, and rows of engines made comparable."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.views.statements import setup
from schemas.tables.by_name import TABLES
from schemas.time import format_time, to_micros

Rows = list[tuple[Any, ...]]
LATER = "2999-01-01 00:00:00"


def empty_tables(root: Path) -> frozenset[str]:
    """The tables of which a folder has no file."""
    return frozenset(table for table in TABLES if not list(root.glob(f"{table}/day=*/*.parquet")))


def moment_text(micros: int) -> str:
    """A moment as `setup` wants it."""
    return format_time(micros).replace("T", " ").removesuffix("Z")


def is_view(statement: str) -> bool:
    """Whether it makes a view over other tables or views, not a table over files."""
    return statement.startswith("CREATE") and (" numbered " in statement or " AS attribution_rows" in statement)


def opened(root: Path, as_of: str = LATER) -> duckdb.DuckDBPyConnection:
    """A connection in which the tables and views of a folder are there."""
    connection = duckdb.connect()
    for statement in setup("duckdb", str(root), as_of, empty_tables(root)):
        connection.execute(statement)
    return connection


def plain(rows: Rows) -> list[tuple[Any, ...]]:
    """Numbers to nine digits, times as microseconds, days as texts: engines add in their own order, in their own zones."""
    return [tuple(_plain(value) for value in row) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_micros(value.astimezone() if value.tzinfo is None else value)
    if isinstance(value, float | int):
        return f"{value:.9g}" if isinstance(value, float) or value < 1e12 else value
    return str(value) if isinstance(value, date) else value
