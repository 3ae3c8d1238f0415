"""What was turned down at once did nothing, and explains for a moment only (rules: Refused)."""

from typing import Any

import pytest

from schemas.policy import parse_policy
from tests.support.build import Event, degraded, down, fallen, op, spanning, up
from tests.support.judging import Judge

WEEK = 7 * 86400
SKEW, SETTLE = 120, 900
RESTART = spanning(1000, 1100, "restart", "1", key="r")


def _refused(start: float, verb: str, names: str = "1", **more: Any) -> list[Event]:
    return spanning(start, start + 10, verb, names, outcome="failed", **more)


@pytest.mark.parametrize(
    ("end", "outcome", "limit"),
    [
        (10, "failed", 10 + SKEW),
        (SKEW, "failed", SKEW + SKEW),
        (SKEW + 0.000001, "failed", SKEW + 0.000001 + SETTLE),
        (10, "succeeded", 10 + SETTLE),
        (10, "announced", 10 + SETTLE),
    ],
)
def test_what_failed_within_skew_has_a_shorter_limit(judge: Judge, end: Any, outcome: str, limit: Any) -> None:
    assert judge(spanning(0, end, "stop", outcome=outcome)).operation()["limit"] == limit


@pytest.mark.parametrize(("settle", "limit"), [("119s", 10 + 119), ("120s", 10 + 120), ("121s", 10 + 120)])
def test_its_limit_is_settle_after_its_end_where_that_is_less_than_skew(judge: Judge, settle: str, limit: Any) -> None:
    policy = parse_policy(f'settle = "{settle}"')
    assert judge(_refused(0, "stop"), policy=policy).operation()["limit"] == limit


@pytest.mark.parametrize(
    ("records", "refused"),
    [
        ([(0, "started"), (10, "failed")], True),
        ([(0, "started"), (5, "started"), (10, "failed")], True),
        ([(10, "failed"), (10, "started")], True),
        ([(10, "failed")], False),
        ([(0, "progress"), (10, "failed")], False),
        ([(0, "progress"), (5, "started"), (10, "failed")], False),
        ([(0, "started"), (5, "progress"), (10, "failed")], False),
        ([(0, "started"), (10, "failed"), (10, "progress")], False),
        ([(0, "started"), (10, "failed"), (10.000001, "progress")], True),
        ([(0, "started"), (10, "failed"), (20, "succeeded")], True),
        ([(0, "started"), (10, "failed"), (200, "failed")], True),
    ],
    ids=lambda value: "" if isinstance(value, bool) else " ".join(f"{phase}@{time}" for time, phase in value),
)
def test_it_was_seen_to_start_and_to_make_no_progress_up_to_its_close(judge: Judge, records: Any, refused: bool) -> None:
    judged = judge([op(time, "stop", phase) for time, phase in records])
    assert judged.operation()["limit"] == 10 + (SKEW if refused else SETTLE)


@pytest.mark.parametrize(("onset", "verdict"), [(1129.999999, "explained"), (1130, "unexplained")])
def test_it_explains_what_begins_before_its_limit(judge: Judge, onset: float, verdict: str) -> None:
    assert judge(up(0, "1"), _refused(1000, "restart"), down(onset, "1"), up(onset + 0.000001, "1")).verdict() == verdict


def test_its_excuse_ends_at_its_limit(judge: Judge) -> None:
    judged = judge(up(0, "1"), _refused(1000, "restart"), down(1005, "1"), up(1500, "1"))
    assert (judged.spans("excused"), judged.spans("overrun")) == ([(1005, 1130)], [(1130, 1500)])


@pytest.mark.parametrize(
    "other",
    [
        op(1000, "upgrade", "started", key="o"),
        op(1000, "update", "started", key="o"),
        op(1100, "restart", "started", "1", key="o"),
        op(900, "restart", "started", "1", key="o"),
        op(900, "maintenance", "started", "1", key="o", by="platform"),
    ],
    ids=["possible", "may_remove", "begun later", "started before", "not excused"],
)
def test_another_explains_before_a_refused_one(judge: Judge, other: Any) -> None:
    judged = judge(up(0, "1"), _refused(1001, "restart"), other, down(1050, "1"))
    assert (judged.row()["operation_key"], judged.row()["candidates"]) == ("o", 2)


