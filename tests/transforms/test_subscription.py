"""The source's parts below a server: places, the reader's bounds, and decoding as a step."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.coders import Coder
from google.api_core.exceptions import ServiceUnavailable
from google.pubsub_v1.types import PubsubMessage, PullResponse, ReceivedMessage, Subscription

from schemas.event import empty_events
from schemas.policy import Policy
from schemas.time import SECOND
from schemas.timestamp import parse_time
from tests.fixtures.decoding import NOW
from tests.support.bundles import START, bundle
from transforms import shared
from transforms.core.decode import DecodeSettings
from transforms.core.ledger.decisions import LedgerInput, input_of_events
from transforms.core.subscription.acknowledgements import ShardPosition
from transforms.core.subscription.watermark import WatermarkRule
from transforms.subscription import reader as bundles
from transforms.subscription.reader import Reader, ReaderSettings
from transforms.subscription.restriction import ShardPositionCoder, ShardPositionTracker
from transforms.subscription.source import SubscriptionSettings, end_reader

GOOD = b'{"kind": "signal", "event_id": "1", "scale_set_id": "a", "time": "2026-01-01T00:00:00Z", "state": "Available"}'


def test_a_place_survives_its_coder() -> None:
    coder = ShardPositionCoder()
    assert coder.decode(coder.encode(ShardPosition(2**40, "abc"))) == ShardPosition(2**40, "abc")
    assert (
        Coder.from_runner_api(coder.to_runner_api(context := beam.runners.pipeline_context.PipelineContext()), context) == coder
    )


def test_a_bundle_claims_one_place_and_leaves_the_next() -> None:
    tracker = ShardPositionTracker(ShardPosition(3, "before"))
    assert tracker.try_claim(ShardPosition(3, "now"))
    assert not tracker.try_claim(ShardPosition(4, "now"))
    assert tracker.try_split(0.0) == (ShardPosition(3, "before"), ShardPosition(4, "now"))
    assert tracker.try_split(0.0) is None
    assert tracker.check_done()


def test_a_split_before_the_claim_leaves_everything() -> None:
    tracker = ShardPositionTracker(ShardPosition(3, "before"))
    assert tracker.try_split(0.0) == (ShardPosition(3, "before"), ShardPosition(3, "before"))
    assert not tracker.try_claim(ShardPosition(3, "now"))


def test_a_shard_cannot_be_split_in_parallel_nor_left_undone() -> None:
    tracker = ShardPositionTracker(START)
    assert tracker.try_split(0.5) is None
    assert not tracker.is_bounded()
    with pytest.raises(ValueError, match="neither read nor deferred"):
        tracker.check_done()


@pytest.mark.parametrize(
    "given",
    [
        {"subscription": "projects/p/topics/t"},
        {"shards": 0},
        {"outstanding": 0},
        {"lease": SECOND - 1},
        {"lease": 5 * SECOND, "span": 5 * SECOND},
    ],
)
def test_settings_are_checked_at_birth(given: dict[str, Any]) -> None:
    SubscriptionSettings("projects/p/subscriptions/s", DecodeSettings(Policy(), NOW), shards=1, lease=SECOND, span=SECOND + 1)
    with pytest.raises(ValueError, match="required"):
        SubscriptionSettings(**{"subscription": "projects/p/subscriptions/s", "decode": DecodeSettings(Policy(), NOW), **given})


class Server:
    """A Pub/Sub of this process: it hands out what it has, once, and notes what it is told."""

    def __init__(self, deadline: int, answers: list[Callable[[], PullResponse]]) -> None:
        self.deadline, self.answers = deadline, answers
        self.acknowledged: list[str] = []
        self.deadlines: list[tuple[str, int]] = []

    def get_subscription(self, **_: Any) -> Subscription:
        return Subscription(ack_deadline_seconds=self.deadline)

    def pull(self, **_: Any) -> PullResponse:
        return self.answers.pop(0)() if self.answers else PullResponse()

    def acknowledge(self, request: dict[str, Any], **_: Any) -> None:
        self.acknowledged += request["ack_ids"]

    def modify_ack_deadline(self, request: dict[str, Any], **_: Any) -> None:
        self.deadlines += [(one, request["ack_deadline_seconds"]) for one in request["ack_ids"]]


def messages(*ids: str, data: bytes = GOOD) -> Callable[[], PullResponse]:
    def answer() -> PullResponse:
        return PullResponse(
            received_messages=[ReceivedMessage(ack_id=one, message=PubsubMessage(data=data, message_id=one)) for one in ids]
        )

    return answer


def unavailable() -> PullResponse:
    raise ServiceUnavailable("gone")


class Clock:
    now = 10_000 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def started() -> Iterator[Callable[..., tuple[Reader, Server, Clock]]]:
    readers: list[Reader] = []

    def start(*answers: Any, deadline: int = 10, outstanding: int = 10) -> tuple[Reader, Server, Clock]:
        server, clock = Server(deadline, list(answers)), Clock()
        rule = WatermarkRule(span=3 * SECOND, idle=5 * SECOND, delay=2 * SECOND)
        readers.append(Reader(ReaderSettings("s", rule, 2 * SECOND, outstanding, clock), server))
        return readers[-1], server, clock

    yield start
    for reader in readers:
        reader.end()


def read(reader: Reader, place: ShardPosition = START) -> tuple[list[str], ShardPosition]:
    """One bundle of shard 0: the ids of its messages, and its place."""
    at = reader.resume(0, place, 0)
    found = []
    for messages in reader.read(0, at):
        reader.hand_over(0, messages, np.array([], np.int64))
        found += [message.id for message in messages]
    return found, at


def test_messages_that_come_one_by_one_do_not_draw_a_bundle_out(
    started: Callable[..., tuple[Reader, Server, Clock]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_more() -> PullResponse:
        time.sleep(0.01)
        return messages("x")()

    monkeypatch.setattr(bundles, "_WAIT", 0.1)
    reader, server, _ = started(*[one_more] * 300, outstanding=1_000)
    found, _ = read(reader)
    assert len(found) < 200
    assert server.answers


def quiet_for(reader: Reader, clock: Clock, place: ShardPosition, seconds: int) -> int:
    """The watermark after two more bundles, so many seconds apart."""
    _, at = read(reader, place.next())
    clock.now += seconds * SECOND
    read(reader, at.next())
    return reader.advance(0)


def test_answers_that_come_at_once_are_one_batch(started: Any) -> None:
    reader, _, _ = started(messages("a", "b"), messages("c"))
    at = reader.resume(0, START, 0)
    assert [[message.id for message in messages] for messages in reader.read(0, at)] == [["a", "b", "c"]]


def test_an_empty_server_makes_a_shard_idle(started: Any) -> None:
    reader, _, clock = started()
    assert quiet_for(reader, clock, read(reader)[1], 5) == clock.now - 2 * SECOND


def test_a_server_that_does_not_answer_makes_no_shard_idle(started: Any) -> None:
    reader, _, clock = started(*[unavailable] * 9)
    assert quiet_for(reader, clock, read(reader)[1], 3600) == 0


def test_a_reader_that_holds_all_it_may_asks_for_no_more_and_is_not_idle(started: Any) -> None:
    reader, server, clock = started(messages("a", "b"), messages("c"), messages("d"), outstanding=2)
    found, at = read(reader)
    assert (found, read(reader, at.next())[0]) == (["a", "b"], [])
    assert len(server.answers) == 2
    reader.finalize(0, at)
    assert quiet_for(reader, clock, at.next(), 3600) == 0


def test_a_paused_reader_reads_nothing_and_acknowledges_what_it_had(started: Any) -> None:
    reader, server, _ = started(messages("a"), messages("b"))
    found, at = read(reader)
    reader.paused = True
    assert (found, read(reader, at.next())[0]) == (["a", "b"], [])
    reader.finalize(0, at.next())
    later = read(reader, at.next().next())[1]
    reader.finalize(0, later)
    time.sleep(0.3)
    assert (sorted(server.acknowledged), reader.outstanding) == (["a", "b"], 0)


def test_a_lease_is_extended_before_it_ends(started: Any) -> None:
    reader, server, _ = started(messages("a"), deadline=1)
    read(reader)
    time.sleep(0.8)
    assert server.deadlines[:1] == [("a", 2)]


def test_a_lease_that_is_longer_than_wanted_is_shortened_at_once(started: Any) -> None:
    reader, server, _ = started(messages("a"), deadline=600)
    read(reader)
    time.sleep(0.3)
    assert server.deadlines == [("a", 2)]


def test_what_is_held_at_the_end_is_given_back(started: Any) -> None:
    reader, server, _ = started(messages("a"))
    read(reader)
    reader.end()
    assert (server.deadlines, server.acknowledged) == ([("a", 0)], [])


def test_a_server_that_is_gone_does_not_hold_up_the_end(started: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, server, _ = started(messages(*map(str, range(5))))
    read(reader)
    monkeypatch.setattr("transforms.subscription.leases._MANY", 1)
    asked: list[object] = []

    def gone(*unused: object, **given: object) -> None:
        asked.append(given)
        raise ConnectionError

    monkeypatch.setattr(server, "modify_ack_deadline", gone)
    reader.end()
    assert len(asked) == 1


def test_messages_become_events_and_rejects_at_the_earliest_time_that_is_past() -> None:
    name = "projects/p/subscriptions/s"
    settings = SubscriptionSettings(name, DecodeSettings(Policy(), 0), clock=lambda: NOW)
    shared.enter(name, Reader(settings.reader, Server(10, [messages("m1"), messages("m2", data=b"{")])))
    try:
        found = bundle(settings, watermark=0)
    finally:
        end_reader(name)
    moment = parse_time("2026-01-01T00:00:00Z")
    assert (found.ids, found.rejects, found.timestamps) == (["1"], ["m2"], [moment])


class Known:
    """Something recalled, whose mark lies in this process."""

    def __init__(self, *keys: str) -> None:
        self.keys, self.durable = keys, False

    def inputs(self) -> Iterator[tuple[str, LedgerInput]]:
        for key in self.keys:
            yield key, input_of_events(empty_events(), None)

    def is_durable(self) -> bool:
        return self.durable

    def note_durable(self) -> None:
        self.durable = True


@pytest.fixture
def settings() -> Iterator[SubscriptionSettings]:
    """Of a subscription that has one message."""
    name = "projects/p/subscriptions/s"
    found = SubscriptionSettings(name, DecodeSettings(Policy(), 0), lease=2 * SECOND, span=3 * SECOND, clock=lambda: NOW)
    shared.enter(name, Reader(found.reader, Server(10, [messages("m1")])))
    yield found
    end_reader(name)


def test_no_shard_reads_before_a_checkpoint_holds_what_is_recalled(settings: SubscriptionSettings) -> None:
    known = Known("a", "b")
    first = bundle(settings, recalled=known)
    assert first.recalled == ["a", "b"]
    assert bundle(settings, shard=1, recalled=known).ids == []
    first.finalize()
    second = bundle(settings, first.rest, recalled=known)
    # Flink calls bundles final that began after the checkpoint was cut: only the second one proves anything.
    assert (second.recalled, second.ids, known.durable) == ([], [], False)
    second.finalize()
    assert known.durable
    assert bundle(settings, second.rest, recalled=known).ids == ["1"]


def test_a_restored_shard_has_handed_over_what_is_recalled(settings: SubscriptionSettings) -> None:
    known = Known("a")
    restored = bundle(settings, ShardPosition(1, "of another process"), recalled=known)
    assert (restored.recalled, known.durable) == ([], True)
    assert bundle(settings, restored.rest, recalled=known).ids == ["1"]
