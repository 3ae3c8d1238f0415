"""Events that wait for the ledger: they go on together, none is lost, and none waits for ever."""

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pytest

from pipelines.stream import waiting
from pipelines.stream.waiting import WaitingEvents
from tests.support.build import signal, to_batch
from transforms import counters


@pytest.fixture(autouse=True)
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counters of a process that has done something before."""
    counted = Counter({"used": 7, "duplicate": 2})
    monkeypatch.setattr(waiting, "LIVE", counted)
    monkeypatch.setattr(counters, "LIVE", counted)
    return counted


def handed_on(its: WaitingEvents) -> list[str]:
    return list(its.due().events.column("event_id").to_pylist())


def one(event_id: str) -> list[object]:
    return [to_batch([signal(0, "1", "Available", event_id=event_id)])]


def test_the_first_events_go_on_at_once_and_those_behind_them_together_when_they_are_taken_in(live: Counter[str]) -> None:
    its = WaitingEvents()
    its.add(one("a"))
    assert handed_on(its) == ["a"]
    its.add(one("b"))
    assert not its.due().settled
    assert handed_on(its) == []
    its.add(one("c"))
    live["rejected/late"] += 1
    due = its.due()
    assert (due.events.column("event_id").to_pylist(), due.settled) == (["b", "c"], True)
    assert handed_on(its) == []


def test_events_do_not_wait_for_a_ledger_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LONGEST", 0.0)
    its = WaitingEvents()
    for name in "ab":
        its.add(one(name))
        assert handed_on(its) == [name]


def test_a_record_of_two_events_is_taken_in_once(live: Counter[str]) -> None:
    its = WaitingEvents()
    batch = to_batch([signal(0, "1", "Available", event_id="a"), signal(0, "1", "Available", event_id="a#annotation")])
    its.add([batch.set_column(batch.schema.get_field_index("second"), "second", pa.array([False, True]))])
    assert len(handed_on(its)) == 2
    live["used"] += 1
    its.add(one("b"))
    assert handed_on(its) == ["b"]


def test_nothing_waits_longer_for_what_comes_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    its = WaitingEvents()
    its.add(one("a"))
    handed_on(its)
    for second in range(10):
        its.add(one(f"b{second}"))
        assert handed_on(its) == []
        now[0] += 1.0
    its.add([])
    assert len(handed_on(its)) == 10
