"""What a standing must keep so that later events are judged as they would be with the whole past: one case a reason."""

from typing import Any

from schemas.policy import Policy
from schemas.time import DAY, HOUR, MINUTE, SECOND, floor_to
from tests.support.build import Event, at, down, op, rows, spanning, to_batch, up
from transforms.core.columns.batches import concat
from transforms.core.evaluation.evaluate import Evaluation, evaluate
from transforms.core.standing.folding import folded, resumed_cells

A_DAY, AN_HOUR, A_MINUTE = (unit // SECOND for unit in (DAY, HOUR, MINUTE))
TABLES = ("availability", "attributions", "operations")


def _cells(*evaluations: Evaluation) -> dict[tuple[str, int], list[Any]]:
    """All rows by table and cell; a later evaluation replaces the cells that it has rows of."""
    cells: dict[tuple[str, int], list[Any]] = {}
    for evaluated in evaluations:
        told = {(table, row["cell"]): [] for table in TABLES for other in TABLES for row in rows(getattr(evaluated, other))}
        for table in TABLES:
            for row in rows(getattr(evaluated, table)):
                told[table, row["cell"]].append(row)
        cells |= told
    return {key: found for key, found in cells.items() if found}


def _assert_goes_on(events: list[Event], cut: float, until: float, policy: Policy | None = None) -> Evaluation:
    """What comes at or after `cut`, on top of the standing there, leaves all cells as the whole has them, which it gives."""
    policy, closed, T = policy or Policy(), at(cut), at(until)
    first = evaluate(to_batch(e for e in events if e["time"] < closed), policy, floor_to(closed, policy.grid) + policy.grid)
    standing = folded(first, closed)
    later = to_batch(event for event in events if event["time"] >= closed)
    resumed = evaluate(concat([standing.events, later]), policy, T, standing.marks)
    whole = evaluate(to_batch(events), policy, T)
    assert _cells(first, resumed_cells(resumed, standing, policy)) == _cells(whole)
    return whole


def _verdicts(whole: Evaluation) -> list[str]:
    return [row["verdict"] for row in rows(whole.attributions)]


def test_targets_that_a_lost_end_hands_on() -> None:
    events = [*up(0, "1"), op(10, "delete", "started", "1"), op(20 * AN_HOUR, "delete", "succeeded")]
    whole = _assert_goes_on(events, 10 * AN_HOUR, A_DAY)
    assert _verdicts(whole) == ["removed"]


def test_targets_that_were_handed_on_before_they_are_handed_on_again() -> None:
    told = [op(10, "delete", "started", "1"), op(3 * AN_HOUR, "delete", "progress"), op(26 * AN_HOUR, "delete", "succeeded")]
    whole = _assert_goes_on([*up(0, "1"), *told], 25.5 * AN_HOUR, 2 * A_DAY)
    assert _verdicts(whole) == ["removed"]


def test_an_end_between_the_request_and_a_second_end() -> None:
    """The request is kept for the episode that it explains; the closed one behind it, which hands nothing on, has to be, too."""
    told = [op(0, "restart", "started", "1"), *spanning(2 * AN_HOUR, 2 * AN_HOUR + 60, "restart", "9")]
    events = [*up(-60, "1"), *down(300, "1"), *told, op(20 * AN_HOUR, "restart", "succeeded")]
    whole = _assert_goes_on(events, 12 * AN_HOUR, 30 * AN_HOUR)
    assert [row["target"] for row in rows(whole.operations)] == ["named", "named", "unnamed"]


def test_the_latest_return_that_is_no_repeat() -> None:
    """From the upgrade the instance has not come back: it only said once more, ten minutes later, that it is well."""
    told = [op(0, "upgrade", "started", key="up"), *spanning(3 * AN_HOUR, 3 * AN_HOUR + 600, "scale_in", count=1, key="in")]
    events = [*up(-AN_HOUR, "1", None), *up(600, "1"), *told, *down(3 * AN_HOUR + 300, "1"), *up(20 * AN_HOUR, "2")]
    whole = _assert_goes_on(events, 8 * AN_HOUR, 30 * AN_HOUR)
    assert _verdicts(whole) == ["presumed_removed"]


def test_the_latest_return_though_it_is_a_repeat() -> None:
    """It came back from a start behind the scale-in, whose end was only lost: so that does not explain what follows."""
    told = [op(0, "scale_in", "started", key="in"), op(300, "start", "succeeded", everything=True, key="on")]
    events = [*up(-AN_HOUR, "1"), *told, *up(2000, "1"), *down(4400, "1")]
    assert _verdicts(_assert_goes_on(events, 5400, 3 * AN_HOUR)) == ["unexplained"]


def test_a_scale_out_beside_the_update_that_carries_it_out() -> None:
    """The update touches no instance that was there; without the scale-out, whose own limit is past, it would."""
    told = [op(0, "scale_out", "announced", by="autoscale", key="out"), op(5, "update", "started", key="up")]
    events = [*up(-60, "1"), *told, *down(30 * A_MINUTE, "1"), *up(40 * AN_HOUR, "2")]
    _assert_goes_on(events, 30 * AN_HOUR, 48 * AN_HOUR)
    assert {row["verdict"] for row in rows(evaluate(to_batch(events), Policy(), at(48 * AN_HOUR)).attributions)} == {
        "unexplained"
    }


def test_a_refused_operation_whose_targets_may_still_be_told() -> None:
    policy = Policy().model_copy(update={"skew": 10 * SECOND, "unseen": 10 * SECOND, "grid": MINUTE})
    told = [*spanning(0, 5, "restart", outcome="failed"), op(14 * A_MINUTE, "restart", "progress", "2")]
    events = [*up(-60, "1"), *told, *down(8, "1"), *up(A_MINUTE + 30, "1")]
    assert _verdicts(_assert_goes_on(events, 10 * A_MINUTE, 20 * A_MINUTE, policy)) == ["unexplained"]


def test_an_update_that_extends_unless_a_scale_out_beside_it_is_carried_out() -> None:
    policy = Policy().model_copy(update={"unseen": 0, "settle": 0, "grid": MINUTE})
    told = [*spanning(0, 1, "restart", key="r"), *spanning(120, 121, "update", key="u")]
    told += spanning(240, 360, "scale_out", outcome="failed", key="o")
    events = [*up(-600, "1"), *told, *down(-120, "1"), *up(120.5, "1")]
    assert _verdicts(_assert_goes_on(events, 360, 20 * A_MINUTE, policy)) == ["explained"]
