"""The graph over an input without end: what it publishes in the end is what a backfill publishes of the accepted events."""

import pytest
from apache_beam.transforms.trigger import AfterProcessingTime

from schemas.time import HOUR
from tests.support.build import at, signal
from tests.support.unbounded import END, day_of_two_sets, evaluated, out_of_order, run_stream, stream


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
