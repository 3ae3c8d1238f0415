"""`trueup nightly`: ten nights give the rows of one run, with one missed, one twice, two killed, and records that come late."""

import os
import signal as signals
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines.backfill.nightly import alone
from runners.commands import nightly
from schemas.time import HOUR, SECOND, format_time
from tests.support.build import Event
from tests.support.files import Finished, at, current, names, signal, spanning, table, trueup, write_events

ROOT = Path(__file__).parents[2]
DAY = 86_400
PROGRAM = """
import os, signal, sys
import pipelines.backfill.nightly, pipelines.record.tables, runners.commands.nightly

last, now = sys.argv[1], int(sys.argv[2])

def dying(whole):
    def put(root, path, content):
        if path.startswith(last):
            os.kill(os.getpid(), signal.SIGKILL)
        whole(root, path, content)
    return put

pipelines.backfill.nightly.put_over = dying(pipelines.backfill.nightly.put_over)
pipelines.record.tables.put = dying(pipelines.record.tables.put)
runners.commands.nightly.now_micros = lambda: now
from runners.cli import main
main(sys.argv[3:])
"""


class Delivered(NamedTuple):
    """An event, and the second at which it is there to be read."""

    second: float
    event: Event


def on_time(*events: Event) -> list[Delivered]:
    """Events that are there five minutes after the fact."""
    return [Delivered((event["time"] - at(0)) / SECOND + 300, event) for event in events]


def history() -> list[Delivered]:
    """Ten days of two scale sets: restarts, a removal, outages over midnight; one record is hours late, and one days."""
    found = []
    for name in "ab":
        found += on_time(*(signal(0, instance, "Available", scale_set=name) for instance in (None, "1", "2", "3")))
        found += on_time(*spanning(3 * DAY + 40_000, 3 * DAY + 40_100, "delete", "2", key="d", scale_set=name))
        found += on_time(signal(3 * DAY + 40_010, "2", "Degraded", scale_set=name))
        for day in range(10):
            restart, late = (
                spanning(DAY * day + 5_000, DAY * day + 5_300, "restart", "1", key=f"r{day}", scale_set=name),
                day == 4,
            )
            found += [Delivered(each.second + 3.5 * DAY * late, each.event) for each in on_time(*restart)]
            found += on_time(signal(DAY * day + 5_010, "1", "Unavailable", scale_set=name))
            found += on_time(signal(DAY * day + 5_290, "1", "Available", scale_set=name))
            if day % 2:
                (down,) = on_time(signal(DAY * day - 600, "3", "Unavailable", scale_set=name))
                found += [Delivered(down.second + 2.7 * 3_600, down.event)]
                found += on_time(signal(DAY * day + 900, "3", "Available", scale_set=name))
    return found


HISTORY = history()


def deliver(folder: Path, since: float, until: float) -> None:
    """Writes what comes in some time to a file of its own, and to one that grows."""
    came = [each.event for each in HISTORY if since <= each.second < until]
    write_events(folder / f"in/{int(until)}.jsonl", [event for event in came if event["scale_set_id"] == "a"])
    with (folder / "in/growing.jsonl").open("a") as file:
        file.write(write_events(folder / "part.jsonl", [event for event in came if event["scale_set_id"] == "b"]).read_text())


def clock(number: int) -> float:
    """The second at which the job of a night runs, which is two in the morning behind its day."""
    return DAY * (number + 1) + 2 * 3_600


def arguments(folder: Path, *options: object) -> list[str]:
    command = ("nightly", "--input", folder / "in", "--output", folder / "out", "--target", "50")
    return [str(argument) for argument in (*command, *options)]


Sleep = Callable[[float], None]


@pytest.fixture
def wake(monkeypatch: pytest.MonkeyPatch) -> Sleep:
    """Sets the clock, in seconds; there are no readers to wait for."""
    monkeypatch.setattr(nightly, "_GRACE", 0.0)
    return lambda second: monkeypatch.setattr(nightly, "now_micros", lambda: at(second))


