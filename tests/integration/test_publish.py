"""`trueup publish` against the real emulator."""

import gzip
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from schemas.time import format_time
from tests.support.emulator import PROJECT, Emulator
from tests.support.files import trueup

pytestmark = pytest.mark.integration
BEGINNING = 1_767_225_600_000_000
"""Microseconds of a midnight that is past."""


def record(number: int, scale_set: str = "a", seconds: float = 0.0) -> dict[str, Any]:
    moment = format_time(BEGINNING + round(seconds * 1e6))
    return {"kind": "signal", "event_id": str(number), "scale_set_id": scale_set, "time": moment, "state": "Available"}


def write(path: Path, records: list[dict[str, Any]]) -> None:
    text = "".join(f"{json.dumps(one)}\n" for one in records).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


@pytest.fixture
def names(pubsub: Emulator) -> tuple[str, str]:
    """The names of a topic and a subscription that are not there yet."""
    name = f"publish-{uuid.uuid4().hex}"
    return f"{PROJECT}/topics/{name}", f"{PROJECT}/subscriptions/{name}"


def test_it_creates_what_is_missing_and_all_records_arrive(pubsub: Emulator, names: tuple[str, str], tmp_path: Path) -> None:
    topic, subscription = names
    write(tmp_path / "a.jsonl.gz", [record(number, f"Set{number % 7}") for number in range(3000)])
    (tmp_path / "b.json").write_text(json.dumps([record(number, "z") for number in range(3000, 3010)]))
    done = trueup("publish", "--input", tmp_path, "--topic", topic, "--create", "--subscription", subscription, "--json")
    assert (done.status, done.err) == (0, "")
    assert (done.json["records"], done.json["files"], done.json["formats"]) == (3010, 2, {"canonical": 3010})
    received = pubsub.pull(subscription)
    assert sorted(int(json.loads(one.message.data)["event_id"]) for one in received) == list(range(3010))
    one = next(one.message for one in received if json.loads(one.message.data)["event_id"] == "8")
    assert one.ordering_key == "set1"
    told = {"format": "canonical", "source": "a.jsonl.gz", "time": "2026-01-01T00:00:00Z"}
    assert {name: value for name, value in one.attributes.items() if name != "id"} == told
    assert len({one.message.attributes["id"] for one in received}) == 3010
    assert bytes(one.data) == json.dumps(record(8, "Set1")).encode()


def test_records_of_a_scale_set_arrive_in_their_order(pubsub: Emulator, names: tuple[str, str], tmp_path: Path) -> None:
    topic, subscription = names
    write(tmp_path / "a.jsonl", [record(number, f"{number % 3}") for number in range(3000)])
    trueup("publish", "--input", tmp_path, "--topic", topic, "--create", "--subscription", subscription)
    arrived: dict[str, list[int]] = {}
    for one in sorted(pubsub.pull(subscription), key=lambda one: int(one.message.message_id)):
        arrived.setdefault(one.message.ordering_key, []).append(int(json.loads(one.message.data)["event_id"]))
    assert arrived == {str(key): list(range(key, 3000, 3)) for key in range(3)}


def test_what_is_there_stays(pubsub: Emulator, names: tuple[str, str], tmp_path: Path) -> None:
    topic, subscription = names
    write(tmp_path / "a.jsonl", [record(1)])
    for _ in range(2):
        done = trueup("publish", "--input", tmp_path, "--topic", topic, "--create", "--subscription", subscription)
        assert done.status == 0, done.err
    assert len(pubsub.pull(subscription)) == 2


def test_it_goes_on_behind_what_its_progress_file_notes(pubsub: Emulator, names: tuple[str, str], tmp_path: Path) -> None:
    topic, subscription = names
    write(tmp_path / "a.jsonl", [record(number) for number in range(5)])
    given = ("publish", "--input", tmp_path / "a.jsonl", "--topic", topic, "--create", "--subscription", subscription)
    assert trueup(*given, "--progress", tmp_path / "cursor.json", "--json").json["records"] == 5
    write(tmp_path / "a.jsonl", [record(number) for number in range(7)])
    assert trueup(*given, "--progress", tmp_path / "cursor.json", "--json").json["records"] == 2
    assert trueup(*given, "--progress", tmp_path / "cursor.json", "--json").json["records"] == 0
    assert sorted(json.loads(one.message.data)["event_id"] for one in pubsub.pull(subscription)) == [*"0123456"]


@pytest.mark.depends_on_speed("a pace is kept within seconds")
def test_it_keeps_the_pace(pubsub: Emulator, names: tuple[str, str], tmp_path: Path) -> None:
    topic, _ = names
    write(tmp_path / "a.jsonl", [record(number, seconds=3600 * number) for number in range(3)])
    done = trueup("publish", "--input", tmp_path, "--topic", topic, "--create", "--speed", 3600, "--json")
    assert 2.0 <= done.json["seconds"] < 10.0


def test_a_topic_that_is_missing_is_one_sentence(pubsub: Emulator, names: tuple[str, str], tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [record(1)])
    done = trueup("publish", "--input", tmp_path, "--topic", names[0])
    assert (done.status, done.out) == (1, "")
    assert done.err == f"trueup: {names[0]}: it must exist, and does not (on an emulator, `trueup publish --create` makes it).\n"


def test_an_emulator_that_does_not_answer_is_one_sentence(
    names: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    write(tmp_path / "a.jsonl", [record(1)])
    done = trueup("publish", "--input", tmp_path, "--topic", names[0])
    assert (done.status, done.out) == (1, "")
    assert done.err == f"trueup: {names[0]}: the emulator at 127.0.0.1:1 (PUBSUB_EMULATOR_HOST) must answer, and does not.\n"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("--topic", "t"), "--topic: a name like projects/P/topics/T is required, got 't'."),
        (
            ("--topic", "projects/p/topics/t", "--subscription", "s", "--create"),
            "--subscription: a name like projects/P/subscriptions/S is required, got 's'.",
        ),
        (
            ("--topic", "projects/p/topics/t", "--subscription", "projects/p/subscriptions/s"),
            "--subscription: --create is required with it, since it says what to make.",
        ),
        (
            ("--topic", "projects/p/topics/t", "--create"),
            "--create: an emulator is required, whose address PUBSUB_EMULATOR_HOST tells (like localhost:8085), got none.",
        ),
    ],
)
def test_options_that_are_wrong(given: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    write(tmp_path / "a.jsonl", [record(1)])
    done = trueup("publish", "--input", tmp_path, *given)
    assert (done.status, done.err) == (2, f"trueup: {sentence}\n")
