"""Events that wait, once they are in the journal, until the ledger looks at their keys again.

The ledger's price is one look at a key, be it for one event or for a thousand. So events wait a moment for others, a longer one
where the last looks took long, and while the ledger is busy with those before them; then all go on together. What waits is lost
with the process, and comes again from the journal.
"""

import threading
import time
from typing import Final, NamedTuple

import pyarrow as pa

from transforms.core.columns.batches import concat

_LEAST: Final = 1.0
"""Seconds for which the first of them waits for others, where looks are quick."""
_TIMES: Final = 5.0
"""As many times as long as the last looks took does it wait, so that the ledger is at work for a fifth of the time."""
_MOST: Final = 3.0
"""But no more seconds than this."""
_LONGEST: Final = 10.0
"""Seconds that events wait at most: less than what was handed over holds the watermark, so none comes behind a timer for it."""


class DueEvents(NamedTuple):
    """The events that go on now."""

    events: pa.RecordBatch
    settled: bool
    """Whether the ledger has taken in everything that went on before."""
    left: bool
    """Whether others still wait."""


class WaitingEvents:
    """The waiting events of one process, and the number of those that are on their way to the ledger. Thread-safe."""

    def __init__(self) -> None:
        self._events: list[pa.RecordBatch] = []
        self._since = self._went_on = self._took = 0.0
        self._under_way = 0
        self._lock = threading.Lock()

    def add(self, events: list[pa.RecordBatch]) -> None:
        """Adds events to those that wait."""
        with self._lock:
            self._since = self._since if self._events else time.monotonic()
            self._events += events

    def due(self) -> DueEvents:
        """Takes what may go on now: all waiting events, or none."""
        with self._lock:
            settled, waited = not self._under_way, time.monotonic() - self._since
            wanted = max(_LEAST, min(_TIMES * self._took, _MOST))
            if waited < (wanted if settled else _LONGEST):
                return DueEvents(concat([]), settled, bool(self._events))
            events, self._events = concat(self._events), []
            self._went_on = time.monotonic()
            self._under_way += len(events)
            return DueEvents(events, settled, False)

    def take(self, number: int) -> None:
        """Notes that the ledger has taken in so many events."""
        with self._lock:
            self._under_way -= number
            if not self._under_way:
                self._took = time.monotonic() - self._went_on

    @property
    def is_empty(self) -> bool:
        """Whether none waits, and none is on its way."""
        with self._lock:
            return not self._events and not self._under_way
