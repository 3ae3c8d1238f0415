"""Rules of the ledger, each through the graph: what is published when, as what, and what not again (rules: Late, Cells)."""

import random
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import StrUtf8Coder, TupleCoder
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.testing import test_stream

from schemas.time import HOUR, SECOND
from tests.support.build import Event, at, op, signal, spanning, to_batch
from tests.support.graph import Keeping, ledger_settings
from tests.support.unbounded import END, day_of_two_sets, evaluated, out_of_order, run_stream, stream, whole_ms
from transforms.coders import LedgerInputCoder
from transforms.core.columns.arrow import no_rows
from transforms.core.ledger.changes import PUBLISHED, published_after
from transforms.core.ledger.decisions import LedgerInput, input_of_events
from transforms.ledger import KeepLedger
from transforms.publish import KeepRejects, PublishCells

STEADY = [signal(0, "1", "Available"), signal(0, "2", "Available")]


def causes(sink: Keeping, scale_set: str = "a") -> list[tuple[int, int, str]]:
    """(hour, revision, cause) of each version of a set, in the order of publication."""
    rows = [row for row in sink.revisions if row["scale_set_id"] == scale_set]
    return [(round((row["cell"].timestamp() * 1e6 - at(0)) / HOUR), row["revision"], row["cause"]) for row in rows]


def test_a_quiet_set_gets_its_rows_at_each_grid_end() -> None:
    steps: list[tuple[int, list[Event]]] = [(at(0), STEADY), *((at(3600 * hour), []) for hour in (1, 2, 3))]
    sink = run_stream(stream(steps, at(4 * 3600)), now=at(3 * 3600))
    assert causes(sink) == [(0, 0, "first"), (1, 0, "first"), (2, 0, "first"), (3, 0, "first")]
    assert sink.current() == evaluated(STEADY, at(4 * 3600))


def test_an_identical_cell_is_not_published_again() -> None:
    sink = run_stream(stream([(at(0), STEADY), (at(10), STEADY), (at(20), [signal(15, "1", "Available")])], at(3600)), now=at(60))
    assert causes(sink) == [(0, 0, "first")]


def test_rows_are_published_while_a_session_is_open_for_hours() -> None:
    opened = [*STEADY, op(100, "update", "started", key="u"), signal(200, "1", "Unavailable")]
    closed = [signal(7_290, "1", "Available"), op(7_300, "update", "succeeded", key="u")]
    steps = [(at(0), opened), (at(3_600), []), (at(7_200), []), (at(7_300), closed)]
    sink = run_stream(stream(steps, at(3 * 3600)), now=at(2 * 3600))
    published = causes(sink)
    assert published.index((1, 0, "first")) < published.index((2, 0, "first"))
    assert sink.rejected == []
    assert sink.current() == evaluated(opened + closed, at(3 * 3600))


def test_a_late_operation_joins_two_sessions_and_excuses_what_had_counted() -> None:
    apart = [*STEADY, signal(1_100, "1", "Unavailable"), signal(3_000, "1", "Available")]
    bridge = spanning(1_090, 2_990, "reimage", "1", key="r")
    steps = [(at(0), apart[:2]), (at(1_100), apart[2:3]), (at(3_000), apart[3:]), (at(3_700), bridge)]
    sink = run_stream(stream(steps, at(2 * 3600)), now=at(3_700))
    verdicts = [[row["verdict"] for row in changes.attributions.to_pylist()] for changes in sink.changes]
    assert ["unexplained"] in verdicts
    assert [row["verdict"] for row in sink.current()["attributions"]] == ["explained"]
    assert sink.current() == evaluated(apart + bridge, at(2 * 3600))
    assert {cause for _, revision, cause in causes(sink) if cause == "late"} == {"late"}


@pytest.mark.parametrize("seed", range(4))
def test_equal_times_count_the_same_in_any_order(seed: int) -> None:
    events = [*STEADY, signal(100, "1", "Available"), signal(100, "1", "Unavailable"), signal(100, "1", "Degraded")]
    events += [op(100, "restart", phase, "1", key="r") for phase in ("started", "progress", "succeeded")]
    random.Random(seed).shuffle(events)
    sink = run_stream(stream([(at(0), [event]) for event in events], at(3600)), now=at(60))
    assert sink.current() == evaluated(events, at(3600))


def test_a_watermark_that_jumps_to_infinity_brings_the_rows_up_to_the_present() -> None:
    source = stream([(at(0), STEADY)], at(1))
    sink = run_stream(source, now=at(3 * 3600))
    assert sink.current() == evaluated(STEADY, at(4 * 3600))


def test_an_event_of_the_future_makes_no_other_late() -> None:
    future, usual = signal(50_000, "1", "Unavailable"), signal(20, "2", "Degraded")
    sink = run_stream(stream([(at(0), STEADY), (at(10), [future]), (at(20), [usual])], at(600)), now=at(600))
    assert sink.rejected == []
    assert sink.current() == evaluated([*STEADY, future, usual], at(14 * 3600))


def test_causes_are_first_then_progress_then_late() -> None:
    steps = [
        (at(0), STEADY),
        (at(60), [signal(60, "1", "Unavailable")]),
        (at(3_600), []),
        (at(3_700), [signal(1_000, "1", "Available")]),
    ]
    sink = run_stream(stream(steps, at(3_800)), now=at(3_700))
    assert [version for version in causes(sink) if version[0] == 0] == [(0, 0, "first"), (0, 1, "progress"), (0, 2, "late")]


