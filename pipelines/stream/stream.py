"""A stream: messages of a subscription in, the corrected record out as it comes (contract: What a stream publishes)."""

from dataclasses import dataclass, field, replace
from typing import Final

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.trigger import AfterProcessingTime, TriggerFn

from pipelines.correction.graph import CorrectRecord
from pipelines.correction.settings import Format, SettingsError
from pipelines.stream.steps import EnterRecalled, TakeIn, WriteJournal
from schemas.azure.inventory import Inventory
from schemas.policy import Policy
from schemas.time import DAY, MINUTE, SECOND, format_duration
from schemas.wording import misnamed
from transforms.core.decode import DecodeSettings
from transforms.core.evaluation.evaluate import evaluate
from transforms.gather import GatherChanges
from transforms.ledger import LedgerSettings
from transforms.publish import KeepRejects, PublishCells, Sink
from transforms.subscription.recalled import NothingRecalled, Recalled
from transforms.subscription.source import ReadSubscription, SubscriptionSettings, present

NATIVE: Final = "DataflowRunner"
"""The runner that reads subscriptions by itself."""
RUNNERS: Final = ("PrismRunner", "FlinkRunner", NATIVE)
_LEAST_LEASE: Final = 10 * SECOND
_MOST_GROUPS: Final = 4096
_PAUSE: Final = 0.2
"""Seconds until a quiet subscription is asked again, where a runner waits no longer than that."""
_ROWS: Final = 5_000
"""Rows at which a bundle hands over what it has: the sink holds them, and a backlog is one bundle."""
_EARLY: Final = 4
"""Seconds of processing time after which an open session hands over what it has: one look for all of it, whose rows then wait for
their file."""


@dataclass(frozen=True)
class StreamSettings:
    """All that a stream is told. Times in microseconds.

    Raises:
        SettingsError: the subscription's name is none, a duration is out of its range, or there is no such runner.
    """

    subscription: str
    output: str
    policy: Policy = field(default_factory=Policy)
    inventory: Inventory | None = None
    format: Format = "auto"
    groups: int = 64
    """How many groups of scale sets are worked on together."""
    flush: int = 10 * SECOND
    """How long versions are held before they are written."""
    idle: int = MINUTE
    """For how long nothing must come until the watermark goes on without messages, that much behind the present."""
    lease: int = 30 * SECOND
    """How long a message is held without a sign of life."""
    compact_every: int | None = None
    """How often the folder is compacted meanwhile; None: never."""
    alerts: str | None = None
    """The topic that gets alarms; None: none."""
    alert_after: int = 2 * MINUTE
    """How long trouble must last."""
    metrics_port: int | None = None
    """Where Prometheus finds its metrics; None: nowhere."""
    metrics_host: str = "127.0.0.1"
    keep_rejected_payload: bool = False
    resume: bool = False
    """Whether to go on from what backfills have left of the scale sets in the output folder."""
    runner: str = "PrismRunner"
    runner_options: tuple[str, ...] = ()
    detach: bool = False
    """Whether a job that a cluster has is left to it."""
    dead_letter: str | None = None
    """The topic that gets messages of which something was rejected; None: none."""
    id_attribute: str | None = None
    """The attribute that messages which are copies have in common; None: the id that Pub/Sub gives them."""
    time_attribute: str | None = None
    """The attribute of all messages that says when it happened; None: the watermark is one of times of publication."""

    def __post_init__(self) -> None:
        self._check_native()
        if self.detach and self.runner == "PrismRunner":
            raise SettingsError("--detach: a runner that goes on without this program is required, got PrismRunner.")
        if wrong := misnamed(self.subscription, "subscriptions"):
            raise SettingsError(f"--subscription: {wrong}.")
        if self.runner not in RUNNERS:
            raise SettingsError(f"--runner: {', '.join(RUNNERS[:-1])} or {RUNNERS[-1]} is required, got {self.runner}.")
        if self.alerts is not None and self.runner != "PrismRunner":
            raise SettingsError(f"--alerts: PrismRunner is required (elsewhere, `trueup watch --topic`), got {self.runner}.")
        if self.alerts is not None and (wrong := misnamed(self.alerts, "topics")):
            raise SettingsError(f"--alerts: {wrong}.")
        if self.metrics_port is not None and self.runner != "PrismRunner":
            raise SettingsError(f"--metrics-port: PrismRunner is required (others have metrics of their own), got {self.runner}.")
        if self.compact_every is not None and self.runner != "PrismRunner":
            raise SettingsError(f"--compact-every: PrismRunner is required (elsewhere, `trueup compact`), got {self.runner}.")
        if self.compact_every is not None and not MINUTE <= self.compact_every <= 7 * DAY:
            raise SettingsError(f"--compact-every: 1m to 7d is required, got {format_duration(self.compact_every)}.")
        if not 1 <= self.groups <= _MOST_GROUPS:
            raise SettingsError(f"--groups: 1 to {_MOST_GROUPS} is required, got {self.groups}.")
        for name, given, least in (
            ("flush", self.flush, SECOND),
            ("idle", self.idle, SECOND),
            ("lease", self.lease, _LEAST_LEASE),
        ):
            if not least <= given <= 10 * MINUTE:
                raise SettingsError(f"--{name}: {format_duration(least)} to 10m is required, got {format_duration(given)}.")

    def _check_native(self) -> None:
        """What only a source of the runner's own can do."""
        for name, given in (
            ("dead-letter", self.dead_letter),
            ("id-attribute", self.id_attribute),
            ("time-attribute", self.time_attribute),
        ):
            if given is not None and self.runner != NATIVE:
                raise SettingsError(f"--{name}: {NATIVE} is required, got {self.runner}.")
        if self.dead_letter is not None and (wrong := misnamed(self.dead_letter, "topics")):
            raise SettingsError(f"--dead-letter: {wrong}.")

    @property
    def decode(self) -> DecodeSettings:
        """What the decoding step is told; its `now` is replaced by the present."""
        return DecodeSettings(self.policy, present(), self.inventory, self.format, self.keep_rejected_payload)

    @property
    def source(self) -> SubscriptionSettings:
        """What the source is told. What a reader that died had taken comes again before the watermark moves."""
        span = self.lease + self.lease // 2
        settings = SubscriptionSettings(
            self.subscription, self.decode, lease=self.lease, span=span, idle=self.idle, delay=self.idle
        )
        # Prism makes one bundle of all shards: each would wait for messages before the next one may, and all for the last.
        return replace(settings, shards=1, pause=_PAUSE) if self.runner == "PrismRunner" else settings

    @property
    def ledger(self) -> LedgerSettings:
        """What the ledger is told."""
        return LedgerSettings(
            self.policy,
            evaluate,
            present,
            source=self.subscription,
            emit_checkpoints=self.runner == "PrismRunner",
            awaits_recalled=self.resume and self.runner == NATIVE,
            can_drain=self.runner == NATIVE,
        )


