"""Duplicates: what is one event, and which copy of it counts (rules: Copies)."""

from typing import Any

import pyarrow as pa
import pytest

from tests.support.build import to_batch
from transforms.core.evaluation.duplicates import remove_duplicates

SIGNAL = {"kind": "signal", "event_id": "e", "scale_set_id": "a", "instance_id": "1", "time": 5, "state": "Degraded"}
OPERATION = {
    "kind": "operation", "event_id": "e", "scale_set_id": "a", "time": 5, "operation_key": "k", "verb": "delete",
    "phase": "started", "initiator": "customer", "target": "named", "instance_ids": ["1", "2"], "count": None,
}  # fmt: skip


def kept(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return remove_duplicates(to_batch(list(events)))[0].to_pylist()


def test_copies_in_every_field_are_one_event() -> None:
    assert len(kept(SIGNAL, SIGNAL, SIGNAL)) == 1


@pytest.mark.parametrize(
    "other", [{"kind": "fault"}, {"event_id": "f"}, {"scale_set_id": "b"}, {"time": 6}], ids=lambda x: next(iter(x))
)
def test_another_identity_is_another_event(other: dict[str, Any]) -> None:
    assert len(kept(SIGNAL, SIGNAL | other)) == 2


@pytest.mark.parametrize(
    ("event", "field", "smaller", "larger"),
    [
        (SIGNAL, "instance_id", None, "0"),
        (SIGNAL, "instance_id", "10", "9"),
        (SIGNAL, "state", "Available", "Degraded"),
        (SIGNAL, "state", "Degraded", "Unknown"),  # by text, not by badness
        (OPERATION, "phase", "failed", "started"),
        (OPERATION, "target", "all", "named"),
        (OPERATION, "verb", "delete", "evict"),
        (OPERATION, "instance_ids", None, ["1"]),
        (OPERATION, "instance_ids", ["2", "1"], ["1", "3"]),
        (OPERATION, "instance_ids", ["1"], ["1", "1", "2"]),
        (OPERATION, "count", None, 0),
        (OPERATION, "count", 9, 10),
    ],
)
def test_of_differing_copies_the_smallest_counts(event: dict[str, Any], field: str, smaller: object, larger: object) -> None:
    for order in ((smaller, larger), (larger, smaller)):
        rows = kept(*(event | {field: value} for value in order))
        assert [row[field] for row in rows] == [smaller]


def test_fields_are_compared_in_the_order_of_the_contract() -> None:
    first = OPERATION | {"phase": "failed", "count": 2}
    second = OPERATION | {"phase": "started", "count": 1}
    assert [row["count"] for row in kept(second, first)] == [2]


def test_records_not_events_are_counted() -> None:
    signal, note = SIGNAL, OPERATION | {"event_id": "e#annotation"}
    batch = to_batch([signal, note, signal, note])
    second = pa.array([False, True, False, True])
    batch = batch.set_column(batch.schema.get_field_index("second"), batch.schema.field("second"), second)
    events, used, duplicates, _ = remove_duplicates(batch)
    assert (len(events), used, duplicates) == (2, 1, 1)
