"""What is presumed removed, and what is an overrun all the same (rules: Presumed removed, Kind, Silent, Overrun)."""

from typing import Any

import pytest

from tests.support.build import Event, degraded, down, fallen, fault, op, spanning, unknown, up
from tests.support.judging import Judge

DAY = 86400
WEEK = 7 * DAY
L = 20 + 900
"""The limit of an operation that ends at 20."""
W = 15 + DAY
"""Until when something that fell at 15 has to be silent."""
G = L + WEEK
"""When it is given up."""

SCALE_IN = spanning(10, 20, "scale_in")
RECOVERED = [*up(0, None), *degraded(16, None), *up(500, None)]


def _failed(verb: str, names: str = "") -> list[Event]:
    """An operation that had begun its work when it failed."""
    return [op(10, verb, "started", names), op(11, verb, "progress", names), op(20, verb, "failed", names)]


@pytest.mark.parametrize(
    ("operation", "verdict"),
    [
        ([op(10, "delete", "started", "1")], "presumed_removed"),
        ([op(10, "stop", "started", "1")], "presumed_removed"),
        ([op(10, "delete", "started", everything=True)], "presumed_removed"),
        (_failed("delete", "1"), "presumed_removed"),
        (spanning(10, 20, "delete", "1", outcome="failed"), "overrun"),
        (_failed("stop", "1"), "overrun"),
        (spanning(10, 20, "scale_in"), "presumed_removed"),
        (spanning(10, 20, "stop"), "presumed_removed"),
        (spanning(10, 20, "scale_in", outcome="announced"), "presumed_removed"),
        (_failed("scale_in"), "overrun"),
        ([op(10, "scale_in", "started")], "presumed_removed"),
        ([op(10, "stop", "started")], "presumed_removed"),
        (spanning(10, 20, "update"), "presumed_removed"),
        (_failed("update"), "overrun"),
        ([op(10, "update", "started")], "presumed_removed"),
        (spanning(10, 20, "update", "1"), "overrun"),
        (spanning(10, 20, "upgrade"), "overrun"),
        (spanning(10, 20, "restart", "1"), "overrun"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value[-1]['target']} {value[-1]['verb']} {value[-1]['phase']}",
)
def test_kind(judge: Judge, operation: Any, verdict: str) -> None:
    assert judge(fallen(RECOVERED, operation), until=10800).verdict() == verdict


def test_an_update_takes_away_only_what_has_returned(judge: Judge) -> None:
    assert judge(RECOVERED, down(15, "1"), spanning(10, 20, "update"), until=10800).verdict() == "overrun"


def test_a_known_removal_takes_away_what_has_never_returned(judge: Judge) -> None:
    assert judge(RECOVERED, down(15, "1"), SCALE_IN, until=10800).verdict() == "presumed_removed"


def test_what_leaves_nothing_behind_is_absent_from_the_limit_on(judge: Judge) -> None:
    judged = judge(fallen(SCALE_IN))
    row = judged.row()
    assert (row["start"], row["end"], row["limit"], row["excused_seconds"]) == (15, L, L, L - 15)
    assert judged.spans("raw_unavailable") == [(15, L)]
    assert (judged.spans("state", "Idle"), judged.spans("removed")) == ([(L, 3600)], [])


def test_what_leaves_something_behind_is_removed_from_the_limit_on(judge: Judge) -> None:
    judged = judge(fallen(spanning(10, 20, "stop")))
    row = judged.row()
    assert (row["start"], row["end"], row["verdict"]) == (15, None, "presumed_removed")
    assert (judged.spans("removed"), judged.spans("raw_unavailable")) == ([(L, 3600)], [(15, 3600)])


@pytest.mark.parametrize(
    ("start", "more", "verdict"),
    [
        (15, {}, "presumed_removed"),
        (15.000001, {}, "overrun"),
        (15 + 4500, {}, "overrun"),
        (15 + 4500.000001, {}, "presumed_removed"),
        (30, {"names": ""}, "presumed_removed"),
        (30, {"names": "2"}, "presumed_removed"),
        (30, {"by": "platform"}, "presumed_removed"),
    ],
    ids=["at the onset", "after the onset", "at the limit", "after the limit", "unnamed", "another", "not excused"],
)
def test_not_renewed(judge: Judge, start: Any, more: Any, verdict: str) -> None:
    renewal = op(start, **{"verb": "restart", "phase": "failed", "names": "1", "key": "r", **more})
    assert judge(fallen([op(15, "delete", "started", "1")], [renewal]), until=10800).verdict() == verdict


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        (degraded(L + 900, "1"), "presumed_removed"),
        (degraded(L + 900.000001, "1"), "overrun"),
        (unknown(L + 900.000001, "1"), "presumed_removed"),
        (up(L + 0.000001, "1"), "overrun"),
        (up(L + 900, "1"), "overrun"),
        (up(W - 0.000001, "1"), "overrun"),
        (up(W, "1"), "presumed_removed"),
        ([*up(5000, "1"), *unknown(5000, "1")], "presumed_removed"),
        (down(W - 0.000001, "1"), "overrun"),
        (down(W, "1"), "presumed_removed"),
        ([*unknown(5000, "1"), *down(5000, "1")], "overrun"),
        ([fault(L + 900, "1")], "presumed_removed"),
        ([fault(L + 900.000001, "1")], "overrun"),
        ([fault(W - 0.000001, "1")], "overrun"),
        ([fault(W, "1")], "presumed_removed"),
        ([fault(5000, "2")], "presumed_removed"),
    ],
)
def test_silent(judge: Judge, word: Any, verdict: str) -> None:
    judged = judge(fallen(RECOVERED, SCALE_IN, word), until=2 * DAY)
    assert (judged.verdict(), judged.row()["limit"]) == (verdict, L)


