"""Where collected records go: files or a topic."""

from typing import Protocol

from pipelines.replay.publish import Topic
from pipelines.replay.replay import Outgoing
from transforms.core.decode.outline import outline_of


class Outlet(Protocol):
    """Takes records for good."""

    def keep(self, records: list[bytes]) -> None:
        """Takes records, a line of JSON each; they are durable when it returns. It raises if they are not."""


class TopicOutlet:
    """A topic of Pub/Sub, to which records go as `trueup publish` sends them."""

    def __init__(self, topic: Topic, source: str) -> None:
        self._topic, self._source = topic, source

    def keep(self, records: list[bytes]) -> None:
        """Publishes records, and waits until the service has them.

        Raises:
            GoogleAPIError: it does not take them.
        """
        sent = enumerate(records, 1)
        self._topic.send(Outgoing(self._source, number, record, outline_of(record)) for number, record in sent)
