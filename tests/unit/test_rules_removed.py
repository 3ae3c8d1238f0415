"""What takes an instance away, and brings it back (rules: Reported state, Removed, Brings back, Makes anew, Forgotten)."""

from typing import Any

import pytest

from tests.support.build import degraded, down, fault, op, signal, spanning, unknown, up
from tests.support.judging import Judge

DAY = 86400
WEEK = 7 * DAY


def test_the_worst_state_wins_a_tie(judge: Judge) -> None:
    ties = [("Available", "Unknown"), ("Unknown", "Degraded"), ("Degraded", "Unavailable")]
    judged = judge([signal(t, "1", state) for t, pair in enumerate(ties) for state in pair])
    assert [judged.at(t)[f"raw_{worst}"] for t, worst in enumerate(("unknown", "degraded", "unavailable"))] == [1, 1, 1]


def test_a_repeated_state_is_a_continuation(judge: Judge) -> None:
    assert judge(up(0, "1"), down(10, "1"), down(20, "1"), up(30, "1")).verdicts() == [(10, 30, "unexplained")]


def test_before_its_first_signal_an_instance_does_not_exist(judge: Judge) -> None:
    assert judge(up(0, "1"), up(10, "2")).spans("raw_available", 2) == [(10, 3600)]


@pytest.mark.parametrize(
    ("operation", "removed"),
    [
        (spanning(10, 20, "stop", "1"), [(10, 3600)]),
        (spanning(10, 20, "stop", everything=True), [(10, 3600)]),
        (spanning(10, 20, "stop"), []),
        (spanning(10, 20, "stop", "2"), []),
        (spanning(10, 20, "stop", "1", by="platform"), []),
        (spanning(10, 20, "evict", "1", by="platform"), [(10, 3600)]),
        (spanning(10, 20, "stop", "1", outcome="failed"), []),
        (spanning(10, 20, "stop", "1", outcome="progress"), []),
        (spanning(10, 20, "stop", "1", outcome="announced"), [(10, 3600)]),
        (spanning(10, 20, "upgrade", "1"), []),
        (spanning(10, 20, "update", "1"), []),
    ],
    ids=lambda value: "removed" if value == [(10, 3600)] else "kept" if value == [] else value[-1]["verb"],
)
def test_a_definite_excusing_operation_that_removes_and_succeeded_removes(judge: Judge, operation: Any, removed: Any) -> None:
    judged = judge(up(0, "1"), operation)
    assert judged.spans("removed") == removed
    assert judged.verdicts() == [(start, None, "removed") for start, _ in removed]


@pytest.mark.parametrize(("first", "removed"), [(920, [(920, 3600)]), (920.000001, [])])
def test_it_removes_what_has_reported_at_or_before_its_limit(judge: Judge, first: float, removed: Any) -> None:
    assert judge(unknown(first, "1"), spanning(10, 20, "stop", "1")).spans("removed") == removed


@pytest.mark.parametrize(("first", "removed"), [(20, [(20, 3600)]), (20.000001, [])])
def test_of_all_it_removes_what_has_reported_at_or_before_its_end(judge: Judge, first: float, removed: Any) -> None:
    assert judge(unknown(first, "1"), spanning(10, 20, "stop", everything=True)).spans("removed") == removed


@pytest.mark.parametrize(("back", "removed"), [(20, [(10, 20)]), (19.999999, [(10, 3600)])])
def test_the_first_return_at_or_after_the_end_is_back(judge: Judge, back: float, removed: Any) -> None:
    assert judge(up(0, "1"), spanning(10, 20, "stop", "1"), down(15, "1"), up(back, "1")).spans("removed") == removed


@pytest.mark.parametrize(("again", "removed"), [(920, [(10, 3600)]), (920.000001, [(10, 920.000001)])])
def test_a_repeat_counts_only_after_the_limit(judge: Judge, again: float, removed: Any) -> None:
    assert judge(up(0, "1"), spanning(10, 20, "stop", "1"), up(again, "1")).spans("removed") == removed


def test_a_first_signal_of_available_is_no_repeat(judge: Judge) -> None:
    assert judge(up(0, "2"), spanning(10, 20, "stop", "1"), up(30, "1")).spans("removed") == []


@pytest.mark.parametrize(("start", "removed"), [(20, [(10, 20)]), (19.999999, [(10, 3600)])])
@pytest.mark.parametrize("outcome", ["succeeded", "failed", "progress"])
def test_a_definite_renewal_that_starts_at_or_after_the_end_brings_back(
    judge: Judge, start: float, removed: Any, outcome: str
) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), spanning(start, 50, "start", "1", outcome=outcome))
    assert judged.spans("removed") == removed


