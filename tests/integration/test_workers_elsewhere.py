"""Streams and backfills as a cluster runs them: workers in a process of their own. What shares a process hides faults."""

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.stream.backfilled import BackfilledSets
from schemas.policy import Policy
from schemas.time import DAY, HOUR, format_time
from tests.support.elsewhere import Hurried, engine_elsewhere, kill_workers, of_cluster, streaming_elsewhere
from tests.support.emulator import Emulator
from tests.support.files import current, signal, table, trueup, two_days, write_events
from tests.support.live import LIVE, backfilled, bodies, hour, reaches, recent, revisions, send, wait

pytestmark = LIVE
EMBEDDED = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"


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
    with streaming_elsewhere(of_cluster(subscription, out), tmp_path, known):
        wait(180, lambda: reaches(out, end, 3))
        wait(60, lambda: current(out) == backfilled(tmp_path, events))
        wait(30, lambda: [row["reason"] for row in table(out, "rejects").to_pylist()] == ["late"])
    assert known.is_durable()
    assert {row["cause"] for row in revisions(out)} == {"backfill", "first", "progress"}


def test_a_grid_end_for_which_a_bundle_has_no_time_goes_on_in_the_next_ones(pubsub: Emulator, tmp_path: Path) -> None:
    topic, subscription = pubsub.open(f"elsewhere-{uuid.uuid4().hex}")
    end, out, names = hour(), tmp_path / "out", "abcdefg"
    # Of one group: two scale sets a bundle, so that each grid end takes four.
    settings = replace(Hurried(**vars(of_cluster(subscription, out))), groups=1)
    events = [event for event in recent(list(two_days(names)), end) if event["time"] >= end - DAY - HOUR]
    send(pubsub, topic, bodies(events))
    with streaming_elsewhere(settings, tmp_path):
        wait(180, lambda: reaches(out, end, len(names)))
        wait(60, lambda: current(out) == backfilled(tmp_path, events))
    assert not len(table(out, "rejects"))


def test_a_worker_that_is_killed_ends_the_job_and_a_backfill_behind_the_next_one_mends_the_record(
    pubsub: Emulator, tmp_path: Path
) -> None:
    """Prism keeps no state: what a job had read that failed is for a backfill, as where a cluster has lost its checkpoints."""
    topic, subscription = pubsub.open(f"elsewhere-{uuid.uuid4().hex}")
    end, out = hour(), tmp_path / "out"
    events = recent(list(two_days()), end)
    sent = bodies(events)
    send(pubsub, topic, sent[: len(sent) // 2])
    with streaming_elsewhere(of_cluster(subscription, out), tmp_path) as job:
        wait(180, lambda: out.exists() and revisions(out))
        kill_workers()
        wait(60, lambda: job.state == "FAILED")
    send(pubsub, topic, sent[len(sent) // 2 :])
    with streaming_elsewhere(of_cluster(subscription, out), tmp_path):
        wait(180, lambda: reaches(out, end, 2))
    path = write_events(tmp_path / "all.jsonl", events)
    assert trueup("backfill", "--input", path, "--output", out, "--cold", "--until", format_time(end)).status == 0
    assert current(out) == backfilled(tmp_path, events)


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


def test_a_backfill_by_several_workers_is_the_same_and_cut_to_the_memory_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, names in enumerate(("abc", "bcd", "de")):
        write_events(tmp_path / "in" / f"{number}.jsonl", two_days(names), extra=["{broken"])
    here, there = tmp_path / "here", tmp_path / "there"
    expected = summary("--input", tmp_path / "in", "--output", here)
    monkeypatch.setattr("pipelines.backfill.memory.FEWEST", 5)
    monkeypatch.setattr("pipelines.backfill.memory.BYTES_OF_EVALUATION", 10_000_000)
    told = {name: expected[name] for name in ("partitions", "too_large_scale_sets")}
    assert told == {"partitions": 1, "too_large_scale_sets": []}
    elsewhere = ["--runner", EMBEDDED, "--", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    done = summary("--input", tmp_path / "in", "--output", there, "--memory", "500M", *elsewhere)
    assert done | told == expected
    assert done["too_large_scale_sets"] == list("bcd"), "those that are in two files have more than 15 events"
    assert current(there) == current(here)
    assert len(table(there, "rejects")) == 3
    assert summary("--input", tmp_path / "in", "--output", there)["cells"]["written"] == 0


def summary(*arguments: object) -> dict[str, Any]:
    """What a backfill says as JSON, but for the time that it took."""
    runner = arguments.index("--runner") if "--runner" in arguments else len(arguments)
    done = trueup("backfill", *arguments[:runner], "--json", *arguments[runner:])
    assert done.status == 0, done.err
    return {name: value for name, value in json.loads(done.out).items() if name != "seconds"}
