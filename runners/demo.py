"""`trueup demo`: a small day with what needs correcting, corrected and shown."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipelines.failures import RunError
from runners.backfill import run_backfill
from runners.options import now_micros, read_inventory
from runners.progress import progress

if TYPE_CHECKING:
    from pipelines.summary import Summary

SINCE: Final = "2026-06-10T00:00:00Z"
UNTIL: Final = "2026-06-11T00:00:00Z"
SUBSCRIPTION: Final = "/subscriptions/5e1f0000-0000-4000-8000-00000000d370/"
"""All scale sets of the demo lie below it; it does not exist."""


@click.command()
@click.option("--output", metavar="DIR", default="trueup-demo", show_default=True, help="The folder of the tables.")
def demo(output: str) -> int:
    """Corrects a small day and shows it: raw beside corrected availability, and why they differ.

    The day lies inside the program: some 80 records as Azure writes them, of two Uniform and two Flexible scale sets that are
    scaled, upgraded, evicted and restarted, and that fail. What `trueup backfill` makes of them stays in DIR.
    """
    with as_file(files("runners") / "demo_day") as day:
        with progress(note="compiling the kernels, once"):
            _refuse_others(output)
            summary = run_day(day, output)
        _report(summary, day, output)
    return 0


def run_day(day: Path, output: str) -> "Summary":
    """The backfill of the demo's records; the snapshot from before the day warms up the state."""
    from pipelines.settings import BackfillSettings
    from schemas.timestamp import parse_time

    settings = BackfillSettings(
        inputs=(str(day / "events"),),
        output=output,
        now=now_micros(),
        inventory=read_inventory(str(day / "inventory.csv")),
        since=parse_time(SINCE),
        until=parse_time(UNTIL),
    )
    return run_backfill(settings)


def _report(summary: "Summary", day: Path, output: str) -> None:
    from runners.demo_report import report

    report(summary, day, output)


def _refuse_others(output: str) -> None:
    """A record of real scale sets is no place for invented ones."""
    from pipelines.current import all_rows

    revisions = all_rows(output, "revisions")
    others = [] if revisions is None else [s for s in revisions["scale_set_id"].to_pylist() if not s.startswith(SUBSCRIPTION)]
    if others:
        raise RunError(f"{output}: an empty folder, or that of an earlier demo, is required; it holds the record of {others[0]}.")
