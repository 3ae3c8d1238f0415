"""Streams and backfills as a cluster runs them: workers in a process of their own. What shares a process hides faults."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from pipelines.stream.backfilled import BackfilledSets
from pipelines.stream.stream import StreamSettings
from schemas.policy import Policy
from schemas.time import DAY, HOUR, SECOND
from tests.support.elsewhere import engine_elsewhere, streaming_elsewhere
from tests.support.emulator import Emulator
from tests.support.files import current, signal, table, trueup, two_days, write_events
from tests.support.live import backfilled, bodies, hour, reaches, recent, revisions, send, wait

pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.timeout(400),
    pytest.mark.depends_on_speed("rows must come within a time, and the hour may end meanwhile"),
    # Threads of Beam's that listen to a job find Prism gone at the end.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


def told(subscription: str, out: Path) -> StreamSettings:
    return StreamSettings(subscription, str(out), flush=SECOND, idle=5 * SECOND, lease=10 * SECOND, runner="FlinkRunner")


def test_a_stream_ends_as_the_backfill_and_restates_what_comes_late(pubsub: Emulator, tmp_path: Path) -> None:
    topic, subscription = pubsub.open(f"elsewhere-{uuid.uuid4().hex}")
    end, out = hour(), tmp_path / "out"
    events = recent(list(two_days()), end)
    late = recent([signal(2 * 24 * 3600 - 1800, "1", "Unavailable"), signal(2 * 24 * 3600 - 1700, "1", "Available")], end)
    too_late = recent([signal(20, "1", "Unavailable", event_id="old")], end)
    send(pubsub, topic, [*bodies(events), b"{broken"])
    with streaming_elsewhere(told(subscription, out), tmp_path):
        wait(180, lambda: reaches(out, end, 2))
        wait(30, lambda: current(out) == backfilled(tmp_path, events))
        assert {row["cause"] for row in revisions(out)} <= {"first", "progress"}
        send(pubsub, topic, bodies([*late, *too_late, events[3]]))
        wait(60, lambda: {row["reason"] for row in table(out, "rejects").to_pylist()} == {"not_json", "late"})
        wait(30, lambda: current(out) == backfilled(tmp_path, events + late))
    assert pubsub.pull(subscription, 12) == []


def test_a_stream_goes_on_from_a_backfill_by_what_its_source_reads_first(pubsub: Emulator, tmp_path: Path) -> None:
    topic, subscription = pubsub.open(f"elsewhere-{uuid.uuid4().hex}")
    end, out, policy = hour(), tmp_path / "out", Policy()
    events = recent(list(two_days("abc")), end)
    cut = end - DAY  # an outage is open there
    early, later = ([event for event in events if since <= event["time"] < until] for since, until in ((0, cut), (cut, end)))
    path = write_events(tmp_path / "early.jsonl", early)
    assert trueup("backfill", "--input", path, "--output", out).status == 0
    send(pubsub, topic, bodies([*later, signal(0, "9", "Unavailable", event_id="old") | {"time": end - 2 * DAY + HOUR}]))
    known = BackfilledSets(str(out), policy.hash, policy.grid, 64, "_trueup/flink/1.recalled")
    with streaming_elsewhere(told(subscription, out), tmp_path, known):
        wait(180, lambda: reaches(out, end, 3))
        wait(60, lambda: current(out) == backfilled(tmp_path, events))
        wait(30, lambda: [row["reason"] for row in table(out, "rejects").to_pylist()] == ["late"])
    assert known.is_durable()
    assert {row["cause"] for row in revisions(out)} == {"backfill", "first", "progress"}


def test_a_backfill_is_the_same_with_all_that_it_says(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.jsonl", two_days("ab"))
    path.write_text(path.read_text() + "{broken\n")
    here, there = tmp_path / "here", tmp_path / "there"
    expected = summary("--input", path, "--output", here)
    with engine_elsewhere(tmp_path) as options:
        elsewhere = ["--runner", "PrismRunner", "--", *(option for option in options if option != "--streaming")]
        dry = summary("--input", path, "--output", there, "--dry-run", *elsewhere)
        assert len(dry.pop("changes")) == expected["cells"]["written"]
        assert not list(there.rglob("*.*"))
        assert summary("--input", path, "--output", there, *elsewhere) == expected
    assert current(there) == current(here)
    assert len(table(there, "rejects")) == 1
    assert not [path for path in there.glob("_trueup/runs/*") if path.is_dir()]


def summary(*arguments: object) -> dict[str, Any]:
    """What a backfill says as JSON, but for the time that it took."""
    runner = arguments.index("--runner") if "--runner" in arguments else len(arguments)
    done = trueup("backfill", *arguments[:runner], "--json", *arguments[runner:])
    assert done.status == 0, done.err
    return {name: value for name, value in json.loads(done.out).items() if name != "seconds"}
