"""Chaos: a stream that is killed again and again ends as one backfill of the same events: nothing lost, nothing doubled."""

import os
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipelines.record.selection import current_versions
from runners.engines.prism import local_binary
from schemas.time import HOUR, MINUTE, format_time
from tests.support.emulator import Emulator, missing
from tests.support.files import TABLES, current_rows, trueup
from tests.support.files import table as all_rows
from tests.support.fleet import fleet
from tests.support.live import hour
from tests.support.streaming import Running, observed, send_many

MESSAGES = int(os.environ.get("TRUEUP_CHAOS_MESSAGES", "80000"))
"""By hand 200,000, which takes ten minutes beside other tests."""
EVENTS = MESSAGES * 4 // 5
"""One message in five is a copy."""
KILLS = 4
SETS = 200
DISORDER = 40 * MINUTE
"""Less than the policy's lateness."""
pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.depends_on_speed("leases run out and the hour ends while it waits", reruns=1),
]


@pytest.fixture(autouse=True)
def binary() -> None:
    if local_binary() is None:
        missing("Prism: `go install` it at Beam's version (.ci/tools does), or let TRUEUP_PRISM name it")


@dataclass
class History:
    """The events of six hours, in their order, and the messages of them as they arrive."""

    end: int
    events: list[bytes] = field(init=False)
    messages: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        start, rng = self.end - 6 * HOUR, random.Random(6)
        self.events = list(fleet(SETS).events(start, self.end, EVENTS))
        sent = [*range(EVENTS), *(rng.randrange(EVENTS) for _ in range(MESSAGES - EVENTS))]
        step = 6 * HOUR // EVENTS
        due = [number * step + rng.randrange(DISORDER) for number in sent]
        self.messages = [self.events[sent[at]] for at in sorted(range(MESSAGES), key=due.__getitem__)]

    def part(self, number: int) -> list[bytes]:
        """The messages of one run of the stream."""
        return self.messages[number * MESSAGES // (KILLS + 1) : (number + 1) * MESSAGES // (KILLS + 1)]


@dataclass
class Told:
    """What the runs of the stream have counted, all together."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, running: Running) -> None:
        self.counts.update(running.counts())


def wait(seconds: float, running: Running, until: Callable[[], bool], every: float = 1.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        running.check()
        assert time.monotonic() < end, f"it did not come: {running.counts()}"
        time.sleep(every)


def versions(out: Path, until: int) -> dict[tuple[str, object], int]:
    """The digest of the current version of each cell before a moment."""
    names = pa.array([f"fleet/{number}" for number in range(SETS)])
    known = current_versions(str(out), names, None, until).select(["scale_set_id", "cell", "digest"]).to_pylist()
    return {(row["scale_set_id"], row["cell"]): row["digest"] for row in known}


def rows(out: Path, table: str, until: int) -> pa.Table:
    """The current rows of the cells before a moment, without what says when they were published."""
    found = current_rows(out, table)
    kept = found.filter(pc.less(found["cell"].cast(pa.int64()), until)).drop_columns(["as_of"])
    plain = [one.name for one in kept.schema if not pa.types.is_list(one.type)]
    return kept.sort_by([(name, "ascending") for name in plain]).combine_chunks()


def copies(out: Path, table: str) -> int:
    """Rows that are on disk more than once."""
    found = all_rows(out, table)
    plain = found.select([one.name for one in found.schema if not pa.types.is_list(one.type)])
    return len(plain) - len(plain.group_by(plain.column_names).aggregate([]))


@pytest.fixture
def backfilled(tmp_path: Path) -> Callable[[History], Path]:
    """The folder of one backfill that knows all up to the present hour, which may end while the test runs."""

    @cache
    def run(until: int, events: tuple[bytes, ...]) -> Path:
        path = tmp_path / "events.jsonl"
        path.write_bytes(b"\n".join(events))
        out = tmp_path / f"backfill-{until}"
        done = trueup("backfill", "--input", path, "--output", out, "--until", format_time(until))
        assert done.status == 0, done.err
        return out

    return lambda history: run(hour(), tuple(history.events))


def test_what_is_killed_in_mid_stream_ends_as_the_backfill(
    pubsub: Emulator, backfilled: Callable[[History], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    topic, subscription = pubsub.open(f"chaos-{uuid.uuid4().hex}")
    history, out, told, began = History(hour()), tmp_path / "out", Told(), time.monotonic()
    options = ("--flush", "1s", "--lease", "10s", "--idle", "25s")
    for number in range(KILLS):
        send_many(topic, history.part(number))
        with observed(subscription, out, *options) as running:
            wait(120, running, lambda running=running: running.counts().get("used", 0) > MESSAGES // 40)
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
            told.add(running)
    send_many(topic, history.part(KILLS))
    with observed(subscription, out, *options) as running:
        wait(600, running, lambda: versions(out, history.end) == versions(backfilled(history), history.end), every=5.0)
        told.add(running)
    expected = backfilled(history)
    with capsys.disabled():
        report(history, told.counts, time.monotonic() - began, out)
    for table in TABLES:
        assert rows(out, table, history.end).equals(rows(expected, table, history.end)), table
        assert copies(out, table) == 0
    assert copies(out, "revisions") == 0
    assert len(all_rows(out, "rejects")) == 0


def report(history: History, counts: Counter[str], seconds: float, out: Path) -> None:
    """Prints what happened."""
    late = sum(number for name, number in counts.items() if name.startswith("rejected/"))
    lines = {
        "messages": MESSAGES,
        "- of them copies": MESSAGES - EVENTS,
        "kills (SIGKILL in mid-stream)": KILLS,
        "records read by all runs": counts["in"],
        "- delivered once more": counts["in"] - MESSAGES,
        "used, beside those recalled from the journal": counts["used"],
        "duplicates": counts["duplicate"],
        "rejected, late ones too": late,
        "versions published": sum(number for name, number in counts.items() if name.startswith("cells/")),
        "cells, all equal to the backfill's": len(versions(out, history.end)),
        "seconds": round(seconds),
    }
    print("\n| chaos | |\n|---|---|")
    for name, number in lines.items():
        print(f"| {name} | {number:,} |")
