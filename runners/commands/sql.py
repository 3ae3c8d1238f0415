"""`trueup sql`: the statements that let an engine read the tables (contract: trueup sql, Views)."""

import click

from runners.commands.options import When, now_micros


@click.command()
@click.option("--dialect", type=click.Choice(["duckdb", "spark", "trino", "bigquery"]), default="duckdb", show_default=True)
@click.option("--data", metavar="DIR", default="DIR", show_default=True, help="The folder of the tables, as the engine names it.")
@click.option("--as-of", type=When(), metavar="TIME", help="Moment of the views NAME_as_of; default the last midnight, UTC.")
def sql(dialect: str, data: str, as_of: int | None) -> int:
    """Prints SQL: tables over the Parquet of DIR, views of the current rows, and queries.

    The views availability, attributions and operations hold the current rows, episodes a row for each whole episode; those with
    _as_of behind, what stood published at a moment. An engine reads what is printed:  trueup sql --data record/ | duckdb
    """
    from pipelines.views.statements import queries, setup
    from schemas.time import DAY, format_time

    moment = now_micros() // DAY * DAY if as_of is None else as_of
    as_told = format_time(moment).replace("T", " ").removesuffix("Z")
    for statement in setup(dialect, data, as_told, _empty(data)):
        click.echo(f"{statement};\n")
    for _, query in queries(dialect):
        click.echo(f"{query};\n")
    return 0


def _empty(data: str) -> frozenset[str]:
    """Tables of which a folder of this machine has no file yet. What lies elsewhere is for the engine to open.

    Raises:
        RunError: trueup has not written the folder.
    """
    from pipelines.failures import RunError
    from pipelines.record.folder import files, is_local
    from schemas.tables.by_name import TABLES

    if data == "DIR" or not is_local(data):
        return frozenset()
    if not files(data, "_trueup/grid.json"):
        raise RunError(f"--data: a folder that trueup has written is required, got {data}.")
    return frozenset(table for table in TABLES if not files(data, f"{table}/day=*/*.parquet"))
