"""`trueup compact`: rewrites many small files as a few sorted ones (contract: trueup compact)."""

import dataclasses
import json
import time

import click

from pipelines.failures import RunError
from runners.commands.options import Span, now_micros

EXAMPLES = """\b
Examples:
  While a stream writes and others read:
    trueup compact --data record/
  With a week of superseded versions:
    trueup compact --data record/ --keep 7d
"""


@click.command(epilog=EXAMPLES)
@click.option("--data", metavar="DIR", required=True, help="The folder of the tables.")
@click.option(
    "--keep", type=Span(), default="30d", show_default=True, metavar="TIME", help="Versions superseded within this time stay."
)
@click.option(
    "--grace",
    type=Span(),
    default="5s",
    show_default=True,
    metavar="TIME",
    help="Old files stay so long beside the new ones, for readers that have listed them.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def compact(data: str, keep: int, grace: int, as_json: bool) -> int:
    """Rewrites the files of each table and day as one, and removes what was superseded long ago or never published.

    The current rows stay the same. Others may read and write meanwhile; cut off anywhere, it loses nothing.
    """
    from pipelines.record.compact import compact as run
    from pipelines.record.folder import files

    if not files(data, "_trueup/grid.json"):
        raise RunError(f"--data: a folder that trueup has written is required, got {data}.")
    began = time.monotonic()
    done = run(data, now_micros(), keep, grace / 1e6)
    seconds = round(time.monotonic() - began, 3)
    if as_json:
        click.echo(json.dumps({**dataclasses.asdict(done), "seconds": seconds}))
        return 0
    click.echo(
        f"{done.files_before:,} files were there: {done.files_removed:,} removed, {done.files_written:,} written in their place; "
        f"{done.versions_removed:,} versions and {done.rows_removed:,} rows removed, in {seconds:.1f} s."
    )
    return 0
