"""Episodes, and what explains them (rules: Onset, Fault, Candidates, Explaining operation, Extended, Explained)."""

from typing import Any

import pytest

from schemas.policy import parse_policy
from tests.support.build import degraded, down, fault, op, signal, spanning, unknown, up
from tests.support.judging import Judge

RESTART = spanning(1000, 1100, "restart", "1")


def test_an_episode_begins_where_available_ends(judge: Judge) -> None:
    assert judge(up(0, "1"), unknown(10, "1"), up(20, "1")).verdicts() == [(10, 20, "unexplained")]


def test_a_first_signal_that_is_not_available_begins_an_episode(judge: Judge) -> None:
    assert judge(degraded(10, "1"), up(20, "1")).verdicts() == [(10, 20, "unexplained")]


def test_removed_time_that_ends_while_it_is_bad_begins_an_episode(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), down(15, "1"), spanning(50, 60, "start", "1"), up(70, "1"))
    assert judged.verdicts() == [(10, 50, "removed"), (50, 70, "explained")]
    assert judged.row("1", 1)["signal_event_id"] is None


def test_absent_time_that_ends_while_it_is_bad_begins_an_episode(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), down(15, "1"), spanning(2000, 2010, "update", "1"), up(2020, "1"))
    assert judged.verdicts() == [(10, 920, "removed"), (2000, 2020, "explained")]


def test_a_turn_to_bad_ends_an_unknown_and_begins_another_episode(judge: Judge) -> None:
    judged = judge(up(0, "1"), unknown(10, "1"), unknown(15, "1"), degraded(20, "1"), up(30, "1"))
    assert judged.verdicts() == [(10, 20, "unexplained"), (20, 30, "unexplained")]


def test_what_was_bad_stays_bad_through_an_unknown(judge: Judge) -> None:
    judged = judge(up(0, "1"), down(10, "1"), unknown(15, "1"), degraded(20, "1"), up(30, "1"))
    assert judged.verdicts() == [(10, 30, "unexplained")]


def test_an_episode_ends_where_removed_time_begins(judge: Judge) -> None:
    judged = judge(up(0, "1"), down(5, "1"), spanning(500, 520, "stop", "1"))
    assert judged.verdicts() == [(5, 500, "unexplained"), (500, None, "removed")]


def test_no_episode_lies_in_removed_or_absent_time(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "delete", "1"), down(10, "1"), degraded(30, "1"), down(2000, "1"))
    assert judged.verdicts() == [(10, 920, "removed")]


@pytest.mark.parametrize(
    ("notice", "verdict"),
    [(880, "fault"), (879.999999, "explained"), (1120, "fault"), (1120.000001, "overrun")],
)
def test_a_fault_notice_within_skew_of_the_onset_is_its_cause(judge: Judge, notice: float, verdict: str) -> None:
    assert judge(up(0, "1"), RESTART, down(1000, "1"), fault(notice, "1"), up(1500, "1")).verdict() == verdict


@pytest.mark.parametrize("instance", ["2", None])
def test_a_fault_notice_on_another_excuses_still(judge: Judge, instance: str | None) -> None:
    assert judge(up(0, "1"), RESTART, down(1000, "1"), fault(1000, instance), up(1500, "1")).verdict() == "explained"


def test_a_fault_names_no_operation_but_its_candidates_are_counted(judge: Judge) -> None:
    row = judge(up(0, "1"), RESTART, down(1000, "1"), fault(1000, "1"), up(1500, "1")).row()
    named = [row[name] for name in ("operation_key", "verb", "initiator", "operation_start", "limit", "lag_seconds")]
    assert named == [None] * 6
    assert (row["candidates"], row["counted_seconds"], row["excused_seconds"]) == (1, 500, 0)


@pytest.mark.parametrize(
    ("onset", "candidates"),
    [(879.999999, 0), (880, 1), (1999.999999, 1), (2000, 0)],
)
def test_candidates_begin_skew_before_and_end_before_the_limit(judge: Judge, onset: float, candidates: int) -> None:
    assert judge(up(0, "1"), RESTART, down(onset, "1")).row()["candidates"] == candidates


