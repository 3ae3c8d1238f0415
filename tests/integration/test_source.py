"""The source against the real emulator, bundle by bundle, as a runner would run it."""

import time
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from apache_beam.utils.timestamp import MIN_TIMESTAMP

from schemas.policy import Policy
from schemas.time import MINUTE, SECOND
from tests.support.bundles import START, bundle
from tests.support.emulator import Emulator, signal
from transforms.core.decode import DecodeSettings
from transforms.subscription.source import SubscriptionSettings, end_reader, present, reader_of

pytestmark = [pytest.mark.integration, pytest.mark.depends_on_speed("leases run out by the clock")]


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
    assert len(first.ids) == 2
    assert first.watermark == MIN_TIMESTAMP.micros
    assert first.timestamps == [now - 2 * MINUTE]
    assert first.rest.number == 1
    assert first.pause == pytest.approx(1.2, abs=0.2)
    time.sleep(1.5)
    pubsub.send(case.topic, [signal(now)])
    second = bundle(case.settings, first.rest, first.watermark)
    assert (second.ids, second.timestamps, second.rest.attempt) == (["e"], [now], first.rest.attempt)
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
    place, watermark, ids = START, first.watermark, []
    while not ids and time.monotonic() - began < 20:
        again = bundle(case.settings, place, watermark)
        place, watermark, ids = again.rest, again.watermark, again.ids
    assert ids == first.ids


def test_a_lease_is_kept_alive_while_its_bundle_is_not_final(pubsub: Emulator, case: Case) -> None:
    pubsub.send(case.topic, [signal(present())])
    first = bundle(case.settings)
    assert len(first.ids) == 1
    assert pubsub.pull(case.settings.subscription, 13) == []


def test_a_shard_that_resumes_from_an_older_place_gives_back_what_it_held(pubsub: Emulator, case: Case) -> None:
    pubsub.send(case.topic, [signal(present())])
    first = bundle(case.settings)
    late = bundle(case.settings, first.rest, first.watermark)
    again = bundle(case.settings, START, first.watermark)
    assert again.rest.attempt != first.rest.attempt
    first.finalize()
    late.finalize()
    ids, place = again.ids, again.rest
    for _ in range(4):
        more = bundle(case.settings, place, first.watermark)
        ids, place = ids + more.ids, more.rest
    assert ids == first.ids


def test_many_messages_are_few_elements(pubsub: Emulator, case: Case) -> None:
    now = present()
    futures = [pubsub.publisher.publish(case.topic, signal(now, str(number))) for number in range(2500)]
    for future in futures:
        future.result(30)
    counts: list[int] = []
    place, ids = START, list[str]()
    began = time.monotonic()
    while len(ids) < 2500 and time.monotonic() - began < 20:
        one = bundle(case.settings, place)
        place, ids = one.rest, ids + one.ids
        counts.append(len(one.timestamps))
    assert len(set(ids)) == 2500
    assert sum(counts) < 25, counts
