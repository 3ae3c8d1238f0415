"""What brings back what was left behind, where an unnamed renewal does (rules: Brings back)."""

from typing import Any

import pytest

from tests.support.build import degraded, down, fallen, op, spanning, up
from tests.support.judging import Judge

STOP = spanning(10, 20, "stop", key="p")
"""Nobody says whom it stops."""
NAMED = spanning(10, 20, "stop", "1", key="p")
START = spanning(5000, 5010, "start")
LIMIT = 5010 + 900


@pytest.mark.parametrize(
    ("turn", "removed"),
    [(400, [(10, 400)]), (399.999999, [(10, 3600)]), (1899.999999, [(10, 1899.999999)]), (1900, [(10, 3600)])],
)
def test_a_turn_to_bad_brings_back_from_the_begin_that_was_not_seen_to_the_limit(judge: Judge, turn: float, removed: Any) -> None:
    judged = judge(up(0, "1"), NAMED, op(1000, "upgrade", "succeeded"), down(turn, "1"))
    assert judged.spans("removed") == removed


@pytest.mark.parametrize(
    ("back", "verdict"),
    [
        (5000, "presumed_removed"),
        (4999.999999, "overrun"),
        (LIMIT - 0.000001, "presumed_removed"),
        (LIMIT, "overrun"),
    ],
)
def test_what_was_stopped_without_names_comes_back_within_an_unnamed_start(judge: Judge, back: Any, verdict: str) -> None:
    judged = judge(fallen(STOP, START, up(back, "1")), until=10800)
    assert judged.verdicts() == [(15, back, verdict)]
    assert judged.spans("removed") == ([(920, back)] if verdict == "presumed_removed" else [])


@pytest.mark.parametrize(("back", "verdict"), [(4400, "presumed_removed"), (4399.999999, "overrun")])
def test_the_begin_of_a_start_was_perhaps_not_seen(judge: Judge, back: float, verdict: str) -> None:
    assert judge(fallen(STOP, [op(5000, "start", "succeeded")], up(back, "1")), until=10800).verdict() == verdict


@pytest.mark.parametrize(
    ("renewal", "verdict"),
    [
        (spanning(5000, 5010, "start"), "presumed_removed"),
        ([op(5000, "start", "started")], "presumed_removed"),
        (spanning(5000, 5010, "start", everything=True), "presumed_removed"),
        (spanning(5000, 5010, "start", "1"), "presumed_removed"),
        (spanning(5000, 5010, "start", "2"), "overrun"),
        (spanning(5000, 5010, "start", by="platform"), "overrun"),
        (spanning(5000, 5010, "restart"), "overrun"),
        (spanning(5000, 5010, "upgrade"), "overrun"),
        (spanning(5000, 5010, "scale_out"), "overrun"),
        (spanning(5000, 5010, "update"), "overrun"),
    ],
    ids=["start", "unfinished", "all", "named", "another's", "not excused", "restart", "upgrade", "scale-out", "update"],
)
def test_of_unnamed_renewals_only_a_start_brings_back_by_a_return(judge: Judge, renewal: Any, verdict: str) -> None:
    assert judge(fallen(STOP, renewal, up(5005, "1")), until=10800).verdict() == verdict


def test_a_repeat_within_an_unnamed_start_brings_nothing_back(judge: Judge) -> None:
    assert judge(up(0, "1"), NAMED, spanning(50, 60, "start"), up(100, "1")).spans("removed") == [(10, 3600)]


def test_what_was_deleted_without_names_does_not_come_back_by_a_start(judge: Judge) -> None:
    judged = judge(fallen(spanning(10, 20, "scale_in"), START, up(5005, "1")), until=10800)
    assert judged.verdict() == "overrun"


def test_what_turns_bad_within_an_unnamed_start_is_back_from_then_on(judge: Judge) -> None:
    judged = judge(fallen(STOP, START, degraded(5005, "1"), up(5050, "1")), until=10800)
    assert judged.verdicts() == [(15, 5005, "presumed_removed"), (5005, 5050, "explained")]


def test_a_night_off_of_a_whole_set_without_any_name_is_no_outage(judge: Judge) -> None:
    names = ("1", "2", "3")
    judged = judge(up(0, *names), down(15, *names), STOP, START, up(5005, *names), until=10800)
    assert [judged.verdict(name) for name in names] == ["presumed_removed"] * 3
    assert judged.spans("overrun", 3) == []


@pytest.mark.parametrize(
    ("back", "verdicts"), [(920, [(15, 920, "explained")]), (920.000001, [(15, 920.000001, "presumed_removed")])]
)
def test_a_start_that_lies_around_the_limit_brings_back_after_it(judge: Judge, back: float, verdicts: Any) -> None:
    assert judge(fallen(STOP, [op(200, "start", "started")], up(back, "1")), until=10800).verdicts() == verdicts
