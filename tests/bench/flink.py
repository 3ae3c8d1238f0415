"""Benchmark of `trueup stream` on a Flink cluster of this machine: CPU a message; `python -m tests.bench.flink --help`.

A backlog is worked off by a JobManager, a TaskManager and a worker pool that run for this alone. The job server is what
TRUEUP_FLINK_JOB_SERVER_JAR names. CPU seconds count from when the job runs; a machine that is busy changes them least.
"""

import argparse
import os
import tempfile
import time
import uuid
from pathlib import Path

import psutil

from runners.engines.flink.cluster import Cluster
from schemas.time import HOUR
from tests.support.emulator import emulator
from tests.support.fleet import fleet
from tests.support.flink import flink, streaming, wait, worker_pool
from tests.support.streaming import send_many
from transforms.counters import NAMESPACE
from transforms.subscription.source import present


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """CPU seconds of some processes."""
    times = [process.cpu_times() for process in processes if process.is_running()]
    return float(sum(each.user + each.system for each in times))


def workers() -> list[psutil.Process]:
    """The Python processes that a worker pool of this program has started."""
    return [each for each in psutil.Process().children(recursive=True) if "SdkHarness" in " ".join(each.cmdline())]


def worked_off(cluster: Cluster, name: str) -> int:
    """Messages that the ledger has taken in."""
    job = cluster.running(name)
    counts = {} if job is None else cluster.counters(job.id, NAMESPACE)
    return counts.get("used", 0) + counts.get("duplicate", 0)


def main() -> None:
    """Prints a line for each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--sets", type=int, default=300)
    parser.add_argument("--state-cache", type=int, default=100)
    args = parser.parse_args()
    jar, name = os.environ["TRUEUP_FLINK_JOB_SERVER_JAR"], f"bench-{uuid.uuid4().hex}"
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder)) as pubsub, flink(Path(folder)) as cluster:
        cluster.add_task_manager()
        topic, subscription = pubsub.open(name)
        with worker_pool("--state-cache", str(args.state_cache)) as port:
            given = [f"--flink_master={cluster.cluster.address}", f"--flink_job_server_jar={jar}"]
            with streaming(subscription, Path(folder) / "out", *given, f"--environment_config=localhost:{port}") as process:
                job = f"trueup-trueup-tests-{name}"
                # Imports and kernels are over when one event of each set is through.
                send_many(topic, list(fleet(args.sets).snapshot(present() - HOUR)))
                wait(600, lambda: worked_off(cluster.cluster, job) >= args.sets, process)
                parts = {"Python": workers(), "TaskManager": [psutil.Process(cluster.managers[-1].pid)]}
                before = {part: cpu_seconds(its) for part, its in parts.items()}
                bodies = list(fleet(args.sets, seed=1).events(present() - HOUR // 2, present(), args.messages))
                began = time.monotonic()
                send_many(topic, bodies)
                wait(1800, lambda: worked_off(cluster.cluster, job) >= args.sets + args.messages, process)
                wall = time.monotonic() - began
                print(
                    f"{args.messages:,} messages of {args.sets} sets in {wall:.0f} s, load {os.getloadavg()[0]:.1f}, {vars(args)}"
                )
                for part, its in parts.items():
                    print(f"| {part} | {(cpu_seconds(its) - before[part]) / args.messages * 1e6:.0f} us a message |", flush=True)


if __name__ == "__main__":
    main()
