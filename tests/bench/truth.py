"""How right the record is: simulated fleets through backfill and score, beside the truth.

    python -m tests.bench.truth [--fleets 20] [--form storage] [--form rest] [--jobs 2] [--keep FOLDER] [-- OPTION ...]

A line for each fleet and form of the Activity Log: true, raw and corrected availability in percent, how far the corrected one is
from the true one in points, and instance hours: counted of machines that are gone, counted while an operation was at work, real
outage and what of it is counted, and what is hidden, by why (as `trueup score` tells). The goal: nothing that is gone is counted
(0 h), nothing is hidden that a rule can tell (0 h), and the error is at most 0.03 points in the mean and 0.1 in each fleet. With
`--keep` the folders stay, for `trueup score` and `trueup explain`. Options behind `--` are those of `trueup simulate`. Exit
status 1 where the goal is missed. All of it takes some 15 minutes on two idle cores, a form a third of that.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipelines.simulate.given.settings import FORMS

RUN: Final = "import sys; from runners.cli import main; sys.exit(main())"
MEAN_ERROR, MOST_ERROR = 0.03, 0.1
"""Percentage points."""
SHOWN: Final = 0.0005
"""Hours that are shown as 0.000."""


class Fleet(NamedTuple):
    """A fleet that is simulated."""

    scale_sets: int
    days: int
    seed: int


FLEETS: Final = tuple(
    Fleet(*each)
    for each in (
        (40, 7, 1), (5, 13, 7), (20, 10, 11), (20, 10, 12), (60, 14, 99),
        (3, 3, 13), (4, 21, 14), (6, 5, 15), (8, 2, 16), (10, 7, 17),
        (10, 14, 18), (12, 4, 19), (15, 6, 20), (15, 12, 21), (25, 3, 22),
        (25, 9, 23), (30, 5, 24), (35, 8, 25), (50, 4, 26), (80, 3, 27),
    )
)  # fmt: skip
"""The first five are those of the issue that asked for this."""


class Judged(NamedTuple):
    """What `trueup score --json` says of a fleet in one form."""

    fleet: Fleet
    form: str
    figures: dict[str, Any]

    @property
    def error(self) -> float:
        """How far corrected availability is from the true one, in percentage points; above 0: it is too high."""
        return 100.0 * float(self.figures["corrected_availability"] - self.figures["true_availability"])

    def hours(self, name: str) -> float:
        """Instance hours of a figure."""
        return float(self.figures[f"{name}_seconds"]) / 3600


def _trueup(*arguments: object) -> str:
    command = [sys.executable, "-c", RUN, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def judge(fleet: Fleet, form: str, folder: Path, options: Sequence[str] = (), trueup: Callable[..., str] = _trueup) -> Judged:
    """Simulates a fleet below a folder, corrects its records, and scores what came of it.

    Args:
        fleet: which.
        form: of the Activity Log.
        folder: where all of it is written.
        options: of the simulation.
        trueup: runs a command, and gives what it prints; a process of its own unless given.
    """
    own, record = folder / f"{'-'.join(map(str, fleet))}-{form}", folder / f"{'-'.join(map(str, fleet))}-{form}-record"
    size = ("--scale-sets", fleet.scale_sets, "--days", fleet.days, "--seed", fleet.seed)
    trueup("simulate", "--output", own, *size, "--operations", form, *options)
    since = json.loads((own / "truth" / "simulation.json").read_text())["settings"]["start"]
    trueup("backfill", "--input", own / "events", "--inventory", own / "inventory.csv", "--output", record, "--since", since)
    return Judged(fleet, form, json.loads(trueup("score", "--data", record, "--truth", own / "truth", "--json")))


HOURS: Final = {
    "gone": "false_gone",
    "planned": "false_planned",
    "outage": "outage",
    "counted": "found",
    "hidden, tellable": "hidden_tellable",
    "coincident": "hidden_coincident",
    "overstayed": "hidden_overstayed",
    "unknown": "unknown",
    "unreported": "unreported",
}
"""Columns of hours, and the figure of each."""


def lines(judged: Iterable[Judged]) -> Iterator[str]:
    """A table in Markdown, a line as soon as a fleet is judged."""
    names = ("sets, days, seed", "form", "true %", "raw %", "corrected %", "error", *HOURS)
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for each in judged:
        shares = [f"{100 * each.figures[f'{name}_availability']:.3f}" for name in ("true", "raw", "corrected")]
        hours = [f"{each.hours(name):.3f}" for name in HOURS.values()]
        yield "| " + " | ".join([", ".join(map(str, each.fleet)), each.form, *shares, f"{each.error:+.3f}", *hours]) + " |"


def missed(judged: list[Judged]) -> list[str]:
    """What of the goal is missed, a sentence each."""
    found = [
        f"{each.fleet} {each.form}: {each.hours(name):.3f} h {name}"
        for each in judged
        for name in ("false_gone", "hidden_tellable")
        if each.hours(name) >= SHOWN
    ]
    found += [f"{each.fleet} {each.form}: wrong by {each.error:+.3f} points" for each in judged if abs(each.error) > MOST_ERROR]
    mean = sum(abs(each.error) for each in judged) / len(judged)
    return [*found, *([f"wrong by {mean:.3f} points in the mean"] if mean > MEAN_ERROR else [])]


def main() -> int:
    """Prints the table, and what of the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fleets", type=int, default=len(FLEETS), help="how many of the fleets")
    parser.add_argument("--form", action="append", choices=FORMS, help="of the Activity Log; all unless given")
    parser.add_argument("--jobs", type=int, default=2, help="fleets at a time")
    parser.add_argument("--keep", help="a folder in which all that was written stays")
    parser.add_argument("options", nargs="*", help="of the simulation")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(given.jobs) as pool:
        folder, judged = Path(given.keep or scratch), []
        asked = list(product(FLEETS[: given.fleets], given.form or FORMS))
        for line in lines(_noted(pool.map(lambda one: judge(*one, folder, given.options), asked), judged)):
            print(line, flush=True)
    wrong = missed(judged)
    mean = sum(abs(each.error) for each in judged) / len(judged)
    print(f"\nMean error {mean:.4f} points.", "The goal is met." if not wrong else "\n".join(["Missed:", *wrong]))
    return 1 if wrong else 0


def _noted(judged: Iterable[Judged], all_of_them: list[Judged]) -> Iterator[Judged]:
    for each in judged:
        all_of_them.append(each)
        yield each


if __name__ == "__main__":
    sys.exit(main())