def killed(folder: Path, last: str, second: float) -> None:
    """A night that is killed when it is about to write a file."""
    command = [sys.executable, "-c", PROGRAM, last, str(at(second)), *arguments(folder)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert done.returncode == -signals.SIGKILL, done.stderr


def night(folder: Path, number: int, wake: Sleep) -> Finished:
    """One night, with what has come since the last one."""
    deliver(folder, clock(number - 1) if number else 0, clock(number))
    if number == 3:
        return Finished(0, "", "")  # missed
    if number in (6, 8):
        killed(folder, "revisions" if number == 6 else "_trueup/nightly", clock(number))
    wake(clock(number))
    return trueup(*arguments(folder))


def in_one_run(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The current rows of one backfill over all that has come."""
    until = format_time(at(10 * DAY))
    done = trueup("backfill", "--input", folder / "in", "--output", folder / "whole", "--until", until)
    assert done.status == 0, done.err
    return current(folder / "whole")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_nights_give_what_one_run_gives(tmp_path: Path, wake: Sleep) -> None:
    anew = []
    for number in range(10):
        done = night(tmp_path, number, wake)
        assert done.status == 0, done.err
        anew += [number] * (done.out.count(" records in ") > 1)
        if number == 5:
            before = names(tmp_path, "out")
            assert trueup(*arguments(tmp_path)).status == 0
            assert names(tmp_path, "out") == before, "it ran twice"
    assert anew == [7], "the night in which the records of the fifth day come"
    assert current(tmp_path / "out") == in_one_run(tmp_path)
    assert {row["reason"] for row in table(tmp_path / "out", "rejects").to_pylist()} == {"late"}
    assert len(names(tmp_path / "out", "availability/day=2024-01-03")) == 1, "days that are over are compacted"


def test_what_was_read_is_not_read_again_and_a_quiet_night_goes_on(tmp_path: Path, wake: Sleep) -> None:
    deliver(tmp_path, 0, clock(0))
    wake(clock(0))
    assert "records in 2 files" in trueup(*arguments(tmp_path)).out
    wake(clock(1))
    done = trueup(*arguments(tmp_path))
    assert done.out.startswith("0 records in 0 files: ")
    assert max(row["end"] for row in current(tmp_path / "out")["availability"]) == at(2 * DAY)
    assert done.status == 0
    assert "Does anything still come in?" not in done.out


def test_that_nothing_comes_in_any_more_is_said_before_all_else(tmp_path: Path, wake: Sleep) -> None:
    deliver(tmp_path, 0, clock(0))
    wake(clock(2))
    said = (
        "Does anything still come in? The record ends at 2024-01-04T00:00:00Z, and the latest event is of 2024-01-02T01:28:20Z."
    )
    for _ in range(2):
        done = trueup(*arguments(tmp_path, "--summary", tmp_path / "s.md"))
        assert done.out.splitlines()[-2] == said
        assert (tmp_path / "s.md").read_text().splitlines()[2].replace("\\", "") == f"- {said}"


def test_records_wait_for_the_lag(tmp_path: Path, wake: Sleep) -> None:
    deliver(tmp_path, 0, clock(0))
    wake(clock(0))
    trueup(*arguments(tmp_path, "--lag", "7h"))
    assert max(row["end"] for row in current(tmp_path / "out")["availability"]) == at(DAY) - 5 * HOUR


def test_the_status_says_whether_the_target_is_met_and_the_summary_fits_a_screen(tmp_path: Path, wake: Sleep) -> None:
    deliver(tmp_path, 0, clock(1))
    wake(clock(1))
    options = ("--summary", tmp_path / "s.md", "--html", tmp_path / "p.html", "--over", "day", "--target", "99.99")
    done = trueup(*arguments(tmp_path, *options))
    assert (done.status, done.err) == (3, "")
    assert done.out.splitlines()[-1].endswith("the target of 99.99 % is missed.")
    said = (tmp_path / "s.md").read_text()
    assert said.startswith("# Availability 99.")
    assert "2 scale sets, 2024-01-02 00:00 to 2024-01-03 00:00 (UTC)" in said
    assert "the record ends at 2024-01-03T00:00:00Z." in said
    assert f"Why: `trueup explain --data {tmp_path / 'out'} --scale-set " in said
    assert len(said.splitlines()) < 25
    assert (tmp_path / "p.html").read_text().startswith("<!DOCTYPE html>")
    assert trueup(*arguments(tmp_path, "--target", "50")).status == 0


def test_what_comes_too_late_for_an_input_that_has_lost_its_begin_is_told(tmp_path: Path, wake: Sleep) -> None:
    deliver(tmp_path, 0, clock(3))
    wake(clock(3))
    assert trueup(*arguments(tmp_path)).status == 0
    before = current(tmp_path / "out")
    for path in (tmp_path / "in").iterdir():
        path.unlink()
    write_events(tmp_path / "in/late.jsonl", [signal(DAY + 50_000, "1", "Unavailable", scale_set="a", event_id="late")])
    done = trueup(*arguments(tmp_path, "--summary", tmp_path / "s.md"))
    assert done.status == 0, done.err
    assert "1 record came too late and did not count" in (tmp_path / "s.md").read_text()
    assert current(tmp_path / "out") == before


def test_a_second_night_at_the_same_time_is_refused(tmp_path: Path, wake: Sleep) -> None:
    deliver(tmp_path, 0, clock(0))
    wake(clock(0))
    assert trueup(*arguments(tmp_path)).status == 0
    with alone(str(tmp_path / "out")):
        done = trueup(*arguments(tmp_path))
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "one night at a time" in done.err
    assert trueup(*arguments(tmp_path)).status == 0


def test_an_input_that_matches_nothing_is_one_sentence(tmp_path: Path, wake: Sleep) -> None:
    wake(clock(0))
    done = trueup(*arguments(tmp_path))
    assert (done.status, done.err.count("\n")) == (1, 1)
