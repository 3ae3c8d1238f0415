"""The tables, views and queries as Spark runs them: PySpark in this machine's Java, one session for all."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from pipelines.views.statements import queries, setup
from schemas.tables.by_name import ROWS
from tests.support.emulator import missing
from tests.support.plain_views import ANSWERS, Tables
from tests.support.published import Published
from tests.support.views import empty_tables, moment_text, opened, plain

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

SETTINGS: Final = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    # Few rows and much new code: two thirds of the time would go to compilers that think of the long run.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


def test_spark_gives_what_the_rows_and_duckdb_give(four_issues: Published, tmp_path: Path) -> None:
    """The same rows in the same order: of every view as DuckDB's, of every query as the plain computation's."""
    moment = (four_issues.issues[0].now + four_issues.issues[1].now) // 2
    tables = Tables(four_issues.root, moment)
    views = [view for table in (*ROWS, "episodes") for view in (table, f"{table}_as_of")]
    with opened(four_issues.root, moment_text(moment)) as connection:
        counts = {view: connection.execute(f"SELECT COUNT(*) FROM {view}").fetchall() for view in views}
    session = _session(tmp_path)
    try:
        for statement in setup("spark", str(four_issues.root), moment_text(moment), empty_tables(four_issues.root)):
            session.sql(statement)
        assert {view: [tuple(row) for row in session.sql(f"SELECT COUNT(*) FROM {view}").collect()] for view in views} == counts
        for name, text in queries("spark"):
            found = [tuple(row) for row in session.sql(text).collect()]
            assert plain(found) == plain(ANSWERS[name](tables)), name
    finally:
        session.stop()


def _session(scratch: Path) -> Any:
    if find_spec("pyspark") is None or shutil.which("java") is None:
        missing("PySpark (dependency group spark) and Java 17 for the SQL views")
    from pyspark.sql import SparkSession

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.master("local[1]").config("spark.sql.warehouse.dir", str(scratch))
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
