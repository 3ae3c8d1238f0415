"""The journal: what was written is read again, whatever ended the process that wrote it."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.failures import RunError, UsageError
from pipelines.record.store import Store
from pipelines.stream.buffered_sink import BufferedSink
from pipelines.stream.journal import Journal
from pipelines.stream.recall import inputs_of, late_ids
from schemas.tables.reject import REJECTS
from schemas.time import DAY, HOUR, from_micros
from tests.support.build import Event, op, signal, to_batch
from tests.support.forks import Ended, Run, forks
from tests.support.graph import Keeping
from tests.support.versions import EVENTS, told, versions
from transforms.subscription.source import present

NAME = "projects/p/subscriptions/s"
IMPORTS = "from pipelines.stream.journal import Journal; from tests.support.build import signal as event, to_batch"
WRITE = """
import os, signal, sys
journal = Journal(sys.argv[1], sys.argv[2], "p")
print(len(journal.recalled()), flush=True)
for number in range(int(sys.argv[3])):
    journal.append([to_batch([event(number, "1", "Available", event_id=str(number))])])
os.kill(os.getpid(), signal.SIGKILL)
"""
Opening = Callable[..., Journal]
Writing = Callable[[int], Ended]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opening]:
    """Opens a journal in place of the one before."""
    journals: list[Journal] = []

    def opening(name: str = NAME, policy: str = "p", groups: int | None = None) -> Journal:
        for journal in journals:
            journal.close()
        journals.append(Journal(str(tmp_path), name, policy, groups))
        return journals[-1]

    yield opening
    for journal in journals:
        journal.close()


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with forks(IMPORTS) as run:
        yield run


@pytest.fixture
def written(run: Run, tmp_path: Path) -> Writing:
    """Appends events in a process that is killed; it says how many it found."""
    return lambda events: run(WRITE, tmp_path, NAME, events)


def test_what_killed_processes_wrote_is_there_each_event_once(written: Writing, opened: Opening) -> None:
    assert [int(written(events).out) for events in (3, 5, 0)] == [0, 3, 5]
    assert sorted(opened().recalled(frozenset({"1"})).column("event_id").to_pylist()) == ["0", "2", "3", "4"]


@pytest.mark.parametrize("lost", [1, 30, 2000])
def test_a_batch_that_was_cut_off_is_left_out(tmp_path: Path, written: Writing, opened: Opening, lost: int) -> None:
    written(3)
    (path,) = (tmp_path / "_trueup" / "journal").glob("*.sqlite-wal")
    os.truncate(path, path.stat().st_size - lost)
    assert opened().recalled().column("event_id").to_pylist() == ["0", "1"]


def test_two_streams_of_one_subscription_into_one_folder_are_refused(tmp_path: Path, written: Writing, opened: Opening) -> None:
    opened()
    sentence = "one stream of projects/p/subscriptions/s at a time is required"
    assert sentence in written(1).err
    with pytest.raises(RunError, match=sentence):
        Journal(str(tmp_path), NAME, "p")
    Journal(str(tmp_path), "projects/p/subscriptions/t", "p").close()


def test_another_policy_is_refused(opened: Opening) -> None:
    opened()
    with pytest.raises(UsageError, match=r"the policy with which this stream began in .*, p, is required, got q"):
        opened(policy="q")


def test_a_journal_of_another_version_is_refused(tmp_path: Path, opened: Opening) -> None:
    journal = opened()
    journal.close()
    with sqlite3.connect(journal.path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(RunError, match="this version of the program has written is required"):
        Journal(str(tmp_path), NAME, "p")


def test_a_journal_of_before_there_was_a_database_is_refused(tmp_path: Path, opened: Opening) -> None:
    opened().path.with_suffix("").mkdir()
    with pytest.raises(RunError, match="this version of the program has written is required"):
        Journal(str(tmp_path), NAME, "p")


def test_a_folder_of_another_machine_is_refused() -> None:
    with pytest.raises(RunError, match="a folder of this machine is required with PrismRunner, got gs://b/x"):
        Journal("gs://b/x", NAME, "p")


@pytest.mark.parametrize("groups", [None, 2, 7])
def test_what_is_recalled_comes_with_the_versions_from_its_first_cell_on(
    tmp_path: Path, opened: Opening, groups: int | None
) -> None:
    for changes in versions([signal(-7_200, "1", "Available"), *EVENTS]):
        Store(str(tmp_path)).publish([changes])
    other: list[Event] = [op(50, "restart", "started", "1", scale_set="d")]
    opened(groups=groups).append([to_batch([*EVENTS, *other])])
    found = dict(inputs_of(opened(groups=groups), HOUR))
    keys = {None: "ad", 2: "10", 7: "42"}[groups]
    counts = {key: (len(entry.events), len(entry.published)) for key, entry in found.items()}
    assert counts == {keys[0]: (4, 2), keys[1]: (1, 0)}
    assert all(entry.recalled for entry in found.values())


def reject(root: Path, *rows: tuple[str, str, str, int]) -> None:
    """Writes rejects: source, location, reason, and how many days ago."""
    named = [dict(zip(("source", "location", "reason"), row, strict=False)) for row in rows]
    arrived = [from_micros(present() - row[3] * DAY) for row in rows]
    rejects = [{**row, "arrived": moment, "detail": "d"} for row, moment in zip(named, arrived, strict=True)]
    Store(str(root)).reject([pa.RecordBatch.from_pylist(rejects, schema=REJECTS)])


def test_late_ids_are_those_of_the_subscription_since_the_journal_began(tmp_path: Path, opened: Opening) -> None:
    reject(tmp_path, (NAME, "1", "late", 0), (NAME, "2", "not_json", 0), ("other", "3", "late", 0), (NAME, "4", "late", 3))
    journal = opened()
    assert late_ids(journal) == frozenset()
    journal.append([to_batch(EVENTS)])
    assert late_ids(journal) == frozenset({"1"})


def test_versions_are_held_and_only_the_newest_is_written() -> None:
    sink = Keeping()
    held = BufferedSink(sink, 600.0)
    for changes in versions(EVENTS[:3]):
        held.publish([changes])
    assert sink.changes == []
    held.end()
    assert [told(changes) for changes in sink.changes] == [[(0, 0, "first")]]
    held.end()
    assert len(sink.changes) == 1
    held.publish(versions(EVENTS[:1]))
    assert len(sink.changes) == 2, "nothing is held any more"


def test_what_is_held_is_written_by_itself_in_time() -> None:
    sink = Keeping()
    held = BufferedSink(sink, 0.1)
    held.publish(versions(EVENTS[:1]))
    until = time.monotonic() + 5
    while not sink.changes and time.monotonic() < until:
        time.sleep(0.05)
    assert len(sink.changes) == 1
    held.end()


class Full:
    """A sink on a disk that is full."""

    def publish(self, changes: object) -> None:
        raise OSError(28, "No space left on device")

    def reject(self, rejects: object) -> int:
        return 0


def test_a_sink_that_fails_fails_the_run_at_the_next_version() -> None:
    held = BufferedSink(Full(), 0.1)
    held.publish(versions(EVENTS[:1]))
    time.sleep(1.0)
    with pytest.raises(OSError, match="No space left"):
        held.publish(versions(EVENTS[:1]))