@pytest.mark.parametrize(("names", "verdict"), [("1 2", "explained"), ("", "explained"), ("2", "unexplained")])
def test_an_operation_explains_only_what_it_targets(judge: Judge, names: str, verdict: str) -> None:
    judged = judge(up(0, "1"), spanning(1000, 1100, "restart", names), down(1000, "1"), up(1500, "1"))
    assert judged.verdict() == verdict


@pytest.mark.parametrize("verb", ["create", "scale_out"])
def test_an_unnamed_creation_explains_only_what_has_never_returned(judge: Judge, verb: str) -> None:
    making = spanning(1000, 1100, verb)
    assert judge(down(1010, "1"), up(1050, "1"), down(1060, "1"), up(1070, "1"), making).verdicts() == [
        (1010, 1050, "explained"),
        (1060, 1070, "unexplained"),
    ]


def test_a_named_creation_explains_what_has_returned(judge: Judge) -> None:
    assert judge(up(0, "1"), spanning(1000, 1100, "create", "1"), down(1010, "1"), up(1050, "1")).verdict() == "explained"


@pytest.mark.parametrize(
    ("renewal", "returned", "onset", "candidates"),
    [
        (60, 60, 70, 1),
        (60, 60, 60.000001, 1),
        (50, 60, 70, 2),
        (50.000001, 60, 70, 1),
        (60, 59.999999, 70, 2),
        (60, 69, 70, 1),
    ],
)
def test_an_unfinished_removal_is_over_once_a_renewal_has_brought_it_back(
    judge: Judge, renewal: float, returned: float, onset: float, candidates: int
) -> None:
    judged = judge(
        up(0, "1"),
        op(50, "stop", "started", "1"),
        down(55, "1"),
        op(renewal, "start", "started", "1"),
        up(returned, "1"),
        down(onset, "1"),
    )
    assert judged.row("1", 1)["candidates"] == candidates


@pytest.mark.parametrize(
    "more", [{"names": ""}, {"names": "2"}, {"by": "platform"}, {"verb": "update"}], ids=["unnamed", "another", "other", "update"]
)
def test_only_a_definite_excusing_renewal_ends_an_unfinished_removal(judge: Judge, more: Any) -> None:
    renewal = op(60, **{"verb": "start", "phase": "started", "names": "1", **more})
    judged = judge(up(0, "1"), op(50, "stop", "started", "1"), down(55, "1"), renewal, up(65, "1"), down(70, "1"))
    assert "stop" in [judged.row("1", 1)["verb"], judged.row("1", 0)["verb"]]
    assert judged.row("1", 1)["candidates"] == (1 if more.get("names") == "2" else 2)


@pytest.mark.parametrize("outcome", ["failed", "succeeded"])
def test_a_finished_removal_is_not_over_so(judge: Judge, outcome: str) -> None:
    stopped = spanning(50, 58, "stop", "", outcome=outcome)
    judged = judge(up(0, "1"), stopped, down(55, "1"), op(60, "start", "started", "1"), up(65, "1"), down(70, "1"))
    assert judged.row("1", 1)["candidates"] == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (op(1000, "restart", "started", "1"), op(1005, "stop", "started")),
        (op(1000, "update", "started", "1"), op(1005, "restart", "started")),
        (op(1000, "scale_in", "started"), op(1005, "update", "started")),
        (op(1000, "restart", "started", "1"), op(1010.000001, "reimage", "started", "1")),
        (op(1005, "restart", "started", "1"), op(1000, "reimage", "started", "1")),
        (op(1010, "restart", "started", "1"), op(1000, "reimage", "started", "1")),
        (op(1000, "upgrade", "started", "1", key="a"), op(1000, "restart", "started", "1", key="b")),
        (op(1000, "reimage", "started", "1"), op(1000, "restart", "started", "1")),
        (op(1011, "restart", "started", "1"), op(1005, "restart", "started", key="l")),
        (op(1011, "scale_in", "started"), op(1005, "update", "started")),
    ],
    ids=[
        "definite before possible",
        "definite before a known effect",
        "a known effect before may_remove",
        "begun before the onset",
        "the latest start",
        "begun at the onset",
        "the smallest key",
        "the smallest verb",
        "definite before begun",
        "a known effect before begun",
    ],
)
def test_the_first_of_two_operations_explains(judge: Judge, first: Any, second: Any) -> None:
    row = judge(up(0, "1"), first, second, down(1010, "1"), up(1020, "1")).row()
    assert (row["operation_start"], row["verb"], row["candidates"]) == (judge(first).operations[0]["start"], first["verb"], 2)


