"""The demo's input: a simulated day of records as Azure would write them."""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Final

from pipelines.failures import RunError, UsageError
from pipelines.simulate.given.settings import SimulationSettings
from runners.process.ending import temporary_folder

DAY: Final = SimulationSettings(seed=62, days=1, scale_sets=4, outages_per_vm_year=150, upgrades_per_week=4, spot_share=0.5)
"""The day of the demo; its seed was looked for: every verdict is to be seen."""
SIMULATED: Final = "simulated"
PAGE: Final = "report.html"


def simulated_day(output: str) -> Path:
    """The folder of the day's records, which are simulated unless an earlier demo has left them.

    Raises:
        RunError: the folder already holds something else.
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
