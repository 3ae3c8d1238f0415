"""`trueup backfill`: files in, tables out (contract: trueup backfill)."""

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from pipelines.failures import RunError
from runners.commands.options import (
    ByteSize,
    Span,
    When,
    format_option,
    input_option,
    machine_memory,
    now_micros,
    read_inventory,
    read_policy,
)
from runners.process.imports import import_beam
from runners.process.kernels import compiling_note
from runners.words.progress import progress

if TYPE_CHECKING:
    from pipelines.backfill.summary import Summary
    from pipelines.correction.settings import BackfillSettings
    from transforms.files.shards import Plan

EXAMPLES = """\b
Examples:
  A folder of exported logs, corrected:
    trueup backfill --input events/ --output record/
  Flexible scale sets too, whose machines an inventory places:
    trueup backfill --input 'events/**/*.json.gz' --inventory inventory.csv \\
      --output record/
  Every night, what is new since the last run:
    trueup backfill --input events/ --output record/ --resume
  What would change?
    trueup backfill --input events/ --output record/ --dry-run
  On another runner, whose flags follow two dashes:
    trueup backfill --input events/ --output record/ --runner FlinkRunner -- \\
      --flink_master=host:8081
"""


@click.command(epilog=EXAMPLES)
@input_option
@click.option("--output", metavar="DIR", required=True, help="The folder of the tables.")
@click.option("--policy", metavar="FILE", help="The policy (TOML); the default one if none is given.")
@click.option("--inventory", metavar="FILE", help="Which machine is of which Flexible scale set (CSV, JSONL or Parquet).")
@click.option("--grid", type=Span(), metavar="15m|1h|1d", help="The length of a cell, over the policy's.")
@format_option
@click.option("--since", type=When(), metavar="TIME", help="Publish no cell before this; earlier events still warm up the state.")
@click.option(
    "--until",
    type=When(),
    metavar="TIME",
    help="Publish no cell from this on; beyond the last event: the input is complete until then.",
)
@click.option("--dry-run", is_flag=True, help="List the cells that would change; write nothing.")
@click.option("--cold", is_flag=True, help="Leave no scale set out of which DIR knows more of the past than the input does.")
@click.option("--resume", is_flag=True, help="Go on from the state in which the last run has left the scale sets of DIR.")
@click.option(
    "--memory",
    type=ByteSize(),
    metavar="SIZE",
    help="A budget for the whole run, or for each worker process of another runner.  [default: half of the machine's]",
)
@click.option(
    "--max-rejects", type=click.IntRange(min=0), metavar="N", help="Fail, after writing them, if more records are rejected."
)
@click.option("--keep-rejected-payload", is_flag=True, help="Keep the text of rejected records; it may hold personal data.")
@click.option(
    "--runner", default="in-memory", show_default=True, metavar="NAME", help="Who runs the graph: in-memory, or a Beam runner."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object of counts and times on standard output.")
@click.pass_context
def backfill(ctx: click.Context, /, as_json: bool, **given: Any) -> int:
    """Corrects the record of all scale sets in some files.

    Reads Event Grid events, Activity Log records, Resource Graph rows and canonical events; writes availability, attributions,
    operations, revisions and rejects as Parquet below DIR. Only cells that differ from what DIR holds are written.
    """
    began = time.monotonic()
    settings = _settings(given, ctx.obj or ())
    with progress(quiet=as_json, note="" if as_json else compiling_note()):
        summary = run_backfill(settings)
    _report(summary, settings, as_json, time.monotonic() - began)
    if settings.max_rejects is not None and summary.rejected > settings.max_rejects:
        raise RunError(f"--max-rejects: at most {settings.max_rejects} rejected records are allowed, got {summary.rejected}.")
    return 0


def _settings(given: dict[str, Any], runner_options: tuple[str, ...]) -> "BackfillSettings":
    from pipelines.correction.settings import BackfillSettings

    return BackfillSettings(
        inputs=given["inputs"],
        output=given["output"],
        now=now_micros(),
        policy=read_policy(given["policy"], given["grid"]),
        inventory=read_inventory(given["inventory"]),
        format=given["format_"],
        since=given["since"],
        until=given["until"],
        dry_run=given["dry_run"],
        cold=given["cold"],
        resume=given["resume"],
        memory=given["memory"],
        max_rejects=given["max_rejects"],
        keep_rejected_payload=given["keep_rejected_payload"],
        runner=given["runner"],
        runner_options=runner_options,
    )


def run_backfill(settings: "BackfillSettings", plan: "Plan | None" = None) -> "Summary":
    """Runs a backfill on the runner and within the memory that its settings name, over all of its inputs or what a plan names."""
    from pipelines.correction.settings import IN_MEMORY

    if settings.runner == IN_MEMORY:
        import_beam()
    from pipelines.backfill.backfill import backfill as run
    from runners.engines.local import execute, options_of, room_of, runner_named
    from transforms.allocator import keep_freed_memory

    keep_freed_memory()
    elsewhere = settings.runner != IN_MEMORY
    budget = settings.memory or (sys.maxsize if elsewhere else machine_memory() // 2)
    runner = runner_named(settings.runner)
    with room_of(settings) as (told, scratch), options_of(told) as options:
        return run(told, lambda build: execute(build, runner, options), budget, scratch, plan)


def _report(summary: "Summary", settings: "BackfillSettings", as_json: bool, seconds: float) -> None:
    from runners.words.finished_run import changed_lines, lines_of

    if as_json:
        changes = {"changes": [list(line) for line in changed_lines(summary)]} if settings.dry_run else {}
        click.echo(json.dumps({**summary.as_json(), **changes, "seconds": round(seconds, 3)}))
        return
    if settings.dry_run:
        for scale_set, cell in changed_lines(summary):
            click.echo(f"{cell}  {scale_set}")
    for line in lines_of(summary, settings, seconds):
        click.echo(line)
