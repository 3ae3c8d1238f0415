"""Batches that carry no more ids than they use."""

import pyarrow as pa

from schemas.event import EVENTS, IDS, empty_events
from tests.fixtures.decoding import decode
from tests.fixtures.native import fault, operation, signal
from transforms.core.columns.batches import compact, concat


def _batch(*names: str) -> pa.RecordBatch:
    events = [signal(scale_set_id=name, instance_id=name + "1") for name in names]
    return decode(*events, fault(annotation="x"), operation(operation_key="k"))[0]


def test_a_compact_slice_holds_its_own_ids_only() -> None:
    batch = _batch("a", "b", "c")
    part = compact(batch.slice(1, 1))
    assert part["scale_set_id"].dictionary.to_pylist() == ["b"]
    assert part["instance_id"].dictionary.to_pylist() == ["b1"]
    assert part["operation_key"].dictionary.to_pylist() == []
    assert part.to_pylist() == batch.slice(1, 1).to_pylist()
    assert part.schema == EVENTS


def test_a_compact_batch_is_left_as_it_is() -> None:
    batch = _batch("a", "b")
    assert all(compact(batch)[name] is not None and compact(batch)[name].equals(batch[name]) for name in EVENTS.names)


def test_an_empty_slice_is_compact() -> None:
    part = compact(_batch("a", "b").slice(0, 0))
    assert all(len(part[name].dictionary) == 0 for name in IDS)
    assert part.num_rows == 0


def test_concatenated_batches_have_each_id_once() -> None:
    one, other = _batch("a", "b"), _batch("b", "c")
    whole = concat([one, empty_events(), other])
    assert whole.to_pylist() == one.to_pylist() + other.to_pylist()
    for name in IDS:
        values = whole[name].dictionary.to_pylist()
        assert len(values) == len(set(values))
    assert whole.schema == EVENTS


def test_no_batches_make_an_empty_one() -> None:
    assert concat([]).equals(empty_events())
    assert concat([empty_events()]).num_rows == 0


def test_decoded_batches_are_compact_and_have_each_id_once() -> None:
    batch = decode(
        signal(scale_set_id="A"), signal(scale_set_id="a", instance_id="X"), signal(scale_set_id="a", instance_id="x")
    )[0]
    assert batch["scale_set_id"].dictionary.to_pylist() == ["a"]
    assert sorted(batch["instance_id"].dictionary.to_pylist()) == ["7", "x"]
