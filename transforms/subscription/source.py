"""Pub/Sub as a source: reads the messages of a subscription and decodes them (steps: Source)."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Duration, Timestamp

from schemas.time import MINUTE, SECOND
from schemas.wording import misnamed
from transforms import shared
from transforms.core.columns.arrow import micros
from transforms.core.decode import DecodeSettings
from transforms.core.decode.messages import decode_messages
from transforms.core.ledger.decisions import LedgerInput
from transforms.core.subscription.acknowledgements import ShardPosition
from transforms.core.subscription.watermark import WatermarkRule
from transforms.decode import REJECTED, Rejected, results_of
from transforms.subscription.reader import Reader, ReaderSettings
from transforms.subscription.recalled import FIRST_SHARD, RECALLED, NothingRecalled, Recalled, RecalledOutput
from transforms.subscription.restriction import ShardPositionProvider, WatermarkProvider

_PLACES: Final = ShardPositionProvider()
_WATERMARKS: Final = WatermarkProvider()


def present() -> int:
    """The present, in microseconds since the epoch."""
    return time.time_ns() // 1000


@dataclass(frozen=True)
class SubscriptionSettings:
    """The settings of the source. Times in microseconds.

    Raises:
        ValueError: the subscription is misnamed, or a number is out of its range.
    """

    subscription: str
    """projects/P/subscriptions/S."""
    decode: DecodeSettings
    """How messages are read; its `now` is replaced by the present."""
    shards: int = 8
    """How many readers work side by side: 4 to 8 times the parallelism; 1 where a runner has one reader read after the other."""
    pause: float = 1.2
    """Seconds until a quiet shard is asked again; Flink takes off what has elapsed, and cuts the rest to whole seconds."""
    outstanding: int = 200_000
    """How many messages, about, a process may hold that are not acknowledged: at least what comes within two checkpoints."""
    lease: int = 30 * SECOND
    """How long a message is held without a sign of life; after a crash its messages come again so much later."""
    span: int = 45 * SECOND
    """How long a message holds the watermark once it has been handed over, and how long the watermark stands still at a restart.
    Longer than the lease and the subscription's own deadline: so late comes again what a reader that died had taken."""
    idle: int = MINUTE
    """After this time without messages a shard is idle."""
    delay: int = MINUTE
    """The watermark of an idle shard is this much behind the present."""
    clock: Callable[[], int] = present

    def __post_init__(self) -> None:
        if wrong := misnamed(self.subscription, "subscriptions"):
            raise ValueError(wrong)
        if not (self.shards > 0 and self.outstanding > 0 and SECOND <= self.lease < self.span):
            raise ValueError("shards and outstanding above 0, and 1 s <= lease < span are required")

    def decode_now(self) -> DecodeSettings:
        """What decoding is told at this moment."""
        return dataclasses.replace(self.decode, now=self.clock())

    @property
    def reader(self) -> ReaderSettings:
        """The settings of each process's reader."""
        rule = WatermarkRule(self.span, self.idle, self.delay)
        return ReaderSettings(self.subscription, rule, self.lease, self.outstanding, self.clock)


def reader_of(settings: ReaderSettings) -> Reader:
    """This process's reader for a subscription, which is made at the first call."""
    from google.cloud.pubsub_v1 import SubscriberClient

    found: Reader = shared.entered(settings.subscription, lambda: Reader(settings, SubscriberClient()))
    return found


def end_reader(subscription: str) -> None:
    """Ends the reader of a subscription, if this process has one: acknowledges what it may; other messages come again."""
    reader = shared.leave(subscription)
    if reader is not None:
        reader.end()


class SubscriptionOutput(NamedTuple):
    """What comes of a subscription."""

    events: beam.PCollection
    rejects: beam.PCollection
    recalled: beam.PCollection | None
    """Keyed inputs of the ledger, long before all events; None: nothing is recalled by way of the source."""
    dead: beam.PCollection | None = None
    """Messages of which something was rejected, for who wants them; None: the source gives none."""


