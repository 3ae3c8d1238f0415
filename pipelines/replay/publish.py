"""Publishing: records of event files to a topic, at the speed that is asked for, with a note of how far it has come."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from pipelines.replay.cursor import Cursor
from pipelines.replay.replay import Outgoing
from schemas.time import format_time

_MANY: Final = 1000
"""Messages in one request: the most that the service takes."""
_LARGEST: Final = 9 << 20
"""Bytes of data in one request; the service takes 10 MB with all that belongs to it."""
_CHUNK: Final = 5000
"""Records that are sent together; all have arrived before the next are sent."""
_CHUNK_SIZE: Final = 32 << 20
_SENDERS: Final = 8
_SHORT: Final = 0.05
"""Seconds that a record is sent too early rather than alone."""
_PATIENCE: Final = 60.0


@dataclass
class PublishProgress:
    """How far a run has come."""

    records: int = 0
    bytes: int = 0
    too_large: int = 0
    """Records that no message can hold."""
    latest: int | None = None
    """The event time that it has come to, in microseconds."""
    formats: Counter[str] = field(default_factory=Counter)


class Topic:
    """A topic as a place to send records to; of one scale set they arrive in their order."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name
        self._pool = ThreadPoolExecutor(_SENDERS, "publish")

    def send(self, records: Iterable[Outgoing]) -> None:
        """Sends records; all have arrived when it returns.

        Raises:
            GoogleAPIError: one could not be sent.
        """
        by_owner: dict[str, list[Outgoing]] = {}
        for record in records:
            by_owner.setdefault(record.outline.owner or "", []).append(record)
        for sent in [self._pool.submit(self._send_in_order, owner, own) for owner, own in by_owner.items()]:
            sent.result()

    def _send_in_order(self, owner: str, records: list[Outgoing]) -> None:
        for some in _requests(records):
            messages = [{"data": one.text, "attributes": attributes_of(one), "ordering_key": owner} for one in some]
            self._client.publish(topic=self._name, messages=messages, timeout=_PATIENCE)


def attributes_of(record: Outgoing) -> dict[str, str]:
    """What a message says of its record: its file, the format, and what runners that read by themselves look at.

    These are `id`, the same in each copy of a text, and `time`: when it happened, or the present if the record does not say so.
    """
    told, happened = record.outline.format, record.outline.time
    found = {"source": record.path.rpartition("/")[2], "id": hashlib.sha256(record.text).hexdigest()[:32]}
    found["time"] = format_time(time.time_ns() // 1000 if happened is None else happened)
    return found if told is None else {**found, "format": told}


def publish(
    records: Iterable[Outgoing], topic: Topic, cursor: Cursor, speed: float, note: Callable[[PublishProgress], None]
) -> PublishProgress:
    """Publishes records to the last.

    Args:
        records: in their order.
        topic: where to.
        cursor: takes note of what has arrived.
        speed: times real time, by event time; 0: as fast as it goes.
        note: is told how far it has come.
    """
    done = PublishProgress()
    try:
        for chunk in paced(records, Pace(speed)):
            fitting = [record for record in chunk if len(record.text) <= _LARGEST]
            topic.send(fitting)
            cursor.note(chunk)
            _count(done, chunk, fitting)
            note(done)
    finally:
        cursor.write()
    return done


class Pace:
    """When records are due: times real time behind the first, by event time; one that is earlier than one before it at once."""

    def __init__(self, speed: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`speed`: 0 for no pace at all; `clock`: seconds."""
        self._speed, self._clock = speed, clock
        self._first: tuple[float, int] | None = None

    def wait(self, record: Outgoing) -> float:
        """Seconds until a record is due; 0 or less if it is, or tells no time."""
        told = record.outline.time
        if not self._speed or told is None:
            return 0.0
        if self._first is None:
            self._first = self._clock(), told
        began, first = self._first
        return began + (told - first) / 1e6 / self._speed - self._clock()


def paced(records: Iterable[Outgoing], pace: Pace, sleep: Callable[[float], None] = time.sleep) -> Iterator[list[Outgoing]]:
    """Records in chunks, each when it is due."""
    chunk: list[Outgoing] = []
    size = 0
    for record in records:
        if chunk and (pace.wait(record) > _SHORT or len(chunk) == _CHUNK or size >= _CHUNK_SIZE):
            yield chunk
            chunk, size = [], 0
        wait = pace.wait(record)
        if wait > _SHORT:
            sleep(wait)
        chunk.append(record)
        size += len(record.text)
    if chunk:
        yield chunk


def _requests(records: list[Outgoing]) -> Iterator[list[Outgoing]]:
    """Records in groups that each fit into one request."""
    some: list[Outgoing] = []
    size = 0
    for record in records:
        if some and (len(some) == _MANY or size + len(record.text) > _LARGEST):
            yield some
            some, size = [], 0
        some.append(record)
        size += len(record.text)
    if some:
        yield some


def _count(done: PublishProgress, chunk: list[Outgoing], fitting: list[Outgoing]) -> None:
    done.records += len(fitting)
    done.bytes += sum(len(record.text) for record in fitting)
    done.too_large += len(chunk) - len(fitting)
    done.formats.update(record.outline.format or "unknown" for record in fitting)
    times = [record.outline.time for record in chunk if record.outline.time is not None]
    done.latest = max([*times, *([] if done.latest is None else [done.latest])], default=None)