def test_begun_counts_what_was_not_seen(judge: Judge) -> None:
    ended = op(1100, "reimage", "succeeded", "1")
    row = judge(up(0, "1"), ended, op(1000, "restart", "started", "1"), down(1010, "1"), up(1020, "1")).row()
    assert (row["verb"], row["lag_seconds"]) == ("reimage", -90)


def test_what_an_operation_that_does_not_excuse_causes_is_counted(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(1000, 1100, "restart", "1", by="platform"), down(1000, "1"), up(1500, "1"))
    row = judged.row()
    assert (row["verdict"], row["verb"], row["initiator"], row["limit"]) == ("unexcused", "restart", "platform", None)
    assert (row["excused_seconds"], row["counted_seconds"], row["operation_end"]) == (0, 500, 1100)
    assert judged.spans("unavailable") == [(1000, 1500)]


@pytest.mark.parametrize(
    ("start", "names", "limit"),
    [
        (2000, "1", 3900),
        (2000.000001, "1", 2000),
        (2000, "", 2000),
        (1120, "", 3020),
        (1120.000001, "", 2000),
        (880, "", 2780),
        (879.999999, "", 2000),
    ],
    ids=["definite at L", "after L", "possible", "within skew", "later than skew", "skew before", "sooner than that"],
)
def test_the_limit_is_extended_by_what_follows_or_belongs(judge: Judge, start: float, names: str, limit: int) -> None:
    following = spanning(start, start + 1000, "update", names)
    assert judge(up(0, "1"), RESTART, down(1010, "1"), following, until=7200).row()["limit"] == limit


def test_a_limit_that_was_extended_can_be_extended_again(judge: Judge) -> None:
    chain = [record for t in (2000, 3800, 5600) for record in spanning(t, t + 900, "restart", "1", key=str(t))]
    assert judge(up(0, "1"), RESTART, down(1010, "1"), chain, until=10800).row()["limit"] == 5600 + 900 + 900


@pytest.mark.parametrize(("end", "limit"), [(1500, 2000), (1500.000001, 2900.000001)])
def test_what_follows_starts_before_the_end_of_the_episode(judge: Judge, end: float, limit: float) -> None:
    following = spanning(1500, 2000.000001, "reimage", "1")
    assert judge(up(0, "1"), RESTART, down(1010, "1"), up(end, "1"), following).row()["limit"] == limit


def test_an_operation_that_does_not_excuse_extends_nothing(judge: Judge) -> None:
    following = spanning(1500, 2500, "reimage", "1", by="platform")
    assert judge(up(0, "1"), RESTART, down(1010, "1"), following).row()["limit"] == 2000


def test_an_unnamed_creation_extends_nothing_of_what_has_returned(judge: Judge) -> None:
    following = spanning(1050, 2500, "scale_out")
    assert judge(up(0, "1"), RESTART, down(1010, "1"), following).row()["limit"] == 2000
    assert judge(RESTART, down(1010, "1"), following).row()["limit"] == 3400


def test_no_extension_goes_beyond_max_excuse(judge: Judge) -> None:
    following = spanning(1500, 1600 + 21600, "upgrade", "1")
    assert judge(up(0, "1"), RESTART, down(1010, "1"), following, until=36000).row()["limit"] == 1010 + 21600


