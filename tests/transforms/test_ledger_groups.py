"""A group of scale sets under one key: what is looked at together, and what is put off."""

import weakref
from typing import Any

import pyarrow as pa
import pytest
from apache_beam.utils.timestamp import Timestamp

from schemas.policy import Policy
from schemas.time import HOUR
from tests.support.build import Event, at, signal, to_batch
from tests.support.keeping import Disk, Ledger, State
from transforms.core.evaluation.evaluate import Evaluation, evaluate
from transforms.core.ledger.decisions import input_of_events
from transforms.ledger import Keep, LedgerSettings

NOW = at(48 * 3600)
FIVE = [signal(10, "1", "Available", scale_set=name) for name in "abcde"]


def begun(disk: Disk, events: list[Event]) -> Ledger:
    """A stream that has taken some events."""
    ledger = Ledger(Policy(), NOW, disk)
    ledger.take(events)
    return ledger


def cells(disk: Disk) -> set[tuple[str, float]]:
    """The current cells: scale set, and which hour."""
    return {(row["scale_set_id"], (row["cell"] - at(0)) / HOUR) for row in disk.current()["availability"]}


@pytest.mark.parametrize(("hurried", "fired"), [(False, 1), (True, 2)])
def test_a_grid_end_for_which_a_bundle_has_no_time_goes_on_in_the_next_one(hurried: bool, fired: int) -> None:
    disk = Disk(groups=1, hurried=hurried)
    ledger = begun(disk, FIVE)
    ledger.advance(at(3600))
    assert ledger.fired == fired
    ledger.flush()
    assert cells(disk) == {(name, 0) for name in "abcde"}
    assert sorted(disk.standings) == ["0"]


def test_a_scale_set_that_appears_behind_what_its_group_has_fired_catches_up_at_once() -> None:
    disk = Disk(groups=1)
    ledger = begun(disk, FIVE[:1])
    ledger.advance(at(6 * 3600))
    fired = ledger.fired
    ledger.take(FIVE[1:2])
    ledger.advance(at(6 * 3600) + 1)
    assert ledger.fired == fired + 1
    ledger.flush()
    assert ledger.rejects == []
    assert cells(disk) == {(name, hour) for name in "ab" for hour in range(6)}


def test_a_checkpoint_holds_the_events_of_scale_sets_of_which_nothing_is_due_yet() -> None:
    disk = Disk(groups=1)
    ledger = begun(disk, [*FIVE[:1], signal(5_000, "1", "Available", scale_set="b")])
    ledger.advance(at(3600))
    ledger.flush()
    assert disk.taken == {"0": 2}
    again = Ledger(Policy(), NOW, disk)
    again.advance(at(2 * 3600))
    again.flush()
    assert cells(disk) == {("a", 0), ("a", 1), ("b", 1)}


def test_the_events_of_a_bounded_input_are_the_evaluations_alone_while_it_works() -> None:
    released: list[bool] = []

    def evaluating(events: pa.RecordBatch, *rest: Any) -> Evaluation:
        same, held = pa.RecordBatch.from_arrays(events.columns, schema=events.schema), weakref.ref(events)
        del events
        released.append(held() is None)
        return evaluate(same, *rest)

    keep, state = Keep(LedgerSettings(Policy(), evaluating, lambda: NOW)), State()
    list(keep.process(("0", input_of_events(to_batch(FIVE), at(3600))), timer=state.timer, **state.cells))
    list(keep.at_grid_end("0", Timestamp(micros=at(3600)), timer=state.timer, **state.cells))
    assert released == [True]
