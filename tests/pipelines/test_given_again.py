"""`--resume` and files that are given again: what runs before have read is duplicate, however far back, and nothing else is."""

import functools
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from schemas.tables.by_name import VERSIONED
from schemas.time import DAY
from tests.support.build import Event
from tests.support.files import at, current, names, signal, spanning, table, trueup, write_events

DAY_SECONDS = 86_400


@functools.cache
def night(day: int, *sets: str) -> tuple[Event, ...]:
    """A day of some scale sets, with a restart and an outage; the same events whenever it is asked for."""
    start = day * DAY_SECONDS
    events: list[Event] = []
    for name in sets or ("a", "b"):
        events += [signal(start, i, "Available", scale_set=name) for i in "123"]
        events += spanning(start + 5_000, start + 5_300, "restart", "1", key=f"r{day}", scale_set=name)
        events += [signal(start + 5_010, "1", "Unavailable", scale_set=name)]
        events += [signal(start + 5_200, "1", "Available", scale_set=name)]
        events += [signal(start + 40_000, "2", "Degraded", scale_set=name)]
        events += [signal(start + 41_000, "2", "Available", scale_set=name)]
        events += [signal(start + 82_000, "3", "Available", scale_set=name)]
    return tuple(events)


def run(folder: Path, events: Iterable[Event], *options: object) -> dict[str, Any]:
    """One run over some events; gives the fates of its records, and how many cells it wrote."""
    path = write_events(folder / f"{len(list(folder.glob('*.jsonl')))}.jsonl", events)
    done = trueup("backfill", "--input", path, "--output", folder / "out", "--json", *options)
    assert done.status == 0, done.err
    records = done.json["records"]
    return {**{name: records[name] for name in ("used", "duplicate", "rejected")}, "written": done.json["cells"]["written"]}


def again(number: int) -> dict[str, Any]:
    """The fate of records of which all are known."""
    return {"used": 0, "duplicate": number, "rejected": {}, "written": 0}


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which five nights were corrected, one after the other."""
    folder = tmp_path_factory.mktemp("five")
    for day in range(5):
        assert run(folder, night(day), "--resume")["used"] == len(night(day))
    return folder


@pytest.fixture
def nights(five: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(five, tmp_path, dirs_exist_ok=True))


@pytest.mark.parametrize("more", [(), ("--memory", "1M")], ids=["at once", "in parts"])
def test_the_same_run_of_many_days_twice_is_all_duplicate(more: tuple[str, ...], tmp_path: Path) -> None:
    events = [event for day in range(5) for event in night(day)]
    run(tmp_path, events, "--resume", *more)
    before = names(tmp_path / "out", *VERSIONED)
    for _ in range(2):
        assert run(tmp_path, events, "--resume", *more) == again(len(events))
    assert names(tmp_path / "out", *VERSIONED) == before
    assert not len(table(tmp_path / "out", "rejects"))


def test_files_of_all_nights_before_are_duplicate_beside_a_new_one(nights: Path) -> None:
    old = [event for day in range(5) for event in night(day)]
    assert run(nights, old, "--resume") == again(len(old))
    told = run(nights, [*old, *night(5)], "--resume")
    assert (told["used"], told["duplicate"], told["rejected"]) == (len(night(5)), len(old), {})
    together = [*old, *night(5)]
    assert run(nights, night(2), "--resume") == again(len(night(2)))
    run(nights / "whole", together)
    assert current(nights / "out") == current(nights / "whole" / "out")


def test_what_nobody_has_read_is_late_among_what_was(nights: Path) -> None:
    missed = [signal(50_000, "1", "Unavailable", scale_set="a", event_id="missed")]
    assert run(nights, [*night(0), *missed], "--resume") == again(len(night(0))) | {"rejected": {"late": 1}}
    assert run(nights, missed, "--resume") == again(0) | {"rejected": {"late": 1}}, "it was not taken in, so it is no copy"


def test_of_a_run_that_was_killed_nothing_is_known(nights: Path) -> None:
    standing = nights / "out/_trueup/standing"
    shutil.copytree(standing, nights / "kept")
    run(nights, night(5), "--resume")
    (mark,) = standing.glob("*.json")
    mark.unlink()
    shutil.copytree(nights / "kept", standing, dirs_exist_ok=True)
    told = run(nights, [*night(4), *night(5)], "--resume")
    assert told == {"used": len(night(5)), "duplicate": len(night(4)), "rejected": {}, "written": 0}
    assert run(nights, [*night(5), *night(1)], "--resume") == again(len(night(5)) + len(night(1)))


def test_from_the_standing_of_an_earlier_night_what_came_after_it_is_used_anew(nights: Path) -> None:
    shutil.copytree(nights / "out/_trueup/standing", nights / "kept")
    for day in (5, 6):
        run(nights, night(day), "--resume")
    shutil.rmtree(nights / "out/_trueup/standing")
    shutil.copytree(nights / "kept", nights / "out/_trueup/standing")
    events = [event for day in (0, 3, 4, 5, 6) for event in night(day)]
    told = run(nights, events, "--resume")
    assert told == {"used": 2 * len(night(5)), "duplicate": 3 * len(night(0)), "rejected": {}, "written": 0}


def test_what_a_run_that_began_anew_had_not_read_is_late(nights: Path) -> None:
    run(nights, [*night(8), *night(9)], "--cold")
    assert run(nights, night(8), "--resume") == again(len(night(8)))
    assert run(nights, night(2), "--resume")["rejected"] == {"late": len(night(2))}


def test_of_two_lines_of_runs_each_scale_set_has_its_own(tmp_path: Path) -> None:
    for day in range(3):
        run(tmp_path, night(day, "a"), "--resume")
    run(tmp_path, night(1, "b"))
    run(tmp_path, night(3), "--resume")
    assert run(tmp_path, [*night(0, "a"), *night(1, "b")], "--resume") == again(len(night(0, "a")) + len(night(1, "b")))
    assert run(tmp_path, night(0, "b"), "--resume")["rejected"] == {"late": len(night(0, "b"))}


def test_ninety_days_are_remembered_and_no_more(tmp_path: Path) -> None:
    daily = ("--resume", "--grid", "1d")
    for day in (0, 1, 2, 85):
        run(tmp_path, night(day, "a"), *daily)
    assert run(tmp_path, night(0, "a"), *daily) == again(len(night(0, "a")))
    run(tmp_path, night(95, "a"), *daily)
    assert len(run(tmp_path, night(0, "a"), *daily)["rejected"]) == 1
    (mark,) = (tmp_path / "out/_trueup/standing").glob("*.json")
    held = json.loads(mark.read_text())
    assert min(held["after"].values()) > held["until"] - 90 * DAY


def test_what_is_remembered_no_more_is_removed_a_day_later(nights: Path) -> None:
    settled = nights / "out/_trueup/settled"
    kept = {path.name for path in settled.iterdir()}
    for name in ("20200101T000000000000Z-stray", "29991231T000000000000Z-other"):
        shutil.copytree(settled / min(kept), settled / name)
    run(nights, night(5), "--resume")
    assert {path.name for path in settled.iterdir()} > kept | {"29991231T000000000000Z-other"}
    assert not (settled / "20200101T000000000000Z-stray").exists()


def test_an_ordinary_night_reads_nothing_of_what_is_settled(nights: Path) -> None:
    for path in (nights / "out/_trueup/settled").rglob("*.parquet"):
        path.write_bytes(b"")
    told = run(nights, [*night(4), *night(5)], "--resume")
    assert (told["used"], told["duplicate"], told["rejected"]) == (len(night(5)), len(night(4)), {})
    assert at(0)
