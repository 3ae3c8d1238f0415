"""`trueup demo`: a small simulated day, corrected, reported and explained (contract: trueup demo)."""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipelines.failures import RunError, UsageError
from pipelines.simulate.settings import SimulationSettings
from runners.backfill import run_backfill
from runners.ending import temporary_folder
from runners.options import now_micros, read_inventory
from runners.progress import progress

if TYPE_CHECKING:
    from pipelines.summary import Summary

DAY: Final = SimulationSettings(seed=62, days=1, scale_sets=4, outages_per_vm_year=150, upgrades_per_week=4, spot_share=0.5)
"""The day of the demo; its seed was looked for: every verdict is to be seen."""
SIMULATED: Final = "simulated"
PAGE: Final = "report.html"


@click.command()
@click.option("--output", metavar="DIR", default="trueup-demo", show_default=True, help="The folder of the tables.")
def demo(output: str) -> int:
    """Simulates a small day of four scale sets, corrects it, and shows what came of it.

    The records are as Azure would write them, with the truth beside them, in DIR/simulated. What `trueup backfill` makes of them
    stays in DIR, and the page that `trueup report --html` draws of it in DIR/report.html. It is the same day every time: a
    second run finds that nothing has changed.
    """
    from runners.demo_report import show

    with progress(note="compiling the kernels, once"):
        day = simulated_day(output)
        summary = correct_day(day, output)
    show(summary, output)
    return 0


def simulated_day(output: str) -> Path:
    """The folder of the day's records; simulated unless an earlier demo has done it.

    Raises:
        RunError: the folder holds something else.
        UsageError: it is no folder of this machine.
    """
    from pipelines.simulate.simulation import simulate

    if "://" in output:
        raise UsageError(f"--output: a folder of this machine is required, got {output}.")
    day = Path(output, SIMULATED)
    if _is_simulated(day):
        return day
    unfinished = Path(output, f"{SIMULATED}.unfinished")
    others = sorted(set(os.listdir(output)) - {unfinished.name}) if os.path.isdir(output) else []
    if others or (os.path.exists(output) and not os.path.isdir(output)):
        raise RunError(f"{output}: an empty folder, or that of a demo of this version, is required.")
    shutil.rmtree(unfinished, ignore_errors=True)
    with temporary_folder() as scratch:
        simulate(DAY, str(unfinished), scratch)
    os.replace(unfinished, day)
    return day


def _is_simulated(day: Path) -> bool:
    facts = day / "truth" / "simulation.json"
    if not facts.exists():
        return False
    told = json.loads(facts.read_text())["settings"]
    return {name: told[name] for name in _TOLD} == {name: asdict(DAY)[name] for name in _TOLD}


_TOLD: Final = [name for name in asdict(DAY) if name not in ("start", "end")]


def correct_day(day: Path, output: str) -> "Summary":
    """The backfill of the day's records; the snapshot from before the day warms up the state."""
    from pipelines.settings import BackfillSettings

    settings = BackfillSettings(
        inputs=(str(day / "events"),),
        output=output,
        now=now_micros(),
        inventory=read_inventory(str(day / "inventory.csv")),
        since=DAY.start,
        until=DAY.end,
    )
    return run_backfill(settings)
