"""Slices whose reaches overlap come together on the embedded runner, which keeps whole milliseconds of a window."""

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import GlobalWindow

from runners.engines.local import execute
from schemas.policy import Policy, parse_policy
from tests.support.build import Event, fault, op, signal, to_batch
from transforms.coders import RecordBatchCoder
from transforms.core.rules.reach import reach_window
from transforms.sessions import JoinSessions, KeyByScaleSet, keyed_slices

US = 1e-6
NARROW = parse_policy('skew = "1us"\nsettle = "1us"\n')


Session = tuple[str, list[str]]


def check_sessions(batches: list[pa.RecordBatch], groups: int | None, policy: Policy, expected: list[Session]) -> None:
    """Makes sure which events are together, by key, after the embedded runner has merged their windows."""

    def build(pipeline: beam.Pipeline) -> None:
        joined = (
            pipeline
            | beam.Create([RecordBatchCoder().encode(batch) for batch in batches])
            | "Decode" >> beam.Map(lambda data: RecordBatchCoder().decode(data)).with_output_types(pa.RecordBatch)
            | KeyByScaleSet(groups)
            | JoinSessions(policy)
            | "Ids" >> beam.MapTuple(lambda key, rows: (key, sorted(rows.column("event_id").to_pylist())))
        )
        assert_that(joined, equal_to(expected))

    execute(build)


def apart(*events: Event) -> list[pa.RecordBatch]:
    return [to_batch([event]) for event in events]


@pytest.mark.parametrize(
    ("gap", "together"),
    [(0, True), (US, True), (0.0009, True), (0.0021, False)],
    ids=["equal times", "one microsecond", "less than a millisecond", "more than two milliseconds"],
)
def test_windows_of_one_microsecond_merge_at_whole_milliseconds(gap: float, together: bool) -> None:
    events = signal(10, "1", "Available", event_id="e1"), signal(10 + gap, "1", "Available", event_id="e2")
    expected = [("a", ["e1", "e2"])] if together else [("a", ["e1"]), ("a", ["e2"])]
    check_sessions(apart(*events), None, NARROW, expected)


def test_an_operation_and_what_begins_at_its_limit_come_together() -> None:
    limit = 3600 + 15 * 60
    events = (
        op(0, "delete", "started", "1", event_id="o"),
        signal(limit, "1", "Degraded", event_id="at"),
        signal(limit + 1, "1", "Degraded", event_id="behind"),
    )
    check_sessions(apart(events[0], events[1]), None, Policy(), [("a", ["at", "o"])])
    check_sessions(apart(events[0], events[2]), None, Policy(), [("a", ["behind"]), ("a", ["o"])])


def test_a_bridge_joins_what_it_overlaps_on_both_sides() -> None:
    events = [
        signal(0, "1", "Degraded", event_id="e1"),
        signal(300, "1", "Degraded", event_id="e3"),
        op(100, "restart", "started", event_id="e2"),
    ]
    check_sessions(apart(*events), None, Policy(), [("a", ["e1", "e2", "e3"])])


def test_scale_sets_stay_apart_but_groups_hold_many() -> None:
    events = [fault(0, "1", scale_set=name, event_id=name) for name in "abc"]
    check_sessions([to_batch(events)], None, Policy(), [(name, [name]) for name in "abc"])
    check_sessions([to_batch(events)], 1, Policy(), [("0", ["a", "b", "c"])])


def test_sessions_leave_their_windows_behind() -> None:
    def build(pipeline: beam.Pipeline) -> None:
        joined = (
            pipeline
            | beam.Create([RecordBatchCoder().encode(to_batch([signal(0, "1", "Available")]))])
            | "Decode" >> beam.Map(lambda data: RecordBatchCoder().decode(data)).with_output_types(pa.RecordBatch)
            | KeyByScaleSet(None)
            | JoinSessions(Policy())
        )
        windows = joined | beam.Map(lambda _, window=beam.DoFn.WindowParam: isinstance(window, GlobalWindow))
        assert_that(windows, equal_to([True]))

    execute(build)


def test_a_slice_carries_no_ids_but_its_own() -> None:
    batch = to_batch([signal(0, str(number), "Available", scale_set=f"s{number}") for number in range(50)])
    for key, rows in keyed_slices(batch, None):
        assert rows.column("scale_set_id").dictionary.to_pylist() == [key]
        assert len(rows.column("instance_id").dictionary) == 1


def test_the_window_of_a_slice_is_never_empty() -> None:
    start, end = reach_window(to_batch([signal(10, "1", "Available")]), NARROW)
    assert (start + 1, start % 1000) == (end, 0)
