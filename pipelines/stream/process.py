"""What a stream has in the process that runs its steps, for a runner that keeps no state: one object, opened, entered under a
name, and closed.

It knows by numbers of its own how far the events are: read, written down, handed on, taken in, acknowledged. By them it holds
back, lets go on, and stops.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Self

import pyarrow as pa

from pipelines.record.standing_files import standings_by_set
from pipelines.stream.buffered_sink import BufferedSink
from pipelines.stream.journal import Journal
from pipelines.stream.recall import inputs_of, seed
from pipelines.stream.waiting import WaitingEvents
from transforms import shared
from transforms.core.ledger.decisions import LedgerInput
from transforms.publish import Sink
from transforms.subscription.source import end_reader, reader_of

if TYPE_CHECKING:
    from pipelines.stream.stream import StreamSettings

_TURN: Final = 0.1


class StreamProcess:
    """The journal of a stream, the events that wait, its sink, its reader, and what is recalled. Thread-safe."""

    def __init__(self, settings: "StreamSettings", sink: Sink) -> None:
        """Opens the journal, and reads what is to be recalled; until the ledger has it, nothing is read from the subscription.

        Args:
            settings: what the stream is told.
            sink: gets the versions after some seconds.

        Raises:
            TrueupError: the journal cannot be had, or is of another policy.
        """
        self.name = uuid.uuid4().hex
        self.journal = Journal(settings.output, settings.subscription, settings.policy.hash, settings.groups)
        if settings.resume:
            seed(self.journal, standings_by_set(settings.output, settings.policy.hash))
        self.waiting = WaitingEvents()
        self.sink = BufferedSink(sink, settings.flush / 1e6, self.journal)
        self.reader = reader_of(settings.source.reader)
        self._recalled = list(inputs_of(self.journal, settings.policy.grid))
        self._to_recall = len(self._recalled)
        self.reader.paused = self.recalls
        self._stopping = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        shared.enter(self.name, self)
        return self

    def __exit__(self, *unused: object) -> None:
        shared.leave(self.name)
        end_reader(self.journal.subscription)
        self.journal.close()

    @property
    def recalls(self) -> bool:
        """Whether there is anything to recall that the ledger has not taken in."""
        return self._to_recall > 0

    def write_down(self, events: list[pa.RecordBatch]) -> pa.RecordBatch:
        """Writes events down; gives those that go on to the ledger now, which may be others, or none."""
        # One bundle at a time: what is written down before others must go on before them, or with them.
        with self._lock:
            if events:
                self.journal.append(events)
                self.waiting.add(events)
            due = self.waiting.due()
            if due.settled:
                self.journal.settle()
            if not due.left:
                self.journal.turn()
            return due.events

    def recalled(self) -> Iterator[tuple[str, LedgerInput]]:
        """What the ledger goes on from, at the first call; nothing afterwards."""
        with self._lock:
            inputs, self._recalled = self._recalled, []
        yield from inputs

    def take(self, given: LedgerInput) -> None:
        """Notes that the ledger has taken in an input."""
        if not given.recalled:
            self.waiting.take(len(given.events))
            return
        with self._lock:
            self._to_recall -= 1
            self.reader.paused = self.recalls or self._stopping

    def stop(self, seconds: float) -> None:
        """Reads no more; waits a while until what was read is in the ledger and acknowledged, and writes all versions."""
        with self._lock:
            self._stopping = self.reader.paused = True
        until = time.monotonic() + seconds
        while (self.reader.outstanding or not self.waiting.is_empty) and time.monotonic() < until:
            time.sleep(_TURN)
        self.sink.end()
