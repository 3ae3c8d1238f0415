"""Marks of a timeline: which are told where several are equally bad."""

import pyarrow as pa
import pytest

from schemas.policy import Policy
from tests.support.build import Event, at, down, op, to_batch, up
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.report.charts.marks import marks_of, outages_of

PERIOD = (at(0), at(86_400), at(86_400))
INSTANCES = ("1", "2", "3", "4")


def restarted(instance: str) -> list[Event]:
    """One of four restarts of one moment, from each of which an instance comes back two hours late."""
    begun = [op(3_600, "restart", phase, instance, key=f"k{instance}") for phase in ("started", "succeeded")]
    return [*begun, *down(3_601, instance), *up(10_800, instance)]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_of_equally_bad_outages_the_same_ones_are_told_in_any_order_of_the_rows(order: list[int]) -> None:
    events = [event for instance in INSTANCES for event in (*up(0, instance), *restarted(instance))]
    found = evaluate(to_batch(events), Policy(), at(86_400))
    rows, operations = (pa.Table.from_batches([one]).take(order) for one in (found.attributions, found.operations))
    assert [row["operation_key"] for row in outages_of(rows, PERIOD, 3).to_pylist()] == ["k1", "k2", "k3"]
    assert [row["operation_key"] for row in marks_of(rows, operations, PERIOD, 3).to_pylist()] == ["k1", "k2", "k3"]
