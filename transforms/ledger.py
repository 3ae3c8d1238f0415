"""The ledger, a stateful step: keeps the events of each group of scale sets and its published versions, and emits only cells
that have changed (rules: Late, Cells; steps: Ledger).

A *look* is one evaluation of some scale sets of the key: of those that have something new, or of which a grid end is due.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import apache_beam as beam
import numpy as np
import pyarrow as pa
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
from transforms.allocator import give_back_freed_memory
from transforms.coders import NotesCoder, RecordBatchCoder, StandingCoder
from transforms.core.columns.arrow import Ints, micros
from transforms.core.columns.batches import compact, concat
from transforms.core.columns.kernel import NEVER
from transforms.core.columns.members import are_among, by_place, ids_in_use, places_of, rows_among, rows_at
from transforms.core.evaluation.duplicates import later_copies
from transforms.core.evaluation.ends import End, Ends
from transforms.core.evaluation.resumed import CLOSED, moments_at, moments_of
from transforms.core.ledger.changes import CHECKPOINTS, Changes, Publication, changed_cells, published_after
from transforms.core.ledger.decisions import LedgerInput, ends_in_stream, fired_before, is_late, late_rejects, records_in
from transforms.core.ledger.grid_ends import NOT_YET, due_by, fired_of, grid_end_of_timer, next_due, with_fired, with_first
from transforms.core.standing.folding import closed_before, fold, folded, is_behind, is_copy, resumed_cells
from transforms.core.standing.standing import Standing, sets_of
from transforms.counters import count
from transforms.ledger_state import Bag, HeldSets, KeyState, LedgerPart, Value
from transforms.passing import let_go
from transforms.side_by_side import cores, side_by_side

if TYPE_CHECKING:
    from transforms.core.evaluation.evaluate import Evaluation

LATE: Final = "late"
_STANDING: Final = StandingCoder()
PART_EVENTS: Final = 250_000
"""Events of a bounded input that one thread evaluates together, unless a scale set alone has more: few enough for what is made of
them to lie in memory beside that of the other threads, enough for calls not to cost more than they do."""
MOST_PARTS: Final = 64
"""Of more events, parts are larger: each batch of the input is cut into all of them, which costs for each pair of the two."""
Late: TypeAlias = TaggedOutput[Literal["late"], pa.RecordBatch]


class LedgerOutput(NamedTuple):
    """The two outputs of the ledger."""

    changes: beam.PCollection
    """`Changes`: the cells to publish."""
    late: beam.PCollection
    """REJECTS: one row for each record that came too late; in a batch, too late for the standing from which it goes on."""


class ClosedSets(NamedTuple):
    """Some scale sets of a bounded input, evaluated once."""

    changes: Changes
    used: int
    """Records, without those of what it went on from."""
    duplicates: int
    unchanged: int
    """Cells that are equal to what was published."""


@dataclass(frozen=True)
class LedgerSettings:
    """Settings of the ledger. Times in microseconds."""

    policy: Policy
    evaluate: "Callable[[pa.RecordBatch, Policy, End, pa.RecordBatch], Evaluation]"
    """The rules: `transforms.core.evaluation.evaluate.evaluate`, or what a test puts in its place."""
    clock: Callable[[], int]
    """Gives the present time; in a batch, the start of the run."""
    since: int | None = None
    until: int | None = None
    source: str = "stream"
    """The `source` of late records in table `rejects`."""
    emit_checkpoints: bool = False
    """Whether checkpoints are emitted with the changes, so that a later run can go on from them."""
    stopwatch: Callable[[], float] = time.monotonic
    """Gives seconds, for the length of a bundle."""
    most_sets: int = 500
    """Scale sets that are evaluated together at a grid end."""
    longest: float = 2.0
    """Seconds after which a bundle puts the rest of a grid end off to the next one."""
    taken: Callable[[LedgerInput], None] | None = None
    """Told of each input, when it has been taken in."""
    awaits_recalled: bool = False
    """Whether each key waits, before anything else, for an input that is recalled."""
    can_drain: bool = False
    """Whether the runner may fire all timers at once before it ends the job: what is not over then stays a preview."""


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

    # In a batch all events of the key, in a stream those since the last grid end. Cleared by the one evaluation, or when they
    # are taken into the standing. Before what is recalled has come, those that wait for it.
    EVENTS = BagStateSpec("events", RecordBatchCoder())
    # What is kept of older events; its size is bounded by what is still open (steps: Ledger). Replaced when a grid interval has
    # ended, then with all events that there are: those of scale sets that are not folded, too. A stream never clears it.
    STANDING = ReadModifyWriteStateSpec("standing", StandingCoder())
    # One row for each published cell of the key, in a stream only for those that can still change; and one for each scale set.
    # Replaced; in a batch cleared.
    NOTES = ReadModifyWriteStateSpec("notes", NotesCoder())
    # T of a bounded input, one number. Cleared by the evaluation.
    END = ReadModifyWriteStateSpec("end", VarIntCoder())
    GRID_END = TimerSpec("grid_end", TimeDomain.WATERMARK)

    def __init__(self, settings: LedgerSettings) -> None:
        self._settings = settings
        self._grid = settings.policy.grid
        self._began, self._has_folded = 0.0, False

    def start_bundle(self) -> None:
        """Notes when the bundle began."""
        self._began, self._has_folded = self._settings.stopwatch(), False

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
        if self._settings.awaits_recalled and not self._is_its_turn(given, held):
            return
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
            grid_end = grid_end_of_timer(moment.micros, self._grid)
            if not self._settings.can_drain or grid_end <= self._settings.clock() + self._settings.policy.skew:
                yield from self._pass_grid_end(key, grid_end, held, timer)
        else:
            yield from self._close(key, T, held)
            end.clear()

    def _is_its_turn(self, given: LedgerInput, held: KeyState) -> bool:
        """Keeps events that come before what is recalled; passes over what is recalled once more, as in a bundle run again."""
        recalled_before = held.noted.read() is not None
        if not given.recalled and not recalled_before:
            held.events.add(given.events)
        return given.recalled != recalled_before

    def _wait(self, given: LedgerInput, T: int, held: KeyState, end: Any, timer: RuntimeTimer) -> None:
        """Stores what a bounded input brings; it is evaluated when all of it is there."""
        if not given.standing.is_empty:
            held.add_standing(given.standing)
        if len(given.events):
            held.events.add(given.events)
        if not given.standing.is_empty or len(given.events):
            end.write(T)
            timer.set(Timestamp(micros=T))

    def _close(self, key: str, T: int, held: KeyState) -> Iterator[Changes | Late]:
        standing, arrived = held.standing(), held.events.read()
        if not standing.is_empty:
            on_time, late = self._on_time(concat(arrived), standing, counted=True)
            arrived = [on_time]
            yield from late
        held.forget_settled()
        let_go(arrived)
        parts = held.parts(arrived, part_events(sum(map(len, arrived))))
        long, others = ([part for part in parts if part.is_long is which] for which in (True, False))
        for closed in side_by_side(partial(self._closed, key, T), others, cores(), long):
            count("used", closed.used)
            count("duplicate", closed.duplicates)
            count("unchanged", closed.unchanged)
            yield from [closed.changes] if len(closed.changes.revisions) or len(closed.changes.checkpoints) else []
        if long:
            give_back_freed_memory()
        for state in held:
            state.clear()

    def _closed(self, key: str, T: int, some: LedgerPart) -> ClosedSets:
        """Evaluates some scale sets of a bounded input, once; several threads do so at a time."""
        _, standing, events, known = some.held()
        before, given = records_in(standing.events), [events]
        del events  # of many, what is made of them needs the room
        evaluated = self._evaluated(given, T, standing)
        if some.is_long:
            give_back_freed_memory()
        publication = self._publication(T)._replace(backfill=True)
        changes, unchanged = changed_cells(evaluated, known, publication)
        if some.is_long:
            give_back_freed_memory()
        if self._settings.emit_checkpoints:
            # What is not published yet can still change, but what a standing has closed is never opened again.
            closed = self._until(T) - self._grid - self._settings.policy.lateness
            closed = max([closed, *moments_of(standing.marks, CLOSED).values()])
            kept, settled = fold(evaluated, closed, standing)
            changes = changes._replace(checkpoints=checkpoint_row(key, 0, kept), settled=settled)
        if some.is_long:
            give_back_freed_memory()
        return ClosedSets(changes, evaluated.used - before, evaluated.duplicates, unchanged)

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
        arrived, accepted = _without_copies(arrived, held.standing(), counted=True), held.accepted()
        arrived, late = self._in_time(arrived, accepted, held)
        yield from late
        if len(arrived):
            names = ids_in_use(arrived)
            first = _first(arrived, names)
            fired = fired_of(held.notes().grid_ends, names)
            held.note(grid_ends=with_first(held.notes().grid_ends, names, first, self._grid))
            part = held.part(names, accepted)
            final = Ends(names, np.where(first < fired, fired, NOT_YET))
            changes, evaluated = self._look(part, arrived, fired, held, final)
            used = evaluated.used - records_in(part.events)
            count("used", used)
            count("duplicate", records_in(arrived) - used)
            self._take_in(arrived, part, evaluated, accepted, held)
            yield from [changes] if len(changes.revisions) else []
        self._set(timer, held)

    def _in_time(self, arrived: pa.RecordBatch, accepted: pa.RecordBatch, held: KeyState) -> tuple[pa.RecordBatch, list[Late]]:
        """Splits events of a stream into those that are not late, and rejects of the others."""
        if not len(arrived):
            return arrived, []
        ids, allowed = arrived.column("scale_set_id"), self._settings.policy.lateness
        fired = fired_of(held.notes().grid_ends, ids.dictionary)[ids.indices.to_numpy()]
        late = is_late(arrived, accepted, fired, allowed)
        if not late.any():
            return arrived, []
        required = [f"at most {format_duration(allowed)} before {format_time(moment)}" for moment in fired[late].tolist()]
        return compact(arrived.filter(pa.array(~late))), [self._rejected(arrived.filter(pa.array(late)), required, counted=True)]

    def _recall(self, given: LedgerInput, held: KeyState, timer: RuntimeTimer) -> Iterator[Changes | Late]:
        """Goes on from where an earlier run had come. `given.published` has been stored before."""
        waiting = held.events.read() if self._settings.awaits_recalled else []
        if waiting:
            held.events.clear()
        held.add_standing(given.standing)
        held.forget_settled()
        arrived, late = self._on_time(given.events, given.standing, counted=False)
        yield from late
        names = sets_of(given.standing._replace(events=concat([given.standing.events, arrived])))
        count("retained", len(given.standing.events))
        for start in range(0, len(names), self._settings.most_sets):
            yield from self._recall_some(names[start : start + self._settings.most_sets], arrived, held)
        self._set(timer, held)
        count("recalled")
        if waiting:
            yield from self._take(concat(waiting), held, timer)

    def _recall_some(self, names: pa.StringArray, arrived: pa.RecordBatch, held: KeyState) -> Iterator[Changes]:
        accepted, own = held.accepted(), rows_among(arrived, names)
        part = held.part(names, accepted)
        closed = moments_at(part.standing.marks, CLOSED, names)
        fired = np.where(closed == NOT_YET, NOT_YET, closed + self._settings.policy.lateness)
        events = concat([part.events, own])
        T = ends_in_stream(names, events, part.standing.marks, fired, self._grid)
        fired = np.maximum(fired, fired_before(T, part.known, self._grid))
        grid_ends = with_first(held.notes().grid_ends, names, _first(events, names), self._grid)
        some = fired > NOT_YET
        held.note(grid_ends=with_fired(grid_ends, names.filter(pa.array(some)), fired[some], self._grid))
        changes, evaluated = self._look(part, own, fired, held, None)
        self._take_in(own, part, evaluated, accepted, held)
        yield from [changes] if len(changes.revisions) else []

    def _rejected(self, late: pa.RecordBatch, required: list[str], counted: bool) -> Late:
        rejects = late_rejects(late, self._settings.source, required, self._settings.clock())
        count("rejected/late", len(rejects) if counted else 0)
        return TaggedOutput(LATE, rejects)

    def _pass_grid_end(self, key: str, grid_end: int, held: KeyState, timer: RuntimeTimer) -> Iterator[Changes]:
        """Evaluates the scale sets of which a grid end is due, as many as the bundle has time for."""
        if self._is_spent():
            timer.set(Timestamp(micros=grid_end))
            return
        # One whose first event came behind what has fired catches up at once: nothing can have come meanwhile.
        fired = max(grid_end, held.notes().fired or grid_end)
        held.note(fired=fired)
        due, accepted, parts, standings, changes = due_by(held.notes().grid_ends, fired), held.accepted(), [], [], []
        while len(due) and not self._is_spent():
            part, due = held.part(due[: self._settings.most_sets], accepted), due[self._settings.most_sets :]
            change, evaluated = self._look(part, part.events.slice(0, 0), np.full(len(part.names), fired), held, None)
            # No event before that is accepted any more, so what is settled by then is folded into the standing.
            standings.append(folded(evaluated, fired - self._settings.policy.lateness, part.standing))
            parts.append(part)
            changes.append(change)
            self._has_folded = True
        if parts:
            held.fold(parts, standings, accepted)
            done = pa.concat_arrays([part.names for part in parts])
            held.note(grid_ends=with_fired(held.notes().grid_ends, done, fired, self._grid))
            if self._settings.emit_checkpoints and not len(due):
                changes[-1] = changes[-1]._replace(checkpoints=checkpoint_row(key, held.notes().taken, held.standing()))
        self._set(timer, held)
        yield from (change for change in changes if len(change.revisions) or len(change.checkpoints))

    def _is_spent(self) -> bool:
        """Whether the bundle has worked long enough, and on a grid end, too: else that might never have its turn."""
        return self._has_folded and self._settings.stopwatch() - self._began >= self._settings.longest

    def _look(
        self, part: HeldSets, arrived: pa.RecordBatch, fired: Ints, held: KeyState, final: Ends | None
    ) -> tuple[Changes, "Evaluation"]:
        """Evaluates some scale sets, and gives what has changed; from here on that counts as published.

        Args:
            part: what there is of them.
            arrived: what has come.
            fired: the last grid end of each that has fired.
            held: the state of the key.
            final: see `Publication`.
        """
        events = concat([part.events, arrived])
        T = ends_in_stream(part.names, events, part.standing.marks, fired, self._grid)
        evaluated = self._evaluated([events], T, part.standing)
        count("looks")
        changes = changed_cells(evaluated, part.known, self._publication(T)._replace(final=final)).changes
        if len(changes.revisions):
            held.note(known=published_after(held.notes().known, changes.revisions, self._grid))
        return changes, evaluated

    def _take_in(
        self, arrived: pa.RecordBatch, part: HeldSets, evaluated: "Evaluation", accepted: pa.RecordBatch, held: KeyState
    ) -> None:
        """Adds what has arrived to the events, without copies."""
        worked: Any = evaluated.worked
        if len(worked.events) < len(part.events) + len(arrived):
            known, copies = len(part.events), later_copies(concat([part.events, arrived]))
            keep = np.ones(len(arrived), np.bool_)
            keep[copies[copies >= known] - known] = False
            if (copies < known).any():
                rows = np.flatnonzero(are_among(accepted, part.names))
                held.remove(rows[copies[copies < known]], accepted)
            arrived = rows_at(arrived, keep)
            count("retained", -int((copies < known).sum()))
        if len(arrived):
            held.add(arrived)
            count("retained", len(arrived))

    def _evaluated(self, events: list[pa.RecordBatch], T: End, standing: Standing) -> "Evaluation":
        """The evaluation of one batch, which is taken out of its list, so that it is held no longer than it is needed."""
        policy = self._settings.policy
        return resumed_cells(self._settings.evaluate(events.pop(), policy, T, standing.marks), standing, policy)

    def _publication(self, T: End) -> Publication:
        settings = self._settings
        until = self._until(T) if isinstance(T, int) else T
        return Publication(settings.policy.hash, self._grid, settings.clock(), settings.since, until, backfill=False, final=None)

    def _until(self, T: int) -> int:
        """The end of what a bounded input publishes."""
        return T if self._settings.until is None else min(T, self._settings.until)

    def _set(self, timer: RuntimeTimer, held: KeyState) -> None:
        upcoming = next_due(held.notes().grid_ends, self._grid, self._settings.clock())
        if upcoming is not None:
            timer.set(Timestamp(micros=upcoming))


def part_events(events: int) -> int:
    """About how many of so many events one thread evaluates together.

    >>> part_events(10), part_events(32_000_000)
    (250000, 500000)
    """
    return max(PART_EVENTS, events // MOST_PARTS)


def _first(events: pa.RecordBatch, names: pa.StringArray) -> Ints:
    """The earliest event of each of some scale sets; NEVER: there is none."""
    return by_place(np.minimum, micros(events, "time"), places_of(events.column("scale_set_id"), names), len(names), NEVER)


def checkpoint_row(key: str, taken: int, standing: Standing) -> pa.RecordBatch:
    """The row of CHECKPOINTS for one key, as a batch."""
    row = {
        "key": key,
        "taken": taken,
        "scale_set_ids": sets_of(standing).to_pylist(),
        "standing": memoryview(_STANDING.pack(standing)),
    }
    return pa.RecordBatch.from_pylist([row], CHECKPOINTS)


def _without_copies(events: pa.RecordBatch, standing: Standing, counted: bool) -> pa.RecordBatch:
    """The events that are not copies of events which a standing has already folded away."""
    copies = is_copy(events, standing)
    if not copies.any():
        return events
    if counted:
        count("duplicate", int((~events["second"].to_numpy(zero_copy_only=False)[copies]).sum()))
    return rows_at(events, ~copies)
