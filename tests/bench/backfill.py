"""What a backfill costs beside the same job written by hand, and stage by stage: wall and CPU seconds, peak memory.

    python -m tests.bench.backfill [INPUT...] [--peers DIR] [--python FILE] [--repeat 3] [--start] [--install]

INPUT is a folder of canonical Parquet, as `generate.py` beside DIR writes it for the shapes `fleet`, `small` and `hot`, or of
native JSON lines, which only DuckDB's job reads; DIR holds `polars_job.py` and `duckdb_job.py`, which need the packages of those
names (of the Python FILE, if one is given). Commands take turns, and medians count; peak memory is that of the process tree,
sampled ten times a second. A ratio is the time of the faster peer divided by that of trueup: above 1, trueup is faster. Without
peers trueup alone is measured, and INPUT may hold anything. What a million records cost shows whether more of them cost more.

The stages are called one after the other, by one thread and without Beam: what the whole command takes beyond them is its start,
Beam, and what it copies.

--start measures a file of one record, with the kernels as they are and with none compiled; --install what the README begins
with: a new environment, `pip install` without its cache, and the demo. `tests.bench.report` measures what a report reads.
"""

import argparse
import json
import os
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
import pyarrow.parquet as pq

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
ROOT: Final = Path(__file__).parents[2]
BACKFILL: Final = [sys.executable, "-c", "import sys; from runners.cli import main; sys.exit(main())", "backfill", "--json"]
PEERS: Final = ("polars", "duckdb")
ONE: Final = {"kind": "signal", "event_id": "1", "scale_set_id": "/s", "time": "2026-10-01T00:00:00Z", "state": "Degraded"}
"""The record of a tiny file."""
INSTALLING: Final = (
    "unset PYTHONPATH; {python} -m venv env"
    " && env/bin/pip install --quiet --no-cache-dir {source} && env/bin/trueup demo --output"
)


class Cost(NamedTuple):
    """Of one run, or of many at most."""

    wall: float
    cpu: float
    gib: float

    def __str__(self) -> str:
        return f"{self.wall:.1f}, {self.cpu:.1f}, {self.gib:.1f}"


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


def whole(command: list[str], **environment: str) -> Cost:
    """One run of a command, to whose end the folder for its output is added, which is in a new folder that it runs in."""
    with tempfile.TemporaryDirectory() as folder:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        own = {"PYTHONPATH": str(ROOT)} | os.environ | environment
        child = subprocess.Popen(
            [*command, f"{folder}/out"], cwd=folder, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
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


def compared(folder: str, peers: Path | None, python: str, repeat: int) -> dict[str, Cost]:
    """The median cost of trueup and of its peers over one input, whose runs take turns."""
    commands = {}
    if peers is not None and _is_json(folder):
        told = ["--input", f"{folder}/*.jsonl", "--format", "native", "--output"]
        commands["duckdb"] = [python, str(peers / "duckdb_job.py"), *told]
    elif peers is not None:
        commands = {name: [python, str(peers / f"{name}_job.py"), "--input", f"{folder}/*.parquet", "--output"] for name in PEERS}
    commands["trueup"] = [*BACKFILL, "--input", folder, "--output"]
    runs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            runs[name].append(whole(command))
    return {name: median(costs) for name, costs in runs.items()}


def median(costs: list[Cost]) -> Cost:
    """What some runs cost."""
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def _is_json(folder: str) -> bool:
    return any(Path(folder).glob("*.jsonl"))


def records_in(folder: str) -> int:
    """How many records an input has."""
    files = Path(folder).iterdir()
    if _is_json(folder):
        return sum(len(piece.splitlines()) for piece in map(Path.read_bytes, files))
    return sum(int(pq.ParquetFile(file).metadata.num_rows) for file in files)


def compared_line(folder: str, costs: dict[str, Cost]) -> str:
    """A line of the table: each cost, the ratios by wall and CPU to the faster peer, and what a million records cost."""
    peers, own, millions = [costs[name] for name in PEERS if name in costs], costs["trueup"], records_in(folder) / 1e6
    ratios = [min(peer[which] for peer in peers) / own[which] for which in range(2)] if peers else []
    cells = [str(costs.get(name, "")) for name in (*PEERS, "trueup")]
    ratio, each = ", ".join(f"{ratio:.2f}" for ratio in ratios), f"{own.wall / millions:.2f}, {own.cpu / millions:.2f}"
    return f"| {folder} | {' | '.join(cells)} | {ratio} | {each} |"


def print_compared(folders: list[str], peers: Path | None, python: str, repeat: int) -> None:
    """The table of whole commands."""
    if folders:
        names = (*PEERS, "trueup")
        print(f"| wall s, CPU s, GiB | {' | '.join(names)} | ratio by wall, CPU | of a million |\n|{'---|' * (len(names) + 3)}")
    for folder in folders:
        print(compared_line(folder, compared(folder, peers, python, repeat)), flush=True)


def print_stages(folder: str) -> None:
    """The table of the stages of one input."""
    print(f"\n| stages of {folder}, one thread | wall s | CPU s | peak GiB so far |\n|---|---|---|---|")
    for name, cost in stages(folder).items():
        print(f"| {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.gib:.2f} |", flush=True)


def print_start(repeat: int) -> None:
    """What a tiny file costs."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "one.jsonl").write_text(json.dumps(ONE))
        command = [*BACKFILL, "--input", f"{folder}/one.jsonl", "--output"]
        whole(command)
        runs = [whole(command) for _ in range(repeat)]
        print(f"\n| one record | wall s, CPU s, GiB |\n|---|---|\n| warm | {median(runs)} |")
        print(f"| nothing compiled | {whole(command, NUMBA_CACHE_DIR=f'{folder}/kernels')} |", flush=True)


def print_install() -> None:
    """What the README's first command costs, with no cache of pip."""
    with tempfile.TemporaryDirectory() as folder:
        installing = INSTALLING.format(python=sys.executable, source=ROOT)
        cost = whole(["sh", "-c", f'{installing} "$0"'], NUMBA_CACHE_DIR=f"{folder}/kernels")
    print(f"\n| the README's first command | wall s, CPU s, GiB |\n|---|---|\n| no cache of pip | {cost} |")


def main() -> None:
    """Prints a table of whole commands, then one of the stages of each input, then those that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="*", metavar="INPUT")
    parser.add_argument("--peers", type=Path, metavar="DIR")
    parser.add_argument("--python", default=sys.executable, metavar="FILE")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--start", action="store_true")
    parser.add_argument("--install", action="store_true")
    args = parser.parse_args()
    print_compared(args.inputs, args.peers, args.python, args.repeat)
    for folder in args.inputs:
        print_stages(folder)
    if args.start:
        print_start(args.repeat)
    if args.install:
        print_install()


if __name__ == "__main__":
    main()