def test_a_late_event_restates_the_cells_that_it_changes_and_no_others() -> None:
    other = [signal(0, "1", "Available", scale_set="b"), signal(10_900, "1", "Available", scale_set="b")]
    usual = [*STEADY, signal(9_100, "2", "Unavailable"), signal(10_900, "1", "Available")]
    late = [signal(8_000, "1", "Unavailable"), signal(8_100, "1", "Available")]
    steps = [(at(0), [*STEADY, *other[:1]]), (at(9_100), usual[2:3]), (at(10_800), []), (at(10_900), [*usual[3:], *other[1:]])]
    sink = run_stream(stream([*steps, (at(11_000), late)], at(4 * 3600)), now=at(11_000))
    assert {version[0] for version in causes(sink) if version[2] == "late"} == {2}
    assert "late" not in {cause for *_, cause in causes(sink, "b")}
    assert sink.current() == evaluated(usual + late + other, at(4 * 3600))


def test_a_copy_of_an_event_that_is_folded_away_is_not_late() -> None:
    first, again = signal(10, "1", "Available"), [signal(second, "1", "Available") for second in (2_000, 5_000)]
    steps = [(at(10), [first, *again]), (at(20 * 3600), []), (at(20 * 3600), [first])]
    sink = run_stream(stream(steps, at(21 * 3600)), now=at(20 * 3600))
    assert sink.rejected == []
    assert sink.current() == evaluated([first, *again], at(21 * 3600))


@pytest.mark.parametrize("seed", [4, 5])
def test_slices_that_go_on_as_they_come_end_the_same(seed: int) -> None:
    events = day_of_two_sets()
    sink = run_stream(stream(out_of_order(events, HOUR, seed), END), now=END - HOUR, firing=None, at_once=True)
    assert sink.rejected == []
    assert sink.current() == evaluated(events, END)


def run_entries(steps: Iterable[tuple[int, LedgerInput]], last: int, now: int) -> Keeping:
    """What the ledger publishes of the entries of one key: each step, the watermark moves and an entry comes."""
    source = test_stream.TestStream(coder=TupleCoder((StrUtf8Coder(), LedgerInputCoder())))
    reached = None
    for watermark, entry in steps:
        if reached is None or watermark > reached:
            reached, source = watermark, source.advance_watermark_to(whole_ms(watermark))
        source = source.add_elements([("a", entry)])
    source = source.advance_watermark_to(whole_ms(last)).advance_watermark_to_infinity()
    options, sink = PipelineOptions([]), Keeping()
    options.view_as(StandardOptions).streaming = True
    with beam.Pipeline(runner="BundleBasedDirectRunner", options=options) as pipeline:
        entries = pipeline | source
        entries.element_type = beam.typehints.Tuple[str, LedgerInput]
        kept = entries | "KeepLedger" >> KeepLedger(ledger_settings(now))
        kept.changes | "PublishCells" >> PublishCells(sink)
        kept.late | "KeepRejects" >> KeepRejects(sink)
    return sink


def recalled(events: list[Event], sink: Keeping) -> LedgerInput:
    """What a run that goes on is told of the run before."""
    known = no_rows(PUBLISHED)
    for changes in sink.changes:
        known = published_after(known, changes.revisions, HOUR)
    return LedgerInput(None, to_batch(events), known, recalled=True)


def one_set() -> list[Event]:
    return sorted((event for event in day_of_two_sets() if event["scale_set_id"] == "a"), key=lambda event: event["time"])


@pytest.mark.parametrize("cut", [1, 5, 9, 12])
def test_a_stream_cut_in_two_publishes_what_one_would_and_nothing_twice(cut: int) -> None:
    events = one_set()
    entries = [(event["time"], input_of_events(to_batch([event]), None)) for event in events]
    last = events[cut - 1]["time"]
    first = run_stream(stream([(event["time"], [event]) for event in events[:cut]], last + SECOND), now=last - HOUR)
    again = recalled(events[:cut], first)
    rest = run_entries([(last, again), *entries[cut:]], END, END - HOUR)
    both = Keeping()
    both.publish([*first.changes, *rest.changes])
    assert both.current() == evaluated(events, END)
    assert len(both.revisions) == len({(row["cell"], row["digest"]) for row in both.revisions})


def test_a_stream_that_goes_on_where_it_was_publishes_nothing() -> None:
    first = run_stream(stream([(at(0), STEADY), (at(3_600), []), (at(7_200), [])], at(7_300)), now=at(7_200))
    assert len(first.revisions) == 3
    assert run_entries([(at(0), recalled(STEADY, first))], at(60), now=at(-3600)).revisions == []


@pytest.mark.parametrize(("moment", "late"), [(at(7_200), False), (at(7_200) - 1, True)])
def test_what_was_too_late_before_a_restart_is_so_after_it(moment: int, late: bool) -> None:
    first = run_stream(stream([(at(0), STEADY), (at(7_200), [])], at(7_300)), now=at(7_200))
    event: dict[str, Any] = {**signal(0, "1", "Degraded", event_id="edge"), "time": moment}
    steps = [(at(0), recalled(STEADY, first)), (at(1), input_of_events(to_batch([event]), None))]
    assert [row["location"] for row in run_entries(steps, at(2), now=at(-3600)).rejected] == ["edge"] * late
