"""`trueup watch`: alarms from a record that grows, to real servers that answer, fail, hang and redirect."""

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from pipelines.failures import RunError
from pipelines.record.folder import files
from runners.engines.alarming import keep_looking
from runners.engines.delivery import to_webhook
from schemas.time import DAY, format_time
from tests.support.build import Event, degraded, down, spanning, up
from tests.support.files import PAST, Finished, at, trueup, write_events
from tests.support.hooks import server, status

HOUR = 3600


def _publish(folder: Path, *events: list[Event]) -> None:
    """The record of some events, in `record`."""
    past = [{**event, "time": event["time"] - PAST} for some in events for event in some]
    path = write_events(folder / "events.jsonl", past)
    assert trueup("backfill", "--input", path, "--output", folder / "record", "--cold").status == 0


def _watch(folder: Path, second: int, *options: object) -> Finished:
    """One look at that second; messages go to a file."""
    command = f"cat >> {folder}/said; echo >> {folder}/said"
    return trueup(
        "watch", "--data", folder / "record", "--command", command, "--once", "--at", format_time(at(second)), "--since",
        format_time(at(0)), *options,
    )  # fmt: skip


def _said(folder: Path) -> list[dict[str, Any]]:
    path = folder / "said"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def _brief(folder: Path) -> list[tuple[str, str]]:
    return [(one["type"].removeprefix("trueup.scaleset."), one["data"]["state"]) for one in _said(folder)]


WELL = up(0, "1") + up(0, "2")


def test_a_real_outage_is_told_and_ends(tmp_path: Path) -> None:
    _publish(tmp_path, WELL, down(600, "1"))
    assert _watch(tmp_path, 600 + 119).out == "0 messages.\n"
    assert _watch(tmp_path, 600 + 120).out == "1 messages.\n"
    (begun,) = _said(tmp_path)
    assert begun["time"] == format_time(at(600))
    assert begun["data"]["real"][0]["instance_id"] == "1"
    assert begun["data"]["real"][0]["verdict"] == "unexplained"
    assert _watch(tmp_path, 800).out == "0 messages.\n"
    _publish(tmp_path, WELL, down(600, "1"), up(900, "1"))
    _watch(tmp_path, 1000)
    (ended,) = _said(tmp_path)
    assert (ended["type"], ended["data"]["until"]) == ("trueup.scaleset.ended", format_time(at(900)))
    assert ended["data"]["first_id"] == begun["id"] != ended["id"]


def test_what_an_operation_explains_is_never_told(tmp_path: Path) -> None:
    _publish(tmp_path, WELL, spanning(590, 900, "delete", "1"), degraded(600, "1"), degraded(601, None), up(1000, None))
    assert _watch(tmp_path, HOUR).out == "0 messages.\n"


def test_a_late_operation_has_it_withdrawn(tmp_path: Path) -> None:
    _publish(tmp_path, WELL, down(600, "1"), up(900, "1"))
    _watch(tmp_path, HOUR)
    assert _brief(tmp_path) == [("begun", "Degraded"), ("ended", "Degraded")]
    _publish(tmp_path, WELL, down(600, "1"), up(900, "1"), spanning(590, 880, "restart", "1"))
    _watch(tmp_path, HOUR)
    assert _brief(tmp_path) == [("withdrawn", "Degraded")]
    assert _watch(tmp_path, HOUR).out == "0 messages.\n"


def test_one_time_over_many_cells_is_one_alarm(tmp_path: Path) -> None:
    _publish(tmp_path, WELL, down(600, "1"), up(5 * HOUR, "1"))
    for hour in range(1, 7):
        _watch(tmp_path, hour * HOUR)
    assert _brief(tmp_path) == [("begun", "Degraded"), ("ended", "Degraded")]


def test_a_message_that_is_not_taken_comes_again_with_the_same_id(tmp_path: Path) -> None:
    _publish(tmp_path, WELL, down(600, "1"), up(900, "1"))
    arguments = ("watch", "--data", tmp_path / "record", "--once", "--at", format_time(at(HOUR)), "--since", format_time(at(0)))
    failing = trueup(*arguments, "--command", f"cat >> {tmp_path}/said; echo >> {tmp_path}/said; exit 3")
    assert (failing.status, failing.err) == (1, "trueup: --command: exit status 0 is required, it ended with 3.\n")
    (first,) = _said(tmp_path)
    _watch(tmp_path, HOUR)
    again, ended = _said(tmp_path)
    assert again == first
    assert ended["type"] == "trueup.scaleset.ended"


def test_a_dry_run_takes_no_note(tmp_path: Path) -> None:
    _publish(tmp_path, WELL, down(600, "1"), up(900, "1"))
    for _ in range(2):
        ran = trueup("watch", "--data", tmp_path / "record", "--dry-run", "--once", "--at", format_time(at(HOUR)), "--since",
                     format_time(at(0)))  # fmt: skip
        assert len(ran.out.splitlines()) == 2
        assert "is Degraded: 1 unexplained" in ran.out
    assert not (tmp_path / "record" / "_trueup" / "alarms").exists()


def test_a_look_lists_days_of_the_last_while_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(tmp_path, WELL, down(600, "1"))
    listed: list[str] = []

    def listing(root: str, pattern: str) -> list[str]:
        listed.append(pattern.split("/")[1])
        return files(root, pattern)

    monkeypatch.setattr("pipelines.record.selection.files", listing)
    assert _watch(tmp_path, HOUR).out == "1 messages.\n"
    first, last = (format_time(at(HOUR) + days * DAY)[:10] for days in (-16, 2))
    assert listed
    assert all(f"day={first}" <= folder <= f"day={last}" for folder in listed)


