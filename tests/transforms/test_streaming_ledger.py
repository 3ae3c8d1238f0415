"""The graph over an input without end: what it publishes in the end is what a backfill publishes of the accepted events."""

import random
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.testing import test_stream
from apache_beam.transforms.trigger import AfterCount, AfterProcessingTime, TriggerFn
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from pipelines.correction.graph import CorrectRecord
from schemas.policy import Policy
from schemas.time import HOUR
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


@pytest.mark.parametrize("seed", [1, 2])
def test_a_stream_out_of_order_within_the_lateness_ends_as_the_evaluation_of_the_whole(seed: int) -> None:
    events = day_of_two_sets()
    sink = run_stream(stream(out_of_order(events, HOUR, seed), END), now=END - HOUR)
    assert sink.rejected == []
    assert sink.current() == evaluated(events, END)
    assert len(sink.current()["attributions"]) >= 4


def test_events_beyond_the_lateness_are_rejected_and_the_rest_ends_as_if_they_had_not_come() -> None:
    events = day_of_two_sets()
    too_late = [signal(5_000, "1", "Unavailable", event_id="late"), signal(5_500, "1", "Available", event_id="later")]
    steps = [(event["time"], [event]) for event in sorted(events, key=lambda event: event["time"])]
    sink = run_stream(stream([*steps, (at(14_400), too_late)], END), now=END - HOUR)
    assert {(row["location"], row["reason"]) for row in sink.rejected} == {("late", "late"), ("later", "late")}
    required = "at most 1h before 2027-01-15T04:00:00Z"
    assert f"time: {required} is required, got 2027-01-15T01:23:20Z." in {row["detail"] for row in sink.rejected}
    assert sink.current() == evaluated(events, END)


def test_a_late_copy_of_an_accepted_event_is_a_duplicate() -> None:
    events = day_of_two_sets()
    steps = [(event["time"], [event]) for event in sorted(events, key=lambda event: event["time"])]
    sink = run_stream(stream([*steps, (at(14_400), [events[1]])], END), now=END - HOUR)
    assert sink.rejected == []
    assert sink.current() == evaluated(events, END)


def test_panes_that_wait_for_processing_time_end_the_same() -> None:
    events = day_of_two_sets()
    sink = run_stream(stream(out_of_order(events, HOUR, 3), END), END - HOUR, AfterProcessingTime(5))
    assert sink.rejected == []
    assert sink.current() == evaluated(events, END)


def test_an_early_pane_is_a_preview_and_the_grid_end_adds_to_it() -> None:
    events = [signal(0, "1", "Available"), signal(3_700, "1", "Degraded")]
    steps = [(at(0), [events[0]]), (at(3_700), [events[1]])]
    sink = run_stream(stream(steps, at(3 * 3600)), now=at(2 * 3600))
    causes = [(row["revision"], row["cause"]) for row in sink.revisions]
    assert causes[0] == (0, "first")
    assert sink.current() == evaluated(events, at(3 * 3600))


def test_an_event_behind_a_grid_end_but_not_late_restates_its_cells_as_late() -> None:
    events = [signal(0, "1", "Available"), signal(7_300, "1", "Available"), signal(1_800, "1", "Unavailable")]
    steps = [(at(0), events[:1]), (at(3_500), []), (at(3_600), events[1:2]), (at(3_700), events[2:])]
    sink = run_stream(stream(steps, at(3 * 3600)), now=at(2 * 3600))
    again = [row["cause"] for row in sink.revisions if row["revision"] > 0]
    assert "late" in again
    assert sink.current() == evaluated(events, at(3 * 3600))


def test_no_timer_is_set_beyond_the_present_and_one_grid_interval() -> None:
    sink = run_stream(stream([(at(0), [signal(0, "1", "Available")])], at(600)), now=at(600))
    assert max(row["cell"].timestamp() for row in sink.revisions) * 1e6 <= at(0)


@pytest.mark.parametrize("lag", [0, 1])
def test_lateness_is_counted_from_the_last_grid_end_that_fired(lag: int) -> None:
    events = [signal(0, "1", "Available"), signal(7_100, "1", "Available")]
    edge = {**signal(0, "1", "Degraded", event_id="edge"), "time": at(3_600) - lag}
    steps = [(at(0), events[:1]), (at(7_100), events[1:]), (at(7_200), []), (at(7_201), [edge])]
    sink = run_stream(stream(steps, at(3 * 3600)), now=at(2 * 3600))
    assert [row["location"] for row in sink.rejected] == ["edge"] * lag
