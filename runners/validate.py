"""`trueup validate`: what is in these files, and what would be rejected (contract.md "Commands")."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from runners.options import format_option, input_option, now_micros, read_inventory, read_policy

if TYPE_CHECKING:
    from pipelines.validate import Validation
    from transforms.core.decode import Counts

EXAMPLES = """\b
Examples:
  trueup validate --input events/
  trueup validate --input 'export/*.json.gz' --inventory inventory.csv
  trueup validate --input events/ --json
"""


@click.command(epilog=EXAMPLES)
@input_option
@format_option
@click.option("--inventory", metavar="FILE", help="Which machine is of which Flexible scale set (CSV, JSONL or Parquet).")
@click.option("--policy", metavar="FILE", help="The policy (TOML); it says which verbs there are.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def validate(as_json: bool, **given: Any) -> int:
    """Counts the records of some files by format and kind, and shows every one that would be rejected. Writes nothing."""
    validation = _validation(given)
    rejects = [row for batch in validation.rejects() for row in batch.drop_columns(["arrived", "payload"]).to_pylist()]
    if as_json:
        click.echo(json.dumps({**_as_json(validation), "rejects": rejects}))
        return 0
    # A pipe has no width: rich would take 80 columns, and fold the names that somebody searches for.
    Console(width=None if sys.stdout.isatty() else 1_000).print(_table(validation.counts))
    for reject in rejects:
        click.echo("{source}, {location}: {reason}: {detail}".format(**reject))
    for line in _unplaced(validation.counts):
        click.echo(line)
    if validation.plan.skipped:
        click.echo(f"{validation.plan.skipped:,} files were skipped: their names are of no input.")
    return 0


def _validation(given: dict[str, Any]) -> "Validation":
    policy, inventory = read_policy(given["policy"], None), read_inventory(given["inventory"])
    from pipelines.validate import Validation
    from transforms.core.decode import DecodeSettings

    return Validation(given["inputs"], DecodeSettings(policy, now_micros(), inventory, given["format_"]))


def _unplaced(counts: "Counts") -> Iterator[str]:
    from runners.report_of_run import lines_of_unplaced

    yield from lines_of_unplaced(counts.unplaced, counts.health)


def _table(counts: "Counts") -> Table:
    table = Table("becomes", "format", "kind", "records", title=f"{counts.records:,} records")
    table.columns[-1].justify = "right"
    table.columns[-2].overflow = "fold"
    for (format_, kind), number in sorted(counts.decoded.items()):
        table.add_row("event", format_, kind, f"{number:,}")
    for name, kinds in (("ignored", counts.ignored), ("rejected", counts.rejected)):
        for kind, number in sorted(kinds.items()):
            table.add_row(name, "", kind, f"{number:,}")
    return table


def _as_json(validation: "Validation") -> dict[str, Any]:
    counts = validation.counts
    decoded = [{"format": format_, "kind": kind, "records": number} for (format_, kind), number in sorted(counts.decoded.items())]
    return {
        "records": counts.records,
        "decoded": decoded,
        "ignored": dict(sorted(counts.ignored.items())),
        "rejected": dict(sorted(counts.rejected.items())),
        "files": validation.plan.files,
        "skipped_files": validation.plan.skipped,
    }