@dataclass(frozen=True)
class Stream:
    """The graph of a stream."""

    settings: StreamSettings
    sink: Sink
    process: str | None = None
    """The name of the `StreamProcess` that writes events down before they are acknowledged, for a runner that keeps no state."""
    recalls: bool = False
    """Whether it has anything to recall."""
    recalled: Recalled = field(default_factory=NothingRecalled)
    """Without one: what the source hands over before the first message."""
    sessions: bool = True
    """Without one: whether the runner can fire open sessions; if not, slices go on as they come."""

    def build(self, pipeline: beam.Pipeline) -> None:
        """Puts the steps into a pipeline."""
        settings = self.settings
        alone = self.process is None
        read = pipeline | "ReadSubscription" >> self._source()
        if settings.dead_letter is not None:
            from apache_beam.io.gcp.pubsub import WriteToPubSub

            read.dead | "PublishDead" >> WriteToPubSub(settings.dead_letter, with_attributes=True)
        # Not together with the late ones: a step that has two inputs is a stage of its own, behind what is acknowledged.
        read.rejects | "KeepRejects" >> KeepRejects(self.sink)
        kept = self._written_down(read.events) | "CorrectRecord" >> CorrectRecord(
            self._ledger(),
            settings.groups,
            firing=self._firing(),
            at_once=not (alone and self.sessions),
            entering=self._entering(),
            recalled=read.recalled,
        )
        self._gathered(kept.changes) | "PublishCells" >> PublishCells(self.sink, _ROWS)
        kept.late | "KeepLate" >> KeepRejects(self.sink)

    def _source(self) -> beam.PTransform:
        settings = self.settings
        if settings.runner != NATIVE:
            return ReadSubscription(settings.source, self.recalled if self.process is None else None)
        from transforms.subscription.native import ReadNatively

        names = settings.id_attribute, settings.time_attribute
        return ReadNatively(settings.source, self.recalled, settings.groups, *names)

    def _gathered(self, changes: beam.PCollection) -> beam.PCollection:
        """Where no sink holds rows for a file, the runner does."""
        return changes | "GatherChanges" >> GatherChanges(self.settings.flush // SECOND) if self.process is None else changes

    def _firing(self) -> TriggerFn | None:
        return AfterProcessingTime(_EARLY) if self.process is None else None

    def _entering(self) -> beam.DoFn | None:
        return EnterRecalled(self.process) if self.process is not None and self.recalls else None

    def _ledger(self) -> LedgerSettings:
        ledger = self.settings.ledger
        return ledger if self.process is None else replace(ledger, taken=TakeIn(self.process))

    def _written_down(self, events: beam.PCollection) -> beam.PCollection:
        if self.process is None:
            return events
        return events | "WriteJournal" >> beam.ParDo(WriteJournal(self.process)).with_output_types(pa.RecordBatch)
