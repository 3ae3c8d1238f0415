"""Seconds and memory of a backfill: stage by stage inside one process, then the whole command.

    python -m tests.bench.backfill INPUT [--repeat 3]

INPUT is a folder of events, for instance one that `../shared/bench/generate.py` has written. The stages are called one after
the other without
Beam, so their sum is what the kernels and formats cost; the rest of the whole command's time is start-up, Beam and what it
copies. Peak memory is
that of the process tree, sampled ten times a second.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, TypeVar

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
from transforms.files.shards import plan_shards, read_shard

T = TypeVar("T")
RUN = "import sys; from runners.cli import main; sys.exit(main())"


def timed(name: str, seconds: dict[str, float], work: Callable[[], T]) -> T:
    """Runs a stage and notes its seconds."""
    began = time.perf_counter()
    result = work()
    seconds[name] = time.perf_counter() - began
    return result


def stages(folder: str) -> dict[str, float]:
    """Seconds of each stage over one input."""
    now, policy, seconds = int(time.time() * 1e6), Policy(), {}
    settings = DecodeSettings(policy=policy, now=now)

    def decoded() -> pa.RecordBatch:
        return concat([piece.events for shard in plan_shards([folder]).shards for piece in read_shard(shard, settings)])

    events = timed("decode", seconds, decoded)
    latest = max(events["time"].cast(pa.int64()).to_numpy())
    T = int(latest // HOUR + 1) * HOUR
    evaluate(events.slice(0, 10), policy, T)  # loads the compiled kernels
    evaluated = timed("evaluate", seconds, lambda: evaluate(events, policy, T))
    publication = Publication(policy.hash, policy.grid, now, None, T, True, None)
    compared = timed("compare", seconds, lambda: changed_cells(evaluated, no_rows(PUBLISHED), publication))
    with tempfile.TemporaryDirectory() as output:
        timed("write", seconds, lambda: Store(output).publish([compared.changes]))
    return seconds


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


def whole(folder: str) -> dict[str, Any]:
    """One run of the command: wall and CPU seconds, peak memory."""
    with tempfile.TemporaryDirectory() as output:
        began = time.perf_counter()
        command = [sys.executable, "-c", RUN, "backfill", "--json", "--input", folder, "--output", output]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process, peak, cpu = psutil.Process(child.pid), 0, 0.0
        while child.poll() is None:
            try:
                times = process.cpu_times()
                peak, cpu = max(peak, tree_memory(process)), times.user + times.system
            except psutil.Error:
                break
            time.sleep(0.1)
        report = json.loads(child.communicate()[0])
        return {"wall": time.perf_counter() - began, "cpu": cpu, "peak_gib": peak / 2**30, "cells": report["cells"]}


def main() -> None:
    """Prints a table of the stages and one of the whole command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    runs = [stages(args.input) for _ in range(args.repeat)]
    print("| stage | s (median) |\n|---|---|")
    for name in runs[0]:
        print(f"| {name} | {statistics.median(run[name] for run in runs):.2f} |")
    print("\n| whole command | wall s | CPU s | peak GiB |\n|---|---|---|---|")
    for turn in range(args.repeat):
        run = whole(args.input)
        print(f"| run {turn + 1} | {run['wall']:.1f} | {run['cpu']:.1f} | {run['peak_gib']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
