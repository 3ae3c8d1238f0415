"""SQL over the tables of a folder: external tables, views of the current rows, queries (contract: Views, Current rows).

One text serves all engines. What they spell differently is in `Dialect`; engines differ most in arithmetic of times, so the
views measure `seconds` and `month` once, and a query says `{seconds FROM TO}` where it measures itself.
"""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Final, NamedTuple

import pyarrow as pa

from schemas.tables.by_name import ROWS, TABLES


class Dialect(NamedTuple):
    """How one engine spells what engines do not agree on."""

    types: dict[str, str]
    """By the name of the Arrow type."""
    seconds: str
    """Between two timestamps, as a double."""
    external: str
    """A table over the Parquet files of a folder; `day` is its partition."""
    first: tuple[str, ...] = ()
    """Statements that come before all others."""
    view: str = "CREATE OR REPLACE VIEW"
    quote: str = '"'
    schema: str = ""
    """What stands before each name."""
    backslash: bool = False
    """Whether a text has a quote as \\', not as two of them."""


_DUCKDB: Final = Dialect(
    {"string": "VARCHAR", "time": "TIMESTAMPTZ", "int32": "INTEGER", "double": "DOUBLE", "bool": "BOOLEAN", "list": "VARCHAR[]"},
    """date_diff('microsecond', {start}, {end}) / 1e6""",
    "CREATE OR REPLACE VIEW {name} AS SELECT * FROM"
    " read_parquet('{data}/{folder}/day=*/*.parquet', hive_partitioning = true, hive_types = {{'day': DATE}})",
    ("SET TimeZone = 'UTC'",),
)
_SPARK: Final = Dialect(
    {
        "string": "STRING",
        "time": "TIMESTAMP",
        "int32": "INT",
        "double": "DOUBLE",
        "bool": "BOOLEAN",
        "list": "ARRAY<STRING>",
    },
    "timestampdiff(MICROSECOND, {start}, {end}) / 1e6",
    "CREATE OR REPLACE TEMPORARY VIEW {name} ({columns}, day DATE) USING parquet OPTIONS (path '{data}/{folder}')",
    ("SET TIME ZONE 'UTC'",),
    "CREATE OR REPLACE TEMPORARY VIEW",
    "`",
    backslash=True,
)
_TRINO: Final = Dialect(
    {
        "string": "VARCHAR",
        "time": "TIMESTAMP(6)",
        "int32": "INTEGER",
        "double": "DOUBLE",
        "bool": "BOOLEAN",
        "list": "ARRAY(VARCHAR)",
    },
    "to_unixtime({end}) - to_unixtime({start})",
    "CREATE TABLE IF NOT EXISTS {name} ({columns}, day DATE)"
    " WITH (external_location = '{data}/{folder}', format = 'PARQUET', partitioned_by = ARRAY['day']);\n"
    "CALL hive.system.sync_partition_metadata('trueup', '{bare}', 'FULL')",
    (
        "SET SESSION hive.timestamp_precision = 'MICROSECONDS'",
        "CREATE SCHEMA IF NOT EXISTS hive.trueup",
        "USE hive.trueup",
    ),
)
_BIGQUERY: Final = Dialect(
    {
        "string": "STRING",
        "time": "TIMESTAMP",
        "int32": "INT64",
        "double": "FLOAT64",
        "bool": "BOOL",
        "list": "ARRAY<STRING>",
    },
    "TIMESTAMP_DIFF({end}, {start}, MICROSECOND) / 1e6",
    "CREATE OR REPLACE EXTERNAL TABLE {name} ({columns}) WITH PARTITION COLUMNS (day DATE)"
    " OPTIONS (format = 'PARQUET', uris = ['{data}/{folder}/*'], hive_partition_uri_prefix = '{data}/{folder}',"
    " enable_list_inference = true)",
    ("CREATE SCHEMA IF NOT EXISTS trueup",),
    quote="`",
    schema="trueup.",
    backslash=True,
)
_RENAMED: Final = {"end": "ended", "limit": "excused_until"}
_SECONDS: Final = re.compile(r"\{seconds (\S+) (\S+)\}")
DIALECTS: Final = {"duckdb": _DUCKDB, "spark": _SPARK, "trino": _TRINO, "bigquery": _BIGQUERY}


