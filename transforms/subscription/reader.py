"""What the shards of a subscription share in one process: the client, requests, leases, and what may be acknowledged when."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from transforms.core.columns.arrow import Ints
from transforms.core.subscription import watermark
from transforms.core.subscription.acknowledgements import Acknowledgements, ShardPosition
from transforms.core.subscription.watermark import WatermarkRule
from transforms.subscription.leases import LONGEST, Leases
from transforms.subscription.pulls import UNASKED, Answer, Message, Pulls

_WAIT: Final = 0.8
"""Seconds that a shard waits for the first message; Flink can take a checkpoint only between bundles."""
_MORE: Final = 0.05
"""Seconds that it waits for further ones: what came first is wanted downstream."""
_MANY: Final = 1000
_LARGE: Final = 1 << 20
"""Bytes of data, about, in one batch: less than some thousand messages cost more each to decode."""
_NO_MESSAGE: Final = ""
"""In the place of an id: what is recalled becomes durable as messages do, and nobody waits for its acknowledgement."""
_LEAST: Final = 10
"""Seconds that a subscription gives at delivery if it is not known."""


class ReaderSettings(NamedTuple):
    """What a reader is told. Times in microseconds."""

    subscription: str
    rule: WatermarkRule
    lease: int
    outstanding: int
    """How many messages, about, this process may hold that are not acknowledged."""
    clock: Callable[[], int]


class _Collection(NamedTuple):
    messages: list[Message]
    last: Answer | None
    """The answer without messages with which it ended; None: there may be more."""


class Reader:
    """Reads for the shards of one process; safe for their threads."""

    def __init__(self, settings: ReaderSettings, client: Any) -> None:
        self._settings = settings
        self._leases = Leases(client, settings.subscription, settings.lease / 1e6, deadline(client, settings.subscription))
        self._pulls = Pulls(client, settings.subscription, _MANY, self._leases.hold)
        self._acknowledgements = Acknowledgements()
        self._shards: dict[int, watermark.ShardClock] = {}
        self._seen: dict[int, float] = {}
        self._busy: set[int] = set()
        self._lock = threading.RLock()
        self.paused = False
        """While it is set nothing is read, and what was read is acknowledged as it becomes durable: for a graceful stop."""

    @property
    def outstanding(self) -> int:
        """Messages that were handed over and whose acknowledgement has not been sent."""
        return self._acknowledgements.outstanding + self._leases.pending

    @property
    def watermark(self) -> int | None:
        """How far event time has come for the shards of this process; None before any has begun."""
        with self._lock:
            return min((shard.watermark for shard in self._shards.values()), default=None)

    def resume(self, shard: int, place: ShardPosition, reached: int) -> ShardPosition:
        """Begins the next bundle of a shard at a place, with the watermark that it had reached."""
        with self._lock:
            at, dropped = self._acknowledgements.resume(shard, place, uuid.uuid4().hex[:12])
            if at != place or shard not in self._shards:
                self._shards[shard] = watermark.begin(reached, self._settings.clock())
            self._seen[shard] = time.monotonic()
            dropped += self._abandoned()
        self._leases.give_back(_of_messages(dropped))
        return at

    def read(self, shard: int, place: ShardPosition) -> Iterator[list[Message]]:
        """The messages of one bundle, for about a second; ends early when no more come. Whoever takes some tells their times."""
        until = time.monotonic() + _WAIT
        while time.monotonic() < until:
            found = self._collect(shard, place, until)
            if found.messages:
                yield found.messages
            if found.last is not None:
                self._note_none(shard, found.last, quiet=not found.messages)
                return
        self._busy.add(shard)

    def hand_over(self, shard: int, messages: list[Message], times: Ints) -> int:
        """Notes what a shard hands over.

        Args:
            shard: which.
            messages: the messages.
            times: the event times in them, in microseconds.

        Returns:
            The earliest of these; if none is past, when the first of the messages was published.
        """
        now, published = self._settings.clock(), min(message.published for message in messages)
        past = times[times <= now]
        earliest = [int(past.min())] if len(past) else []
        with self._lock:
            self._shards[shard] = watermark.handed_over(self._shards[shard], earliest, published, now, self._settings.rule)
        return earliest[0] if earliest else min(published, now)

    def advance(self, shard: int) -> int:
        """The watermark of a shard after a bundle."""
        with self._lock:
            known = watermark.advance(self._shards[shard], self._settings.rule, self._settings.clock())
            self._shards[shard] = known
        return known.watermark

    def is_busy(self, shard: int) -> bool:
        """Whether a shard ended its last bundle for lack of time: there may be more."""
        return shard in self._busy

    def note_recalled(self, shard: int, place: ShardPosition) -> None:
        """Takes note that a bundle hands over what the stream knows before its first message."""
        with self._lock:
            self._acknowledgements.take(shard, place, [_NO_MESSAGE])

    def finalize(self, shard: int, place: ShardPosition) -> bool:
        """Takes note that the runner calls a bundle final; gives whether what is recalled is durable with it."""
        with self._lock:
            ids = self._acknowledgements.finalize(shard, place)
        self._leases.acknowledge(_of_messages(ids))
        return _NO_MESSAGE in ids

    def end(self) -> None:
        """Sends the acknowledgements that are due, and gives everything else back."""
        self._leases.end()

    def _collect(self, shard: int, place: ShardPosition, until: float) -> "_Collection":
        """Answers as long as they come at once, and no longer than until a moment, as one batch."""
        answers, size = [self._answer(shard, place, until - time.monotonic())], 0
        while answers[-1].ids and (size := size + _size_of(answers[-1])) < _LARGE and time.monotonic() < until:
            answers.append(self._answer(shard, place, _MORE))
        messages = [message for answer in answers for message in answer.messages]
        return _Collection(messages, None if answers[-1].ids else answers[-1])

    def _answer(self, shard: int, place: ShardPosition, seconds: float) -> Answer:
        if self.paused or self._is_full():
            return UNASKED
        answer = self._pulls.answer(shard, seconds)
        with self._lock:
            self._acknowledgements.take(shard, place, answer.ids)
        if answer.ids and not self._is_full():
            self._pulls.ask(shard)  # the server is at work while these are
        return answer

    def _is_full(self) -> bool:
        return self._acknowledgements.outstanding >= self._settings.outstanding

    def _note_none(self, shard: int, answer: Answer, quiet: bool) -> None:
        """No more messages is a sign of quiet only if there were none before, and the server could be asked."""
        with self._lock:
            self._busy.discard(shard)
            known = self._shards[shard]
            if not answer.asked:
                self._shards[shard] = watermark.held_up(known)
            elif quiet:
                self._shards[shard] = watermark.found_nothing(known, self._settings.clock())

    def _abandoned(self) -> list[str]:
        """The ids of shards that have gone elsewhere."""
        gone = [shard for shard, seen in self._seen.items() if seen < time.monotonic() - LONGEST]
        for shard in gone:
            del self._seen[shard], self._shards[shard]
        return [one for shard in gone for one in self._acknowledgements.drop(shard)]


def _of_messages(ids: list[str]) -> list[str]:
    return [one for one in ids if one != _NO_MESSAGE]


def deadline(client: Any, subscription: str) -> float:
    """Seconds that a subscription gives at delivery; the least there is if the account may not look."""
    from google.api_core.exceptions import GoogleAPIError

    try:
        return float(client.get_subscription(subscription=subscription, timeout=10.0).ack_deadline_seconds or _LEAST)
    except GoogleAPIError:
        return float(_LEAST)


def _size_of(answer: Answer) -> int:
    return sum(len(message.data) for message in answer.messages)
