"""`trueup demo`: a small simulated day, corrected, reported and explained (contract: trueup demo)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runners.commands.backfill import run_backfill
from runners.commands.options import now_micros, read_inventory
from runners.demo.day import DAY, simulated_day
from runners.process.kernels import compiling_note
from runners.words.progress import progress

if TYPE_CHECKING:
    from pipelines.backfill.summary import Summary


@click.command()
@click.option("--output", metavar="DIR", default="trueup-demo", show_default=True, help="The folder of the tables.")
def demo(output: str) -> int:
    """Simulates a small day of four scale sets, corrects it, and shows what came of it.

    The records are as Azure would write them, with the truth beside them, in DIR/simulated. What `trueup backfill` makes of them
    stays in DIR, and the page that `trueup report --html` draws of it in DIR/report.html. It is the same day every time: a
    second run finds that nothing has changed.
    """
    from runners.demo.story import show

    with progress(note=compiling_note()):
        day = simulated_day(output)
        summary = correct_day(day, output)
    show(summary, output)
    return 0


def correct_day(day: Path, output: str) -> "Summary":
    """Backfills the day's records; the snapshot from before the day gives the states with which it begins."""
    from pipelines.correction.settings import BackfillSettings

    settings = BackfillSettings(
        inputs=(str(day / "events"),),
        output=output,
        now=now_micros(),
        inventory=read_inventory(str(day / "inventory.csv")),
        since=DAY.start,
        until=DAY.end,
    )
    return run_backfill(settings)
