"""In the place of Dataflow's own source, where there is no Dataflow: the same messages, pulled from an emulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io import Read
from apache_beam.io.gcp.pubsub import _PubSubSource
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pipeline import PTransformOverride
from apache_beam.runners.runner import create_runner
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from pipelines.record.store import Store
from pipelines.stream.stream import Stream, StreamSettings
from schemas.time import SECOND
from schemas.timestamp import parse_time
from tests.support.elsewhere import engine_elsewhere
from transforms.subscription.recalled import NothingRecalled, Recalled
from transforms.subscription.restriction import ShardPositionProvider, WatermarkProvider
from transforms.subscription.source import present

_PLACES, _WATERMARKS = ShardPositionProvider(), WatermarkProvider()
_QUIET = 3
"""So many answers without a message are a sign that none waits."""


class PullsInstead(PTransformOverride):
    """Has the subscription of a native source pulled."""

    def matches(self, applied: Any) -> bool:
        return isinstance(applied.transform, Read) and isinstance(applied.transform.source, _PubSubSource)

    def get_replacement_transform_for_applied_ptransform(self, applied: Any) -> Any:
        return _PullAll(applied.transform.source)


class _PullAll(beam.PTransform):
    def __init__(self, source: Any) -> None:
        super().__init__()
        self._told = source.full_subscription, source.timestamp_attribute

    def expand(self, begin: Any) -> Any:
        once = begin.pipeline | "Subscription" >> beam.Create([self._told[0]])
        return once | "Pull" >> beam.ParDo(_Pull(self._told[1])).with_output_types(bytes)


class _Pull(beam.DoFn):
    """Messages at the time that their attribute tells, or at which they were published; the watermark stands as long as there are
    any, and then follows the present."""

    def __init__(self, attribute: str | None) -> None:
        self._attribute, self._empty = attribute, 0

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        subscription: str,
        tracker: Any = beam.DoFn.RestrictionParam(_PLACES),
        estimator: Any = beam.DoFn.WatermarkEstimatorParam(_WATERMARKS),
    ) -> Iterator[Any]:
        tracker.try_claim(tracker.current_restriction())
        found = self._pulled(subscription)
        for message in found:
            moment = message.publish_time.timestamp() * 1e6
            if self._attribute is not None:
                moment = parse_time(message.attributes[self._attribute])
            yield TimestampedValue(type(message).serialize(message), Timestamp(micros=int(moment)))
        self._empty = 0 if found else self._empty + 1
        if self._empty >= _QUIET:
            estimator.set_watermark(Timestamp(micros=present() - SECOND))
        tracker.defer_remainder(Duration(0.2))

    def _pulled(self, subscription: str) -> list[Any]:
        from google.api_core.exceptions import DeadlineExceeded
        from google.cloud.pubsub_v1 import SubscriberClient

        client = SubscriberClient()
        try:
            answer = client.pull(subscription=subscription, max_messages=1000, timeout=1.0, retry=None)
        except DeadlineExceeded:
            return []
        ids = [one.ack_id for one in answer.received_messages]
        if ids:
            client.acknowledge(subscription=subscription, ack_ids=ids)
        return [one.message for one in answer.received_messages]


@contextmanager
def natively_elsewhere(settings: StreamSettings, folder: Path, recalled: Recalled | None = None) -> Iterator[Any]:
    """Runs the graph that Dataflow gets while the block does, on Prism, with workers in another process; gives its job.

    But for the source; and for the sessions: Prism refuses their triggers, so slices go on as they come.
    """
    store = Store(settings.output)
    store.open(settings.policy)
    with engine_elsewhere(folder) as options:
        pipeline = beam.Pipeline(runner=create_runner("PrismRunner"), options=PipelineOptions(options))
        Stream(settings, store, recalled=recalled or NothingRecalled(), sessions=False).build(pipeline)
        pipeline.replace_all([PullsInstead()])
        job = pipeline.run()
        try:
            yield job
        finally:
            job.cancel()
