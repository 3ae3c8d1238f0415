"""The late end of a request that was never closed has its targets (rules: Targets handed on)."""

from typing import Any

import pytest

from tests.support.build import down, fallen, op, spanning, up
from tests.support.judging import Judge, Judged

DAY = 86400
ALL = {"everything": True}


def _targets(judged: Judged, number: int = -1, key: str = "k") -> tuple[str, list[str]]:
    row = judged.operation(key, number)
    return row["target"], row["instance_ids"]


UNTOLD, HANDED = ("unnamed", []), ("named", ["1", "2"])


@pytest.mark.parametrize(
    ("later", "targets"),
    [
        ([op(3600.000001, "stop", "succeeded")], HANDED),
        ([op(3601, "stop", "failed")], HANDED),
        ([op(3601, "stop", "announced")], HANDED),
        ([op(3601, "stop", "progress")], HANDED),
        ([op(3601, "stop", "progress"), op(3602, "stop", "started"), op(3603, "stop", "succeeded")], HANDED),
        ([op(3601, "stop", "started"), op(3602, "stop", "succeeded")], UNTOLD),
        ([op(3601, "stop", "succeeded", "3")], ("named", ["3"])),
        ([op(3601, "stop", "progress"), op(3602, "stop", "succeeded", "3")], ("named", ["3"])),
        ([op(3601, "stop", "succeeded"), op(3602, "stop", "succeeded", "3")], ("named", ["3"])),
        ([op(3601, "stop", "succeeded", **ALL)], ("all", [])),
        ([op(3601, "stop", "succeeded", key="other")], UNTOLD),
        ([op(3601, "start", "succeeded")], UNTOLD),
        ([op(DAY, "stop", "succeeded")], HANDED),
        ([op(DAY + 0.000001, "stop", "succeeded")], UNTOLD),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else " ".join(f"{event['phase']}" for event in value),
)
def test_a_late_end_without_targets_has_those_of_the_request_before_it(judge: Judge, later: Any, targets: Any) -> None:
    judged = judge(op(0, "stop", "started", "1 2"), later, until=2 * DAY)
    row = judged.operations[-1]
    assert ((row["target"], row["instance_ids"]), len(judged.operations)) == (targets, 2)


def test_all_is_handed_on(judge: Judge) -> None:
    assert _targets(judge(op(0, "stop", "started", **ALL), op(3601, "stop", "succeeded"), until=7200)) == ("all", [])


@pytest.mark.parametrize("phase", ["succeeded", "failed", "announced"])
def test_a_request_that_was_closed_hands_nothing_on(judge: Judge, phase: str) -> None:
    judged = judge(spanning(0, 10, "stop", "1 2", outcome=phase), op(3700, "stop", "succeeded"), until=7200)
    assert _targets(judged) == UNTOLD


def test_what_was_handed_on_is_handed_on_again(judge: Judge) -> None:
    judged = judge(op(0, "stop", "started", "1 2"), op(DAY, "stop", "progress"), op(2 * DAY, "stop", "failed"), until=3 * DAY)
    assert [_targets(judged, number) for number in (0, 1, 2)] == [HANDED] * 3


def test_what_was_handed_on_and_closed_is_handed_on_no_more(judge: Judge) -> None:
    judged = judge(op(0, "stop", "started", "1 2"), op(4000, "stop", "failed"), op(5000, "stop", "succeeded"), until=7200)
    assert [_targets(judged, number) for number in (1, 2)] == [HANDED, UNTOLD]


def test_only_the_request_just_before_hands_on(judge: Judge) -> None:
    records = [op(0, "stop", "started", "1 2"), op(3601, "stop", "started"), op(7202, "stop", "succeeded")]
    assert _targets(judge(records, until=10800)) == UNTOLD


@pytest.mark.parametrize(("instance", "verdict"), [("1", "explained"), ("3", "unexplained")])
def test_a_late_end_explains_only_what_it_was_handed(judge: Judge, instance: str, verdict: str) -> None:
    late = [op(0, "restart", "started", "1 2"), op(2000, "restart", "succeeded")]
    assert judge(up(0, instance), late, down(2005, instance), up(2010, instance)).verdict(instance) == verdict


def test_what_it_was_handed_it_targets_definitely(judge: Judge) -> None:
    late = [op(0, "upgrade", "started", "1"), op(22000, "upgrade", "progress")]
    judged = judge(up(0, "1"), late, down(22005, "1"), until=12 * 3600)
    assert judged.row()["limit"] == 22000 + 21600 + 900


def test_a_late_end_of_a_deallocation_removes_from_then_on(judge: Judge) -> None:
    late = [op(0, "deallocate", "started", "1"), op(4000, "deallocate", "succeeded")]
    assert judge(up(0, "1"), late, until=7200).spans("removed") == [(4000, 7200)]


@pytest.mark.parametrize(("names", "removed"), [("", [(10, 3600)]), ("1", [(10, 2000)])])
def test_a_late_end_brings_nothing_back(judge: Judge, names: str, removed: Any) -> None:
    late = [op(5, "start", "started", "1", key="s"), op(2000, "start", "succeeded", names, key="s")]
    assert judge(up(0, "1"), spanning(10, 20, "stop", "1"), late).spans("removed") == removed


@pytest.mark.parametrize(("told", "end"), [("2", 36000), ("", 30000)])
def test_a_late_end_that_was_handed_nothing_brings_back_as_any_other(judge: Judge, told: str, end: int) -> None:
    late = [op(5, "upgrade", "started", told, key="u"), op(22000, "upgrade", "progress", key="u")]
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), late, down(30000, "1"), until=36000)
    assert judged.spans("removed") == [(10, end)]


