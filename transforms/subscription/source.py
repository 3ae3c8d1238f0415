"""Pub/Sub as a source: reads the messages of a subscription and decodes them (steps: Source)."""

import dataclasses
import threading
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
from transforms.core.decode import DecodeSettings
from transforms.core.decode.messages import decode_messages
from transforms.core.ledger.decisions import LedgerInput
from transforms.core.subscription.acknowledgements import ShardPosition
from transforms.core.subscription.watermark import WatermarkRule
from transforms.decode import REJECTED, DecodeOutput, Rejected, results_of
from transforms.subscription.reader import Reader, ReaderSettings
from transforms.subscription.recalled import FIRST_SHARD, RECALLED, NothingRecalled, Recalled, RecalledOutput
from transforms.subscription.restriction import ShardPositionProvider, WatermarkProvider

_PAUSE: Final = 1.2
"""Seconds until a quiet shard is asked again: portable Flink takes off what has elapsed, and cuts the rest to whole seconds."""
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
    """How event times are found, for the watermark; its `now` is replaced by the present."""
    shards: int = 8
    """How many readers work side by side: 4 to 8 times the parallelism."""
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

    @property
    def reader(self) -> ReaderSettings:
        """The settings of each process's reader."""
        rule = WatermarkRule(self.span, self.idle, self.delay)
        return ReaderSettings(self.subscription, rule, self.lease, self.outstanding, self.clock)


_READERS: Final[dict[str, Reader]] = {}
_LOCK: Final = threading.Lock()


def reader_of(settings: ReaderSettings) -> Reader:
    """This process's reader for a subscription, which is made at the first call."""
    from google.cloud.pubsub_v1 import SubscriberClient

    with _LOCK:
        if settings.subscription not in _READERS:
            _READERS[settings.subscription] = Reader(settings, SubscriberClient())
        return _READERS[settings.subscription]


def end_reader(subscription: str) -> None:
    """Ends the reader of a subscription, if this process has one: acknowledges what it may; other messages come again."""
    with _LOCK:
        reader = _READERS.pop(subscription, None)
    if reader is not None:
        reader.end()


@dataclass(eq=False)
class ReadSubscription(beam.PTransform):
    """Reads the messages of a subscription, each at least once."""

    settings: SubscriptionSettings
    recalled: Recalled | None = None
    """What is handed over before the first message; None: nothing, and there is no output for it."""

    def expand(self, begin: Any) -> Any:
        """Batches of MESSAGES; with something recalled they are the main output, and the output RECALLED has keyed inputs."""
        shards = begin | "Shards" >> beam.Create(range(self.settings.shards)).with_output_types(int)
        read = beam.ParDo(ReadMessages(self.settings, self.recalled or NothingRecalled()))
        return shards | "ReadMessages" >> (read if self.recalled is None else read.with_outputs(RECALLED, main="messages"))


@beam.typehints.with_input_types(int)
@beam.typehints.with_output_types(pa.RecordBatch, recalled=tuple[str, LedgerInput])
class ReadMessages(beam.DoFn):
    """Reads a shard in bundles: each reads for about a second, then defers the rest."""

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
    ) -> Iterator[TimestampedValue | RecalledOutput]:
        """Batches of MESSAGES, each at the earliest event time in it that is not late; what is recalled, long before them."""
        reader = reader_of(self._settings.reader)
        reached: Timestamp = estimator.current_watermark()
        before: ShardPosition = tracker.current_restriction()
        place = reader.resume(shard, before, reached.micros)
        if not tracker.try_claim(place):
            return
        finalizer.register(partial(finalize, self._settings.subscription, shard, place, self._recalled))
        if not self._recalled.is_durable():
            if shard == FIRST_SHARD:
                yield from self._hand_over(reader, before, place)
            tracker.defer_remainder(Duration(_PAUSE))
            return
        for batch in reader.read(shard, place, partial(event_times, settings=self._settings)):
            yield TimestampedValue(batch.messages, max(reached, Timestamp(micros=batch.earliest)))
        estimator.set_watermark(Timestamp(micros=reader.advance(shard)))
        tracker.defer_remainder(Duration(0 if reader.is_busy(shard) else _PAUSE))

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


def event_times(messages: pa.RecordBatch, settings: SubscriptionSettings) -> list[int]:
    """The event times in a batch of MESSAGES, in microseconds."""
    decode = dataclasses.replace(settings.decode, now=settings.clock())
    times: list[int] = decode_messages(messages, "", decode).events.column("time").cast(pa.int64()).to_pylist()
    return times


def finalize(subscription: str, shard: int, place: ShardPosition, recalled: Recalled) -> None:
    """Notes that the runner has committed a bundle; does nothing if this process has ended its reader meanwhile."""
    reader = _READERS.get(subscription)
    if reader is not None and reader.finalize(shard, place):
        recalled.note_durable()


class _Decoding(NamedTuple):
    settings: DecodeSettings
    source: str
    clock: Callable[[], int]


@dataclass(eq=False)
class DecodeMessages(beam.PTransform):
    """Decodes messages into events and rejects; the source of a reject is the subscription, its location the message's id."""

    settings: DecodeSettings
    """Its `now` is replaced by the present."""
    source: str
    clock: Callable[[], int] = present

    def expand(self, messages: beam.PCollection) -> Any:
        """Batches of MESSAGES to `DecodeOutput`."""
        decoding = DecodeBatch(_Decoding(self.settings, self.source, self.clock))
        decoded = messages | "DecodeBatch" >> beam.ParDo(decoding).with_outputs(REJECTED, main="events")
        return DecodeOutput(decoded["events"], decoded[REJECTED])


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch, rejected=pa.RecordBatch)
class DecodeBatch(beam.DoFn):
    """Decodes the messages of a batch together."""

    def __init__(self, decoding: _Decoding) -> None:
        self._decoding = decoding

    def process(self, messages: pa.RecordBatch) -> Iterator[pa.RecordBatch | Rejected]:
        """Their events, and their rejects."""
        decoding = self._decoding
        yield from results_of(
            decode_messages(messages, decoding.source, dataclasses.replace(decoding.settings, now=decoding.clock()))
        )
