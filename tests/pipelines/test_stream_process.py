"""What a stream has in its process: it reads nothing before the ledger has what is recalled, and stops by its own numbers."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.stream import process as processes
from pipelines.stream import waiting
from pipelines.stream.process import StreamProcess
from pipelines.stream.recall import inputs_of
from pipelines.stream.steps import ProcessSink, TakeIn, WriteJournal, process_named
from pipelines.stream.stream import StreamSettings
from schemas.policy import Policy
from schemas.time import HOUR
from tests.support.build import at, signal, to_batch
from tests.support.graph import Keeping
from tests.support.keeping import Disk
from tests.support.versions import EVENTS, versions
from transforms.coders import StandingCoder
from transforms.core.ledger.decisions import input_of_events

NAME = "projects/p/subscriptions/s"


class Reader:
    """A reader of a subscription that has nothing."""

    paused = False
    outstanding = 0
    watermark = None


Opening = Callable[..., StreamProcess]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opening]:
    """Opens what a stream has, in place of the one before."""
    monkeypatch.setattr(processes, "reader_of", lambda _: Reader())
    monkeypatch.setattr(waiting, "_LEAST", 0.0)
    monkeypatch.setattr(waiting, "_MOST", 0.0)
    found: list[StreamProcess] = []

    def opening(**more: object) -> StreamProcess:
        for one in found[-1:]:
            one.__exit__()
        settings = StreamSettings(NAME, str(tmp_path), **more)
        found.append(StreamProcess(settings, Keeping()).__enter__())
        return found[-1]

    yield opening
    for one in found[-1:]:
        one.__exit__()


def events(*ids: str) -> list[object]:
    return [to_batch([signal(0, "1", "Available", scale_set=id_, event_id=id_) for id_ in ids])]


def test_steps_find_it_by_its_name_while_it_is_open(opened: Opening) -> None:
    first = opened()
    assert process_named(first.name) is first
    assert process_named(opened().name) is not first
    assert process_named(first.name) is None


def test_events_are_written_down_before_they_go_on(opened: Opening) -> None:
    its = opened()
    step = WriteJournal(its.name)
    step.start_bundle()
    for batch in events("a", "b"):
        step.process(batch)
    assert [len(each.value) for each in step.finish_bundle()] == [2]
    recalled = [id_ for _, given in opened().recalled() for id_ in given.events.column("event_id").to_pylist()]
    assert sorted(recalled) == ["a", "b"]


def test_nothing_is_read_before_the_ledger_has_what_is_recalled(opened: Opening) -> None:
    opened().write_down(events("a", "b"))
    its = opened()
    recalled = list(its.recalled())
    assert (its.recalls, its.reader.paused, list(its.recalled())) == (True, True, [])
    for _, given in recalled:
        assert its.reader.paused
        TakeIn(its.name)(given)
    assert (its.recalls, its.reader.paused) == (False, False)


def test_what_is_recalled_after_a_stop_lets_nothing_be_read(opened: Opening) -> None:
    opened().write_down(events("a"))
    its = opened()
    its.stop(0.0)
    for _, given in its.recalled():
        its.take(given)
    assert its.reader.paused


@pytest.mark.parametrize("where", ["outstanding", "waiting"])
def test_a_stop_waits_for_what_was_read_and_then_writes_what_is_held(opened: Opening, where: str) -> None:
    its = opened()
    if where == "outstanding":
        its.reader.outstanding = 1
    else:
        assert len(its.write_down(events("a"))) == 1
    ProcessSink(its.name).publish(versions(EVENTS[:1]))
    stopping = threading.Thread(target=its.stop, args=(60.0,))
    stopping.start()
    time.sleep(0.5)
    assert stopping.is_alive()
    assert its.reader.paused
    its.reader.outstanding = 0
    if where == "waiting":
        its.take(input_of_events(events("a")[0], None))
    stopping.join(30)
    assert not stopping.is_alive()


@pytest.mark.parametrize("groups", [1, 4096])
def test_standings_of_other_runs_are_those_of_scale_sets_that_the_journal_does_not_know(
    opened: Opening, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    backfilled = Disk()
    backfilled.backfill([signal(0, "1", "Available", scale_set=name) for name in "abc"], Policy(), at(7_200))
    standings = {name: StandingCoder().encode(standing) for name, standing in backfilled.standings.items()}
    monkeypatch.setattr(processes, "standings_by_set", lambda *_: standings)
    opened(groups=groups).write_down(events("a"))
    for _ in range(2):
        its = opened(groups=groups, resume=True)
        found = dict(inputs_of(its.journal, HOUR))
        standing = [name for given in found.values() for name in set(given.standing.marks.column("scale_set_id").to_pylist())]
        events_of = [name for given in found.values() for name in given.events.column("scale_set_id").to_pylist()]
        assert (sorted(standing), events_of, len(found)) == (["b", "c"], ["a"], 1 if groups == 1 else 3)
