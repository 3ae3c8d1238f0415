"""How right the pager is: alarms from the corrected and from the reported states of simulated fleets, beside the truth.

    python -m tests.bench.alarms [--fleets 5] [--jobs 2] [-- OPTION ...]

A line for each fleet (those of tests.bench.truth, one form): real outages of machines that last for two minutes; then, for the
corrected states and for those that Azure reports, alarms, how many of them overlap no real outage of their scale set at all, how
many outages fall into an alarm within five minutes of their onset (in event time), how many only later (an operation that fails
is excused until its limit), and of how many within five minutes the alarm was a new one, not one that went on already. Options
behind `--` are those of `trueup simulate`.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.alarms.watcher import BadTimesOfFolder
from schemas.time import MINUTE
from tests.bench.truth import FLEETS, Fleet, judge
from transforms.core.alarms.bad_times import StateColumn

LEAST: Final = 2 * MINUTE
WITHIN: Final = 5 * MINUTE
Spell = tuple[int, int]


class Told(NamedTuple):
    """What alarms of one kind are worth."""

    alarms: int
    false: int
    outages: int
    told: int
    """Outages that fall into an alarm in time."""
    later: int
    """Those that fall into one at all, and not in time."""
    anew: int
    """Those in whose first minutes an alarm begins."""


def alarms_of(record: Path, column: StateColumn) -> dict[str, list[Spell]]:
    """Bad times that last, by scale set, in microseconds."""
    times = BadTimesOfFolder(str(record), (), column).read()
    return _by_set(times, times.column("scale_set_id"))


def outages_of(own: Path) -> dict[str, list[Spell]]:
    """Real outages of machines that last, by scale set."""
    rows = pq.read_table(own / "truth" / "instances.parquet")
    real = rows.filter(pc.equal(rows.column("truth"), "outage"))
    return _by_set(real, real.column("scale_set_id"))


def _by_set(rows: pa.Table, names: pa.ChunkedArray) -> dict[str, list[Spell]]:
    found: dict[str, list[Spell]] = {}
    starts, ends = (rows.column(name).cast(pa.int64()).to_pylist() for name in ("start", "end"))
    for name, start, end in zip(names.to_pylist(), starts, ends, strict=True):
        if end - start >= LEAST:
            found.setdefault(name, []).append((start, end))
    return found


def compared(alarms: dict[str, list[Spell]], outages: dict[str, list[Spell]]) -> Told:
    """Alarms beside outages."""
    false = sum(not _meet(alarm, outages.get(name, [])) for name, own in alarms.items() for alarm in own)
    each = [(spell, alarms.get(name, [])) for name, own in outages.items() for spell in own]
    begins = [((start, min(end, start + WITHIN)), own) for (start, end), own in each]
    told = sum(_meet(begin, own) for begin, own in begins)
    anew = sum(any(begin[0] <= start < begin[1] for start, _ in own) for begin, own in begins)
    later = sum(_meet(spell, own) for spell, own in each) - told
    return Told(sum(map(len, alarms.values())), false, len(each), told, later, anew)


def _meet(one: Spell, others: list[Spell]) -> bool:
    return any(start < one[1] and one[0] < end for start, end in others)


def _line(fleet: Fleet, folder: Path, options: Sequence[str]) -> str:
    judge(fleet, "storage", folder, options)
    own = folder / f"{'-'.join(map(str, fleet))}-storage"
    record, outages = own.with_name(f"{own.name}-record"), outages_of(own)
    kinds: tuple[StateColumn, ...] = ("state", "reported_state")
    told = [compared(alarms_of(record, kind), outages) for kind in kinds]
    cells = [told[0].outages, *(value for one in told for value in (one.alarms, one.false, one.told, one.later, one.anew))]
    return f"| {', '.join(map(str, fleet))} | {' | '.join(map(str, cells))} |"


def _lines(fleets: Sequence[Fleet], jobs: int, options: Sequence[str]) -> Iterator[str]:
    names = ("alarms", "false", "told", "later", "anew")
    yield f"| sets, days, seed | real outages | {' | '.join(names)} | Azure's {' | '.join(names)} |"
    yield "|" + "---|" * 12
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(partial(_line, folder=Path(folder), options=options), fleets)


def main(arguments: Sequence[str]) -> None:
    """Prints the table."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="tests.bench.alarms")
    parser.add_argument("--fleets", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(arguments[:cut])
    for line in _lines(FLEETS[: given.fleets], given.jobs, arguments[cut + 1 :]):
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
