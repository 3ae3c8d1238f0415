"""`trueup collect` on real parts: killed between receipt and answer, a queue and a blob service of Azurite, a topic."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from runners.process.children import ending_with_parent
from tests.support.azurite import ACCOUNT, Azurite, azurite
from tests.support.build import degraded, up
from tests.support.emulator import Emulator
from tests.support.files import current, trueup
from tests.support.live import bodies, wait
from tests.support.streaming import ROOT

pytestmark = pytest.mark.integration
SECRET = "a-secret-of-the-tests"
_KILLS = 3


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@contextmanager
def _collecting(*options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A collector, and the address at which it listens."""
    program = "import sys; from runners.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "collect", "--port", "0", *options]
    environment = {**os.environ, "TRUEUP_COLLECT_SECRET": SECRET, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(ending_with_parent(command), stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().removeprefix("Receiving at ").strip().rstrip(".")
        finally:
            process.kill()


def _lines(folder: Path) -> list[bytes]:
    paths = sorted(folder.rglob("*.jsonl.zst"))
    return [line for path in paths for line in pa.input_stream(str(path), compression="zstd").read().splitlines()]


def _deliver(address: str, first: int, answered: list[int], ended: threading.Event) -> None:
    """Delivers records, three at a time, until the receiver is gone; notes which were answered with 200."""
    with httpx2.Client(headers={"x-trueup-secret": SECRET}) as client:
        number = first
        while not ended.is_set():
            records = [{"number": number + each} for each in range(3)]
            try:
                if client.post(address, json=records).status_code == 200:
                    answered += [record["number"] for record in records]
            except httpx2.TransportError:
                return
            number += 3


def test_what_was_answered_is_in_a_file_wherever_it_is_killed(tmp_path: Path) -> None:
    answered: list[int] = []
    for round_ in range(_KILLS):
        with _collecting("--output", str(tmp_path), "--every", "1s") as (process, address):
            ended = threading.Event()
            first = [(4 * round_ + each) * 1_000_000 for each in range(4)]
            threads = [threading.Thread(target=_deliver, args=(address, start, answered, ended)) for start in first]
            for thread in threads:
                thread.start()
            before = len(answered)
            wait(60, lambda before=before: len(answered) > before + 300)
            process.kill()
            ended.set()
            for thread in threads:
                thread.join()
    with _collecting("--output", str(tmp_path)) as (process, _):
        process.terminate()
        assert process.wait(30) == 0
    kept = [json.loads(line)["number"] for line in _lines(tmp_path)]
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept))
    assert not list((tmp_path / ".collecting").iterdir())


def test_a_queue_is_emptied_base64_or_not_and_poison_put_aside(storage: Azurite, tmp_path: Path) -> None:
    queue = QueueClient.from_connection_string(storage.connection, "vm-health")
    queue.create_queue()
    for number in range(100):
        body = json.dumps({"number": number})
        queue.send_message(base64.b64encode(body.encode()).decode() if number % 2 else body)
    queue.send_message("no record")
    out, poison = tmp_path / "events", tmp_path / "poison.jsonl"
    ran = trueup("collect", "--queue", "vm-health", "--output", out, "--poison", poison, "--once")
    assert (ran.status, ran.err) == (0, "")
    assert sorted(json.loads(line)["number"] for line in _lines(out)) == list(range(100))
    assert [json.loads(line)["content"] for line in poison.read_text().splitlines()] == ["no record"]
    assert queue.get_queue_properties().approximate_message_count == 0


def test_a_message_that_cannot_be_kept_stays_in_the_queue(storage: Azurite, tmp_path: Path) -> None:
    queue = QueueClient.from_connection_string(storage.connection, "stays")
    queue.create_queue()
    queue.send_message('{"a": 1}')
    (tmp_path / "events").write_text("no folder")
    ran = trueup("collect", "--queue", "stays", "--output", tmp_path / "events", "--once")
    assert ran.status == 1
    assert queue.get_queue_properties().approximate_message_count == 1


def test_a_queue_that_is_not_there(storage: Azurite, tmp_path: Path) -> None:
    ran = trueup("collect", "--queue", "nowhere", "--output", tmp_path, "--once")
    assert (ran.status, ran.err) == (1, "trueup: --queue: a queue that exists is required, got nowhere.\n")


def test_a_topic_gets_what_a_stream_reads(pubsub: Emulator) -> None:
    topic, subscription = pubsub.open("collected")
    records = bodies(up(0, "1") + degraded(10, "1"))
    with (
        _collecting("--topic", topic) as (_, address),
        httpx2.Client(headers={"x-trueup-secret": SECRET}, timeout=30) as client,
    ):
        assert client.post(address, content=b"[" + b",".join(records) + b"]").status_code == 200
    received = pubsub.pull(subscription)
    assert sorted(json.loads(each.message.data)["event_id"] for each in received) == sorted(
        json.loads(record)["event_id"] for record in records
    )
    assert {each.message.attributes["format"] for each in received} == {"canonical"}


def test_the_export_is_read_where_azure_puts_it(storage: Azurite, tmp_path: Path) -> None:
    """The README's path: the Activity Log's blobs by `azfs://`, and the same record as from a folder."""
    ran = trueup("simulate", "--output", tmp_path, "--scale-sets", "3", "--days", "1", "--operations", "storage")
    assert ran.status == 0
    container = BlobServiceClient.from_connection_string(storage.connection).create_container("insights-activity-logs")
    paths = [path for path in (tmp_path / "events").rglob("*") if path.is_file()]
    for path in paths:
        container.upload_blob(path.relative_to(tmp_path / "events").as_posix(), path.read_bytes())
    inventory = tmp_path / "inventory.csv"
    for source, out in ((f"azfs://{ACCOUNT}/insights-activity-logs/**", "azure"), (tmp_path / "events", "local")):
        ran = trueup("backfill", "--input", source, "--inventory", inventory, "--output", tmp_path / out)
        assert ran.status == 0, ran.err
    found, wanted = current(tmp_path / "azure"), current(tmp_path / "local")
    assert _stamped(found) == _stamped(wanted)
    assert len(found["availability"]) > 72


def _stamped(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [{**row, "as_of": None} for row in rows] for name, rows in tables.items()}
