"""`trueup watch` as a process that is killed, and with a topic of the emulator."""

import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from runners.process.children import ending_with_parent
from schemas.time import HOUR, floor_to, format_time
from tests.support.build import EPOCH, signal
from tests.support.emulator import Emulator
from tests.support.files import trueup, write_events
from tests.support.hooks import server, status
from tests.support.live import wait
from tests.support.streaming import ROOT
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