@pytest.mark.parametrize("more", [{"by": "platform"}, {"names": "2"}, {"names": ""}])
def test_only_a_definite_excusing_renewal_brings_back_by_its_start(judge: Judge, more: Any) -> None:
    renewal = spanning(30, 40, "start", **{"names": "1", **more})
    assert judge(up(0, "1"), spanning(10, 20, "stop", "1"), renewal).spans("removed") == [(10, 3600)]


def test_a_renewal_of_all_brings_back(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), spanning(30, 40, "start", everything=True))
    assert judged.spans("removed") == [(10, 30)]


@pytest.mark.parametrize(("turn", "removed"), [(30, [(10, 30)]), (939.999999, [(10, 939.999999)])])
def test_a_turn_to_bad_in_an_unnamed_renewal_brings_back(judge: Judge, turn: float, removed: Any) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), spanning(30, 40, "upgrade"), down(turn, "1"))
    assert judged.spans("removed") == removed


@pytest.mark.parametrize("turn", [29.999999, 940])
def test_a_turn_to_bad_beside_an_unnamed_renewal_brings_nothing_back(judge: Judge, turn: float) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), spanning(30, 40, "upgrade"), down(turn, "1"))
    assert judged.spans("removed") == [(10, 3600)]


@pytest.mark.parametrize(("turn", "removed"), [(20, [(10, 20)]), (19.999999, [(10, 3600)])])
def test_a_turn_to_bad_brings_back_at_or_after_the_end(judge: Judge, turn: float, removed: Any) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), spanning(15, 40, "upgrade"), down(turn, "1"))
    assert judged.spans("removed") == removed


@pytest.mark.parametrize(
    ("before", "after", "removed"),
    [
        (degraded, down, [(10, 30)]),
        (down, degraded, [(10, 30)]),
        (unknown, degraded, [(10, 30)]),
        (down, down, [(10, 3600)]),
        (down, unknown, [(10, 3600)]),
    ],
    ids=["worse", "better", "known", "the same", "unknown"],
)
def test_a_turn_is_to_degraded_or_unavailable_from_any_other_state(judge: Judge, before: Any, after: Any, removed: Any) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), op(25, "upgrade", "started"), before(15, "1"), after(30, "1"))
    assert judged.spans("removed") == removed


def test_a_first_signal_may_be_a_turn(judge: Judge) -> None:
    judged = judge(up(0, "2"), spanning(10, 20, "stop", "1"), op(25, "upgrade", "started"), down(30, "1"))
    assert (judged.spans("removed"), judged.verdict()) == ([], "explained")


@pytest.mark.parametrize("verb", ["create", "scale_out", "update", "stop"])
def test_a_turn_in_another_unnamed_operation_brings_nothing_back(judge: Judge, verb: str) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), op(25, verb, "started"), down(30, "1"))
    assert judged.spans("removed") == [(10, 3600)]


@pytest.mark.parametrize("names", ["1", "2"])
def test_a_turn_in_a_renewal_with_names_brings_nothing_back(judge: Judge, names: str) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), op(15, "upgrade", "started", names), down(30, "1"))
    assert judged.spans("removed") == [(10, 3600)]


def test_a_turn_in_an_unnamed_renewal_that_does_not_excuse_brings_nothing_back(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), op(25, "upgrade", "started", by="platform"), down(30, "1"))
    assert judged.spans("removed") == [(10, 3600)]


def test_what_is_gone_is_removed_until_the_limit_and_then_absent(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"))
    assert judged.verdicts() == [(10, 920, "removed")]
    assert (judged.spans("removed"), judged.spans("raw_available")) == ([(10, 920)], [(0, 920)])
    assert judged.spans("state", "Idle") == [(10, 3600)]


@pytest.mark.parametrize(("back", "up_again"), [(920.000001, [(920.000001, 3600)]), (920, []), (30, [])])
def test_what_is_gone_returns_only_after_the_limit(judge: Judge, back: float, up_again: Any) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), down(25, "1"), up(back, "1"))
    assert (judged.spans("removed"), judged.spans("up")[1:]) == ([(10, 920)], up_again)


def test_a_repeat_brings_back_what_is_gone(judge: Judge) -> None:
    assert judge(up(0, "1"), spanning(10, 20, "delete", "1"), up(2000, "1")).spans("up") == [(0, 10), (2000, 3600)]


@pytest.mark.parametrize("outcome", ["succeeded", "progress"])
@pytest.mark.parametrize("verb", ["create", "update", "start"])
def test_a_write_or_renewal_of_the_instance_itself_makes_it_anew(judge: Judge, verb: str, outcome: str) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), spanning(2000, 2001, verb, "1", outcome=outcome))
    assert judged.spans("up") == [(0, 10), (2000, 3600)]