def test_what_makes_it_anew_ends_the_time_of_silence(judge: Judge) -> None:
    judged = judge(fallen(SCALE_IN, spanning(5000, 5010, "update", "1", key="u"), down(6000, "1")), until=2 * DAY)
    assert judged.verdict() == "presumed_removed"
    assert judged.verdicts()[1][0] == 5000


@pytest.mark.parametrize(("begin", "verdict"), [(3615, "overrun"), (3615.000001, "presumed_removed")])
def test_what_makes_it_anew_begins_after_the_limit(judge: Judge, begin: float, verdict: str) -> None:
    # The limit is that of a possible excuse: before any other, the update would extend it.
    update = op(begin, "update", "progress", "1", key="u")
    judged = judge(fallen(spanning(10, 3000, "scale_in"), [update], down(4600, "1")), until=2 * DAY)
    assert (judged.verdict(), judged.row()["limit"]) == (verdict, 3615)


def test_what_brings_it_back_ends_the_time_of_silence(judge: Judge) -> None:
    judged = judge(fallen(spanning(10, 20, "stop"), spanning(5000, 5010, "start", "1", key="s"), down(6000, "1")), until=2 * DAY)
    assert (judged.verdict(), judged.row()["end"]) == ("presumed_removed", 5000)
    assert judged.spans("removed") == [(L, 5000)]


def test_a_turn_in_an_unnamed_renewal_brings_back_what_was_presumed(judge: Judge) -> None:
    judged = judge(fallen(spanning(10, 20, "stop"), spanning(5000, 5010, "upgrade", key="u"), degraded(5005, "1")), until=2 * DAY)
    assert judged.verdicts() == [(15, 5005, "presumed_removed"), (5005, None, "overrun")]


@pytest.mark.parametrize(("turn", "end"), [(L, None), (L + 0.000001, L + 0.000001)])
def test_only_what_comes_after_the_limit_brings_back_what_was_presumed(judge: Judge, turn: Any, end: Any) -> None:
    upgrade = spanning(500, 510, "upgrade", key="u")
    judged = judge(fallen(spanning(10, 20, "stop"), upgrade, degraded(turn, "1")))
    assert (judged.verdict(), judged.row()["end"], judged.row()["limit"]) == ("presumed_removed", end, L)


def test_what_was_presumed_ends_with_a_return(judge: Judge) -> None:
    judged = judge(fallen(RECOVERED, SCALE_IN, up(W + 50, "1")), until=2 * DAY)
    assert (judged.verdict(), judged.spans("up")) == ("presumed_removed", [(0, 15), (W + 50, 2 * DAY)])


def test_a_return_right_after_the_limit_shows_that_it_was_not_taken_away(judge: Judge) -> None:
    judged = judge(fallen(SCALE_IN, up(L + 0.000001, "1")))
    assert (judged.verdicts(), judged.spans("overrun")) == ([(15, L + 0.000001, "overrun")], [(L, L + 0.000001)])


@pytest.mark.parametrize(("word", "again"), [(down(W, "1"), W), (degraded(W + 9, "1"), W + 9), (unknown(W, "1"), None)])
def test_a_bad_word_from_w_on_shows_that_it_lives(judge: Judge, word: Any, again: Any) -> None:
    judged = judge(fallen(RECOVERED, SCALE_IN, word), until=2 * DAY)
    assert [row[0] for row in judged.verdicts()[1:]] == ([] if again is None else [again])


def test_a_bad_word_does_not_show_that_what_was_left_behind_is_back(judge: Judge) -> None:
    judged = judge(fallen(spanning(10, 20, "stop"), degraded(W + 9, "1")), until=2 * DAY)
    assert judged.verdicts() == [(15, None, "presumed_removed")]


def test_what_was_presumed_ends_where_definite_removed_time_begins(judge: Judge) -> None:
    judged = judge(fallen(spanning(10, 20, "stop"), spanning(2000, 2010, "deallocate", "1", key="d")))
    assert judged.verdicts() == [(15, 2000, "presumed_removed"), (2000, None, "removed")]


def test_a_stretch_lies_outside_presumed_absent_time(judge: Judge) -> None:
    stop = spanning(2000, 2010, "stop", "1", key="d")
    judged = judge(fallen(RECOVERED, SCALE_IN, stop, down(W + 5, "1")), until=2 * DAY)
    assert judged.verdicts() == [(15, L, "presumed_removed"), (W + 5, None, "removed")]


def test_no_other_episode_begins_in_presumed_time(judge: Judge) -> None:
    judged = judge([*up(0, "1"), *unknown(15, "1")], SCALE_IN, down(L + 5, "1"))
    assert judged.verdicts() == [(15, L, "presumed_removed")]


def test_an_instance_that_was_presumed_for_max_open_is_forgotten(judge: Judge) -> None:
    judged = judge(fallen(RECOVERED, SCALE_IN, down(G, "1")), until=9 * DAY)
    assert judged.verdicts() == [(15, L, "presumed_removed"), (G, None, "unexplained")]
    assert judged.row("1", 1)["signal_event_id"] is not None
