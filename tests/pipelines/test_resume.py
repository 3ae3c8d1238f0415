"""`--resume`: a history that is cut anywhere into runs of which each goes on from the last gives the current rows of one run."""

import itertools
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import Policy
from schemas.tables.by_name import VERSIONED
from schemas.time import HOUR, format_time
from tests.support.build import Event
from tests.support.files import PAST, at, current, names, signal, spanning, table, trueup, two_days, write_events
from tests.support.timelines import many_sets

LAST = at(2 * 24 * 3600)


def backfill(folder: Path, name: str, events: Iterable[Event], *options: object) -> dict[str, Any]:
    """One run over some events into the folder's `out`."""
    path = write_events(folder / f"{name}.jsonl", events)
    done = trueup("backfill", "--input", path, "--output", folder / "out", "--json", *options)
    assert done.status == 0, done.err
    return done.json


def in_runs(folder: Path, events: Sequence[Event], cuts: Sequence[int], *options: object) -> dict[str, list[dict[str, Any]]]:
    """The current rows after one run for each piece of a history."""
    bounds = [min(event["time"] for event in events), *cuts, max(event["time"] for event in events) + 1]
    for number, (since, until) in enumerate(itertools.pairwise(bounds)):
        piece = [event for event in events if since <= event["time"] < until]
        backfill(folder, f"run-{number}", piece, "--resume", *options)
    return current(folder / "out")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("whole")
    backfill(folder, "all", two_days("abc"))
    return current(folder / "out")