def test_the_own_limit_stands_beyond_max_excuse(judge: Judge) -> None:
    first = spanning(1000, 1000 + 21600, "upgrade", "1")
    following = spanning(1500, 1600 + 21600, "maintenance", "1")
    assert judge(up(0, "1"), first, down(1010, "1"), following, until=36000).row()["limit"] == 1000 + 21600 + 900


@pytest.mark.parametrize(("names", "limit"), [("", 1010 + 3600), ("1", 8000 + 900)])
def test_what_is_only_possible_excuses_for_possible_excuse(judge: Judge, names: str, limit: Any) -> None:
    assert judge(up(0, "1"), spanning(1000, 8000, "upgrade", names), down(1010, "1"), until=10800).row()["limit"] == limit


def test_an_extension_of_a_possible_excuse_is_bounded_too(judge: Judge) -> None:
    both = [*spanning(1000, 1100, "upgrade"), *spanning(1500, 8000, "upgrade", "1", key="l")]
    policy = parse_policy('possible_excuse = "30m"')
    assert judge(up(0, "1"), both, down(1010, "1"), until=10800, policy=policy).row()["limit"] == 1010 + 1800


@pytest.mark.parametrize(
    ("notice", "limit", "verdict"),
    [(1300, 1300, "overrun"), (1999.999999, 1999.999999, "overrun"), (2000, 2000, "overrun"), (2400, 2000, "overrun")],
)
def test_a_fault_notice_before_the_limit_ends_the_excuse(judge: Judge, notice: float, limit: float, verdict: str) -> None:
    judged = judge(up(0, "1"), RESTART, down(1010, "1"), fault(notice, "1"), fault(notice + 9, "1"), up(2500, "1"))
    row = judged.row()
    assert (row["limit"], row["verdict"], row["excused_seconds"]) == (limit, verdict, round(limit - 1010, 6))
    assert judged.spans("excused") == [(1010, limit)]
    assert judged.spans("overrun") == [(limit, 2500)]


@pytest.mark.parametrize(("notice", "verdict"), [(1499.999999, "overrun"), (1500, "explained")])
def test_a_fault_notice_after_the_end_of_the_episode_does_not_matter(judge: Judge, notice: float, verdict: str) -> None:
    assert judge(up(0, "1"), RESTART, down(1010, "1"), fault(notice, "1"), up(1500, "1")).verdict() == verdict


def test_an_excuse_that_has_lapsed_does_not_resume(judge: Judge) -> None:
    later = spanning(2001, 2100, "reimage", "1")
    judged = judge(up(0, "1"), RESTART, down(1010, "1"), later, up(2500, "1"))
    assert (judged.spans("excused"), judged.spans("overrun")) == ([(1010, 2000)], [(2000, 2500)])


@pytest.mark.parametrize(("end", "verdict"), [(2000, "explained"), (2000.000001, "overrun")])
def test_an_episode_that_ends_at_its_limit_is_explained(judge: Judge, end: float, verdict: str) -> None:
    assert judge(up(0, "1"), RESTART, down(1010, "1"), up(end, "1")).verdict() == verdict


@pytest.mark.parametrize(("end", "verdict"), [(2700, "explained"), (2699.999999, "overrun")])
def test_an_open_episode_is_explained_while_the_limit_is_not_before_t(judge: Judge, end: float, verdict: str) -> None:
    judged = judge(up(0, "1"), spanning(2000, end, "restart", "1"), down(2010, "1"))
    assert (judged.verdict(), judged.row()["end"]) == (verdict, None)


def test_events_at_or_after_t_are_left_out(judge: Judge) -> None:
    judged = judge(up(0, "1"), RESTART, down(1010, "1"), up(3600, "1"), signal(3600, "2", "Available"))
    assert (judged.row()["end"], judged.spans("raw_available", 2)) == (None, [])
