"""Bundles of the source, as a runner would run them."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from apache_beam.pvalue import TaggedOutput
from apache_beam.runners.sdf_utils import RestrictionTrackerView, ThreadsafeRestrictionTracker
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp

from transforms.core.subscription.acknowledgements import ShardPosition
from transforms.decode import REJECTED
from transforms.subscription.recalled import RECALLED, NothingRecalled, Recalled
from transforms.subscription.restriction import ShardPositionCoder, ShardPositionTracker, WatermarkProvider
from transforms.subscription.source import ReadMessages, SubscriptionSettings

START = ShardPosition(0, "")


class Bundle(NamedTuple):
    """What one bundle of a shard gave."""

    recalled: list[str]
    """The keys of what was handed over before all messages."""
    ids: list[str]
    """Of the events; a message has one."""
    rejects: list[str]
    """The ids of messages that have none."""
    timestamps: list[int]
    watermark: int
    rest: ShardPosition
    pause: float
    finalizers: list[Callable[[], None]]

    def finalize(self) -> None:
        for finalizer in self.finalizers:
            finalizer()


class Finalizers(list[Callable[[], None]]):
    register = list.append


def bundle(
    settings: SubscriptionSettings,
    place: ShardPosition = START,
    watermark: int | None = None,
    shard: int = 0,
    recalled: Recalled | None = None,
) -> Bundle:
    """Runs one bundle, its restriction coded as between bundles."""
    coder, finalizers = ShardPositionCoder(), Finalizers()
    tracker = ThreadsafeRestrictionTracker(ShardPositionTracker(coder.decode(coder.encode(place))))
    reached = MIN_TIMESTAMP if watermark is None else Timestamp(micros=watermark)
    estimator = WatermarkProvider().create_watermark_estimator(reached)
    source = ReadMessages(settings, recalled or NothingRecalled())
    out = list(source.process(shard, finalizers, RestrictionTrackerView(tracker), estimator))
    tracker.check_done()
    rest, pause = tracker.deferred_status() or pytest.fail("nothing was deferred")
    events = [element for element in out if not isinstance(element, TaggedOutput)]
    tagged = [(element.tag, element.value) for element in out if isinstance(element, TaggedOutput)]
    assert all(value.timestamp == MIN_TIMESTAMP for tag, value in tagged if tag == RECALLED)
    return Bundle(
        [value.value[0] for tag, value in tagged if tag == RECALLED],
        [id_ for element in events for id_ in element.value.column("event_id").to_pylist()],
        [id_ for tag, value in tagged if tag == REJECTED for id_ in value.value.column("location").to_pylist()],
        [element.timestamp.micros for element in events],
        estimator.current_watermark().micros,
        rest,
        float(pause),
        finalizers,
    )
