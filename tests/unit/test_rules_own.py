"""The scale set's own signals (rules: The set itself)."""

from typing import Any

import pytest

from tests.support.build import degraded, down, fault, op, spanning, unknown, up
from tests.support.judging import Judge

DAY = 86400


@pytest.mark.parametrize("names", ["", "1", "1 2"])
def test_every_operation_on_the_set_explains_its_own_episodes(judge: Judge, names: str) -> None:
    judged = judge(up(0, None), spanning(1000, 1100, "restart", names), degraded(1010, None), up(1200, None))
    assert judged.verdicts(None) == [(1010, 1200, "explained")]


@pytest.mark.parametrize("verb", ["create", "scale_out"])
def test_a_creation_explains_even_what_has_returned(judge: Judge, verb: str) -> None:
    judged = judge(up(0, None), spanning(1000, 1100, verb), degraded(1010, None), up(1200, None))
    assert judged.verdict(None) == "explained"


def test_every_operation_is_as_definite_as_any_other(judge: Judge) -> None:
    named, unnamed = spanning(1000, 1100, "restart", "1", key="n"), spanning(1001, 1100, "restart", key="u")
    row = judge(up(0, None), named, unnamed, degraded(1010, None), up(1200, None)).row(None)
    assert (row["operation_key"], row["candidates"]) == ("u", 2)


def test_no_excuse_of_the_set_is_only_possible(judge: Judge) -> None:
    assert judge(up(0, None), spanning(1000, 8000, "upgrade"), degraded(1010, None), until=10800).row(None)["limit"] == 8900


def test_any_operation_extends_the_limit(judge: Judge) -> None:
    judged = judge(up(0, None), spanning(1000, 1100, "restart"), degraded(1010, None), spanning(2000, 2100, "update", "7"))
    assert judged.row(None)["limit"] == 3000


def test_nothing_of_the_set_is_presumed_removed_or_given_up(judge: Judge) -> None:
    judged = judge(up(0, None, "1"), spanning(10, 20, "delete", "1", outcome="failed"), degraded(15, None), until=9 * DAY)
    assert [row["verdict"] for row in judged.rows(None)] == ["overrun", "overrun"]
    assert judged.rows(None)[-1]["end"] is None


@pytest.mark.parametrize(("target", "candidates"), [({"everything": True}, 1), ({"names": "1"}, 2)])
def test_only_a_renewal_of_all_ends_an_unfinished_removal_of_the_set(judge: Judge, target: Any, candidates: int) -> None:
    judged = judge(
        up(0, None),
        op(50, "stop", "started"),
        degraded(55, None),
        op(60, "start", "started", **target),
        up(65, None),
        degraded(70, None),
    )
    assert judged.row(None, 1)["candidates"] == candidates


@pytest.mark.parametrize(
    ("operation", "removed"),
    [
        (spanning(10, 20, "delete", everything=True), True),
        (spanning(10, 20, "scale_in", everything=True), True),
        (spanning(10, 20, "deallocate", everything=True), False),
        (spanning(10, 20, "delete", "1 2"), False),
        (spanning(10, 20, "delete"), False),
        (spanning(10, 20, "delete", everything=True, by="platform"), False),
        (spanning(10, 20, "delete", everything=True, outcome="failed"), False),
    ],
    ids=["delete", "scale_in", "something left", "named", "unnamed", "not excused", "failed"],
)
def test_only_what_leaves_nothing_of_all_removes_the_set(judge: Judge, operation: Any, removed: bool) -> None:
    judged = judge(up(0, None), operation)
    assert judged.verdicts(None) == ([(10, 920, "removed")] if removed else [])
    assert judged.spans("state", "Idle") == ([(10, 3600)] if removed else [])


@pytest.mark.parametrize(("first", "removed"), [(20, True), (20.000001, False)])
def test_the_set_is_removed_if_it_has_reported_by_the_end(judge: Judge, first: float, removed: bool) -> None:
    judged = judge(unknown(first, None), spanning(10, 20, "delete", everything=True))
    assert ((first, 920, "removed") in judged.verdicts(None)) is removed


@pytest.mark.parametrize(
    ("more", "again"),
    [
        ({"everything": True}, True),
        ({"everything": True, "outcome": "progress"}, True),
        ({"everything": True, "outcome": "failed"}, False),
        ({"everything": True, "by": "platform"}, False),
        ({"everything": True, "verb": "update"}, False),
        ({"names": "1"}, False),
        ({}, False),
    ],
    ids=["all", "unfinished", "failed", "not excused", "an update", "named", "unnamed"],
)
def test_only_a_renewal_of_all_makes_the_set_anew(judge: Judge, more: Any, again: bool) -> None:
    made = spanning(2000, 2010, key="c", **{"verb": "create", **more})
    judged = judge(up(0, None), spanning(10, 20, "delete", everything=True), made)
    assert judged.spans("state", "Available")[1:] == ([(2000, 3600)] if again else [])


@pytest.mark.parametrize(("begin", "again"), [(20, 20), (19.999999, None)])
def test_what_makes_the_set_anew_begins_at_or_after_the_end(judge: Judge, begin: float, again: int | None) -> None:
    made = spanning(begin, 50, "create", everything=True, key="c")
    judged = judge(up(0, None), spanning(10, 20, "delete", everything=True), made)
    assert judged.row(None)["end"] == (again or 920)


def test_a_return_after_the_limit_ends_the_absence_of_the_set(judge: Judge) -> None:
    judged = judge(up(0, None), spanning(10, 20, "delete", everything=True), up(920, None), up(921, None))
    assert judged.spans("state", "Available") == [(0, 10), (921, 3600)]


def test_a_set_that_is_absent_has_its_reported_state_still(judge: Judge) -> None:
    judged = judge(up(0, None), spanning(10, 20, "delete", everything=True), degraded(500, None))
    assert judged.spans("reported_state", "Degraded") == [(500, 3600)]


def test_a_set_that_was_absent_for_max_open_is_forgotten(judge: Judge) -> None:
    judged = judge(up(0, None), spanning(10, 20, "delete", everything=True), until=9 * DAY)
    assert judged.spans("reported_state", None) == [(920 + 7 * DAY, 9 * DAY)]


def test_a_fault_without_an_instance_bears_on_the_set(judge: Judge) -> None:
    both = [*up(0, None, "1"), *spanning(1000, 1100, "restart", "1"), *down(1010, "1"), *degraded(1010, None)]
    judged = judge(both, fault(1020, None), up(1200, "1", None))
    assert (judged.verdict(None), judged.verdict("1")) == ("fault", "explained")
