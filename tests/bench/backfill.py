"""What a backfill costs beside the same job written by hand, and stage by stage: wall and CPU seconds, peak memory.

    python -m tests.bench.backfill INPUT... [--peers DIR] [--repeat 3]

INPUT is a folder of canonical Parquet, as `generate.py` beside DIR writes it for the shapes `fleet`, `small` and `hot`; DIR holds
`polars_job.py` and `duckdb_job.py`, which need the packages of those names. Commands take turns, and medians count; peak memory
is that of the process tree, sampled ten times a second. A ratio is the time of the faster peer divided by that of trueup: above
1, trueup is faster. Without peers trueup alone is measured, and INPUT may hold anything.

The stages are called one after the other, by one thread and without Beam: what the whole command takes beyond them is its start,
Beam, and what it copies.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import psutil
import pyarrow as pa

from pipelines.record.store import Store
from schemas.policy import Policy
from schemas.time import HOUR
from transforms.core.columns.arrow import no_rows
from transforms.core.columns.batches import concat
from transforms.core.decode import DecodeSettings
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.ledger.changes import PUBLISHED, Publication, changed_cells
from transforms.core.standing.folding import fold
from transforms.files.shards import plan_shards, read_shard

T = TypeVar("T")
RUN: Final = "import sys; from runners.cli import main; sys.exit(main())"
PEERS: Final = ("polars", "duckdb")


class Cost(NamedTuple):
    """Of one run, or of many at most."""

    wall: float
    cpu: float
    gib: float


def stages(folder: str) -> dict[str, Cost]:
    """What each stage costs over one input."""
    now, policy, costs = int(time.time() * 1e6), Policy(), dict[str, Cost]()
    settings = DecodeSettings(policy=policy, now=now)

    def timed(name: str, work: Callable[[], T]) -> T:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        costs[name] = Cost(time.perf_counter() - wall, time.process_time() - cpu, gib)
        return result

    def decoded() -> pa.RecordBatch:
        return concat([piece.events for shard in plan_shards([folder]).shards for piece in read_shard(shard, settings)])

    events = timed("decode", decoded)
    latest = max(events["time"].cast(pa.int64()).to_numpy())
    end = int(latest // HOUR + 1) * HOUR
    fold(evaluate(events.slice(0, 10), policy, end), end)  # loads the compiled kernels
    evaluated = timed("evaluate", lambda: evaluate(events, policy, end))
    publication = Publication(policy.hash, policy.grid, now, None, end, True, None)
    compared = timed("compare", lambda: changed_cells(evaluated, no_rows(PUBLISHED), publication))
    timed("fold", lambda: fold(evaluated, end - policy.grid - policy.lateness))
    with tempfile.TemporaryDirectory() as output:
        timed("write", lambda: Store(output).publish([compared.changes]))
    return costs


def tree_memory(process: psutil.Process) -> int:
    """Bytes of a process and its children; pages that they share count once."""
    own, shared = 0, 0
    for member in [process, *process.children(recursive=True)]:
        try:
            memory = member.memory_info()
        except psutil.Error:
            continue
        own, shared = own + memory.rss - memory.shared, max(shared, memory.shared)
    return own + shared


def whole(command: list[str]) -> Cost:
    """One run of a command, to whose end the folder for its output is added."""
    with tempfile.TemporaryDirectory() as output:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        child = subprocess.Popen([*command, output], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process, peak = psutil.Process(child.pid), 0
        while child.poll() is None:
            try:
                peak = max(peak, tree_memory(process))
            except psutil.Error:
                break
            time.sleep(0.1)
        if child.wait():
            raise SystemExit(f"{command}: status {child.returncode}")
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak / 2**30)


def compared(folder: str, peers: Path | None, repeat: int) -> dict[str, Cost]:
    """The median cost of trueup and of its peers over one input, whose runs take turns."""
    commands = {"trueup": [sys.executable, "-c", RUN, "backfill", "--json", "--input", folder, "--output"]}
    if peers is not None:
        of_peers = {
            name: [sys.executable, str(peers / f"{name}_job.py"), "--input", f"{folder}/*.parquet", "--output"] for name in PEERS
        }
        commands = of_peers | commands
    runs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            runs[name].append(whole(command))
    return {name: Cost(*map(statistics.median, zip(*costs, strict=True))) for name, costs in runs.items()}


def compared_line(folder: str, costs: dict[str, Cost]) -> str:
    """A line of the table: each cost, and the ratios by wall and CPU to the faster peer."""
    peers = [costs[name] for name in PEERS if name in costs]
    ratios = [min(peer[which] for peer in peers) / costs["trueup"][which] for which in range(2)] if peers else []
    cells = [f"{cost.wall:.1f}, {cost.cpu:.1f}, {cost.gib:.1f}" for cost in costs.values()]
    return f"| {folder} | {' | '.join(cells)} | {', '.join(f'{ratio:.2f}' for ratio in ratios) or '-'} |"


def main() -> None:
    """Prints a table of whole commands, then one of the stages of each input."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", metavar="INPUT")
    parser.add_argument("--peers", type=Path, metavar="DIR")
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    names = [*(PEERS if args.peers else ()), "trueup"]
    print(f"| wall s, CPU s, GiB | {' | '.join(names)} | ratio by wall, CPU |\n|{'---|' * (len(names) + 2)}")
    for folder in args.inputs:
        print(compared_line(folder, compared(folder, args.peers, args.repeat)), flush=True)
    for folder in args.inputs:
        print(f"\n| stages of {folder}, one thread | wall s | CPU s | peak GiB so far |\n|---|---|---|---|")
        for name, cost in stages(folder).items():
            print(f"| {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.gib:.2f} |", flush=True)


if __name__ == "__main__":
    main()
