"""Asking Pub/Sub for messages, one request of each shard under way at a time.

A request is never given up while the process lives: what a server answers to one that was cancelled is leased to nobody, and
comes again only when that lease expires. A shard that gets no answer in its time finds it when it comes again.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from typing import Any, Final, NamedTuple

from transforms.counters import LIVE

_PATIENCE: Final = 100.0
"""Seconds: longer than the service holds a request for which it has nothing."""


class Message(NamedTuple):
    """A message as it came."""

    id: str
    published: int
    """When the server took it in, in microseconds since the epoch."""
    data: bytes


class Answer(NamedTuple):
    """What came of a request: messages with their acknowledgement ids, or none."""

    messages: list[Message]
    ids: list[str]
    asked: bool
    """Whether the server could be asked: with no messages, it has none."""


class Pulls:
    """The requests of one process for the messages of one subscription."""

    def __init__(self, client: Any, subscription: str, messages: int, arrived: Callable[[list[str]], None]) -> None:
        """`messages`: how many a request asks for; `arrived` is told the ids that an answer brings, whenever it is fetched."""
        self._client, self._request = client, {"subscription": subscription, "max_messages": messages}
        self._arrived = arrived
        self._under_way: dict[int, Future[Answer]] = {}

    def answer(self, shard: int, seconds: float) -> Answer:
        """The answer to the request of a shard, which is made if none is under way; an empty one if it takes longer than that."""
        self.ask(shard)
        try:
            answer = self._under_way[shard].result(seconds)
        except NoAnswer:
            return NOTHING
        del self._under_way[shard]
        return answer

    def ask(self, shard: int) -> None:
        """Makes the next request of a shard, if none is under way."""
        if shard not in self._under_way:
            future = self._under_way[shard] = Future()
            threading.Thread(target=self._pull, args=(future,), name=f"pull {shard}", daemon=True).start()

    def _pull(self, future: "Future[Answer]") -> None:
        from google.api_core.exceptions import DeadlineExceeded

        try:
            answer = _answer_of(self._client.pull(request=self._request, timeout=_PATIENCE, retry=None))
            self._arrived(answer.ids)
        except DeadlineExceeded:
            answer = NOTHING
        except Exception:  # whatever it is (a closed channel is a ValueError), the shard asks again
            LIVE["source/failed_requests"] += 1
            answer = UNASKED
        future.set_result(answer)


def _answer_of(response: Any) -> Answer:
    received = type(response).pb(response).received_messages  # plain protobuf: its wrapper costs 20 us a message
    if not received:
        return NOTHING
    told = [one.message for one in received]
    messages = [Message(each.message_id, each.publish_time.ToMicroseconds(), each.data) for each in told]
    return Answer(messages, [one.ack_id for one in received], asked=True)


NOTHING: Final = Answer([], [], asked=True)
UNASKED: Final = Answer([], [], asked=False)
