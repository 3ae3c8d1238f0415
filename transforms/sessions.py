"""Keys and session windows: events whose reaches overlap come together, one group of scale sets at a time
(rules: Sessions; steps: Join)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.trigger import AccumulationMode, DefaultTrigger, Repeatedly, TriggerFn
from apache_beam.transforms.window import GlobalWindow, GlobalWindows, IntervalWindow, Sessions
from apache_beam.utils.timestamp import Duration, Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from schemas.policy import Policy
from schemas.time import DAY, MILLISECOND
from transforms.core.columns.batches import compact, concat
from transforms.core.columns.groups import split_by_group
from transforms.core.rules.reach import reach_window

SESSION_LATENESS: Final = 36_500 * DAY
"""Microseconds. Far beyond any policy's: what a window drops is lost without trace, so the ledger alone judges what is late."""

_BEFORE_TIMERS: Final = Timestamp(0)
"""Before the time of any event."""


@dataclass(eq=False)
class KeyByScaleSet(beam.PTransform):
    """Splits batches of EVENTS into one slice for each key, a group of scale sets."""

    groups: int | None
    """How many groups; None: each scale set is one, whose id is then the key."""

    def expand(self, events: beam.PCollection) -> beam.PCollection:
        """The slices as (key, EVENTS), each compact."""
        return events | "SplitByGroup" >> beam.FlatMap(keyed_slices, self.groups).with_output_types(tuple[str, pa.RecordBatch])


def keyed_slices(events: pa.RecordBatch, groups: int | None) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The slices of one batch with their keys; each carries only its own ids."""
    for key, rows in split_by_group(events, groups):
        yield key, rows if len(rows) == len(events) else compact(rows)


@dataclass(eq=False)
class JoinSessions(beam.PTransform):
    """Joins slices of a key whose reaches overlap into one batch, in the global window; each pane holds only what is new."""

    policy: Policy
    firing: TriggerFn | None = None
    """When an open session of an unbounded input emits what it has, again and again; None: only at its end, as for bounded input.

    AfterWatermark with early and late firings would do too, but where a late event lengthens a session that has fired, the engine
    of TestStream then holds the watermark for ever.
    """
    at_once: bool = False
    """Passes slices on as they come, for a runner without early triggers for sessions. The rules decide, not windows."""
    in_slices: bool = False
    """Passes the slices of a pane on one by one, for a step that waits for all panes of a key and joins them itself."""

    def expand(self, slices: beam.PCollection) -> beam.PCollection:
        """The joined slices as (key, EVENTS)."""
        if self.at_once:
            return slices | "HandOn" >> beam.ParDo(HandOn())
        return (
            slices
            | "OpenSessions" >> beam.WindowInto(Sessions(MILLISECOND / 1e6), **self._firing())
            | "PutInReach" >> beam.ParDo(PutInReach(self.policy))
            | "MergeSessions" >> beam.GroupByKey()
            | "ConcatPanes" >> beam.FlatMap(slices_of if self.in_slices else joined).with_output_types(tuple[str, pa.RecordBatch])
            # The merged window would travel on, and state and timers under it would be silently wrong.
            | "CloseSessions" >> beam.WindowInto(GlobalWindows())
        )

    def _firing(self) -> dict[str, object]:
        return {
            "trigger": DefaultTrigger() if self.firing is None else Repeatedly(self.firing),
            "accumulation_mode": AccumulationMode.DISCARDING,
            "allowed_lateness": Duration(micros=SESSION_LATENESS),
        }


@beam.typehints.with_input_types(tuple[str, pa.RecordBatch])
@beam.typehints.with_output_types(tuple[str, pa.RecordBatch])
class PutInReach(beam.DoFn):
    """Gives each slice the window of its reach, which session windows then merge as they do their own."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def process(self, keyed: tuple[str, pa.RecordBatch]) -> Iterator[WindowedValue]:
        """The slice in its window."""
        start, end = (Timestamp(micros=moment * MILLISECOND) for moment in reach_window(keyed[1], self._policy))
        yield WindowedValue(keyed, start, (IntervalWindow(start, end),))


@beam.typehints.with_input_types(tuple[str, pa.RecordBatch])
@beam.typehints.with_output_types(tuple[str, pa.RecordBatch])
class HandOn(beam.DoFn):
    """Joins the slices of a key within a bundle (about a second of the source), with a timestamp before that of any timer.

    Prism processes the elements and timers of a key in order of time. An event would wait for the timer of any grid end between
    the watermark and the event, and its preview with it (seen: until the watermark passed that grid end). With these timestamps
    timers wait for events instead.
    """

    def start_bundle(self) -> None:
        """Begins with nothing held."""
        self._held: dict[str, list[pa.RecordBatch]] = {}

    def process(self, keyed: tuple[str, pa.RecordBatch]) -> None:
        """Keeps a slice until the bundle ends; nothing would go on earlier anyway."""
        self._held.setdefault(keyed[0], []).append(keyed[1])

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """One slice for each key, in the global window."""
        for key, slices in self._held.items():
            yield WindowedValue((key, concat(slices)), _BEFORE_TIMERS, (GlobalWindow(),))


def slices_of(pane: tuple[str, Iterable[pa.RecordBatch]]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The slices of one pane as they are."""
    key, slices = pane
    yield from ((key, rows) for rows in slices)


def joined(pane: tuple[str, Iterable[pa.RecordBatch]]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The slices of one pane as one batch; nothing for an empty pane."""
    key, slices = pane
    rows = concat(list(slices))
    if len(rows):
        yield key, rows