def test_the_command_of_a_message_explains(tmp_path: Path) -> None:
    import shlex

    _publish(tmp_path, WELL, down(600, "1"), up(900, "1"))
    _watch(tmp_path, HOUR)
    for message in _said(tmp_path):
        explained = trueup(*shlex.split(message["data"]["explain"])[1:])
        assert "It was real" in explained.out, explained.err


def test_a_webhook_gets_the_message(tmp_path: Path) -> None:
    _publish(tmp_path, WELL, down(600, "1"))
    with server(status(204)) as (url, received):
        ran = trueup("watch", "--data", tmp_path / "record", "--webhook", url, "--once", "--at", format_time(at(HOUR)))
        assert (ran.status, ran.out) == (0, "1 messages.\n")
    (message,) = received
    assert message.keys() == {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
    assert (message["specversion"], message["datacontenttype"]) == ("1.0", "application/json")
    assert re.fullmatch("[0-9a-f]{32}", message["id"])
    assert (message["subject"], message["type"]) == ("a", "trueup.scaleset.begun")
    assert message["time"] == message["data"]["since"] == format_time(at(600))


def test_a_webhook_that_fails_for_a_while_is_asked_again() -> None:
    def answer(handler: BaseHTTPRequestHandler, before: int) -> None:
        status(503 if before < 2 else 200)(handler, before)

    with server(answer) as (url, received):
        to_webhook(url, backoff=0.01)({"id": "1"})
    assert [one["id"] for one in received] == ["1"] * 3


@pytest.mark.parametrize(
    ("answer", "sentence", "times"),
    [
        (status(500), "an answer of 200 to 299 is required, 127.0.0.1 gave 500", 5),
        (status(404), "an answer of 200 to 299 is required, 127.0.0.1 gave 404", 1),
        (status(302, {"location": "http://127.0.0.1:1/"}), "the final address is required, 127.0.0.1 refers to another", 1),
        (status(308, {"location": "http://127.0.0.1:1/"}), "the final address is required, 127.0.0.1 refers to another", 1),
    ],
)
def test_a_webhook_that_refuses_is_a_sentence_without_its_secret(
    answer: "Callable[[BaseHTTPRequestHandler, int], None]", sentence: str, times: int
) -> None:
    with server(answer) as (url, received), pytest.raises(RunError, match=sentence) as raised:
        to_webhook(url, backoff=0.01)({"id": "1"})
    assert "secret" not in str(raised.value)
    assert len(received) == times


def test_a_webhook_that_hangs_is_left_alone() -> None:
    ended = threading.Event()
    with server(lambda handler, before: (ended.wait(10), None)[1]) as (url, _):
        try:
            with pytest.raises(RunError, match="a server that answers is required"):
                to_webhook(url, backoff=0.01, timeout=0.1)({"id": "1"})
        finally:
            ended.set()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--webhook: one of --webhook, --command, --topic and --dry-run is required, got 0."),
        (["--dry-run", "--command", "true"], "--webhook: one of --webhook, --command, --topic and --dry-run is required, got 2."),
        (["--webhook", "example.org"], "--webhook: an address that begins with https:// or http:// is required."),
        (["--topic", "t"], "--topic: a name like projects/P/topics/T is required, got 't'."),
        (["--dry-run", "--at", "2026-01-01T00:00:00Z"], "--at: --once is required with it."),
    ],
)
def test_errors_are_a_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    ran = trueup("watch", "--data", tmp_path, *arguments)
    assert (ran.status, ran.err) == (2, f"trueup: {sentence}\n")


def test_a_folder_that_trueup_has_not_written_is_an_error(tmp_path: Path) -> None:
    ran = trueup("watch", "--data", tmp_path / "typo", "--dry-run", "--once")
    assert (ran.status, ran.err) == (1, f"trueup: --data: a folder that trueup has written is required, got {tmp_path}/typo.\n")


def test_what_ends_while_no_watch_runs_is_told_by_the_next(tmp_path: Path) -> None:
    """Also if the one before had nothing to say: it has left since when it looked."""
    _publish(tmp_path, WELL)
    watch = ("watch", "--data", tmp_path / "record", "--command", f"cat >> {tmp_path}/said; echo >> {tmp_path}/said", "--once")
    assert trueup(*watch, "--at", format_time(at(300))).out == "0 messages.\n"
    _publish(tmp_path, WELL, down(600, "1"), up(900, "1"))
    assert trueup(*watch, "--at", format_time(at(HOUR))).out == "2 messages.\n"
    assert _brief(tmp_path) == [("begun", "Degraded"), ("ended", "Degraded")]


def test_whatever_fails_in_a_look_is_told_once_and_the_next_look_comes(capsys: pytest.CaptureFixture[str]) -> None:
    ended, looks = threading.Event(), iter([ValueError("damaged"), ValueError("damaged"), RunError("It is full.")])

    class Watch:
        def look(self, now: int) -> int:
            for error in looks:
                raise error
            ended.set()
            return 0

    keep_looking(Watch(), 0.0, ended)  # type: ignore[arg-type]
    assert capsys.readouterr().err.splitlines() == [
        "trueup: damaged. It is tried again.",
        "trueup: It is full. It is tried again.",
    ]


def test_a_cursor_of_something_else_is_refused(tmp_path: Path) -> None:
    _publish(tmp_path, WELL)
    (tmp_path / "cursor").write_text("{}")
    ran = _watch(tmp_path, 10, "--cursor", tmp_path / "cursor")
    wanted = "a file that an earlier `trueup watch` has left is required, got another."
    assert (ran.status, ran.err) == (2, f"trueup: {tmp_path}/cursor: {wanted}\n")
