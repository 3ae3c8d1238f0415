"""`trueup stream` and `trueup compact`: what they refuse, each in one sentence."""

import re
import socket
from pathlib import Path

import pytest

from pipelines.failures import UsageError
from pipelines.record.store import Store
from tests.support.files import trueup, two_days, write_events

NAME = "projects/p/subscriptions/s"


def stream(tmp_path: Path, *options: object, name: str = NAME) -> tuple[int, str]:
    done = trueup("stream", "--subscription", name, "--output", tmp_path / "out", *options)
    assert len(done.err.splitlines()) == 1
    return done.status, done.err.removeprefix("trueup: ").strip()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--runner", "SparkRunner"], "--runner: PrismRunner, FlinkRunner or DataflowRunner is required, got SparkRunner."),
        (["--flush", "11m"], "--flush: 1s to 10m is required, got 11m."),
        (["--idle", "11m"], "--idle: 1s to 10m is required, got 11m."),
        (["--lease", "9s"], "--lease: 10s to 10m is required, got 9s."),
        (["--compact-every", "30s"], "--compact-every: 1m to 7d is required, got 30s."),
        (
            ["--compact-every", "1h", "--runner", "FlinkRunner"],
            "--compact-every: PrismRunner is required (elsewhere, `trueup compact`), got FlinkRunner.",
        ),
        (["--groups", "0"], "--groups: 1 to 4096 is required, got 0."),
        (["--groups", "4097"], "--groups: 1 to 4096 is required, got 4097."),
        (["--flush", "soon"], None),
    ],
)
def test_options_out_of_their_range_are_wrong(tmp_path: Path, options: list[str], sentence: str | None) -> None:
    status, said = stream(tmp_path, *options)
    assert status == 2
    assert sentence in (None, said)


def test_a_folder_has_one_number_of_groups(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.keep_groups(64)
    store.keep_groups(64)
    required = (
        f"--groups: 64, with which the streams of {tmp_path} began, is required, got 32; another number is for another folder."
    )
    with pytest.raises(UsageError, match=re.escape(required)):
        store.keep_groups(32)


def test_a_name_of_no_subscription_is_wrong(tmp_path: Path) -> None:
    status, said = stream(tmp_path, name="s")
    assert (status, said) == (2, "--subscription: a name like projects/P/subscriptions/S is required, got 's'.")


def test_an_emulator_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{closed.getsockname()[1]}")
        status, said = stream(tmp_path)
    assert status == 1
    assert "must answer, and does not" in said
    assert not (tmp_path / "out").exists()


def test_without_credentials_an_emulator_is_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    status, said = stream(tmp_path)
    assert status == 1
    assert "credentials are required" in said


def test_compact_wants_a_folder_of_tables(tmp_path: Path) -> None:
    done = trueup("compact", "--data", tmp_path)
    assert (done.status, done.err.strip()) == (
        1,
        f"trueup: --data: a folder that trueup has written is required, got {tmp_path}.",
    )


def test_compact_says_what_it_did(tmp_path: Path) -> None:
    events = sorted(two_days(), key=lambda event: event["time"])
    for number in (12, len(events)):
        path = write_events(tmp_path / "events.jsonl", events[:number])
        assert trueup("backfill", "--input", path, "--output", tmp_path / "out").status == 0
    done = trueup("compact", "--data", tmp_path / "out", "--grace", "0s", "--json")
    assert done.json["files_before"] > done.json["files_before"] - done.json["files_removed"] + done.json["files_written"]
    assert "files were there: 0 removed" in trueup("compact", "--data", tmp_path / "out", "--grace", "0s").out
