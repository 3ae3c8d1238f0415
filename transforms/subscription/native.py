"""Pub/Sub as Dataflow reads it: its own source hands over messages, and a step decodes those of a bundle together
(steps: Source)."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import apache_beam as beam
import pyarrow as pa
from apache_beam.coders import Coder, registry
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import WindowedValue
from google.pubsub_v1.types import PubsubMessage as PubsubProto

from schemas.event import empty_events
from transforms.core.columns.arrow import no_rows
from transforms.core.columns.groups import group_keys
from transforms.core.decode.messages import decode_messages
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.ledger.decisions import LedgerInput
from transforms.counters import count
from transforms.decode import REJECTED, Rejected, results_of
from transforms.subscription.recalled import Recalled
from transforms.subscription.source import SubscriptionOutput, SubscriptionSettings

DEAD: Final = "dead"
Dead: TypeAlias = TaggedOutput[Literal["dead"], PubsubMessage]
_MANY: Final = 1000
_LARGE: Final = 1 << 20
"""Bytes of data, about, that are decoded together."""
_MOST_ATTRIBUTES: Final = 100
_LONGEST_VALUE: Final = 1024
"""Bytes."""
_LARGEST: Final = 9_800_000
"""Bytes of data beside which all attributes that a message may have fit into it."""


class PubsubMessageCoder(Coder):
    """One message, as Pub/Sub itself writes it: Beam's default would be pickle."""

    def encode(self, message: PubsubMessage) -> bytes:
        """The bytes of its proto."""
        fields = {name: value for name in PubsubProto.meta.fields if (value := getattr(message, name))}
        return bytes(PubsubProto.serialize(PubsubProto(fields)))

    def decode(self, encoded: bytes) -> PubsubMessage:
        """The message."""
        told = PubsubProto.deserialize(encoded)
        return PubsubMessage(told.data, dict(told.attributes), told.message_id, told.publish_time, told.ordering_key)

    def is_deterministic(self) -> bool:
        """The order of attributes is not."""
        return False

    def to_type_hint(self) -> type:
        """What it codes."""
        return PubsubMessage

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


registry.register_coder(PubsubMessage, PubsubMessageCoder)


@dataclass(eq=False)
class ReadNatively(beam.PTransform):
    """Reads the messages of a subscription by the runner's own source, and decodes them into events and rejects.

    Without `time_attribute` an element has the time at which its message was published, and the watermark is one of these times:
    a grid end fires when all that was published before it has come. With it, it is one of event times, which the runner looks up
    in a subscription of its own to the same topic.
    """

    settings: SubscriptionSettings
    recalled: Recalled
    groups: int
    """Of how many the keys of the ledger are."""
    id_attribute: str | None = None
    """Messages whose attribute of this name is the same are copies: the runner removes what comes within minutes."""
    time_attribute: str | None = None
    """The attribute that says when it happened. Each message must have it."""

    def expand(self, begin: Any) -> Any:
        """Nothing to `SubscriptionOutput`."""
        settings = self.settings
        messages = begin | "ReadMessages" >> ReadFromPubSub(
            subscription=settings.subscription,
            with_attributes=True,
            id_label=self.id_attribute,
            timestamp_attribute=self.time_attribute,
        )
        decoded = messages | "DecodeMessages" >> beam.ParDo(DecodeMessages(settings)).with_outputs(REJECTED, DEAD, main="events")
        once = begin | "Once" >> beam.Impulse()
        recalled = once | "HandOver" >> beam.ParDo(HandOver(self.recalled, self.groups))
        return SubscriptionOutput(decoded["events"], decoded[REJECTED], recalled, decoded[DEAD])


