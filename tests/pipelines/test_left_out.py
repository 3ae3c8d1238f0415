"""A scale set in whose place a backfill would put a cold start is left out, and the others are published
(contract: Cold start)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from schemas.policy import Policy
from schemas.time import SECOND, format_time
from tests.support.build import Event
from tests.support.files import Finished, at, current, signal, table, trueup, write_events

HOUR = 3_600
DAY = 24 * HOUR
SINCE = ("--since", format_time(at(3 * DAY)))
EXCUSE = Policy().max_excuse // SECOND


def busy(name: str = "busy", since: int = 0) -> list[Event]:
    """Six days of a scale set that says something every few hours."""
    hours = range(since, 6 * 24, 5)
    return [signal(hour * HOUR, "1", "Available", scale_set=name, event_id=f"{name}{hour}") for hour in hours]


def quiet(name: str = "quiet") -> list[Event]:
    """One that says nothing for days, and then has an outage."""
    day = [signal(5 * DAY, "1", "Unavailable", scale_set=name), signal(5 * DAY + 600, "1", "Available", scale_set=name)]
    return [signal(0, i, "Available", scale_set=name) for i in "12"] + day


def run(folder: Path, events: Sequence[Event], *options: object) -> Finished:
    path = write_events(folder / f"{len(list(folder.glob('*.jsonl')))}.jsonl", events)
    return trueup("backfill", "--input", path, "--output", folder / "out", *options)


def rows(folder: Path, name: str) -> dict[str, list[dict[str, Any]]]:
    """The current rows of one scale set."""
    return {table: [row for row in its if row["scale_set_id"] == name] for table, its in current(folder / "out").items()}


def latest(events: list[Event]) -> list[Event]:
    """What lies in the files of the last nights."""
    return [event for event in events if event["time"] >= at(2 * DAY)]


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A folder that knows both from the first day to the fourth."""
    assert run(tmp_path, [*(event for event in busy() if event["time"] < at(4 * DAY)), *quiet()[:2]]).status == 0
    return tmp_path


@pytest.mark.parametrize("more", [(), ("--memory", "1M")], ids=["at once", "in parts"])
def test_one_quiet_scale_set_stops_no_night(more: tuple[str, ...], known: Path) -> None:
    before = rows(known, "quiet")
    outage = [signal(4 * DAY - HOUR, "1", "Unavailable", scale_set="busy"), signal(4 * DAY, "1", "Available", scale_set="busy")]
    done = run(known, [*latest(busy()), *outage, *latest(quiet())], *SINCE, *more)
    assert (done.status, done.err) == (0, "")
    said = " ".join(done.out.split())
    assert "1 of 2 scale sets left out: quiet. Their cells stay as they are" in said
    assert "give a snapshot of all states beside the files, or --resume." in said
    assert rows(known, "quiet") == before
    assert [row["verdict"] for row in current(known / "out")["attributions"]] == ["unexplained"]
    assert {row["scale_set_id"] for row in table(known / "out", "revisions").to_pylist() if row["revision"]} == {"busy"}


@pytest.mark.parametrize("more", [(), ("--memory", "1M")], ids=["at once", "in parts"])
def test_its_records_are_accounted_for(more: tuple[str, ...], known: Path) -> None:
    double = {**signal(5 * DAY, "2", "Available", scale_set="quiet"), "event_id": "twice"}
    told = run(known, [*latest(busy()), *latest(quiet()), double, double], *SINCE, *more, "--json").json
    assert told["records"]["ignored"] == {"left_out": 4}
    assert told["records"]["in"] == told["records"]["used"] + 4
    assert (told["left_out_scale_sets"], told["scale_sets"]) == (["quiet"], 2)


def test_a_snapshot_of_all_states_beside_the_files_helps(known: Path) -> None:
    night = [*latest(busy()), *latest(quiet())]
    assert "left out" not in run(known, [*night, *quiet()[:2]], *SINCE).out
    assert [row["scale_set_id"] for row in current(known / "out")["attributions"]] == ["quiet"]


@pytest.mark.parametrize(
    ("first", "options", "left_out"),
    [
        (3 * DAY - EXCUSE, SINCE, []),
        (3 * DAY - EXCUSE + 0.000001, SINCE, ["quiet"]),
        (3 * DAY + HOUR, SINCE, ["quiet"]),
        (3 * DAY + HOUR, (), ["quiet"]),
        (3 * DAY + HOUR, ("--cold",), []),
        (3 * DAY + HOUR, (*SINCE, "--cold"), []),
        (3 * DAY + HOUR, ("--resume",), []),
    ],
    ids=["max_excuse before", "a microsecond less", "after", "no since", "cold", "cold since", "resumed"],
)
def test_when_one_is_left_out(first: float, options: tuple[str, ...], left_out: list[str], known: Path) -> None:
    events = [*busy(), signal(first, "1", "Available", scale_set="quiet"), signal(5 * DAY, "1", "Available", scale_set="quiet")]
    assert run(known, events, *options, "--json").json["left_out_scale_sets"] == left_out


def test_one_that_the_folder_does_not_know_is_taken_in_beside_it(known: Path) -> None:
    told = run(known, [*latest(busy()), *latest(quiet()), *latest(quiet("new"))], *SINCE, "--json").json
    assert told["left_out_scale_sets"] == ["quiet"]
    assert rows(known, "new")["availability"]


def test_of_many_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    names = [f"q{number}" for number in range(9)]
    run(tmp_path, [*busy(), *(event for name in names for event in quiet(name))])
    done = run(tmp_path, [*busy(), *(event for name in names for event in latest(quiet(name)))], *SINCE)
    assert "9 of 10 scale sets left out: q0, q1, q2 and 6 more." in " ".join(done.out.split())


def test_a_run_that_goes_on_leaves_out_what_it_finds_nothing_of_and_does_not_advise_what_was_done(known: Path) -> None:
    for path in (known / "out/_trueup/standing").glob("*.json"):
        path.unlink()
    done = run(known, [*busy(), *latest(quiet())], "--resume")
    assert done.status == 0
    assert "(--resume finds nothing of them to go on from)." in " ".join(done.out.split())
    assert "or --resume" not in " ".join(done.out.split())


def test_where_all_are_left_out_nothing_is_written_and_the_run_fails(known: Path) -> None:
    before = current(known / "out")
    done = run(known, [*latest(busy()), *latest(quiet())])
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "of busy, quiet, so nothing was written; give a snapshot of all states beside the files, or --resume; " in done.err
    assert done.err.endswith("; or input from 6h before --since, or --cold.\n")
    assert current(known / "out") == before


def test_a_run_that_goes_on_knows_the_one_that_was_left_out(known: Path) -> None:
    run(known, [*latest(busy()), *latest(quiet())], *SINCE)
    assert "left out" not in run(known, latest(quiet()), "--resume").out
    assert [row["scale_set_id"] for row in current(known / "out")["attributions"]] == ["quiet"]