def test_even_one_that_it_has_come_back_from_explains_before_a_refused_one(judge: Judge) -> None:
    judged = judge(up(0, "1"), RESTART, down(1050, "1"), up(1060, "1"), _refused(1200, "restart"), down(1205, "1"))
    assert judged.row("1", 1)["operation_key"] == "r"


def test_a_refused_one_that_it_has_come_back_from_explains_after_another_refused_one(judge: Judge) -> None:
    twice = [*_refused(1000, "restart", key="b"), *_refused(1030, "stop", "", key="s")]
    judged = judge(up(0, "1"), twice, down(1005, "1"), up(1020, "1"), down(1050, "1"))
    assert judged.row("1", 1)["operation_key"] == "s"


@pytest.mark.parametrize("names", ["1", ""])
def test_it_extends_no_excuse(judge: Judge, names: str) -> None:
    judged = judge(up(0, "1"), spanning(1000, 1010, "restart", "1"), down(1010, "1"), _refused(1110, "stop", names, key="s"))
    assert judged.row()["limit"] == 1010 + SETTLE
    later = judge(up(0, "1"), RESTART, down(1010, "1"), _refused(1999, "stop", names, key="s"))
    assert later.row()["limit"] == 1100 + SETTLE


def test_what_follows_extends_its_excuse(judge: Judge) -> None:
    following = spanning(1130, 1140, "restart", "1", key="f")
    assert judge(up(0, "1"), _refused(1000, "reimage"), down(1005, "1"), following).row()["limit"] == 1140 + SETTLE


RECOVERED = [*up(0, None), *degraded(16, None), *up(500, None)]


@pytest.mark.parametrize("progress", [False, True])
def test_it_took_nothing_away(judge: Judge, progress: bool) -> None:
    records = [*_refused(10, "delete"), *([op(11, "delete", "progress")] if progress else [])]
    assert judge(fallen(RECOVERED, records), until=10800).verdict() == ("presumed_removed" if progress else "overrun")


@pytest.mark.parametrize("progress", [False, True])
def test_what_it_explains_is_never_given_up(judge: Judge, progress: bool) -> None:
    records = [*_refused(10, "delete"), *([op(11, "delete", "progress")] if progress else [])]
    judged = judge(fallen(records), until=9 * 86400)
    assert judged.row()["end"] == (20 + SETTLE + WEEK if progress else WEEK + 3600)


STOPPED = spanning(10, 20, "stop", "1")


def test_a_refused_start_with_a_name_brings_back(judge: Judge) -> None:
    assert judge(up(0, "1"), STOPPED, _refused(100, "start", key="s")).spans("removed") == [(10, 100)]


@pytest.mark.parametrize(("turn", "removed"), [(229.999999, [(10, 229.999999)]), (230, [(10, 3600)])])
def test_a_refused_start_without_names_brings_back_within_its_limit(judge: Judge, turn: float, removed: Any) -> None:
    judged = judge(up(0, "1"), STOPPED, _refused(100, "start", "", key="s"), down(turn, "1"))
    assert judged.spans("removed") == removed


@pytest.mark.parametrize(("back", "verdict"), [(5129.999999, "presumed_removed"), (5130, "overrun")])
def test_a_return_in_a_refused_start_without_names_was_asked_for_within_its_limit(
    judge: Judge, back: float, verdict: str
) -> None:
    judged = judge(fallen(spanning(10, 20, "stop"), _refused(5000, "start", "", key="s"), up(back, "1")), until=10800)
    assert judged.verdict() == verdict


def test_a_refused_creation_makes_nothing_anew(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), _refused(2000, "create", key="c"))
    assert judged.spans("up") == [(0, 10)]


def test_a_refused_renewal_leaves_no_presumption(judge: Judge) -> None:
    judged = judge(fallen([op(15, "delete", "started", "1")], _refused(30, "restart", key="r")), until=10800)
    assert judged.verdict() == "overrun"


def test_an_unfinished_removal_is_over_once_a_refused_start_has_been_asked_for(judge: Judge) -> None:
    stop, start = op(50, "stop", "started", "1"), _refused(60, "start", key="s")
    judged = judge(up(0, "1"), stop, down(55, "1"), start, up(65, "1"), down(70, "1"))
    assert (judged.row("1", 1)["verb"], judged.row("1", 1)["candidates"]) == ("start", 1)