@beam.typehints.with_input_types(PubsubMessage)
@beam.typehints.with_output_types(pa.RecordBatch, rejected=pa.RecordBatch, dead=PubsubMessage)
class DecodeMessages(beam.DoFn):
    """Decodes the messages of a bundle together, or as soon as there are many."""

    def __init__(self, settings: SubscriptionSettings) -> None:
        self._settings = settings

    def start_bundle(self) -> None:
        """Begins with nothing held."""
        self._held: list[PubsubMessage] = []
        self._size, self._earliest = 0, MAX_TIMESTAMP

    def process(self, message: PubsubMessage, moment: Any = beam.DoFn.TimestampParam) -> Iterator[Any]:
        """Takes a message; what is decoded is as early as the earliest of its messages."""
        self._held.append(message)
        self._size += len(message.data)
        self._earliest = min(self._earliest, moment)
        if len(self._held) >= _MANY or self._size >= _LARGE:
            yield from self._decoded()

    def finish_bundle(self) -> Iterator[Any]:
        """What the rest gives."""
        if self._held:
            yield from self._decoded()

    def _decoded(self) -> Iterator[Any]:
        messages, moment = {id_of(message): message for message in self._held}, self._earliest
        self.start_bundle()
        texts = [(name, message.data) for name, message in messages.items()]
        decoded = decode_messages(texts, self._settings.subscription, self._settings.decode_now())
        for found in (*results_of(decoded), *dead_letters(messages, decoded.rejects)):
            yield _at(found, moment)


def id_of(message: PubsubMessage) -> str:
    """The id that Pub/Sub has given a message; if the runner does not tell it, one of its content."""
    return message.message_id or hashlib.sha256(message.data).hexdigest()[:16]


def dead_letters(messages: dict[str, PubsubMessage], rejects: pa.RecordBatch) -> Iterable[Dead]:
    """A copy of each message of which something was rejected, with the first reason beside its attributes.

    Args:
        messages: by their ids, with which the locations of rejects begin.
        rejects: REJECTS.
    """
    places, reasons, details = (rejects.column(name).to_pylist() for name in ("location", "reason", "detail"))
    first: dict[str, dict[str, str]] = {}
    for place, reason, detail in zip(places, reasons, details, strict=True):
        said = {"trueup_reason": reason, "trueup_detail": _cut(detail)}
        first.setdefault(place.partition(",")[0], said)
    for name, said in first.items():
        message, own = messages[name], {"trueup_message": name, **said}
        attributes = {**message.attributes, **own}
        if len(message.data) > _LARGEST:
            count("dead_letters/too_large")
        else:
            yield TaggedOutput(DEAD, PubsubMessage(message.data, attributes if len(attributes) <= _MOST_ATTRIBUTES else own))


def _cut(text: str) -> str:
    return text.encode()[:_LONGEST_VALUE].decode(errors="ignore")


def _at(found: pa.RecordBatch | Rejected | Dead, moment: Timestamp) -> WindowedValue | TaggedOutput:
    if isinstance(found, TaggedOutput):
        return TaggedOutput(found.tag, _at(found.value, moment))
    return WindowedValue(found, moment, (GlobalWindow(),))


@beam.typehints.with_input_types(bytes)
@beam.typehints.with_output_types(tuple[str, LedgerInput])
class HandOver(beam.DoFn):
    """Hands over what a stream knows before its first message: one input for each key, for which the ledger waits."""

    def __init__(self, recalled: Recalled, groups: int) -> None:
        self._recalled, self._groups = recalled, groups

    def process(self, _: bytes) -> Iterator[WindowedValue]:
        """The inputs; an empty one for a key of which nothing is known."""
        others = set(group_keys(self._groups))
        for key, known in self._recalled.inputs():
            others.discard(key)
            yield _early((key, known))
        nothing = LedgerInput(None, empty_events(), no_rows(PUBLISHED), recalled=True)
        yield from (_early((key, nothing)) for key in sorted(others))


def _early(entry: tuple[str, LedgerInput]) -> WindowedValue:
    return WindowedValue(entry, MIN_TIMESTAMP, (GlobalWindow(),))
