"""The graph over an input without end, step by step: events, when they come, and what is published of them."""

import random
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.testing import test_stream
from apache_beam.transforms.trigger import AfterCount, TriggerFn
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from pipelines.correction.graph import CorrectRecord
from schemas.policy import Policy
from tests.support.build import Event, at, op, rows, signal, spanning, to_batch
from tests.support.graph import Keeping, ledger_settings
from transforms.coders import RecordBatchCoder
from transforms.core.evaluation.evaluate import evaluate
from transforms.publish import KeepRejects, PublishCells

END = at(5 * 3600)
EARLY = AfterCount(1)


def day_of_two_sets() -> list[Event]:
    """Four hours: a rolling restart, a scale-in, a real outage; two scale sets."""
    events = [signal(0, name, "Available", scale_set=s) for s in "ab" for name in (None, "1", "2", "3")]
    events += [*spanning(1000, 1400, "restart", "1", key="r"), signal(1010, "1", "Unavailable"), signal(1390, "1", "Available")]
    events += [*spanning(4000, 4200, "delete", "2", key="d"), signal(4020, "2", "Degraded")]
    events += [signal(7_300, "3", "Unavailable"), signal(9_000, "3", "Available")]
    events += [op(6_500, "update", "started", key="u", scale_set="b"), op(8_000, "update", "succeeded", key="u", scale_set="b")]
    events += [signal(6_600, "1", "Degraded", scale_set="b"), signal(11_500, "1", "Available", scale_set="b")]
    return events + [signal(14_000, "1", "Available", scale_set=s) for s in "ab"]


def stream(steps: Iterable[tuple[int, list[Event]]], last: int) -> test_stream.TestStream:
    """Each step: the watermark moves, then events arrive, each a batch of its own; at last it moves on and ends."""
    source, reached = test_stream.TestStream(coder=RecordBatchCoder()), None
    for watermark, events in steps:
        if reached is None or watermark > reached:
            reached, source = watermark, source.advance_watermark_to(whole_ms(watermark))
        elements = [TimestampedValue(to_batch([event]), whole_ms(event["time"])) for event in events]
        source = source.add_elements(elements).advance_processing_time(10) if elements else source
    return source.advance_watermark_to(whole_ms(last)).advance_watermark_to_infinity()


def whole_ms(micros: int) -> Timestamp:
    """A moment as Beam can keep it."""
    return Timestamp(micros=micros // 1000 * 1000)


def run_stream(
    source: test_stream.TestStream,
    now: int,
    firing: TriggerFn | None = EARLY,
    policy: Policy | None = None,
    at_once: bool = False,
) -> Keeping:
    """What the graph publishes of an unbounded input."""
    sink = Keeping()
    options = PipelineOptions([])
    options.view_as(StandardOptions).streaming = True
    with beam.Pipeline(runner="BundleBasedDirectRunner", options=options) as pipeline:
        events = pipeline | source
        events.element_type = pa.RecordBatch
        kept = events | "CorrectRecord" >> CorrectRecord(ledger_settings(now, policy), firing=firing, at_once=at_once)
        kept.changes | "PublishCells" >> PublishCells(sink)
        kept.late | "KeepRejects" >> KeepRejects(sink)
    return sink


def evaluated(events: list[Event], T: int) -> dict[str, list[dict[str, Any]]]:
    """The rows of the plain evaluation in one call."""
    tables = evaluate(to_batch(events), Policy(), T)
    return {name: sorted(rows(getattr(tables, name)), key=repr) for name in ("availability", "attributions", "operations")}


def out_of_order(events: list[Event], lateness: int, seed: int) -> list[tuple[int, list[Event]]]:
    """Steps in which each event arrives up to `lateness` behind the watermark."""
    rng = random.Random(seed)
    arrivals = sorted((event["time"] + rng.randrange(0, lateness, 1_000), number) for number, event in enumerate(events))
    return [(moment, [events[number]]) for moment, number in arrivals]
