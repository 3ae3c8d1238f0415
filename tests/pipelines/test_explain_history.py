"""`trueup explain` over long records and several versions: neighbours, long outages, what is read, revisions."""

import re
from pathlib import Path

import pytest

from pipelines.reading.explain import ExplainSettings
from pipelines.reading.explain import explain as run
from pipelines.record.selection import Selection
from schemas.time import DAY
from tests.support import build
from tests.support.explaining import GROUP, backfilled, explained, past, said
from tests.support.files import at


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty days with an outage every other day, one of ten days among them."""
    day = 86_400
    outages = [(build.down(k * day, "1"), build.up(k * day + 60, "1")) for k in (*range(1, 8, 2), *range(25, 40, 2))]
    long = (build.down(14 * day, "1"), build.up(24 * day, "1"))
    events = past(build.up(0, "1", "2"), *(event for pair in (*outages, long) for event in pair), of="a")
    return backfilled(tmp_path_factory.mktemp("week"), events)


def starts(root: Path, *more: str) -> list[str]:
    return [one["start"][:10] for one in explained(root, "a", None, "--as", "json", *more).json["stretches"]]


def test_the_latest_stretches_come_unless_more_are_asked_for(week: Path) -> None:
    everything = starts(week, "--last", "99")
    assert len(everything) == 13
    assert starts(week, "--last", "3") == everything[-3:]
    assert starts(week) == everything[-10:]
    assert "The latest stretches of trouble, the last one at the end; --last N tells more." in said(week, "a")
    assert "All stretches of trouble" in said(week, "a", None, "--last", "13")


def test_a_long_outage_is_one_stretch_however_many_rows_it_has(week: Path) -> None:
    assert starts(week, "--last", "9")[0] == "2024-01-15"
    text = said(week, "a", 17 * 86_400)
    assert "from 2024-01-15 00:00:00 to 2024-01-22 00:00:00 (7 d)" in text
    assert "This is part of a stretch of trouble from 2024-01-15 00:00:00 to 2024-01-25 00:00:00." in text


def test_what_was_given_up_is_said_to_be(tmp_path: Path) -> None:
    gone = (build.up(0, None, "1", "2"), build.op(600, "scale_in", "announced"), build.down(610, "2"), build.up(8 * 86_400, "1"))
    root = backfilled(tmp_path, past(*gone, of="a"))
    text = said(root, "a", 5000)
    assert "Instance 2 was not Available (Unavailable at worst) from 2024-01-01 00:10:10 to 2024-01-08 00:25:00 (7 d)" in text
    assert "After 7 d without a sign of it, it was given up: taken to be gone." in text
    assert "Nothing was wrong: the one instance was up." in said(root, "a", 7 * 86_400 + 1500)


def test_far_neighbours_are_found(week: Path) -> None:
    text = said(week, "a", 24.5 * 86_400)
    assert "The last one before: 2024-01-15 00:00:00 to 2024-01-25 00:00:00, 12 h earlier, real." in text
    assert "The next one: 2024-01-26 00:00:00 to 00:01:00, 12 h later, real." in text


def test_what_is_away_for_weeks_is_shown_until_it_is_back_wherever_one_asks(tmp_path: Path) -> None:
    day = 86_400
    away = (build.up(0, "1", "2"), build.spanning(day, day + 100, "deallocate", "2"), build.down(day + 50, "2"))
    near = (build.down(4 * day, "1"), build.up(4 * day + 60, "1"))
    root = backfilled(tmp_path, past(*away, *near, build.up(20 * day, "2"), build.up(30 * day, "1"), of="a"))
    told = "2024-01-02 00:00:00 to 2024-01-21 00:00:00"
    assert f"{told} (19 d): expected" in said(root, "a")
    for moment in (day + 60, 3 * day, 12 * day):
        assert f"This is part of a stretch of trouble from {told}." in said(root, "a", moment)
    assert "a stretch of trouble" not in said(root, "a", 20 * day)


def test_few_files_are_opened_for_a_moment_of_a_long_record(week: Path) -> None:
    selection = Selection(str(week), ids=[GROUP.format("g", "a")])
    run(ExplainSettings(str(week), GROUP.format("g", "a"), at(39 * 86_400 + 10)), selection)
    assert sum(one.row_groups for one in selection.opened["availability"]) <= 3
    assert sum(one.row_groups for one in selection.opened["attributions"]) < 15
    assert selection.days[0] == at(0) // DAY


def test_revisions_tell_when_and_why_the_answer_changed(tmp_path: Path) -> None:
    known = past(build.up(0, "1"), build.down(5000, "1"), of="a")
    until = ("--until", "2024-01-01T03:00:00Z")
    backfilled(tmp_path, known, *until)
    ended = known + past(build.up(5600, "1"), of="a")
    backfilled(tmp_path, ended, *until)
    backfilled(tmp_path, ended + past(build.down(6000, "1"), build.up(6010, "1"), of="a"), *until)
    root = backfilled(tmp_path, ended + past(build.spanning(4990, 5500, "reimage", "1"), of="a"), *until)
    text = said(root, "a", 5100)
    assert re.search(
        r"How this answer came about: 20\S+ \S+ first published, by a backfill: instance 1: unexplained, still open\.", text
    )
    assert re.search(
        r"20\S+ \S+ published again, by a backfill: instance 1: still unexplained, ended at 2024-01-01 01:33:20\.", text
    )
    assert "1 later version told the same." in text
    assert "published again, by a backfill: instance 1: explained by a reimage by the customer, was unexplained." in text
    assert text.index("first published") < text.index("ended at") < text.index("was unexplained")
    history = explained(root, "a", 5100, "--as", "json").json["moment"]["history"]
    assert [(one["revision"], one["state"], one["bad"], one["same"]) for one in history] == [
        (0, "Unavailable", 1, 0),
        (1, "Unavailable", 1, 1),
        (3, "Planned", 0, 0),
    ]
