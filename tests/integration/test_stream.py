"""Streams on Prism and the emulator: `trueup stream` as a user runs it, in a process of its own that is stopped or killed, and
the graph of a cluster, whose workers are elsewhere (tests/support/elsewhere.py).
"""

import random
import signal as signals
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path

import pytest

from runners.engines.prism import local_binary
from schemas.policy import Policy
from schemas.time import DAY, HOUR, floor_to
from tests.support.build import Event
from tests.support.elsewhere import of_cluster, streaming_elsewhere
from tests.support.emulator import Emulator, missing
from tests.support.files import current, signal, table, trueup, two_days, write_events
from tests.support.live import LIVE, backfilled, bodies, hour, process_of, reaches, recent, revisions, send, wait
from tests.support.timelines import many_sets

pytestmark = LIVE
Begun = Callable[[str, Path], AbstractContextManager[object]]
"""Begins a stream of a subscription into a folder, and stops it at the end of the block."""


@pytest.fixture(autouse=True)
def binary() -> None:
    if local_binary() is None:
        missing("Prism: `go install` it at Beam's version (.ci/tools does), or let TRUEUP_PRISM name it")


def streaming(subscription: str, out: Path, *options: str) -> AbstractContextManager["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", "from runners.cli import main; main()", "stream", "--subscription", subscription]
    return process_of([*command, "--output", str(out), "--flush", "1s", "--lease", "10s", *options])


@contextmanager
def stopped_in_order(subscription: str, out: Path) -> Iterator[None]:
    with streaming(subscription, out, "--idle", "5s") as process:
        yield
        process.send_signal(signals.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.splitlines()[-1].startswith("stopped: ")
    assert "Traceback" not in said


@contextmanager
def cancelled(subscription: str, out: Path) -> Iterator[None]:
    with streaming_elsewhere(of_cluster(subscription, out), out.parent):
        yield
        time.sleep(5)  # Messages are acknowledged one bundle late, and nobody waits for that here.


@pytest.fixture(params=[stopped_in_order, cancelled], ids=["here", "elsewhere"])
def begun(request: pytest.FixtureRequest) -> Begun:
    """The two settings in which a stream must be the same: `trueup stream`, and workers elsewhere."""
    found: Begun = request.param
    return found


def test_a_stream_ends_as_the_backfill_and_restates_what_comes_late(begun: Begun, pubsub: Emulator, tmp_path: Path) -> None:
    topic, subscription = pubsub.open(f"stream-{uuid.uuid4().hex}")
    end, out = hour(), tmp_path / "out"
    events = recent(list(two_days()), end)
    late = [signal(2 * 24 * 3600 - 1800, "1", "Unavailable"), signal(2 * 24 * 3600 - 1700, "1", "Available")]
    late, too_late = recent(late, end), recent([signal(20, "1", "Unavailable", event_id="old")], end)
    send(pubsub, topic, [*bodies(events), b"{broken"])
    with begun(subscription, out):
        wait(180, lambda: reaches(out, end, 2))
        wait(30, lambda: current(out) == backfilled(tmp_path, events))
        assert {row["cause"] for row in revisions(out)} <= {"first", "progress"}
        send(pubsub, topic, bodies([*late, *too_late, events[3]]))
        wait(60, lambda: {row["reason"] for row in table(out, "rejects").to_pylist()} == {"not_json", "late"})
        wait(30, lambda: current(out) == backfilled(tmp_path, events + late))
    restated = {(row["scale_set_id"], row["cell"].timestamp() * 1e6) for row in revisions(out) if row["cause"] == "late"}
    assert restated == {("a", end - HOUR)}
    assert len(current(out)["attributions"]) > 5
    assert pubsub.pull(subscription, 12) == []


def test_a_stream_goes_on_from_a_backfill_and_after_a_kill_from_itself(pubsub: Emulator, tmp_path: Path) -> None:
    topic, subscription = pubsub.open(f"stream-{uuid.uuid4().hex}")
    end, out = hour(), tmp_path / "out"
    events = recent(list(two_days("abc")), end)
    cut, pause = end - DAY, end - HOUR  # an outage is open at the one, and all is up at the other
    early, later, last = (
        [event for event in events if since <= event["time"] < until] for since, until in ((0, cut), (cut, pause), (pause, end))
    )
    path = write_events(tmp_path / "early.jsonl", early)
    assert trueup("backfill", "--input", path, "--output", out).status == 0
    send(pubsub, topic, bodies(later))
    with streaming(subscription, out, "--idle", "5s", "--resume") as process:
        wait(120, lambda: reaches(out, end, 3))
        process.kill()
    send(pubsub, topic, bodies([*last, signal(0, "9", "Unavailable", event_id="old") | {"time": end - DAY}]))
    with streaming(subscription, out, "--idle", "5s", "--resume"):
        wait(120, lambda: len(table(out, "rejects")) == 1)
        wait(120, lambda: reaches(out, hour(), 3) and current(out) == backfilled(tmp_path, events))
    assert {row["cause"] for row in revisions(out)} == {"backfill", "first", "progress"}


def test_random_timelines_in_any_order_within_the_lateness_end_as_the_backfill(
    begun: Begun, pubsub: Emulator, tmp_path: Path
) -> None:
    topic, subscription = pubsub.open(f"stream-{uuid.uuid4().hex}")
    end, out, rng = hour(), tmp_path / "out", random.Random()
    seeds = list(islice((seed for seed in iter(lambda: rng.randrange(2**32), None) if is_short(seed)), 6))
    events = [event for seed in seeds for event in random_events(seed, end)]
    due = {id(event): event["time"] + rng.randrange(Policy().lateness) for event in events}
    sent = sorted([*events, *rng.sample(events, len(events) // 5)], key=lambda event: due[id(event)])
    sets = len({event["scale_set_id"] for event in events})
    backfilled(tmp_path, events)  # While nobody waits.
    send(pubsub, topic, bodies(sent))
    with begun(subscription, out):
        wait(200, lambda: reaches(out, end, sets), seeds)
        wait(30, lambda: current(out) == backfilled(tmp_path, events), seeds)
    assert not len(table(out, "rejects")), seeds


def is_short(seed: int) -> bool:
    """Whether a random timeline is over within hours: each of them is an evaluation of each of its scale sets."""
    times = [event["time"] for event in many_sets(seed, 3, (Policy(),)).events]
    return max(times) - min(times) < 30 * HOUR


def random_events(seed: int, end: int) -> list[Event]:
    """The events of a random timeline whose last one lies in the hour before a moment, of scale sets of its own."""
    events = many_sets(seed, 3, (Policy(),)).events
    shift = end - HOUR - floor_to(max(event["time"] for event in events), HOUR)
    return [{**each, "time": each["time"] + shift, "scale_set_id": f"{seed}/{each['scale_set_id']}"} for each in events]