@dataclass(eq=False)
class ReadSubscription(beam.PTransform):
    """Reads the messages of a subscription, each at least once, and decodes them into events and rejects.

    A reject's source is the subscription, its location the id of the message.
    """

    settings: SubscriptionSettings
    recalled: Recalled | None = None
    """What is handed over before the first message; None: nothing, and there is no output for it."""

    def expand(self, begin: Any) -> Any:
        """Nothing to `SubscriptionOutput`."""
        shards = begin | "Shards" >> beam.Create(range(self.settings.shards)).with_output_types(int)
        tags = (REJECTED,) if self.recalled is None else (REJECTED, RECALLED)
        reading = beam.ParDo(ReadMessages(self.settings, self.recalled or NothingRecalled()))
        read = shards | "ReadMessages" >> reading.with_outputs(*tags, main="events")
        return SubscriptionOutput(read["events"], read[REJECTED], None if self.recalled is None else read[RECALLED])


@beam.typehints.with_input_types(int)
@beam.typehints.with_output_types(pa.RecordBatch, rejected=pa.RecordBatch, recalled=tuple[str, LedgerInput])
class ReadMessages(beam.DoFn):
    """Reads a shard in bundles: each reads for about a second, then defers the rest.

    It decodes what it reads, since the watermark is one of event times.
    """

    def __init__(self, settings: SubscriptionSettings, recalled: Recalled) -> None:
        self._settings, self._recalled = settings, recalled

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        shard: int,
        # The order matters: with the tracker before the finalizer Beam hands over two values for one argument.
        finalizer: Any = beam.DoFn.BundleFinalizerParam,
        tracker: Any = beam.DoFn.RestrictionParam(_PLACES),
        estimator: Any = beam.DoFn.WatermarkEstimatorParam(_WATERMARKS),
    ) -> Iterator[TimestampedValue | Rejected | RecalledOutput]:
        """Events and rejects of some messages together, at the earliest event time in them that is not late; what is recalled,
        long before them."""
        settings = self._settings
        reader = reader_of(settings.reader)
        reached: Timestamp = estimator.current_watermark()
        before: ShardPosition = tracker.current_restriction()
        place = reader.resume(shard, before, reached.micros)
        if not tracker.try_claim(place):
            return
        finalizer.register(partial(finalize, settings.subscription, shard, place, self._recalled))
        if not self._recalled.is_durable():
            if shard == FIRST_SHARD:
                yield from self._hand_over(reader, before, place)
            tracker.defer_remainder(Duration(settings.pause))
            return
        for messages in reader.read(shard, place):
            decoded = decode_messages([(each.id, each.data) for each in messages], settings.subscription, settings.decode_now())
            earliest = reader.hand_over(shard, messages, micros(decoded.events, "time"))
            for found in results_of(decoded):
                yield _at(found, max(reached, Timestamp(micros=earliest)))
        estimator.set_watermark(Timestamp(micros=reader.advance(shard)))
        tracker.defer_remainder(Duration(0 if reader.is_busy(shard) else settings.pause))

    def _hand_over(self, reader: Reader, before: ShardPosition, place: ShardPosition) -> Iterator[RecalledOutput]:
        """What is recalled, with the first bundle of all. No shard reads before a checkpoint holds it, since events that came
        first would be taken for the first that there are of their scale sets."""
        if before.number == 0:
            reader.note_recalled(FIRST_SHARD, place)
            for entry in self._recalled.inputs():
                yield TaggedOutput(RECALLED, TimestampedValue(entry, MIN_TIMESTAMP))
        elif before.attempt != place.attempt:
            # Restored by a runner whose checkpoint has that bundle, in another process than the one that has handed it over.
            self._recalled.note_durable()


def _at(found: pa.RecordBatch | Rejected, moment: Timestamp) -> TimestampedValue | Rejected:
    if isinstance(found, TaggedOutput):
        return TaggedOutput(found.tag, TimestampedValue(found.value, moment))
    return TimestampedValue(found, moment)


def finalize(subscription: str, shard: int, place: ShardPosition, recalled: Recalled) -> None:
    """Notes that the runner has committed a bundle; does nothing if this process has ended its reader meanwhile."""
    reader = shared.entered(subscription)
    if reader is not None and reader.finalize(shard, place):
        recalled.note_durable()