@pytest.mark.parametrize(
    "more", [{"names": "", "everything": True}, {"names": ""}, {"names": "2"}, {"by": "platform"}, {"outcome": "failed"}]
)
def test_nothing_else_makes_it_anew(judge: Judge, more: Any) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), spanning(2000, 2001, "create", **{"names": "1", **more}))
    assert judged.spans("up") == [(0, 10)]


@pytest.mark.parametrize(("begin", "up_again"), [(20, [(20, 3600)]), (19.999999, [])])
def test_what_makes_anew_begins_at_or_after_the_end(judge: Judge, begin: float, up_again: Any) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), spanning(begin, 50, "create", "1"))
    assert judged.spans("up")[1:] == up_again
    assert judged.spans("removed") == ([(10, 20)] if up_again else [(10, 920)])


@pytest.mark.parametrize(("seen", "up_again"), [(620, [(620, 3600)]), (619.999999, [])])
def test_what_makes_anew_may_have_begun_unseen(judge: Judge, seen: float, up_again: Any) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), op(seen, "create", "succeeded", "1"))
    assert judged.spans("up")[1:] == up_again


def test_a_stretch_names_the_first_of_its_operations(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(30, 40, "stop", "1", key="b"), spanning(10, 20, "deallocate", "1", key="c"))
    row = judged.row()
    assert (row["start"], row["end"], row["operation_key"], row["candidates"]) == (10, None, "c", 2)
    assert (row["limit"], row["lag_seconds"], row["operation_end"]) == (920, 0, 20)


def test_operations_that_start_together_are_named_by_key_then_verb(judge: Judge) -> None:
    both = [spanning(10, 20, verb, "1", key=key) for verb, key in (("stop", "b"), ("deallocate", "b"), ("evict", "c"))]
    row = judge(up(0, "1"), *both).row()
    assert (row["operation_key"], row["verb"], row["candidates"]) == ("b", "deallocate", 3)


def test_stretches_that_touch_are_one(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), down(15, "1"), up(40, "1"), spanning(40, 50, "stop", "1", key="l"))
    assert [(r["start"], r["end"], r["candidates"]) for r in judged.rows("1")] == [(10, None, 2)]


def test_absent_time_parts_two_stretches(judge: Judge) -> None:
    judged = judge(
        up(0, "1"), spanning(10, 20, "delete", "1"), spanning(15, 30, "stop", "1", key="s"), spanning(2000, 2010, "update", "1")
    )
    assert [(r["start"], r["end"], r["candidates"]) for r in judged.rows("1")] == [(10, 920, 2), (2000, None, 1)]


def test_a_removal_that_was_over_before_the_first_signal_removes_nothing(judge: Judge) -> None:
    judged = judge(unknown(50, "1"), spanning(10, 20, "delete", "1"), spanning(30, 40, "create", "1"))
    assert (judged.spans("removed"), judged.spans("unknown")) == ([], [(50, 3600)])


def test_lag_of_a_stretch_is_that_of_its_first_signal(judge: Judge) -> None:
    row = judge(unknown(50, "1"), spanning(10, 20, "stop", "1")).row()
    assert (row["start"], row["lag_seconds"], row["worst_state"]) == (50, 40, "Unknown")


@pytest.mark.parametrize(("again", "candidates"), [(920 + WEEK - 0.000001, 1), (920 + WEEK, 2), (920 + WEEK + 9, 2)])
def test_what_was_absent_for_max_open_is_forgotten_with_its_returns(judge: Judge, again: Any, candidates: int) -> None:
    made = [*spanning(again, again + 9, "create", "1"), *spanning(again, again + 9, "scale_out")]
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), made, down(again + 5, "1"), until=9 * DAY)
    assert judged.row("1", -1)["candidates"] == candidates


@pytest.mark.parametrize(("again", "verdict"), [(920 + WEEK, "unexplained"), (920 + WEEK - 0.000001, "fault")])
def test_fault_notices_are_forgotten_too(judge: Judge, again: Any, verdict: str) -> None:
    notice = fault(920 + WEEK - 50, "1")
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), notice, up(again, "1"), down(again + 1, "1"), until=9 * DAY)
    assert judged.verdict("1", -1) == verdict


def test_operations_are_not_forgotten(judge: Judge) -> None:
    forgotten = 920 + WEEK
    create = spanning(forgotten - 50, forgotten + 50, "create", "1 2", outcome="failed", key="c")
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), create, down(forgotten, "1"), until=9 * DAY)
    assert judged.row("1", -1)["operation_key"] == "c"


def test_what_is_forgotten_does_not_exist_until_it_reports(judge: Judge) -> None:
    forgotten = 920 + WEEK
    judged = judge(down(0, "1"), spanning(10, 20, "delete", "1"), op(forgotten, "create", "started", "1"), until=9 * DAY)
    assert judged.spans("raw_unavailable") == [(0, 920)]
    assert judged.spans("state", "Idle") == [(10, 9 * DAY)]
