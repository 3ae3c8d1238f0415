"""The ledger, a stateful step: keeps each key's events and its published versions, and emits only cells that have changed
(rules: Late, Cells; steps: Ledger)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.coders import VarIntCoder
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    RuntimeTimer,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.timestamp import Timestamp

from schemas.policy import Policy
from schemas.time import format_duration, format_time
from transforms.coders import NotesCoder, RecordBatchCoder, StandingCoder
from transforms.core.columns.arrow import micros
from transforms.core.columns.batches import concat
from transforms.core.evaluation.resumed import CLOSED, COMPLETE_UNTIL, moments_of
from transforms.core.ledger.changes import CHECKPOINTS, Changes, Comparison, Publication, changed_cells, published_after
from transforms.core.ledger.decisions import (
    LedgerInput,
    complete_until,
    fired_before,
    grid_end_of_timer,
    is_late,
    late_rejects,
    latest_of,
    next_grid_end,
)
from transforms.core.standing.folding import closed_before, fold, folded, is_behind, is_copy, resumed_cells
from transforms.core.standing.standing import Standing
from transforms.counters import count
from transforms.ledger_state import Bag, KeyState, Value

if TYPE_CHECKING:
    from transforms.core.evaluation.evaluate import Evaluation

LATE: Final = "late"
_STANDING: Final = StandingCoder()
Late: TypeAlias = TaggedOutput[Literal["late"], pa.RecordBatch]


class LedgerOutput(NamedTuple):
    """The two outputs of the ledger."""

    changes: beam.PCollection
    """`Changes`: the cells to publish."""
    late: beam.PCollection
    """REJECTS: one row for each record that came too late; in a batch, too late for the standing from which it goes on."""


@dataclass(frozen=True)
class LedgerSettings:
    """Settings of the ledger. Times in microseconds."""

    policy: Policy
    evaluate: "Callable[[pa.RecordBatch, Policy, int, pa.RecordBatch], Evaluation]"
    """The rules: `transforms.core.evaluation.evaluate.evaluate`, or what a test puts in its place."""
    clock: Callable[[], int]
    """Gives the present time; in a batch, the start of the run."""
    since: int | None = None
    until: int | None = None
    source: str = "stream"
    """The `source` of late records in table `rejects`."""
    emit_checkpoints: bool = False
    """Whether checkpoints are emitted with the changes, so that a later run can go on from them."""
    taken: Callable[[LedgerInput], None] | None = None
    """Told of each input, when it has been taken in."""


@dataclass(eq=False)
class KeepLedger(beam.PTransform):
    """Turns keyed inputs into changed cells, and rejects of records that came too late."""

    settings: LedgerSettings

    def expand(self, inputs: beam.PCollection) -> Any:
        """Takes (key, `LedgerInput`) pairs; gives `LedgerOutput`."""
        kept = inputs | "Keep" >> beam.ParDo(Keep(self.settings)).with_outputs(LATE, main="changes")
        return LedgerOutput(kept["changes"], kept[LATE])


@beam.typehints.with_input_types(tuple[str, LedgerInput])
@beam.typehints.with_output_types(Changes, late=pa.RecordBatch)
class Keep(beam.DoFn):
    """Handles state and timers. `transforms.core` decides what is late, until when data is complete, and what has changed."""

    # In a batch all events of the key, in a stream those of about a grid interval and any from the future. Cleared by the one
    # evaluation, or when they are folded into the standing.
    EVENTS = BagStateSpec("events", RecordBatchCoder())
    # What is kept of older events; its size is bounded by what is still open (steps: Ledger). Replaced when a grid interval has
    # ended; a stream never clears it.
    STANDING = ReadModifyWriteStateSpec("standing", StandingCoder())
    # One row for each published cell of the key, in a stream only for those that can still change. Replaced; in a batch cleared.
    NOTES = ReadModifyWriteStateSpec("notes", NotesCoder())
    # T of a bounded input, one number. Cleared by the evaluation.
    END = ReadModifyWriteStateSpec("end", VarIntCoder())
    GRID_END = TimerSpec("grid_end", TimeDomain.WATERMARK)

    def __init__(self, settings: LedgerSettings) -> None:
        self._settings = settings
        self._grid = settings.policy.grid

    def process(
        self,
        keyed: tuple[str, LedgerInput],
        events: Any = beam.DoFn.StateParam(EVENTS),
        standing: Any = beam.DoFn.StateParam(STANDING),
        end: Any = beam.DoFn.StateParam(END),
        notes: Any = beam.DoFn.StateParam(NOTES),
        timer: Any = beam.DoFn.TimerParam(GRID_END),
    ) -> Iterator[Changes | Late]:
        """Takes one input: a bounded one waits for its end, an unbounded one gets a preview at once."""
        _, given = keyed
        held = KeyState(Bag(events), Value(standing), Value(notes))
        if len(given.published):
            held.add_published(given.published)
        if given.recalled:
            yield from self._recall(given, held, timer)
        elif given.end is not None:
            self._wait(given, given.end, held, end, timer)
        elif len(given.events):
            yield from self._take(given.events, held, timer)
        if self._settings.taken is not None:
            self._settings.taken(given)

    @on_timer(GRID_END)
    def at_grid_end(
        self,
        key: Any = beam.DoFn.KeyParam,
        moment: Any = beam.DoFn.TimestampParam,
        events: Any = beam.DoFn.StateParam(EVENTS),
        standing: Any = beam.DoFn.StateParam(STANDING),
        end: Any = beam.DoFn.StateParam(END),
        notes: Any = beam.DoFn.StateParam(NOTES),
        timer: Any = beam.DoFn.TimerParam(GRID_END),
    ) -> Iterator[Changes | Late]:
        """Evaluates a bounded input once, at its end, and an unbounded one whenever a grid interval has ended."""
        held = KeyState(Bag(events), Value(standing), Value(notes))
        T = end.read()
        if T is None:
            yield from self._pass_grid_end(key, grid_end_of_timer(moment.micros, self._grid), held, timer)
        else:
            yield from self._close(key, T, held)
            end.clear()

    def _wait(self, given: LedgerInput, T: int, held: KeyState, end: Any, timer: RuntimeTimer) -> None:
        """Stores what a bounded input brings; it is evaluated when all of it is there."""
        if len(given.standing.marks):
            held.add_standing(given.standing)
        if len(given.events):
            held.events.add(given.events)
        if len(given.standing.marks) or len(given.events):
            end.write(T)
            timer.set(Timestamp(micros=T))

    def _close(self, key: str, T: int, held: KeyState) -> Iterator[Changes | Late]:
        standing, arrived = held.standing(), concat(held.events.read())
        if len(standing.marks):
            arrived, late = self._on_time(arrived, standing, counted=True)
            held.count_from(standing.events)
            yield from late
        publication = self._publication(T)._replace(backfill=True)
        evaluated, (changes, unchanged) = self._evaluated(concat([standing.events, arrived]), T, held, publication)
        count("unchanged", unchanged)
        if self._settings.emit_checkpoints:
            # What is not published yet can still change, but what a standing has closed is never opened again.
            closed = publication.until - self._grid - self._settings.policy.lateness
            closed = max([closed, *moments_of(standing.marks, CLOSED).values()])
            kept, settled = fold(evaluated, closed, standing)
            changes = changes._replace(checkpoints=checkpoint_row(key, 0, kept), settled=settled)
        for state in held:
            state.clear()
        yield from [changes] if len(changes.revisions) or len(changes.checkpoints) else []

    def _on_time(self, arrived: pa.RecordBatch, standing: Standing, counted: bool) -> tuple[pa.RecordBatch, list[Late]]:
        """Splits events into those that a standing can still take in, and rejects of the others."""
        arrived = _without_copies(arrived, standing, counted)
        behind = is_behind(arrived, standing)
        if not behind.any():
            return arrived, []
        refused = arrived.filter(pa.array(behind))
        required = [f"{format_time(closed)} or later" for closed in closed_before(refused, standing).tolist()]
        return arrived.filter(pa.array(~behind)), [self._rejected(refused, required, counted)]

    def _take(self, arrived: pa.RecordBatch, held: KeyState, timer: RuntimeTimer) -> Iterator[Changes | Late]:
        held.note(taken=held.notes().taken + len(arrived))
        arrived = _without_copies(arrived, held.standing(), counted=True)
        accepted, fired = held.accepted(), held.notes().fired
        allowed = self._settings.policy.lateness
        late = pa.array(is_late(arrived, accepted, fired, allowed))
        if fired is not None and late.true_count:
            required = f"at most {format_duration(allowed)} before {format_time(fired)}"
            yield self._rejected(arrived.filter(late), [required] * late.true_count, counted=True)
            arrived = arrived.filter(pc.invert(late))
        if len(arrived):
            held.events.add(arrived)
            count("retained", len(arrived))
            both = concat([accepted, arrived])
            self._set(timer, int(micros(both, "time").min()), fired)
            behind = fired is not None and int(micros(arrived, "time").min()) < fired
            yield from self._preview(both, self._complete_until(both, held, fired), held, fired if behind else None)

    def _recall(self, given: LedgerInput, held: KeyState, timer: RuntimeTimer) -> Iterator[Changes | Late]:
        """Goes on from where an earlier run had come. `given.published` has been stored before."""
        standing, arrived, fired = given.standing, given.events, None
        if len(standing.marks):
            held.add_standing(standing)
            arrived, late = self._on_time(arrived, standing, counted=False)
            yield from late
            fired = max(moments_of(standing.marks, CLOSED).values()) + self._settings.policy.lateness
        if len(arrived):
            held.events.add(arrived)
        events = held.accepted()
        count("retained", len(events))
        fired = latest_of(fired, fired_before(self._complete_until(events, held, fired), held.known(), self._grid))
        held.note(fired=fired)
        self._set(timer, int(micros(events, "time").min()) if len(events) else fired or 0, fired)
        held.count_from(events)
        yield from self._preview(events, self._complete_until(events, held, fired), held, None)
        count("recalled")

    def _rejected(self, late: pa.RecordBatch, required: list[str], counted: bool) -> Late:
        rejects = late_rejects(late, self._settings.source, required, self._settings.clock())
        count("rejected/late", len(rejects) if counted else 0)
        return TaggedOutput(LATE, rejects)

    def _pass_grid_end(self, key: str, grid_end: int, held: KeyState, timer: RuntimeTimer) -> Iterator[Changes]:
        events = held.accepted()
        fired = max(grid_end, held.notes().fired or grid_end)
        held.note(fired=fired)
        self._set(timer, fired, fired)
        T = self._complete_until(events, held, fired)
        evaluated, changes = self._changed(events, T, held, None)
        # No event before that is accepted any more, so what is settled by then is folded into the standing.
        standing = folded(evaluated, fired - self._settings.policy.lateness, held.standing())
        held.replace_standing(standing, len(events))
        if self._settings.emit_checkpoints:
            changes = changes._replace(checkpoints=checkpoint_row(key, held.notes().taken, standing))
        yield from [changes] if len(changes.revisions) or len(changes.checkpoints) else []

    def _preview(self, events: pa.RecordBatch, T: int, held: KeyState, final: int | None) -> Iterator[Changes]:
        _, changes = self._changed(events, T, held, final)
        yield from [changes] if len(changes.revisions) else []

    def _changed(self, events: pa.RecordBatch, T: int, held: KeyState, final: int | None) -> tuple["Evaluation", Changes]:
        """Evaluates, and gives what has changed; from here on that counts as published."""
        evaluated, (changes, _) = self._evaluated(events, T, held, self._publication(T)._replace(final=final))
        if len(changes.revisions):
            held.note(known=published_after(held.known(), changes.revisions, self._grid))
        return evaluated, changes

    def _evaluated(
        self, events: pa.RecordBatch, T: int, held: KeyState, publication: Publication
    ) -> tuple["Evaluation", Comparison]:
        standing, policy = held.standing(), self._settings.policy
        evaluated = resumed_cells(self._settings.evaluate(events, policy, T, standing.marks), standing, policy)
        held.count_records(evaluated)
        return evaluated, changed_cells(evaluated, held.known(), publication)

    def _publication(self, T: int) -> Publication:
        settings = self._settings
        until = T if settings.until is None else min(T, settings.until)
        return Publication(settings.policy.hash, self._grid, settings.clock(), settings.since, until, backfill=False, final=None)

    def _set(self, timer: RuntimeTimer, earliest: int, fired: int | None) -> None:
        upcoming = next_grid_end(earliest, fired, self._grid, self._settings.clock())
        if upcoming is not None:
            timer.set(Timestamp(micros=upcoming))

    def _complete_until(self, events: pa.RecordBatch, held: KeyState, fired: int | None) -> int:
        """T of the key; never before T of its standing, which alone is left when all instances are forgotten."""
        told = max(fired or 0, *moments_of(held.standing().marks, COMPLETE_UNTIL).values(), 0)
        return max(told, complete_until(int(micros(events, "time").max()), fired, self._grid)) if len(events) else told


def checkpoint_row(key: str, taken: int, standing: Standing) -> pa.RecordBatch:
    """The row of CHECKPOINTS for one key, as a batch."""
    columns = [pa.array([key]), pa.array([taken]), pa.array([_STANDING.encode(standing)], pa.large_binary())]
    return pa.RecordBatch.from_arrays(columns, schema=CHECKPOINTS)


def _without_copies(events: pa.RecordBatch, standing: Standing, counted: bool) -> pa.RecordBatch:
    """The events that are not copies of events which a standing has already folded away."""
    copies = is_copy(events, standing)
    if not copies.any():
        return events
    if counted:
        count("duplicate", int((~events["second"].to_numpy(zero_copy_only=False)[copies]).sum()))
    return events.filter(pa.array(~copies))
