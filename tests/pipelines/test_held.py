"""Versions that are held, and the standings that go with them: these are kept when those are written, and not before."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from apache_beam.utils.timestamp import Timestamp

from pipelines.stream.buffered_sink import BufferedSink
from pipelines.stream.journal import Journal
from schemas.policy import Policy
from tests.support.build import at, to_batch, up
from tests.support.graph import ledger_settings
from tests.support.keeping import State
from transforms.core.ledger.changes import Changes
from transforms.core.ledger.decisions import input_of_events
from transforms.ledger import Keep

NAME = "projects/p/subscriptions/s"


class Sink:
    """Counts what is written, and notes which standings the journal had by then."""

    def __init__(self, journal: Journal, fails: bool = False) -> None:
        self.written: list[Changes] = []
        self.standings: list[list[str]] = []
        self._journal, self._fails = journal, fails

    def publish(self, changes: list[Changes]) -> None:
        self.standings.append(list(self._journal.standings()))
        if self._fails:
            raise OSError("the disk is full")
        self.written += changes

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        return len(rejects)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    its = Journal(str(tmp_path), NAME, "p")
    yield its
    its.close()


def preview_and_standing() -> list[Changes]:
    """What a ledger gives at an event, and at the grid end that follows it."""
    keep, state = Keep(ledger_settings(at(7_200), Policy(), emit_checkpoints=True)), State()
    preview = keep.process(("a", input_of_events(to_batch(up(0, "1")), None)), timer=state.timer, **state.cells)
    return [
        changes
        for each in (preview, keep.at_grid_end("a", Timestamp(micros=at(3_600)), timer=state.timer, **state.cells))
        for changes in each
        if isinstance(changes, Changes)
    ]


def test_a_standing_is_kept_after_the_versions_that_go_with_it(journal: Journal) -> None:
    sink = Sink(journal)
    held = BufferedSink(sink, 600.0, journal)
    held.publish(preview_and_standing())
    assert not journal.standings()
    held.end()
    assert (len(sink.written), sink.standings) == (1, [[]])
    assert list(journal.standings()) == ["a"]


def test_a_standing_is_not_kept_if_its_versions_are_not_written(journal: Journal) -> None:
    held = BufferedSink(Sink(journal, fails=True), 600.0, journal)
    held.publish(preview_and_standing())
    with pytest.raises(OSError, match="the disk is full"):
        held.end()
    assert not journal.standings()