def setup(dialect: str, data: str, as_of: str, empty: frozenset[str] = frozenset()) -> list[str]:
    """The statements that make the tables and views.

    Args:
        dialect: One of DIALECTS.
        data: The folder as the engine names it.
        as_of: RFC 3339: the views NAME_as_of give the rows as they stood published then.
        empty: Tables of which the folder has no file yet.
    """
    spelling, place = DIALECTS[dialect], _inside_quotes(DIALECTS[dialect], data.rstrip("/"))
    made = list(spelling.first)
    for table, schema in TABLES.items():
        text = _nothing(spelling, schema) if table in empty else spelling.external
        bare = f"all_{table}" if table in ROWS else table
        name, columns = spelling.schema + bare, _spelled(spelling, _columns(spelling, schema))
        statements = _spelled(spelling, text).split(";\n")
        made += [one.format(name=name, bare=bare, columns=columns, data=place, folder=table) for one in statements]
    moment = f" WHERE as_of <= CAST('{as_of}' AS {_moment_type(spelling)})"
    for table in ROWS:
        views = [_current(spelling, table, table, ""), _current(spelling, table, f"{table}_as_of", moment)]
        made += [_spelled(spelling, view) for view in views]
    return made + [_episodes(spelling, of) for of in ("", "_as_of")]


def queries(dialect: str) -> Iterator[tuple[str, str]]:
    """The queries by name, each with the comment that says what it answers."""
    for file in sorted(files("pipelines.views").joinpath("queries").iterdir(), key=lambda found: found.name):
        if file.name.endswith(".sql"):
            yield file.name.removesuffix(".sql"), _spelled(DIALECTS[dialect], file.read_text("utf-8").strip())


def _current(dialect: Dialect, table: str, view: str, moment: str) -> str:
    """The rows of each cell's latest version; of exact copies the first (engines compare no lists, some no doubles).

    Columns whose names are words of SQL are there under other names, too.
    """
    chosen = [f'"{name}"' for name in (*ROWS[table].names, "day", "month", "seconds")]
    chosen += [f'"{name}" AS {other}' for name, other in _RENAMED.items() if name in ROWS[table].names]
    compared = ", ".join(f'r."{field.name}"' for field in ROWS[table] if _type_name(field.type) not in {"list", "double"})
    return f"""{dialect.view} {{trueup}}{view} AS
WITH latest AS (
  SELECT scale_set_id, cell, MAX(as_of) AS as_of FROM {{trueup}}revisions{moment} GROUP BY scale_set_id, cell
), numbered AS (
  SELECT r.*, {dialect.seconds.format(start='r."start"', end='r."end"')} AS seconds,
    SUBSTR(CAST(r.day AS {dialect.types["string"]}), 1, 7) AS month,
    ROW_NUMBER() OVER (PARTITION BY {compared} ORDER BY r.day) AS copy
  FROM {{trueup}}all_{table} r
  JOIN latest l ON r.scale_set_id = l.scale_set_id AND r.cell = l.cell AND r.as_of = l.as_of
)
SELECT {", ".join(chosen)} FROM numbered WHERE copy = 1"""


def _episodes(dialect: Dialect, of: str) -> str:
    """A row for each whole episode, of the rows of a view of attributions; `of` is behind its name."""
    rows = _spelled(dialect, files("pipelines.views").joinpath("episodes.sql").read_text("utf-8").strip())
    return f"{dialect.view} {dialect.schema}episodes{of} AS\n{rows.replace('{of}', of)}"


def _nothing(dialect: Dialect, schema: pa.Schema) -> str:
    """A view without rows: most engines refuse a folder that is not there."""
    columns = ", ".join(f'CAST(NULL AS {dialect.types[_type_name(f.type)]}) AS "{f.name}"' for f in schema)
    return f"{dialect.view} {{name}} AS SELECT * FROM (SELECT {columns}, CAST(NULL AS DATE) AS day) nothing WHERE 1 = 0"


def _columns(dialect: Dialect, schema: pa.Schema) -> str:
    return ", ".join(f'"{field.name}" {dialect.types[_type_name(field.type)]}' for field in schema)


def _type_name(kind: pa.DataType) -> str:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_timestamp(kind):
        return "time"
    return "list" if pa.types.is_list(kind) else str(kind)


def _moment_type(dialect: Dialect) -> str:
    """Trino's tables hold UTC without a zone: a text with a zone is no such timestamp."""
    return "TIMESTAMP(6)" if dialect is _TRINO else dialect.types["time"]


def _inside_quotes(dialect: Dialect, text: str) -> str:
    return text.replace("\\", r"\\").replace("'", r"\'") if dialect.backslash else text.replace("'", "''")


def _spelled(dialect: Dialect, text: str) -> str:
    text = _SECONDS.sub(lambda between: dialect.seconds.format(start=between[1], end=between[2]), text)
    return text.replace("{trueup}", dialect.schema).replace('"', dialect.quote)
