"""The source against the real emulator, bundle by bundle, as a runner would run it."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from apache_beam.runners.sdf_utils import RestrictionTrackerView, ThreadsafeRestrictionTracker
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp

from schemas.policy import Policy
from schemas.time import MINUTE, SECOND
from tests.support.emulator import Emulator, signal
from transforms.core.decode import DecodeSettings
from transforms.core.subscription.acknowledgements import ShardPosition
from transforms.subscription.restriction import ShardPositionCoder, ShardPositionTracker, WatermarkProvider
from transforms.subscription.source import ReadMessages, SubscriptionSettings, end_reader, present, reader_of

START = ShardPosition(0, "")
pytestmark = [pytest.mark.integration, pytest.mark.depends_on_speed("leases run out by the clock")]


class Bundle(NamedTuple):
    """What one bundle of a shard gave."""

    bodies: list[bytes]
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


def bundle(settings: SubscriptionSettings, place: ShardPosition = START, watermark: int | None = None, shard: int = 0) -> Bundle:
    """Runs one bundle, its restriction coded as between bundles."""
    coder, finalizers = ShardPositionCoder(), Finalizers()
    tracker = ThreadsafeRestrictionTracker(ShardPositionTracker(coder.decode(coder.encode(place))))
    reached = MIN_TIMESTAMP if watermark is None else Timestamp(micros=watermark)
    estimator = WatermarkProvider().create_watermark_estimator(reached)
    out = list(ReadMessages(settings).process(shard, finalizers, RestrictionTrackerView(tracker), estimator))
    tracker.check_done()
    rest, pause = tracker.deferred_status() or pytest.fail("nothing was deferred")
    bodies = [body for element in out for body in element.value.column("data").to_pylist()]
    return Bundle(
        bodies,
        [element.timestamp.micros for element in out],
        estimator.current_watermark().micros,
        rest,
        float(pause),
        finalizers,
    )


class Case(NamedTuple):
    topic: str
    settings: SubscriptionSettings


@pytest.fixture
def case(pubsub: Emulator) -> Iterator[Case]:
    topic, subscription = pubsub.open(f"source-{uuid.uuid4().hex}")
    decode = DecodeSettings(Policy(), present())
    yield Case(topic, SubscriptionSettings(subscription, decode, span=2 * SECOND, lease=SECOND, idle=3 * SECOND))
    end_reader(subscription)


def test_messages_come_in_and_the_watermark_waits_for_the_span(pubsub: Emulator, case: Case) -> None:
    now = present()
    pubsub.send(case.topic, [signal(now - MINUTE), signal(now - 2 * MINUTE)])
    first = bundle(case.settings)
    assert len(first.bodies) == 2
    assert first.watermark == MIN_TIMESTAMP.micros
    assert first.timestamps == [now - 2 * MINUTE]
    assert first.rest.number == 1
    assert first.pause == pytest.approx(1.2, abs=0.2)
    time.sleep(1.5)
    pubsub.send(case.topic, [signal(now)])
    second = bundle(case.settings, first.rest, first.watermark)
    assert (second.bodies, second.rest.attempt) == ([signal(now)], first.rest.attempt)
    time.sleep(0.8)
    third = bundle(case.settings, second.rest, second.watermark)
    assert third.watermark == now


def test_a_bundle_is_acknowledged_one_checkpoint_late(pubsub: Emulator, case: Case) -> None:
    pubsub.send(case.topic, [signal(present())])
    first = bundle(case.settings)
    first.finalize()
    time.sleep(0.3)
    assert not_acknowledged(case) == 1
    second = bundle(case.settings, first.rest, first.watermark)
    second.finalize()
    time.sleep(0.5)
    assert not_acknowledged(case) == 0
    end_reader(case.settings.subscription)
    assert pubsub.pull(case.settings.subscription, 12) == []


def not_acknowledged(case: Case) -> int:
    return reader_of(case.settings.reader).outstanding


def test_what_a_reader_that_died_had_taken_comes_again(pubsub: Emulator, case: Case) -> None:
    pubsub.send(case.topic, [signal(present())])
    first = bundle(case.settings)
    first.finalize()
    end_reader(case.settings.subscription)
    began = time.monotonic()
    place, watermark, bodies = START, first.watermark, []
    while not bodies and time.monotonic() - began < 20:
        again = bundle(case.settings, place, watermark)
        place, watermark, bodies = again.rest, again.watermark, again.bodies
    assert bodies == first.bodies


def test_a_lease_is_kept_alive_while_its_bundle_is_not_final(pubsub: Emulator, case: Case) -> None:
    pubsub.send(case.topic, [signal(present())])
    first = bundle(case.settings)
    assert len(first.bodies) == 1
    assert pubsub.pull(case.settings.subscription, 13) == []


def test_a_shard_that_resumes_from_an_older_place_gives_back_what_it_held(pubsub: Emulator, case: Case) -> None:
    pubsub.send(case.topic, [signal(present())])
    first = bundle(case.settings)
    late = bundle(case.settings, first.rest, first.watermark)
    again = bundle(case.settings, START, first.watermark)
    assert again.rest.attempt != first.rest.attempt
    first.finalize()
    late.finalize()
    bodies, place = again.bodies, again.rest
    for _ in range(4):
        more = bundle(case.settings, place, first.watermark)
        bodies, place = bodies + more.bodies, more.rest
    assert bodies == first.bodies


def test_many_messages_are_few_elements(pubsub: Emulator, case: Case) -> None:
    now = present()
    futures = [pubsub.publisher.publish(case.topic, signal(now, str(number))) for number in range(2500)]
    for future in futures:
        future.result(30)
    counts: list[int] = []
    place, bodies = START, list[Any]()
    began = time.monotonic()
    while len(bodies) < 2500 and time.monotonic() - began < 20:
        one = bundle(case.settings, place)
        place, bodies = one.rest, bodies + one.bodies
        counts.append(len(one.timestamps))
    assert len({bytes(body) for body in bodies}) == 2500
    assert sum(counts) < 25, counts
