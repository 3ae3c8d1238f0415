"""Events that wait, once they are in the journal, until the ledger has taken in those before them.

The ledger's price is one look at a scale set, be it for one event or for a thousand. While it is busy, small pieces would make
it busier still (measured: a fifth of the throughput), so what comes meanwhile goes on together. What waits is lost with the
process, and comes again from the journal.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from transforms.core.columns.batches import concat
from transforms.counters import LIVE

_LONGEST: Final = 10.0
"""Seconds that events wait at most: less than what was handed over holds the watermark, so none comes behind a timer for it."""


class DueEvents(NamedTuple):
    """The events that go on now."""

    events: pa.RecordBatch
    settled: bool
    """Whether the ledger has taken in everything that went on before."""


@dataclass
class WaitingEvents:
    """The waiting events of one process. Thread-safe."""

    _events: list[pa.RecordBatch] = field(default_factory=list)
    _since: float = 0.0
    _before: int = field(default_factory=lambda: _taken_in(LIVE))
    _handed_on: int = 0
    """Records."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, events: list[pa.RecordBatch]) -> None:
        """Adds events to those that wait."""
        with self._lock:
            self._since = self._since if self._events else time.monotonic()
            self._events += events

    def due(self) -> DueEvents:
        """Takes what may go on now: all waiting events, or none."""
        with self._lock:
            settled = not self._is_busy()
            if not settled and time.monotonic() - self._since < _LONGEST:
                return DueEvents(concat([]), settled)
            events, self._events = concat(self._events), []
            self._handed_on += len(events) - int(pc.sum(events.column("second")).as_py() or 0)
            return DueEvents(events, settled)

    def _is_busy(self) -> bool:
        return self._handed_on > _taken_in(LIVE) - self._before


def _taken_in(counts: Mapping[str, int]) -> int:
    """Records that the ledger has counted."""
    return sum(counts.get(name, 0) for name in ("used", "duplicate", "rejected/late"))