@pytest.mark.parametrize(("names", "again"), [("", []), ("1", [(4000, 7200)])])
def test_a_late_end_makes_nothing_anew(judge: Judge, names: str, again: Any) -> None:
    late = [op(5, "create", "started", "1", key="c"), op(4000, "create", "progress", names, key="c")]
    assert judge(up(0, "1"), spanning(10, 20, "delete", "1"), late, until=7200).spans("up")[1:] == again


def test_a_late_end_makes_the_set_itself_not_anew(judge: Judge) -> None:
    late = [op(5, "create", "started", key="c", **ALL), op(4000, "create", "progress", key="c")]
    judged = judge(up(0, None), spanning(10, 20, "delete", **ALL), late, until=7200)
    assert judged.spans("state", "Available") == [(0, 10)]


@pytest.mark.parametrize(("names", "verdict"), [("", "presumed_removed"), ("1", "overrun")])
def test_a_late_end_leaves_a_presumption(judge: Judge, names: str, verdict: str) -> None:
    late = [op(10, "restart", "started", "1", key="r"), op(2000, "restart", "succeeded", names, key="r")]
    assert judge(fallen([op(15, "delete", "started", "1")], late), until=10800).verdict() == verdict


@pytest.mark.parametrize(("names", "end"), [("", 1001 + 7 * DAY), ("1", 7 * DAY + 3600)])
def test_a_late_end_lets_an_overrun_be_given_up(judge: Judge, names: str, end: Any) -> None:
    failed = [op(10, "delete", "started", "1"), op(11, "delete", "progress"), op(20, "delete", "failed")]
    late = [op(-1700, "restart", "started", "1", key="r"), op(101, "restart", "failed", names, key="r")]
    assert judge(fallen(failed, late), until=9 * DAY).row()["end"] == end


@pytest.mark.parametrize(("names", "verb", "candidates"), [("", "stop", 3), ("1", "start", 2)])
def test_an_unfinished_removal_is_not_over_by_a_late_end(judge: Judge, names: str, verb: str, candidates: int) -> None:
    late = [op(40, "start", "started", "1", key="s"), op(1841, "start", "failed", names, key="s")]
    judged = judge(up(0, "1"), op(50, "stop", "started", "1"), down(55, "1"), late, up(1845, "1"), down(1850, "1"))
    assert (judged.row("1", 1)["verb"], judged.row("1", 1)["candidates"]) == (verb, candidates)
