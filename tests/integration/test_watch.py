"""`trueup watch` as a process that is killed, and with a topic of the emulator."""

import json
import os
import subprocess
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from runners.process.children import ending_with_parent
from schemas.time import HOUR, MINUTE, SECOND, floor_to, format_time
from tests.support.build import EPOCH, Event, down, op, signal, up
from tests.support.emulator import Emulator
from tests.support.files import trueup, write_events
from tests.support.hooks import server, status
from tests.support.live import bodies, send, wait
from tests.support.streaming import ROOT, observed
from transforms.subscription.source import present

pytestmark = pytest.mark.integration
_SETS = 30
BEGUN = floor_to(present(), HOUR) - 3 * HOUR
"""Where second 0 lies."""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of scale sets of which each has one outage."""
    folder = tmp_path_factory.mktemp("watched")
    events = [
        signal(second, "1", state, scale_set=f"set-{number:02}")
        for number in range(_SETS)
        for second, state in ((0, "Available"), (600 + number, "Unavailable"), (1200 + number, "Available"))
    ]
    path = write_events(folder / "events.jsonl", [{**event, "time": event["time"] - EPOCH + BEGUN} for event in events])
    assert trueup("backfill", "--input", path, "--output", folder / "record").status == 0
    return folder / "record"


def test_wherever_it_is_killed_each_message_comes_and_a_second_one_is_recognised(record: Path, tmp_path: Path) -> None:
    def slowly(handler: BaseHTTPRequestHandler, before: int) -> None:
        time.sleep(0.05)
        status(200)(handler, before)

    with server(slowly) as (url, received):
        program = "import sys; from runners.cli import main; sys.exit(main())"
        options = ["--webhook", url, "--since", format_time(BEGUN), "--cursor", str(tmp_path / "cursor")]
        command = ending_with_parent([sys.executable, "-c", program, "watch", "--data", str(record), *options])
        for _ in range(2):
            before = len(received)
            with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
                wait(60, lambda before=before: len(received) > before + 10)
                process.kill()
        assert trueup("watch", "--data", record, *options, "--once").status == 0
    by_id = {message["id"]: message for message in received}
    assert all(message == by_id[message["id"]] for message in received)
    sayings = sorted((message["subject"], message["type"].rpartition(".")[2]) for message in by_id.values())
    assert sayings == sorted((f"set-{number:02}", saying) for number in range(_SETS) for saying in ("begun", "ended"))
    assert len(received) <= len(by_id) + 2


def test_a_topic_gets_the_messages(record: Path, tmp_path: Path, pubsub: Emulator) -> None:
    topic, subscription = pubsub.open("alarms")
    options = ["--topic", topic, "--since", format_time(BEGUN), "--cursor", tmp_path / "cursor", "--scale-set", "set-0?"]
    assert trueup("watch", "--data", record, *options, "--once").out == "20 messages.\n"
    received = [each.message for each in pubsub.pull(subscription)]
    assert {message.ordering_key for message in received} == {f"set-{number:02}" for number in range(10)}
    assert len({json.loads(message.data)["id"] for message in received}) == 20


@pytest.mark.alone
@pytest.mark.depends_on_speed("a stream whose rows must come within a minute")
def test_a_stream_tells_of_trouble_and_withdraws_what_is_explained_late(pubsub: Emulator, tmp_path: Path) -> None:
    topic, subscription = pubsub.open(f"watched-{uuid.uuid4().hex}")
    alerts, heard = pubsub.open(f"alerts-{uuid.uuid4().hex}")
    begun = present() - 10 * MINUTE
    told: list[dict[str, Any]] = []

    def hear() -> list[dict[str, Any]]:
        told.extend(json.loads(each.message.data) for each in pubsub.pull(heard, 2))
        return told

    with observed(subscription, tmp_path / "record", "--alerts", alerts, "--flush", "1s") as running:
        send(pubsub, topic, bodies(_moved(up(0, "1", "2") + down(60, "1"), begun)))
        wait(120, lambda: running.check() or hear(), "the alarm")
        send(pubsub, topic, bodies(_moved([op(59, "restart", "started", "1")], begun)))
        wait(60, lambda: running.check() or len(hear()) > 1, "its end")
    assert [(each["type"].rpartition(".")[2], each["data"]["since"]) for each in told] == [
        (saying, format_time(begun + MINUTE)) for saying in ("begun", "withdrawn")
    ]
    assert told[1]["data"]["first_id"] == told[0]["id"]


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.depends_on_speed("a stream whose rows must come within two minutes")
def test_a_stream_that_is_killed_loses_no_alarm_and_repeats_none_under_another_id(pubsub: Emulator, tmp_path: Path) -> None:
    """It is killed when it has told of one scale set; what befalls another meanwhile has ended before it runs again."""
    topic, subscription = pubsub.open(f"watched-{uuid.uuid4().hex}")
    alerts, heard = pubsub.open(f"alerts-{uuid.uuid4().hex}")
    begun = present() - 30 * MINUTE
    told: list[dict[str, Any]] = []

    def hear() -> set[tuple[str, str]]:
        told.extend(json.loads(each.message.data) for each in pubsub.pull(heard, 2))
        return {(each["subject"], each["type"].rpartition(".")[2]) for each in told}

    def told_of(*wanted: tuple[str, str]) -> bool:
        return hear() >= set(wanted)

    def of(name: str, *events: list[Event]) -> list[Event]:
        return [{**event, "scale_set_id": name} for some in events for event in _moved(some, begun)]

    options = ("--alerts", alerts, "--flush", "1s", "--lease", "10s")
    with observed(subscription, tmp_path / "record", *options) as running:
        send(pubsub, topic, bodies([*of("one", up(0, "1"), down(60, "1")), *of("other", up(0, "1"))]))
        wait(120, lambda: running.check() or told_of(("one", "begun")), "the alarm")
        running.process.kill()
    now = (present() - begun) // SECOND
    send(pubsub, topic, bodies([*of("other", down(1500, "1"), up(now, "1")), *of("one", up(now, "1"))]))
    with observed(subscription, tmp_path / "record", *options) as running:
        wanted = (("one", "ended"), ("other", "begun"), ("other", "ended"))
        wait(120, lambda: running.check() or told_of(*wanted), "the rest")
    by_id = {each["id"]: each for each in told}
    assert {(each["subject"], each["type"].rpartition(".")[2]) for each in by_id.values()} == {("one", "begun"), *wanted}
    assert len(by_id) == 4


def _moved(events: list[Event], begun: int) -> list[Event]:
    return [{**event, "time": event["time"] - EPOCH + begun} for event in events]