@pytest.mark.parametrize("cut", [1, 5_100, 5_300, 40_050, 41_000, 86_000, 86_400, 100_000, 160_000])
def test_a_history_cut_into_two_runs_gives_the_rows_of_one(
    cut: int, whole: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    assert in_runs(tmp_path, two_days("abc"), [at(cut)]) == whole


def test_a_run_of_its_own_for_each_hour_gives_the_rows_of_one(whole: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    assert in_runs(tmp_path, two_days("abc"), [at(3_600 * hour) for hour in (1, 2, 3, 11, 12, 23, 24, 25, 30)]) == whole


def test_parts_that_memory_asks_for_go_on_as_well(whole: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    assert in_runs(tmp_path, two_days("abc"), [at(40_050)], "--memory", "1M") == whole


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), number=st.integers(1, 2))
def test_a_random_history_in_runs_gives_the_rows_of_one(seed: int, number: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    timeline = many_sets(seed, 4, (Policy(),))
    events = [{**event, "time": event["time"] - PAST} for event in timeline.events]
    first, last = min(e["time"] for e in events), max(e["time"] for e in events)
    cuts = sorted(random.Random(seed).randint(first, last) for _ in range(number))
    folder = tmp_path_factory.mktemp("runs")
    came = in_runs(folder, events, cuts)
    backfill(folder / "whole", "all", events)
    assert came == current(folder / "whole" / "out")


def test_a_scale_set_that_says_nothing_goes_on_to_where_the_others_are_known(tmp_path: Path) -> None:
    backfill(tmp_path, "first", two_days("ab"))
    more = [signal(3 * 86_400, "1", "Available", scale_set="a")]
    told = backfill(tmp_path, "second", more, "--resume")
    assert (told["scale_sets"], told["resumed_from"]) == (2, format_time(LAST - HOUR))
    ends = {row["scale_set_id"]: row["end"] for row in current(tmp_path / "out")["availability"]}
    assert ends == dict.fromkeys("ab", at(3 * 86_400 + 3_600))


def test_cells_that_a_run_has_not_published_are_published_by_the_next(tmp_path: Path) -> None:
    """Each night ends at midnight, and the files of it go on into the morning."""
    midnight, morning = at(86_400), at(86_400 + 5 * 3_600)
    events = [*two_days("abc"), *(signal(86_400 + 4.5 * 3_600, "1", "Available", scale_set=name) for name in "abc")]
    backfill(tmp_path, "first", [event for event in events if event["time"] < morning], "--until", format_time(midnight))
    assert max(row["end"] for row in current(tmp_path / "out")["availability"]) == midnight
    backfill(tmp_path, "second", [event for event in events if event["time"] >= midnight], "--resume")
    backfill(tmp_path / "whole", "all", events)
    assert current(tmp_path / "out") == current(tmp_path / "whole" / "out")


def test_what_is_closed_does_not_open_again_where_a_run_publishes_an_earlier_time_only(tmp_path: Path) -> None:
    backfill(tmp_path, "first", two_days("a"))
    backfill(tmp_path, "second", [], "--resume", "--until", format_time(at(86_400)))
    told = backfill(tmp_path, "third", [signal(90_000, "1", "Unavailable")], "--resume")
    assert told["records"]["rejected"] == {"late": 1}


def test_a_night_without_any_event_is_still_a_night(tmp_path: Path) -> None:
    backfill(tmp_path, "first", two_days("ab"))
    backfill(tmp_path, "second", [], "--resume", "--until", format_time(at(3 * 86_400)))
    assert max(row["end"] for row in current(tmp_path / "out")["availability"]) == at(3 * 86_400)


def test_what_an_earlier_run_has_settled_is_late_and_its_copies_are_duplicates(tmp_path: Path) -> None:
    events = two_days("a")
    backfill(tmp_path, "first", events)
    before = current(tmp_path / "out")
    late = [signal(43_000, "1", "Unavailable", event_id="late"), signal(43_100, "1", "Available", event_id="later")]
    told = backfill(tmp_path, "second", [*(event for event in events if event["time"] > at(86_400)), *late], "--resume")
    assert told["records"]["rejected"] == {"late": 2}
    assert told["records"]["used"] == 0
    assert current(tmp_path / "out") == before
    rejects = table(tmp_path / "out", "rejects").to_pylist()
    assert {(row["location"], row["reason"]) for row in rejects} == {("late", "late"), ("later", "late")}
    closed = format_time(LAST - HOUR - HOUR - Policy().lateness)
    assert {row["detail"] for row in rejects if row["location"] == "late"} == {
        f"time: {closed} or later is required, got {format_time(at(43_000))}."
    }


def test_the_same_run_again_writes_nothing(tmp_path: Path) -> None:
    backfill(tmp_path, "first", two_days("ab"))
    more = [signal(2 * 86_400, "1", "Unavailable")]
    backfill(tmp_path, "second", more, "--resume")
    before = names(tmp_path / "out", *VERSIONED)
    told = backfill(tmp_path, "second", more, "--resume")
    assert told["cells"]["written"] == 0
    assert names(tmp_path / "out", *VERSIONED) == before


def test_a_dry_run_goes_on_from_a_standing_and_leaves_none(tmp_path: Path) -> None:
    backfill(tmp_path, "first", two_days("ab"))
    before = names(tmp_path / "out", "_trueup/standing")
    told = backfill(tmp_path, "second", [signal(2 * 86_400, "1", "Unavailable")], "--resume", "--dry-run")
    assert told["cells"]["would_write"] > 0
    assert names(tmp_path / "out", "_trueup/standing") == before


def test_what_counts_no_more_is_removed_and_what_still_does_stays(tmp_path: Path) -> None:
    backfill(tmp_path, "both", two_days("ab"))
    (both,) = marks(tmp_path)
    backfill(tmp_path, "one", [*two_days("a"), signal(3 * 86_400, "1", "Available")])
    assert len(marks(tmp_path)) == 2
    backfill(tmp_path, "older", [event for event in two_days("ab") if event["time"] < at(43_200)])
    assert both in marks(tmp_path)
    assert len(marks(tmp_path)) == 2
    backfill(tmp_path, "next", [signal(4 * 86_400, "1", "Available")], "--resume")
    assert len(marks(tmp_path)) == 1
    assert len(list((tmp_path / "out/_trueup/standing").iterdir())) == 2, "a mark and a folder"


def test_standings_of_a_run_that_did_not_end_do_not_count(tmp_path: Path) -> None:
    backfill(tmp_path, "first", two_days("a"))
    expected = backfill(tmp_path, "second", [], "--resume")["resumed_from"]
    (mark,) = marks(tmp_path)
    stray = mark.parent / "20200101T000000000000Z-stray"
    stray.mkdir()
    for path in mark.with_suffix("").glob("*.parquet"):
        (stray / path.name).write_bytes(path.read_bytes())
    assert backfill(tmp_path, "third", [], "--resume")["resumed_from"] == expected
    assert not stray.exists(), "it is older than a day"


def test_another_policy_is_refused_in_a_sentence(tmp_path: Path) -> None:
    backfill(tmp_path, "first", two_days("a"))
    (tmp_path / "policy.toml").write_text('settle = "10m"\n')
    path = write_events(tmp_path / "more.jsonl", [signal(2 * 86_400, "1", "Available")])
    options = ("--output", tmp_path / "out", "--resume", "--policy", tmp_path / "policy.toml")
    done = trueup("backfill", "--input", path, *options)
    assert done.status == 2
    assert done.err.startswith("trueup: --resume: the policy of what ")
    assert done.err.count("\n") == 1


def test_with_nothing_to_go_on_from_a_run_begins_and_where_it_would_be_cold_it_is_refused(tmp_path: Path) -> None:
    assert backfill(tmp_path, "first", two_days("a"), "--resume")["resumed_from"] is None
    for path in (tmp_path / "out/_trueup/standing").glob("*.json"):
        path.unlink()
    path = write_events(tmp_path / "more.jsonl", [signal(2 * 86_400, "1", "Available")])
    done = trueup("backfill", "--input", path, "--output", tmp_path / "out", "--resume")
    assert done.status == 1
    assert "cold start" in done.err


def test_a_removal_that_spans_the_cut_and_an_outage_that_does_are_each_one_row(tmp_path: Path) -> None:
    events = [signal(0, "1", "Available"), signal(0, "2", "Available"), *spanning(7_000, 7_100, "stop", "1", key="s")]
    events += [signal(7_010, "1", "Unavailable"), signal(7_100, "2", "Unavailable"), signal(90_000, "2", "Available")]
    events += [*spanning(89_000, 89_100, "start", "1", key="t"), signal(89_200, "1", "Available")]
    came = in_runs(tmp_path, events, [at(40_000), at(60_000)])
    told = [(row["instance_id"], row["verdict"], row["end"] - row["start"]) for row in came["attributions"]]
    assert sorted(told) == [
        ("1", "explained", at(89_200) - at(89_000)),
        ("1", "removed", at(89_000) - at(7_000)),
        ("2", "unexplained", at(90_000) - at(7_100)),
    ]


def marks(folder: Path) -> list[Path]:
    """The marks of the runs whose standings count."""
    found = sorted((folder / "out/_trueup/standing").glob("*.json"))
    assert all(set(json.loads(path.read_text())) == {"until", "started", "policy", "after"} for path in found)
    return found
