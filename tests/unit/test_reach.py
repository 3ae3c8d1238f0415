"""Reach of every kind of event (rules: Reach), to the microsecond."""

import pytest

from schemas.policy import Policy, parse_policy
from schemas.time import HOUR, MINUTE
from tests.support.build import Event, at, fault, op, signal, to_batch
from transforms.core.rules.reach import reach, reach_window

LONG_SKEW = parse_policy('skew = "2h"\nverbs.restart.deadline = "1m"\n')
SETTLE, SKEW, UNSEEN = 15 * MINUTE, 2 * MINUTE, 10 * MINUTE


@pytest.mark.parametrize(
    ("event", "before", "after"),
    [
        (signal(0, "1", "Available"), 0, 1),
        (signal(0, "1", "Degraded"), 0, SKEW + 1),
        (signal(0, "1", "Unavailable"), 0, SKEW + 1),
        (signal(0, None, "Unknown"), 0, SKEW + 1),
        (fault(0, "1"), 0, SKEW + 1),
        (op(0, "delete", "started"), 0, HOUR + SETTLE + 1),
        (op(0, "upgrade", "progress"), 0, 6 * HOUR + SETTLE + 1),
        (op(0, "delete", "announced"), 0, SETTLE + 1),
        (op(0, "delete", "failed"), 0, SETTLE + 1),
        (op(0, "delete", "succeeded"), UNSEEN, SETTLE + 1),
    ],
    ids=lambda value: f"{value['state'] or value['annotation'] or value['phase']}" if isinstance(value, dict) else "",
)
def test_reach_of_each_kind_of_event(event: Event, before: int, after: int) -> None:
    start, end = reach(to_batch([event]), Policy())
    assert (start.tolist(), end.tolist()) == ([at(0) - before], [at(0) + after])


def test_a_skew_longer_than_what_an_operation_may_take_decides() -> None:
    _, end = reach(to_batch([op(0, "restart", "started"), op(0, "restart", "failed")]), LONG_SKEW)
    assert end.tolist() == [at(0) + 2 * HOUR + 1] * 2


def test_each_verb_reaches_as_far_as_its_own_deadline() -> None:
    events = [op(0, "restart", "started"), signal(0, "1", "Available"), op(0, "update", "started")]
    _, end = reach(to_batch(events), Policy())
    assert end.tolist() == [at(0) + 30 * MINUTE + SETTLE + 1, at(0) + 1, at(0) + 2 * HOUR + SETTLE + 1]


def test_the_window_is_rounded_outward_to_milliseconds() -> None:
    events = [{**signal(0, "1", "Available"), "time": at(0) + 1_001}, {**signal(0, "1", "Available"), "time": at(0) + 2_999}]
    assert reach_window(to_batch(events), Policy()) == (at(0) // 1000 + 1, at(0) // 1000 + 3)
    assert reach_window(to_batch([signal(0, "1", "Available")]), Policy()) == (at(0) // 1000, at(0) // 1000 + 1)
