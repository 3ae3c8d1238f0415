"""A soak: days of simulated time pass through a stream in some minutes, and what it holds stays nearly as large as it was.

Three days, since a presumption keeps the events of its scale set for one (`presume_after`).
"""

import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from runners.engines.prism import local_binary
from schemas.time import DAY
from tests.support.emulator import Emulator, missing
from tests.support.fleet import fleet
from tests.support.streaming import ROOT, Running, observed
from transforms.subscription.source import present

SECONDS = float(os.environ.get("TRUEUP_SOAK_SECONDS", "180"))
DAYS = 3
EVENTS = 300 * int(SECONDS)
SETS = 12
SAMPLES = 40
pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(300 + SECONDS),
    pytest.mark.depends_on_speed("a stream that lags behind the simulated days holds more", reruns=1),
]


class Sample(NamedTuple):
    """What a stream holds at a moment."""

    seconds: float
    used: int
    retained: int | None
    """Events in the ledger, all scale sets together; None if it does not tell."""
    python: float
    """Resident memory of the program, MiB; and of Prism, which has the state."""
    prism: float
    journal: float
    """On disk, MiB."""


def sample(running: Running, out: Path, seconds: float) -> Sample:
    program, counts = psutil.Process(running.process.pid), running.counts()
    of_prism = sum(child.memory_info().rss for child in program.children(recursive=True))
    journal = out / "_trueup" / "journal"
    return Sample(
        seconds,
        counts.get("used", 0),
        counts.get("retained"),
        program.memory_info().rss / 2**20,
        of_prism / 2**20,
        size(journal, "*"),
    )


def size(folder: Path, pattern: str) -> float:
    """MiB of some files, of which any may go at any time."""
    total = 0
    for path in folder.glob(pattern):
        if path.exists():
            total += path.stat().st_size
    return total / 2**20


def middle_and_end(samples: Sequence[Sample], value: Callable[[Sample], float]) -> tuple[float, float]:
    """The median from the middle to three quarters, and that of the last eighth."""
    many = len(samples)
    middle, end = samples[many // 2 : many * 3 // 4], samples[-many // 8 :]
    return statistics.median(map(value, middle)), statistics.median(map(value, end))


def test_days_of_events_leave_memory_and_state_nearly_as_large_as_they_were(
    pubsub: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if local_binary() is None:
        missing("Prism: `go install` it at Beam's version (.ci/tools does), or let TRUEUP_PRISM name it")
    topic, subscription = pubsub.open(f"soak-{uuid.uuid4().hex}")
    now, out = present(), tmp_path / "out"
    (tmp_path / "days.jsonl").write_bytes(b"\n".join(fleet(SETS).events(now - DAYS * DAY, now, EVENTS)))
    with observed(subscription, out, "--flush", "2s", "--lease", "10s", "--compact-every", "1m") as running:
        samples = soaked(running, out, [*publish(tmp_path / "days.jsonl", topic)])
        running.check()
    with capsys.disabled():
        report(samples)
    assert samples[-1].used > 0.9 * EVENTS, "most of it has passed through the ledger"
    flat(samples, lambda each: each.python, "memory of the program, MiB", 1.1, 30.0)
    flat(samples, lambda each: each.prism, "memory of Prism, MiB", 1.1, 30.0)
    flat(samples, lambda each: each.retained or 0, "events in the ledger", 1.2, 500.0)
    flat(samples, lambda each: each.journal, "the journal, MiB", 1.2, 4.0)


def publish(path: Path, topic: str) -> list[str]:
    command = [sys.executable, "-c", "from runners.cli import main; main()", "publish", "--input", str(path), "--topic", topic]
    return [*command, "--speed", str(DAYS * DAY / 1e6 / SECONDS)]


def soaked(running: Running, out: Path, command: list[str]) -> list[Sample]:
    """What a stream holds while the days are published."""
    began, samples = time.monotonic(), []
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL) as publishing:
        while publishing.poll() is None and running.process.poll() is None:
            time.sleep(SECONDS / SAMPLES)
            samples.append(sample(running, out, time.monotonic() - began))
        publishing.kill()
    return samples


def flat(samples: Sequence[Sample], value: Callable[[Sample], float], name: str, factor: float, more: float) -> None:
    """Checks that from the middle to the end something has grown by no more than a factor and an amount."""
    middle, end = middle_and_end(samples, value)
    assert end <= factor * middle + more, f"{name}: {middle:.1f} in the middle, {end:.1f} at the end"


def report(samples: Sequence[Sample]) -> None:
    """Prints a tenth of the samples."""
    names = ("hour", "events used", "retained", "program MiB", "Prism MiB", "journal MiB")
    print(f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for each in samples[:: max(1, len(samples) // 12)]:
        retained = "?" if each.retained is None else f"{each.retained:,}"
        memory = f"{each.python:.0f} | {each.prism:.0f} | {each.journal:.1f}"
        print(f"| {each.seconds / SECONDS * 24 * DAYS:.0f} | {each.used:,} | {retained} | {memory} |")
