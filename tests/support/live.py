"""Events of the present, sent to a stream, and its tables compared with a backfill."""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from schemas.time import DAY, HOUR, floor_to, format_time
from tests.support.build import Event
from tests.support.emulator import Emulator
from tests.support.files import at, current, table, trueup
from transforms.subscription.source import present

ROOT = Path(__file__).parents[2]
LIVE: Final = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.timeout(400),
    pytest.mark.depends_on_speed("rows must come within a time, and the hour may end meanwhile"),
    # Threads of Beam's that listen to a job find Prism gone at the end.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
"""The marks of tests that send events of the present to a stream."""


@contextmanager
def process_of(command: Sequence[str]) -> "Iterator[subprocess.Popen[str]]":
    """Runs a command with the checkout on its path; what it writes can be read, and at the end it is killed."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=pipe, stderr=pipe, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def hour() -> int:
    """The beginning of the present hour."""
    return floor_to(present(), HOUR)


def recent(events: list[Event], end: int) -> list[Event]:
    """The events of two days, moved so that these end at a moment."""
    shift = end - at(0) - 2 * DAY
    return [{**event, "time": event["time"] + shift} for event in events]


def bodies(events: list[Event]) -> list[bytes]:
    """The messages of events."""
    return [json.dumps({**event, "time": format_time(event["time"])}).encode() for event in events]


def send(pubsub: Emulator, topic: str, messages: list[bytes]) -> None:
    """Publishes messages; all have arrived when it returns."""
    for sent in [pubsub.publisher.publish(topic, body) for body in messages]:
        sent.result(60)


def wait(seconds: float, until: Callable[[], Any], of: object = "") -> None:
    """Waits until something holds, and fails after some seconds."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, f"it did not come {of}"
        time.sleep(0.5)


def revisions(out: Path) -> list[dict[str, Any]]:
    """All rows of the table `revisions`."""
    return table(out, "revisions").to_pylist()


def reaches(out: Path, end: int, sets: int) -> bool:
    """Whether every scale set has its rows up to a moment."""
    last = [row["scale_set_id"] for row in revisions(out) if row["cell"].timestamp() * 1e6 == end - HOUR]
    return len(set(last)) == sets


def distinct(out: Path) -> dict[str, list[dict[str, Any]]]:
    """The current rows of a folder in which a bundle that was run again may have left a version twice."""
    return {name: list({repr(row): row for row in rows}.values()) for name, rows in current(out).items()}


def backfilled(folder: Path, events: list[Event]) -> dict[str, list[dict[str, Any]]]:
    """The current rows of a backfill that knows all up to the present hour. It runs once an hour: who waits asks often."""
    return _backfilled(folder, tuple(bodies(events)), hour())


@cache
def _backfilled(folder: Path, messages: tuple[bytes, ...], until: int) -> dict[str, list[dict[str, Any]]]:
    path = folder / f"{uuid.uuid4().hex}.jsonl"
    path.write_bytes(b"\n".join(messages))
    out = folder / f"{path.stem}-tables"
    assert trueup("backfill", "--input", path, "--output", out, "--until", format_time(until)).status == 0
    return current(out)
