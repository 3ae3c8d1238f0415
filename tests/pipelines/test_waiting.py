"""Events that wait for the ledger: they go on together, none is lost, and none waits for ever."""

import pytest

from pipelines.stream import waiting
from pipelines.stream.waiting import WaitingEvents
from tests.support.build import signal, to_batch


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    its = Clock()
    monkeypatch.setattr(waiting, "time", its)
    return its


def add(its: WaitingEvents, event_id: str) -> None:
    its.add([to_batch([signal(0, "1", "Available", event_id=event_id)])])


def handed_on(its: WaitingEvents) -> list[str]:
    return list(its.due().events.column("event_id").to_pylist())


def test_events_wait_a_second_for_others_and_go_on_together(clock: Clock) -> None:
    its = WaitingEvents()
    for name in "abc":
        add(its, name)
        clock.now += 0.33
        assert (handed_on(its), its.due().left) == ([], True)
    clock.now += 0.02
    due = its.due()
    assert (due.events.column("event_id").to_pylist(), due.settled, due.left) == (["a", "b", "c"], True, False)
    assert handed_on(its) == []


def test_those_that_come_meanwhile_wait_until_the_ledger_has_taken_in_all(clock: Clock) -> None:
    its = WaitingEvents()
    add(its, "a")
    add(its, "b")
    clock.now += 1.0
    assert handed_on(its) == ["a", "b"]
    add(its, "c")
    its.take(1)
    clock.now += 2.0
    due = its.due()
    assert (len(due.events), due.settled, due.left) == (0, False, True)
    its.take(1)
    clock.now += 1.0
    due = its.due()
    assert (due.events.column("event_id").to_pylist(), due.settled) == (["c"], True)


@pytest.mark.parametrize(("took", "wait"), [(0.1, 1.0), (0.3, 1.5), (0.5, 2.5), (2.0, 3.0)])
def test_they_wait_five_times_as_long_as_the_last_looks_took_but_one_second_at_least_and_three_at_most(
    clock: Clock, took: float, wait: float
) -> None:
    its = WaitingEvents()
    add(its, "a")
    clock.now += 1.0
    assert handed_on(its) == ["a"]
    clock.now += took
    its.take(1)
    add(its, "b")
    clock.now += wait - 0.01
    assert handed_on(its) == []
    clock.now += 0.02
    assert handed_on(its) == ["b"]


def test_nothing_waits_longer_for_a_ledger_that_says_nothing_nor_for_what_comes_behind_it(clock: Clock) -> None:
    its = WaitingEvents()
    add(its, "a")
    clock.now += 1.0
    assert handed_on(its) == ["a"]
    for second in range(10):
        add(its, f"b{second}")
        assert handed_on(its) == []
        clock.now += 1.0
    assert len(handed_on(its)) == 10


def test_it_is_empty_when_none_waits_and_none_is_on_its_way(clock: Clock) -> None:
    its = WaitingEvents()
    assert its.is_empty
    add(its, "a")
    assert not its.is_empty
    clock.now += 1.0
    handed_on(its)
    assert not its.is_empty
    its.take(1)
    assert its.is_empty
