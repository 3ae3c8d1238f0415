"""Benchmark of `trueup stream` against the Pub/Sub emulator; `python -m tests.bench.stream --help` tells the options.

Three measurements: the emulator alone (publishing; pulling and acknowledging, with nothing behind it); a backlog that is worked
off; and a given rate, with the time from publishing a message until its row can be read from a file. Each with CPU seconds of the
parts, since those are disturbed least by other work on the machine. Messages are canonical JSON of about 150 bytes, made and sent
by this process. With py-spy installed the Python process is split further, by what its threads are seen to do.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pyarrow.parquet as pq

from runners.engines.pubsub import subscriber
from schemas.time import HOUR, SECOND
from tests.support.emulator import Emulator, emulator
from tests.support.fleet import Fleet, fleet
from tests.support.streaming import Running, observed, send_many
from transforms.subscription.source import present

_PARTS = (
    ("decode for the watermark", ("event_times",)),
    ("decode", ("core/decode/",)),
    ("source", ("reader.py", "pulls.py", "leases.py", "(transforms/subscription/")),
    ("journal", ("pipelines/stream/journal.py", "pipelines/stream/process.py", "pipelines/stream/waiting.py")),
    ("ledger: rules", ("core/evaluation/", "core/rules/")),
    ("ledger: comparison", ("core/ledger/changes.py",)),
    ("ledger: state, lateness, counters", ("transforms/ledger.py",)),
    ("sink", ("pipelines/stream/buffered_sink.py", "pipelines/record/store.py", "transforms/publish.py")),
    ("keys and entries", ("transforms/sessions.py", "pipelines/stream/steps.py")),
    ("Beam's worker", ("apache_beam/",)),
)
"""Parts of the Python process: the first of which a text stands among the frames of a stack."""
_PROBES = 0.5
"""Seconds between two messages whose way is timed."""
_BATCH = 0.1


class Load(NamedTuple):
    """What is measured."""

    messages: int
    rate: int
    seconds: float
    sets: int


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def child_of(pid: int, name: str) -> int:
    """The process that another one has started."""
    return next(child.pid for child in psutil.Process(pid).children() if name in child.name())


class Parts:
    """The processes of a run, and the CPU seconds of each since it was made."""

    def __init__(self, running: Running | None = None) -> None:
        own = psutil.Process()
        self._pids = {"benchmark (sends messages)": own.pid}
        self._pids["emulator"] = child_of(own.pid, "java")
        if running is not None:
            self._pids["trueup (Python)"] = running.process.pid
            self._pids["Prism"] = child_of(running.process.pid, "prism")
        self._before = [cpu_seconds(pid) for pid in self._pids.values()]
        self._began = time.monotonic()

    def stop(self) -> None:
        """Ends the measurement."""
        self.wall = time.monotonic() - self._began
        self.cpu = {name: cpu_seconds(pid) - before for (name, pid), before in zip(self._pids.items(), self._before, strict=True)}


def report(title: str, messages: int, parts: Parts, inside: Counter[str] | None = None) -> None:
    """Prints a table of who spent what on so many messages."""
    wall, cpu = parts.wall, parts.cpu
    all_of_it = sum(cpu.values())
    print(f"\n{title}: {messages:,} messages in {wall:.1f} s = {messages / wall:,.0f}/s, load {os.getloadavg()[0]:.1f}")
    print("| part | CPU s | us a message | share |\n|---|---|---|---|")
    for name, seconds in cpu.items():
        print(f"| {name} | {seconds:.1f} | {seconds / messages * 1e6:.0f} | {seconds / all_of_it:.0%} |")
        if inside and name.startswith("trueup"):
            for part, count in inside.most_common():
                its = seconds * count / inside.total()
                print(f"| - {part} | {its:.1f} | {its / messages * 1e6:.0f} | {its / all_of_it:.0%} |")
    print(flush=True)


@contextmanager
def watched(pid: int, folder: Path) -> Iterator[Counter[str]]:
    """What the threads of a Python process are seen to do while the block runs, by part; empty without py-spy."""
    found: Counter[str] = Counter()
    if shutil.which("py-spy") is None:
        yield found
        return
    raw = folder / "stacks"
    command = ["py-spy", "record", "--nonblocking", "--rate", "50", "--format", "raw", "--output", str(raw), "--pid", str(pid)]
    with subprocess.Popen([*command, "--duration", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as spy:
        yield found
        spy.send_signal(2)
        spy.wait(30)
    for line in raw.read_text().splitlines() if raw.exists() else ():
        stack, _, number = line.rpartition(" ")
        found[_part_of(stack)] += int(number)


def _part_of(stack: str) -> str:
    return next((part for part, places in _PARTS if any(place in stack for place in places)), "other")


def wait(until: Callable[[], bool], running: Running | None = None, seconds: float = 600.0) -> None:
    """Waits for something that a stream does."""
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            raise SystemExit("it did not come in time")
        if running is not None and running.process.poll() is not None:
            raise SystemExit(f"the stream ended by itself, status {running.process.returncode}")
        time.sleep(0.02)


def done(running: Running) -> int:
    """Messages that the ledger has taken in."""
    counts = running.counts()
    return counts.get("used", 0) + counts.get("duplicate", 0)


def emulator_alone(pubsub: Emulator, load: Load) -> None:
    """What the emulator takes in and gives away with nothing behind it."""
    topic, subscription = pubsub.open(f"alone-{uuid.uuid4().hex}")
    bodies = list(fleet(load.sets).events(present() - HOUR, present(), load.messages))
    parts = Parts()
    send_many(topic, bodies)
    parts.stop()
    report("Emulator alone, publishing", load.messages, parts)
    parts, left = Parts(), [load.messages]
    client = subscriber()

    def pull() -> None:
        while left[0] > 0:
            answer = client.pull(subscription=subscription, max_messages=1000, timeout=30, retry=None)
            ids = [one.ack_id for one in type(answer).pb(answer).received_messages]
            if ids:
                client.acknowledge(subscription=subscription, ack_ids=ids, timeout=10)
            left[0] -= len(ids)

    for _ in range(8):
        threading.Thread(target=pull, daemon=True).start()
    wait(lambda: left[0] <= 0)
    parts.stop()
    report("Emulator alone, pulling and acknowledging", load.messages, parts)


def backlog(pubsub: Emulator, load: Load, folder: Path) -> None:
    """How fast what waits is worked off."""
    topic, subscription = pubsub.open(f"backlog-{uuid.uuid4().hex}")
    send_many(topic, list(fleet(load.sets).events(present() - HOUR, present(), load.messages)))
    with observed(subscription, folder / "backlog") as running:
        wait(lambda: running.counts().get("in", 0) > 0, running)
        parts, before = Parts(running), done(running)
        with watched(running.process.pid, folder) as inside:
            wait(lambda: done(running) >= load.messages, running)
            parts.stop()
        report(f"Backlog of {load.sets:,} scale sets", load.messages - before, parts, inside)


class Sender(threading.Thread):
    """Sends messages at a rate, and among them some whose way is timed, until it is stopped."""

    def __init__(self, topic: str, load: Load) -> None:
        super().__init__(daemon=True)
        self._topic, self._load, self._fleet = topic, load, fleet(load.sets)
        self.sent = 0
        self.probes: dict[str, float] = {}
        self.stopped = threading.Event()
        self.behind = 0.0

    def run(self) -> None:
        due = time.monotonic()
        probe = due
        while not self.stopped.is_set():
            now = present()
            bodies = list(self._fleet.events(now - round(_BATCH * SECOND), now, round(self._load.rate * _BATCH)))
            if due >= probe:
                probe += _PROBES
                bodies.append(self._probe(now))
            send_many(self._topic, bodies)
            self.sent += len(bodies)
            due += _BATCH
            self.behind = max(self.behind, time.monotonic() - due)
            time.sleep(max(0.0, due - time.monotonic()))

    def _probe(self, now: int) -> bytes:
        """An event of a scale set of its own, so that its rows are known when they are seen."""
        name = f"probe/{len(self.probes)}"
        (body,) = Fleet([name]).snapshot(now)
        self.probes[name] = time.time()
        return body


def seen_at(out: Path) -> dict[str, float]:
    """When the first version of each probe was there to be read, in seconds since the epoch."""
    found: dict[str, float] = {}
    for path in (out / "revisions").glob("day=*/*.parquet"):
        for name in set(pq.read_table(path, columns=["scale_set_id"], partitioning=None)["scale_set_id"].to_pylist()):
            if re.match("probe/", name):
                found[name] = min(path.stat().st_mtime, found.get(name, float("inf")))
    return found


def at_a_rate(pubsub: Emulator, load: Load, folder: Path) -> None:
    """How long it takes until a message is to be seen."""
    topic, subscription = pubsub.open(f"rate-{uuid.uuid4().hex}")
    out = folder / "rate"
    sender = Sender(topic, load)
    with observed(subscription, out) as running:
        send_many(topic, list(fleet(load.sets).snapshot(present())))
        wait(lambda: done(running) >= load.sets, running)
        sender.start()
        parts, before = Parts(running), done(running)
        with watched(running.process.pid, folder) as inside:
            time.sleep(load.seconds)
            used = done(running) - before
            parts.stop()
        report(f"{load.rate:,} messages/s wanted, of {load.sets:,} scale sets", used, parts, inside)
        waiting = sender.sent - used
        sender.stopped.set()
        sender.join()
        wait(lambda: len(seen_at(out)) == len(sender.probes), running)
    took = sorted(moment - sender.probes[name] for name, moment in seen_at(out).items())
    p95 = took[min(len(took) - 1, round(0.95 * len(took)))]
    print(f"{sender.sent:,} were sent (at worst {sender.behind:.1f} s behind), {waiting:,} were not in the ledger at the end")
    print(
        f"from publishing to a file: p50 {statistics.median(took):.1f} s, p95 {p95:.1f} s, most {took[-1]:.1f} s, of {len(took)}"
    )


def main() -> None:
    """Prints a table for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--only", choices=("alone", "backlog", "rate"))
    args = parser.parse_args()
    load = Load(args.messages, args.rate, args.seconds, args.sets)
    with tempfile.TemporaryDirectory() as name, emulator(Path(name)) as pubsub:
        if args.only in (None, "alone"):
            emulator_alone(pubsub, load)
        if args.only in (None, "backlog"):
            backlog(pubsub, load, Path(name))
        if args.only in (None, "rate"):
            at_a_rate(pubsub, load, Path(name))


if __name__ == "__main__":
    main()
