"""Collecting: what a delivery holds, files that are whole or not there, and what the webhook answers."""

import base64
import errno
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from pipelines.collect.bodies import NoRecordsError, records_of, records_of_message
from pipelines.collect.event_files import EventFiles
from runners.collect.webhook import LARGEST, Rate, Webhook
from tests.support.files import trueup

SECRET = "a-secret-of-the-tests"
NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)


def _lines(folder: Path) -> list[bytes]:
    paths = sorted(folder.rglob("*.jsonl.zst"))
    return [line for path in paths for line in pa.input_stream(str(path), compression="zstd").read().splitlines()]


def _files(folder: Path, size: int = 1 << 20) -> EventFiles:
    return EventFiles(folder, seconds=3600, size=size, clock=lambda: NOW)


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (b'{"a": 1}', [b'{"a":1}']),
        (b'[{"a": 1},\n {"b": "\xc3\xa9\\n"}]', [b'{"a":1}', b'{"b":"\xc3\xa9\\n"}']),
        (
            b'\xef\xbb\xbf [{"n": 1.50, "big": 123456789012345678901234567890}]',
            [b'{"n":1.50,"big":123456789012345678901234567890}'],
        ),
        (b"[]", []),
    ],
)
def test_a_delivery_is_an_object_or_an_array_of_them(body: bytes, records: list[bytes]) -> None:
    assert records_of(body) == records
    assert records_of_message(base64.b64encode(body)) == records


@pytest.mark.parametrize("body", [b"", b"   ", b"1", b"[1]", b'{"a": 1} {', b'[{"a": 1}', b"[" * 100_000, b'["{}"]', b"<xml/>"])
def test_anything_else_is_none(body: bytes) -> None:
    with pytest.raises(NoRecordsError):
        records_of(body)
    with pytest.raises(NoRecordsError):
        records_of_message(base64.b64encode(body))


