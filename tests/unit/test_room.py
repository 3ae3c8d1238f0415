"""The kernel's room: what it writes may be more than the signals suggest, and then it is walked again with more."""

from schemas.policy import Policy
from schemas.time import HOUR
from tests.support.build import EPOCH, Event, degraded, op, up
from tests.support.evaluators import evaluate

CYCLES = 200


def _stopped_and_started_for_ever() -> list[Event]:
    """Two signals; then every two hours a stop with a count, whose end is lost, and a start: each takes one decision."""
    events = [*up(0, "1"), *degraded(7_210, "1")]
    for cycle in range(1, CYCLES + 1):
        events.append(op(cycle * 7_200, "stop", "started", "1", key=f"a{cycle:03}", count=5))
        events.append(op(cycle * 7_200, "start", "started", "1", key=f"b{cycle:03}"))
    return events


def test_more_decisions_than_signals_come_to_an_end_and_are_those_of_the_plain_evaluator() -> None:
    events, T = _stopped_and_started_for_ever(), EPOCH + 402 * HOUR
    kernel, plain = (evaluate(name, events, Policy(), T) for name in ("kernel", "plain"))
    assert [row["verdict"] for row in kernel.attributions].count("presumed_removed") > CYCLES - 5
    assert kernel == plain
