"""Pub/Sub as a source: messages of a subscription, and the events in them (architecture.md 7)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.core.decode import DecodeSettings
from transforms.decode import DecodedRecords


def present() -> int:
    """The present, in microseconds since the epoch."""
    return time.time_ns() // 1000


@dataclass(frozen=True)
class SubscriptionSettings:
    """What the source is told."""

    subscription: str
    """projects/P/subscriptions/S."""
    shards: int = 8
    """How many readers work side by side: 4 to 8 times the parallelism."""
    decode: DecodeSettings | None = None


@dataclass(eq=False)
class ReadSubscription(beam.PTransform):
    """The messages of a subscription."""

    settings: SubscriptionSettings

    def expand(self, begin: Any) -> beam.PCollection:
        """Batches of MESSAGES."""
        raise NotImplementedError


@dataclass(eq=False)
class DecodeMessages(beam.PTransform):
    """Messages into events and rejects; a reject's source is the subscription, its location the message's id."""

    settings: DecodeSettings
    source: str
    clock: Callable[[], int] = present

    def expand(self, messages: beam.PCollection) -> DecodedRecords:
        """Batches of MESSAGES to `DecodedRecords`."""
        raise NotImplementedError

    _ = pa