def test_records_are_in_a_part_at_once_and_in_a_file_when_it_is_whole(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.keep([b'{"a":1}', b'{"a":2}'])
    (part,) = (tmp_path / ".collecting").iterdir()
    assert part.read_bytes() == b'{"a":1}\n{"a":2}\n'
    assert _lines(tmp_path) == []
    files.close()
    assert _lines(tmp_path) == [b'{"a":1}', b'{"a":2}']
    assert [path.parent.name for path in tmp_path.rglob("*.zst")] == ["2026-11-29"]
    assert not list((tmp_path / ".collecting").iterdir())


def test_a_part_that_is_large_becomes_a_file(tmp_path: Path) -> None:
    files = _files(tmp_path, size=10)
    for number in range(3):
        files.keep([b'{"number":%d}' % number])
    files.close()
    assert len(list(tmp_path.rglob("*.zst"))) == 3


def test_the_next_collector_finishes_what_is_left_without_the_line_that_was_cut_off(tmp_path: Path) -> None:
    parts = tmp_path / ".collecting"
    parts.mkdir()
    (parts / "2026-11-28T235959Z-0a0a0a0a").write_bytes(b'{"a":1}\n{"a":2}\n{"a":')
    (parts / "2026-11-28T235959Z-0a0a0a0a.unfinished").write_bytes(b"half")
    _files(tmp_path).close()
    assert _lines(tmp_path) == [b'{"a":1}', b'{"a":2}']
    assert not list(parts.iterdir())


def test_a_part_of_a_collector_that_is_at_work_is_left_to_it(tmp_path: Path) -> None:
    first = _files(tmp_path)
    first.keep([b'{"a":1}'])
    _files(tmp_path).close()
    assert _lines(tmp_path) == []
    first.close()
    assert _lines(tmp_path) == [b'{"a":1}']


def test_a_full_disk_keeps_nothing_of_what_it_refused(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.keep([b'{"a":1}'])
    with mock.patch("os.fsync", side_effect=OSError(errno.ENOSPC, "no space")), pytest.raises(OSError, match="no space"):
        files.keep([b'{"a":2}'])
    files.keep([b'{"a":3}'])
    files.close()
    assert _lines(tmp_path) == [b'{"a":1}', b'{"a":3}']


def test_a_file_that_cannot_be_finished_is_tried_again(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.keep([b'{"a":1}'])
    with mock.patch("os.replace", side_effect=OSError(errno.EIO, "broken")), pytest.raises(OSError, match="broken"):
        files.finish()
    files.close()
    assert _lines(tmp_path) == [b'{"a":1}']


class _Memory:
    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.broken = False

    def keep(self, records: list[bytes]) -> None:
        if self.broken:
            raise OSError(errno.ENOSPC, "no space")
        self.records += records


@pytest.fixture
def memory() -> _Memory:
    return _Memory()


@pytest.fixture
def client(memory: _Memory) -> TestClient:
    application = Webhook(memory, SECRET, Rate(1000), note=lambda _: None).application()
    return TestClient(application, headers={"x-trueup-secret": SECRET})


def test_a_delivery_is_answered_when_it_is_kept(client: TestClient, memory: _Memory) -> None:
    assert client.post("/events", content=b'[{"a": 1}, {"a": 2}]').status_code == 200
    assert memory.records == [b'{"a":1}', b'{"a":2}']


def test_what_cannot_be_kept_is_to_come_again_and_is_told_once(
    client: TestClient, memory: _Memory, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.broken = True
    for _ in range(2):
        assert client.post("/events", content=b'[{"a": 1}]').status_code == 503
    assert client.get("/healthz").status_code == 503
    memory.broken = False
    for _ in range(2):
        assert client.post("/events", content=b'[{"a": 1}]').status_code == 200
    assert client.get("/healthz").status_code == 200
    cannot, again = capsys.readouterr().err.splitlines()
    assert cannot.startswith("trueup: /events: records cannot be kept at present: ")
    assert again == "trueup: /events: records are kept again."


def test_a_file_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    files = EventFiles(tmp_path, seconds=0.0, size=10**6, clock=lambda: NOW, complain=told.append)
    (tmp_path / f"{NOW:%Y-%m-%d}").write_text("no folder")
    files.keep([b"{}"])
    until = time.monotonic() + 2
    while time.monotonic() < until and not told:
        time.sleep(0.05)
    time.sleep(0.6)
    assert [sentence.partition(": ")[2] for sentence in told] == [
        "a file cannot be written at present: File exists. Nothing is lost."
    ]
    (tmp_path / f"{NOW:%Y-%m-%d}").unlink()
    files.close()
    assert len(list(tmp_path.glob("*/*.jsonl.zst"))) == 1


def test_the_secret_may_be_in_the_query_and_is_compared_whole(client: TestClient, memory: _Memory) -> None:
    del client.headers["x-trueup-secret"]
    for wrong in ("", "?secret=", f"?secret={SECRET[:-1]}", f"?secret={SECRET}x", "?secret=%C3%A9"):
        assert client.post(f"/events{wrong}", content=b'[{"a": 1}]').status_code == 401, wrong
        assert client.options(f"/events{wrong}", headers={"webhook-request-origin": "x"}).status_code == 401, wrong
    assert memory.records == []
    assert client.post(f"/events?secret={SECRET}", content=b'[{"a": 1}]').status_code == 200


def test_event_grid_gets_its_code_back(client: TestClient, memory: _Memory) -> None:
    event = {"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "512d38b6"}}
    answer = client.post("/events", json=[event], headers={"aeg-event-type": "SubscriptionValidation"})
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "512d38b6"})
    for body in ([{"data": {}}], [], [{"data": [1]}]):
        assert client.post("/events", json=body, headers={"aeg-event-type": "SubscriptionValidation"}).status_code == 400
    assert memory.records == []


def test_cloud_events_may_be_delivered_after_they_asked(client: TestClient) -> None:
    answer = client.options("/events", headers={"webhook-request-origin": "eventgrid.azure.net"})
    assert answer.status_code == 200
    assert answer.headers["webhook-allowed-origin"] == "eventgrid.azure.net"
    assert answer.headers["webhook-allowed-rate"] == "60000"
    assert client.options("/events").status_code == 400


def test_what_is_no_delivery_is_refused(client: TestClient, memory: _Memory) -> None:
    assert client.post("/events", content=b"<xml/>").status_code == 400
    assert client.post("/events", content=b"[" + b" " * (LARGEST - 2) + b"]").status_code == 200
    assert client.post("/events", content=b"[" + b" " * (LARGEST - 1) + b"]").status_code == 413
    assert client.get("/events").status_code == 405
    assert memory.records == []


def test_a_rate_lets_so_many_through_at_once_and_a_second() -> None:
    now = 0.0
    rate = Rate(2, clock=lambda: now)
    assert [rate.take() for _ in range(3)] == [True, True, False]
    now = 0.5
    assert [rate.take() for _ in range(2)] == [True, False]
    now = 60.0
    assert [rate.take() for _ in range(3)] == [True, True, False]


def test_too_many_deliveries_are_told_to_come_again(memory: _Memory) -> None:
    client = TestClient(Webhook(memory, SECRET, Rate(1, clock=lambda: 0.0), lambda _: None).application())
    answers = [client.post(f"/events?secret={SECRET}", content=b'{"a": 1}') for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--port: either it or --queue is required, got none."),
        (["--port", "0", "--queue", "q", "--output", "x"], "--port: either it or --queue is required, got both."),
        (["--queue", "q"], "--output: either it or --topic is required, got none."),
        (["--queue", "q", "--topic", "t"], "--topic: a name like projects/P/topics/T is required, got 't'."),
        (["--port", "0", "--output", "x"], "--port: a secret of at least 16 characters is required in TRUEUP_COLLECT_SECRET."),
        (
            ["--queue", "q", "--output", "x"],
            "--queue: the environment variable AZURE_STORAGE_CONNECTION_STRING is required with the name of a queue, got none.",
        ),
    ],
)
def test_errors_are_a_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    with mock.patch.dict(os.environ), mock.patch("os.getcwd", return_value=str(tmp_path)):
        os.environ.pop("AZURE_STORAGE_CONNECTION_STRING", None)
        ran = trueup("collect", *(str(tmp_path / "x") if each == "x" else each for each in arguments))
    assert ran.err.strip() == f"trueup: {sentence}"
