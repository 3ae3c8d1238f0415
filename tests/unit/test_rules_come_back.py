"""A renewal that is over explains only what nothing else does (rules: Come back from)."""

from typing import Any

import pytest

from tests.support.build import degraded, down, op, spanning, unknown, up
from tests.support.judging import Judge, Judged

ONSET = 1200
UPDATE = spanning(1150, 1160, "update", key="u")
FELL_AND_CAME_BACK = [*up(0, "1"), *down(1010, "1"), *up(1050, "1"), *down(ONSET, "1")]


def _explains(judged: Judged, instance: str | None = "1") -> str:
    """The key of what explains the last episode, of two candidates."""
    row = judged.rows(instance)[-1]
    assert (row["start"], row["candidates"]) == (ONSET, 2)
    return row["operation_key"]


@pytest.mark.parametrize(
    ("renewal", "explains"),
    [
        (spanning(1000, 1100, "restart", "1"), "u"),
        (spanning(1000, 1100, "upgrade", "1"), "u"),
        (spanning(1000, 1100, "create", "1"), "u"),
        (spanning(1000, 1100, "restart", everything=True), "u"),
        (spanning(1000, 1100, "restart", "1", by="platform"), "u"),
        (spanning(1000, 1130, "restart", "1", outcome="failed"), "u"),
        (spanning(1000, ONSET, "restart", "1"), "u"),
        (spanning(1000, ONSET + 0.000001, "restart", "1"), "k"),
        ([op(1000, "restart", "started", "1")], "u"),
        ([op(1000, "restart", "announced", "1")], "u"),
        (spanning(1050, 1060, "restart", "1"), "u"),
        (spanning(1050.000001, 1060, "restart", "1"), "k"),
        ([op(1051, "restart", "succeeded", "1")], "k"),
        (spanning(1000, 1100, "update", "1"), "k"),
        (spanning(1000, 1100, "stop", "1", outcome="progress"), "k"),
    ],
    ids=[
        "restart",
        "upgrade",
        "create",
        "all",
        "not excused",
        "failed",
        "ended at the onset",
        "ended after it",
        "unfinished",
        "announced",
        "back at its start",
        "back before its start",
        "back after its begin but before its start",
        "an update",
        "a stop",
    ],
)
def test_what_it_has_come_back_from_explains_only_if_nothing_else_does(judge: Judge, renewal: Any, explains: str) -> None:
    assert _explains(judge(FELL_AND_CAME_BACK, renewal, UPDATE)) == explains


def test_if_nothing_else_does_it_explains_still(judge: Judge) -> None:
    assert judge(FELL_AND_CAME_BACK, spanning(1000, 1100, "restart", "1")).verdict("1", 1) == "overrun"


@pytest.mark.parametrize(
    ("signals", "explains"),
    [
        ([*up(0, "1"), *up(1050, "1"), *down(ONSET, "1")], "k"),
        ([*up(0, "1"), *unknown(1020, "1"), *up(1050, "1"), *down(ONSET, "1")], "u"),
        ([*up(1050, "1"), *down(ONSET, "1")], "u"),
        ([*up(0, "1"), *up(1050, "1"), *unknown(1050, "1"), *degraded(ONSET, "1")], "k"),
        ([*up(0, "1"), *down(ONSET, "1"), *up(ONSET + 0.000001, "1")], "k"),
    ],
    ids=["a repeat", "from Unknown", "a first signal", "a lost tie", "only later"],
)
def test_it_has_come_back_with_a_return_that_is_no_repeat(judge: Judge, signals: Any, explains: str) -> None:
    judged = judge(signals, spanning(1000, 1100, "restart", "1"), spanning(1000, 1160, "stop", key="u"), until=1201)
    assert _explains(judged) == explains


def test_what_another_has_come_back_from_is_at_work_still(judge: Judge) -> None:
    signals = [*up(0, "1", "2"), *down(1010, "2"), *up(1050, "2"), *down(ONSET, "1")]
    assert _explains(judge(signals, spanning(1000, 1100, "restart", "1 2"), UPDATE)) == "k"


def test_of_two_that_it_has_come_back_from_the_definite_one_explains(judge: Judge) -> None:
    both = [*spanning(1000, 1100, "restart", "1"), *spanning(1001, 1100, "upgrade", key="u")]
    assert _explains(judge(FELL_AND_CAME_BACK, both)) == "k"


def test_it_comes_after_one_that_does_not_excuse(judge: Judge) -> None:
    platform = spanning(1150, 1160, "maintenance", "1", key="u", by="platform")
    judged = judge(FELL_AND_CAME_BACK, spanning(1000, 1100, "restart", "1"), platform)
    assert (_explains(judged), judged.verdict("1", 1)) == ("u", "unexcused")


def test_the_set_itself_comes_back_too(judge: Judge) -> None:
    own = [*up(0, None), *degraded(1010, None), *up(1050, None), *degraded(ONSET, None)]
    restart = spanning(1160, 1180, "restart", "7", key="r")
    assert _explains(judge(own, spanning(1000, 1100, "stop", "1"), restart), None) == "r"
    assert _explains(judge(own, spanning(1000, 1100, "stop", "1"), spanning(1040, 1100, "restart", key="r")), None) == "k"
