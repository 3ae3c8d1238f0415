"""The journal: what was written is read again, whatever ended the process that wrote it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.failures import RunError
from pipelines.record.store import Store
from pipelines.stream.buffered_sink import BufferedSink
from pipelines.stream.journal import Journal
from pipelines.stream.recall import Recall, inputs_of, late_ids
from schemas.tables.reject import REJECTS
from schemas.time import HOUR, from_micros
from tests.support.build import Event, at, op, signal, to_batch
from tests.support.graph import Keeping
from tests.support.versions import EVENTS, told, versions

ROOT = Path(__file__).parents[2]
NAME = "projects/p/subscriptions/s"
WRITE = """
import os, signal, sys
from pipelines.stream.journal import Journal
from tests.support.build import signal as event, to_batch
journal = Journal(sys.argv[1], sys.argv[2])
print(journal.open(frozenset(), "p"), flush=True)
for number in range(int(sys.argv[3])):
    journal.append([to_batch([event(number, "1", "Available", event_id=str(number))])])
os.kill(os.getpid(), signal.SIGKILL)
"""


def written(folder: Path, events: int) -> int:
    """Appends events in a process that is killed; gives how many it found."""
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WRITE, str(folder), NAME, str(events)]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    return int(done.stdout)


@contextmanager
def opened(journal: Journal, *rejected: str) -> Iterator[int]:
    """The journal while it is open; how many events it holds."""
    yield journal.open(frozenset(rejected), "p")
    journal.close()


def ids(journal: Journal) -> list[str]:
    return sorted(journal.recalled().column("event_id").to_pylist())


def test_what_a_killed_process_wrote_is_there_and_files_become_one(tmp_path: Path) -> None:
    assert [written(tmp_path, 3), written(tmp_path, 5), written(tmp_path, 0)] == [0, 3, 5]
    journal = Journal(str(tmp_path), NAME)
    with opened(journal, "1") as events:
        assert events == 4
        assert ids(journal) == ["0", "2", "3", "4"]
    assert len(list(journal.folder.glob("*.events"))) == 2, "what was there, and what is to come"


@pytest.mark.parametrize("left", [1, 30, 200])
def test_a_batch_that_was_cut_off_is_left_out(tmp_path: Path, left: int) -> None:
    written(tmp_path, 2)
    journal = Journal(str(tmp_path), NAME)
    path = max(journal.folder.glob("*.events"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:left])
    with opened(journal) as events:
        assert events == 2
        assert ids(journal) == ["0", "1"]


def test_two_streams_of_one_subscription_into_one_folder_are_refused(tmp_path: Path) -> None:
    first, other = Journal(str(tmp_path), NAME), Journal(str(tmp_path), "projects/p/subscriptions/t")
    refused = pytest.raises(RunError, match="one stream of projects/p/subscriptions/s at a time is required")
    with opened(first), opened(other), refused:
        Journal(str(tmp_path), NAME).open(frozenset(), "p")


def test_a_folder_of_another_machine_is_refused() -> None:
    with pytest.raises(RunError, match="a folder of this machine is required with PrismRunner, got gs://b/x"):
        Journal("gs://b/x", NAME)


def test_what_is_recalled_comes_with_the_versions_from_its_first_cell_on(tmp_path: Path) -> None:
    Store(str(tmp_path)).publish(versions([signal(-7_200, "1", "Available"), *EVENTS])[-1:])
    for changes in versions([signal(-7_200, "1", "Available"), *EVENTS])[:-1]:
        Store(str(tmp_path)).publish([changes])
    journal = Journal(str(tmp_path), "projects/p/subscriptions/recalled")
    other: list[Event] = [op(50, "restart", "started", "1", scale_set="b")]
    with opened(journal):
        journal.append([to_batch([*EVENTS, *other])])
    with opened(journal):
        found = dict(inputs_of(Recall(journal, HOUR)))
    assert {key: (len(entry.events), len(entry.published), entry.recalled) for key, entry in found.items()} == {
        "a": (4, 2, True),
        "b": (1, 0, True),
    }


def test_late_ids_are_those_of_the_subscription(tmp_path: Path) -> None:
    assert late_ids(str(tmp_path), NAME) == frozenset()
    rows = [(NAME, "1", "late"), (NAME, "2", "not_json"), ("other", "3", "late")]
    named = [dict(zip(("source", "location", "reason"), row, strict=True)) for row in rows]
    rejects = [{**row, "arrived": from_micros(at(0)), "detail": "d"} for row in named]
    Store(str(tmp_path)).reject([pa.RecordBatch.from_pylist(rejects, schema=REJECTS)])
    assert late_ids(str(tmp_path), NAME) == frozenset({"1"})


def test_versions_are_held_and_only_the_newest_is_written() -> None:
    sink = Keeping()
    held = BufferedSink(sink, sink.name, 600.0)
    for changes in versions(EVENTS[:3]):
        held.publish([changes])
    assert sink.changes == []
    held.end()
    assert [told(changes) for changes in sink.changes] == [[(0, 0, "first")]]
    held.end()
    assert len(sink.changes) == 1


def test_what_is_held_is_written_by_itself_in_time() -> None:
    sink = Keeping()
    held = BufferedSink(sink, sink.name, 0.1)
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
    held = BufferedSink(Full(), "full", 0.1)
    held.publish(versions(EVENTS[:1]))
    time.sleep(1.0)
    with pytest.raises(OSError, match="No space left"):
        held.publish(versions(EVENTS[:1]))
