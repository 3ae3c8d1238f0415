"""`trueup validate`: what is in these files, and what would be rejected (contract: trueup validate)."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from runners.commands.options import format_option, input_option, now_micros, read_inventory, read_policy
from runners.words.names import harmless

if TYPE_CHECKING:
    from pipelines.validate import Validation
    from runners.words.notices import FinishedReading

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
    """Counts the records of some files by format and kind, and shows every one that would be rejected. Writes nothing.

    At the end it says what was not read, and what is missing, as a backfill would.
    """
    from runners.words.notices import notices

    validation = _validation(given)
    rejects = (row for batch in validation.rejects() for row in batch.drop_columns(["arrived", "payload"]).to_pylist())
    if as_json:
        rejected = list(rejects)
        click.echo(json.dumps({**_as_json(validation), "rejects": rejected}))
        return 0
    for reject in rejects:
        click.echo(harmless("{source}, {location}: {reason}: {detail}".format(**reject)))
    for line in (*_counts(validation), *notices(_input_notices(validation))):
        click.echo(line)
    return 0


def _validation(given: dict[str, Any]) -> "Validation":
    policy, inventory = read_policy(given["policy"], None), read_inventory(given["inventory"])
    from pipelines.validate import Validation
    from transforms.core.decode import DecodeSettings

    return Validation(given["inputs"], DecodeSettings(policy, now_micros(), inventory, given["format_"]))


def _input_notices(validation: "Validation") -> "FinishedReading":
    from runners.words.notices import FinishedReading

    counts, given = validation.counts, validation.settings.inventory is not None
    unplaced = counts.ignored["unplaced_vm"]
    return FinishedReading(counts.records, counts.health, counts.unplaced, unplaced, validation.glance, given)


def _counts(validation: "Validation") -> Iterator[str]:
    """Lines of counts, the most frequent first."""
    from runners.words.notices import counts_of
    from runners.words.quantity import quantity

    counts, plan = validation.counts, validation.plan
    read = Counter({f"{format_} {kind}": records for (format_, kind), records in counts.decoded.items()})
    fates = {"read": read, "ignored": counts.ignored, "rejected": counts.rejected}
    sums = ", ".join(f"{sum(kinds.values()):,} {fate}" for fate, kinds in fates.items())
    yield f"{quantity(counts.records, 'record')} in {quantity(plan.files, 'file')}: {sums}."
    yield from counts_of(fates)
    if plan.skipped:
        yield f"{quantity(plan.skipped, 'file')} skipped: no ending of an input."


def _as_json(validation: "Validation") -> dict[str, Any]:
    from pipelines.glance_json import glance_json

    counts = validation.counts
    decoded = [{"format": format_, "kind": kind, "records": number} for (format_, kind), number in sorted(counts.decoded.items())]
    return {
        "records": counts.records,
        "decoded": decoded,
        "ignored": dict(sorted(counts.ignored.items())),
        "rejected": dict(sorted(counts.rejected.items())),
        "health_records": counts.health,
        "unplaced_health_records": counts.unplaced,
        "files": validation.plan.files,
        "skipped_files": validation.plan.skipped,
        **glance_json(validation.glance),
    }
