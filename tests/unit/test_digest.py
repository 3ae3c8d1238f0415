"""Digests: by content alone, and by all of it."""

from typing import Any

import pytest

from schemas.policy import Policy, parse_policy
from schemas.time import HOUR
from tests.support.build import to_batch
from transforms.core.evaluation.evaluate import evaluate

EVENTS: list[dict[str, Any]] = [
    {"kind": "signal", "event_id": "1", "scale_set_id": "b", "instance_id": "1", "time": 0, "state": "Available"},
    {"kind": "signal", "event_id": "2", "scale_set_id": "b", "instance_id": "1", "time": 60_000_000, "state": "Degraded"},
    {
        "kind": "operation", "event_id": "3", "scale_set_id": "b", "time": 50_000_000, "operation_key": "k", "verb": "restart",
        "phase": "started", "initiator": "customer", "target": "named", "instance_ids": ["1"], "count": None,
    },
]  # fmt: skip


def digests(events: list[dict[str, Any]], policy: Policy | None = None) -> dict[tuple[str, Any], int]:
    cells = evaluate(to_batch(events), policy or Policy(), 2 * HOUR).cells.to_pylist()
    return {(cell["scale_set_id"], cell["cell"]): cell["digest"] for cell in cells}


def test_other_scale_sets_in_the_batch_change_no_digest() -> None:
    others = [event | {"scale_set_id": name, "event_id": "x" + event["event_id"]} for name in ("a", "c") for event in EVENTS]
    together = digests(EVENTS + others)
    assert {key: value for key, value in together.items() if key[0] == "b"} == digests(EVENTS)


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        (1, "time", 60_000_001),
        (1, "state", "Unavailable"),
        (1, "event_id", "9"),
        (1, "instance_id", "2"),
        (2, "operation_key", "l"),
        (2, "initiator", "autoscale"),
        (2, "instance_ids", ["1", "2"]),
    ],
)
def test_whatever_changes_a_row_changes_the_digest(row: int, field: str, value: object) -> None:
    changed = [event | {field: value} if place == row else event for place, event in enumerate(EVENTS)]
    assert set(digests(changed).values()) != set(digests(EVENTS).values())


def test_the_policy_is_part_of_the_content() -> None:
    assert digests(EVENTS) != digests(EVENTS, parse_policy('settle = "14m"'))
