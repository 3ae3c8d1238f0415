"""What makes new instances touches none that was there before (rules: Adds)."""

from typing import Any

import pytest

from tests.support.build import Event, degraded, down, op, spanning, up
from tests.support.judging import Judge

OLD, NEW = [*up(0, "1"), *down(1010, "1")], [*down(1010, "1")]
SCALE_OUT = spanning(1000, 1100, "scale_out", key="o")


def _update(start: float = 1000, names: str = "", **more: Any) -> list[Event]:
    return spanning(start, start + 100, "update", names, **more)


@pytest.mark.parametrize(("signals", "candidates"), [(OLD, 0), (NEW, 2)])
def test_an_update_beside_a_scale_out_explains_only_what_has_never_returned(judge: Judge, signals: Any, candidates: int) -> None:
    assert judge(signals, SCALE_OUT, _update(1001)).row()["candidates"] == candidates


@pytest.mark.parametrize(
    ("start", "adds"), [(880, True), (879.999999, False), (1120, True), (1120.000001, False)], ids=lambda value: str(value)
)
def test_it_starts_within_skew_of_the_start_of_the_scale_out(judge: Judge, start: float, adds: bool) -> None:
    judged = judge(up(0, "1"), SCALE_OUT, _update(start), down(start + 50, "1"))
    assert judged.row()["candidates"] == (0 if adds else 1)


def test_their_starts_count_not_what_was_not_seen(judge: Judge) -> None:
    ended = [op(1121, "update", "succeeded"), *SCALE_OUT]
    assert judge(up(0, "1"), ended, down(1130, "1")).row()["operation_key"] == "k"
    ended = [*_update(1000), op(1120, "scale_out", "succeeded", key="o")]
    assert judge(up(0, "1"), ended, down(1130, "1")).verdict() == "unexplained"


@pytest.mark.parametrize(
    ("update", "adds"),
    [
        (_update(), True),
        ([op(1000, "update", "started")], True),
        (_update(outcome="failed"), True),
        (_update(names="1"), False),
        (_update(everything=True), False),
        (_update(by="platform"), False),
        (spanning(1000, 1100, "upgrade"), False),
        (spanning(1000, 1100, "stop"), False),
    ],
    ids=["update", "unfinished", "refused", "named", "all", "not excused", "a renewal", "a removal"],
)
def test_only_an_unnamed_excusing_update_carries_out_a_scale_out(judge: Judge, update: Any, adds: bool) -> None:
    assert judge(OLD, SCALE_OUT, update).row()["candidates"] == (0 if adds else 1)


@pytest.mark.parametrize(
    ("beside", "adds"),
    [
        (SCALE_OUT, True),
        ([op(1000, "scale_out", "started", key="o")], True),
        (spanning(1000, 1000, "scale_out", key="o", outcome="announced"), True),
        (spanning(1000, 1100, "scale_out", key="o", by="platform"), True),
        (spanning(1000, 1120, "scale_out", key="o", outcome="failed"), False),
        (spanning(1000, 1120.000001, "scale_out", key="o", outcome="failed"), True),
        ([op(1000, "scale_out", "failed", key="o")], True),
        (spanning(1000, 1100, "scale_out", "7", key="o"), False),
        (spanning(1000, 1100, "create", key="o"), False),
        (spanning(1000, 1100, "scale_out", key="o", scale_set="b"), False),
    ],
    ids=[
        "scale-out",
        "unfinished",
        "announced",
        "not excused",
        "refused",
        "failed late",
        "only the failure",
        "named",
        "create",
        "b",
    ],
)
def test_it_carries_out_an_unnamed_scale_out_of_the_set_that_was_not_refused(judge: Judge, beside: Any, adds: bool) -> None:
    assert judge(OLD, beside, _update()).row()["candidates"] == (0 if adds else 1)


@pytest.mark.parametrize(
    ("beside", "candidates"),
    [
        ([op(1120, "scale_in", "started", key="i")], 2),
        ([op(1120.000001, "scale_in", "started", key="i")], 1),
        ([op(880, "scale_in", "started", key="i")], 2),
        ([op(879.999999, "scale_in", "started", key="i")], 1),
        (spanning(1000, 1001, "scale_in", outcome="failed", key="i"), 2),
        ([op(1000, "scale_in", "started", key="i", by="platform")], 2),
        ([op(1000, "delete", "started", key="i")], 1),
        ([op(1000, "scale_in", "started", key="i", everything=True)], 1),
        ([op(1000, "scale_in", "started", "7", key="i")], 0),
        ([op(1000, "scale_in", "started", key="i", scale_set="b")], 0),
    ],
    ids=["within skew", "later", "skew before", "before", "refused", "not excused", "a delete", "all", "named", "another set"],
)
def test_beside_an_unnamed_scale_in_it_may_remove(judge: Judge, beside: Any, candidates: int) -> None:
    """What lies beside it may be a candidate itself."""
    assert judge(up(0, "1"), SCALE_OUT, _update(), beside, down(1050, "1")).row()["candidates"] == candidates


def test_it_extends_no_excuse_of_what_has_returned(judge: Judge) -> None:
    restart = spanning(990, 995, "restart", "1", key="r")
    assert judge(OLD, restart, SCALE_OUT, _update(1000, key="k")).row()["limit"] == 995 + 900
    assert judge(NEW, restart, SCALE_OUT, _update(1000, key="k")).row()["limit"] == 1100 + 900


def test_beside_a_scale_out_an_update_takes_nothing_away(judge: Judge) -> None:
    own = [*up(0, None), *degraded(1011, None), *up(1500, None)]
    assert judge(OLD, own, _update(), until=10800).verdict() == "presumed_removed"
    assert judge(OLD, own, SCALE_OUT, _update(), until=10800).verdict() == "unexplained"


@pytest.mark.parametrize(("verb", "removed"), [("scale_out", [(10, 3600)]), ("create", [(10, 3600)]), ("upgrade", [(10, 30)])])
def test_what_adds_brings_nothing_back(judge: Judge, verb: str, removed: Any) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), op(25, verb, "started", key="o"), down(30, "1"))
    assert judged.spans("removed") == removed


def test_what_adds_explains_the_set_itself(judge: Judge) -> None:
    judged = judge(up(0, None), SCALE_OUT, _update(), degraded(1010, None), up(1020, None))
    assert judged.row(None)["candidates"] == 2
