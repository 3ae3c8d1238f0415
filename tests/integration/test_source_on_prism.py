"""The source on a real streaming runner."""

import time
import uuid
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import create_runner
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import TimerSpec, on_timer
from apache_beam.utils.timestamp import Timestamp

from runners.engines.prism import local_binary, prism
from schemas.policy import Policy
from schemas.time import HOUR, SECOND
from tests.support.emulator import Emulator, missing, signal
from transforms.core.decode import DecodeSettings
from transforms.subscription.source import ReadSubscription, SubscriptionSettings, end_reader, present, reader_of

pytestmark = [pytest.mark.integration, pytest.mark.depends_on_speed("leases run out by the clock")]
SEEN: dict[str, list[Any]] = {}
"""What the steps have seen, by test: they run in this process."""


def note(batch: pa.RecordBatch, name: str) -> tuple[str, int]:
    SEEN.setdefault(name, []).extend(batch.to_pylist())
    return name, len(batch)


@beam.typehints.with_input_types(tuple[str, int])
class At(beam.DoFn):
    """Notes when the watermark passes a moment."""

    TIMER = TimerSpec("timer", TimeDomain.WATERMARK)

    def __init__(self, moment: int) -> None:
        self._moment = moment

    def process(self, keyed: tuple[str, int], timer: Any = beam.DoFn.TimerParam(TIMER)) -> None:
        timer.set(Timestamp(micros=self._moment))

    @on_timer(TIMER)
    def passed(self, key: Any = beam.DoFn.KeyParam) -> None:
        SEEN.setdefault(f"{key} passed", []).append(time.monotonic())


@pytest.fixture
def binary() -> None:
    if local_binary() is None:
        missing("Prism: `go install` it at Beam's version (.ci/tools does), or let TRUEUP_PRISM name it")


def wait(seconds: float, until: Any) -> bool:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.1)
    return bool(until())


# Threads of Beam's worker find Prism gone at the end.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_all_events_come_in_the_watermark_passes_and_all_is_acknowledged(pubsub: Emulator, binary: None, tmp_path: Path) -> None:
    name = f"prism-{uuid.uuid4().hex}"
    topic, subscription = pubsub.open(name)
    now = present()
    futures = [pubsub.publisher.publish(topic, signal(now - HOUR + number, str(number))) for number in range(3000)]
    broken = pubsub.send(topic, [b"{broken"])[0]
    for future in futures:
        future.result(30)
    settings = SubscriptionSettings(
        subscription, DecodeSettings(Policy(), now), shards=4, lease=2 * SECOND, span=3 * SECOND, idle=4 * SECOND
    )
    with prism(str(tmp_path), ()) as options:
        pipeline = beam.Pipeline(runner=create_runner("PrismRunner"), options=PipelineOptions(options))
        decoded = pipeline | ReadSubscription(settings)
        noted = decoded.events | "NoteEvents" >> beam.Map(note, name).with_output_types(tuple[str, int])
        noted | beam.ParDo(At(now - HOUR // 2))
        decoded.rejects | "NoteRejects" >> beam.Map(note, f"{name} rejects").with_output_types(tuple[str, int])
        result = pipeline.run()
        try:
            assert wait(60, lambda: len(SEEN.get(name, [])) >= 3000)
            assert wait(60, lambda: SEEN.get(f"{name} passed"))
            assert wait(30, lambda: reader_of(settings.reader).outstanding == 0)
        finally:
            end_reader(subscription)
            result.cancel()
    assert {row["event_id"] for row in SEEN[name]} == {str(number) for number in range(3000)}
    assert [(row["location"], row["reason"]) for row in SEEN[f"{name} rejects"]] == [(broken, "not_json")]
    assert pubsub.pull(subscription, 12) == []
