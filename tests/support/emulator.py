"""Google's Pub/Sub emulator as a process of its own on a loopback port."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest

from runners.process.children import ending_with_parent
from schemas.time import format_time

PACKAGE = "google-cloud-cli-pubsub-emulator"
PROJECT = "projects/trueup-tests"


class Emulator(NamedTuple):
    """A running emulator: its address, and clients of it."""

    host: str
    publisher: Any
    subscriber: Any

    def open(self, name: str, deadline: int = 10) -> tuple[str, str]:
        """A topic and a subscription of it, by their full names."""
        topic, subscription = f"{PROJECT}/topics/{name}", f"{PROJECT}/subscriptions/{name}"
        self.publisher.create_topic(name=topic)
        self.subscriber.create_subscription(name=subscription, topic=topic, ack_deadline_seconds=deadline)
        return topic, subscription

    def send(self, topic: str, bodies: list[bytes]) -> list[str]:
        """Publishes messages in their order; gives their ids."""
        return [self.publisher.publish(topic, body).result(30) for body in bodies]

    def pull(self, subscription: str, seconds: float = 5.0) -> list[Any]:
        """What comes within a time, and at most a second after the last message."""
        from google.api_core.exceptions import DeadlineExceeded

        found: list[Any] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                answer = self.subscriber.pull(subscription=subscription, max_messages=1000, timeout=1.0, retry=None)
            except DeadlineExceeded:
                if found:
                    break
                continue
            found += answer.received_messages
        return found


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """Runs an emulator; PUBSUB_EMULATOR_HOST names it meanwhile. Where it cannot be had the test is skipped, in CI it fails."""
    jar = _jar()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    address, port = host.split(":")
    command = ["java", "-Xmx512m", "-jar", str(jar), f"--host={address}", f"--port={port}"]
    with (
        open(folder / "emulator.log", "wb") as log,
        subprocess.Popen(ending_with_parent(command), stdout=log, stderr=subprocess.STDOUT) as process,
        mock.patch.dict(os.environ, {"PUBSUB_EMULATOR_HOST": host}),
    ):
        try:
            yield _connected(host, process)
        finally:
            process.kill()


def _connected(host: str, process: "subprocess.Popen[bytes]") -> Emulator:
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    found = Emulator(host, PublisherClient(), SubscriberClient())
    until = time.monotonic() + 60
    while True:
        try:
            list(found.publisher.list_topics(project=PROJECT, timeout=2.0, retry=None))
            return found
        except GoogleAPICallError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.1)


def _jar() -> Path:
    named = os.environ.get("TRUEUP_PUBSUB_EMULATOR_JAR")
    jar = Path(named) if named else _installed()
    if jar is None or not jar.exists():
        missing(f"the Pub/Sub emulator: install the package {PACKAGE}, or let TRUEUP_PUBSUB_EMULATOR_JAR name its jar")
    if shutil.which("java") is None:
        missing("java: install a headless Java 17, for example the package openjdk-17-jre-headless")
    return jar


def _installed() -> Path | None:
    if shutil.which("dpkg") is None:
        return None
    files = subprocess.run(["dpkg", "-L", PACKAGE], capture_output=True, text=True, check=False).stdout.split()
    return next((Path(file) for file in files if file.endswith(".jar")), None)


def missing(what: str) -> Any:
    """Fails in CI and skips elsewhere, for want of a part that is no Python package."""
    if os.environ.get("CI"):
        pytest.fail(f"CI needs {what}.")
    pytest.skip(f"needs {what}")


def signal(time_: int, event_id: str = "e") -> bytes:
    """A message: instance 1 of the set `a` is available at a moment in microseconds."""
    fields = {"event_id": event_id, "scale_set_id": "a", "instance_id": "1", "state": "Available"}
    return json.dumps({"kind": "signal", "time": format_time(time_), **fields}).encode()
