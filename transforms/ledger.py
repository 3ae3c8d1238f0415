"""The ledger: of each key the events taken in and what was published of them; hands on what has changed (semantics.md 8)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.coders import TupleCoder, VarIntCoder
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagRuntimeState,
    BagStateSpec,
    ReadModifyWriteStateSpec,
    RuntimeTimer,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.timestamp import Timestamp

from schemas.policy import Policy
from transforms.coders import RecordBatchCoder, StandingCoder
from transforms.core.batches import concat
from transforms.core.cells import KNOWN, Changes, Compared, Publication, changed_cells, known_after
from transforms.core.columns import micros, one_batch
from transforms.core.duplicates import remove_duplicates
from transforms.core.fold import folded, is_copy, is_held, resumed_cells
from transforms.core.ledger import (
    Entry,
    fired_before,
    grid_end_of_timer,
    is_late,
    known_until,
    late_rejects,
    next_grid_end,
)
from transforms.core.standing import KNOWN_UNTIL, NO_STANDING, Standing, moments_of
from transforms.counters import count

if TYPE_CHECKING:
    from transforms.core.evaluate import Evaluated

LATE: Final = "late"
Late: TypeAlias = TaggedOutput[Literal["late"], pa.RecordBatch]


class Kept(NamedTuple):
    """What the ledger gives."""

    changes: beam.PCollection
    """`Changes`: the cells to publish."""
    late: beam.PCollection
    """REJECTS: one row a record that came too late; none of a bounded input."""


class Held(NamedTuple):
    """The state of one key while it is worked on."""

    events: BagRuntimeState
    published: BagRuntimeState
    folded: Any
    fired: Any
    counted: Any

    def standing(self) -> Standing:
        """What is left of the past."""
        return self.folded.read() or NO_STANDING

    def accepted(self) -> pa.RecordBatch:
        """The events taken in so far that can still decide something."""
        return concat([self.standing().events, *self.events.read()])

    def replace_standing(self, standing: Standing, before: int) -> None:
        """Puts a standing in the place of the `before` events that it was made of, and of versions that can change no more."""
        known = self.known()
        self.folded.write(standing)
        self.events.clear()
        self.replace_known(known.filter(pa.array(is_held(known, standing))))
        _, used, duplicates = remove_duplicates(standing.events)
        self.counted.write((used, duplicates))
        count("retained", len(standing.events) - before)

    def known(self) -> pa.RecordBatch:
        """The current versions, KNOWN."""
        return one_batch(list(self.published.read()), KNOWN)

    def replace_known(self, known: pa.RecordBatch) -> None:
        """Puts the current versions in the place of those held."""
        self.published.clear()
        self.published.add(known)

    def count_records(self, evaluated: "Evaluated") -> None:
        """Counts the records that are new since the last evaluation."""
        used, duplicates = self.counted.read() or (0, 0)
        count("used", evaluated.used - used)
        count("duplicate", evaluated.duplicates - duplicates)
        self.counted.write((evaluated.used, evaluated.duplicates))


@dataclass(frozen=True)
class LedgerSettings:
    """What the ledger needs to know beside the policy. Times in microseconds."""

    policy: Policy
    evaluate: "Callable[[pa.RecordBatch, Policy, int, pa.RecordBatch], Evaluated]"
    """The rules: `transforms.core.evaluate.evaluate`, or what a test puts in its place."""
    clock: Callable[[], int]
    """The present; of a batch, the start of the run."""
    since: int | None = None
    until: int | None = None
    source: str = "stream"
    """Where late records came from, for `rejects`."""


@dataclass(eq=False)
class KeepLedger(beam.PTransform):
    """Entries, by key, into the changed cells of their scale sets and the records that came too late."""

    settings: LedgerSettings

    def expand(self, entries: beam.PCollection) -> Any:
        """Keyed `Entry`s to `Kept`."""
        kept = entries | "Keep" >> beam.ParDo(Keep(self.settings)).with_outputs(LATE, main="changes")
        return Kept(kept["changes"], kept[LATE])


@beam.typehints.with_input_types(tuple[str, Entry])
@beam.typehints.with_output_types(Changes, late=pa.RecordBatch)
class Keep(beam.DoFn):
    """Moves state and timers; what is late, until when things are known and what has changed is decided in `transforms.core`."""

    # Bounded by the events of the key in a batch, of a grid interval and what comes before its time in a stream; cleared by the
    # one evaluation, or when they are folded into the standing.
    EVENTS = BagStateSpec("events", RecordBatchCoder())
    # Bounded by the published cells of the key, in a stream by those that can still change; cleared with the events.
    PUBLISHED = BagStateSpec("published", RecordBatchCoder())
    # What is left of the past: bounded as architecture.md 4 says; replaced when a grid interval has ended, never cleared.
    STANDING = ReadModifyWriteStateSpec("standing", StandingCoder())
    # T of a bounded input, one number; cleared by the evaluation.
    END = ReadModifyWriteStateSpec("end", VarIntCoder())
    # The last grid end that has fired, one number; replaced, never cleared.
    FIRED = ReadModifyWriteStateSpec("fired", VarIntCoder())
    # Records counted as used and as duplicates, two numbers; replaced, never cleared.
    COUNTED = ReadModifyWriteStateSpec("counted", TupleCoder((VarIntCoder(), VarIntCoder())))
    GRID_END = TimerSpec("grid_end", TimeDomain.WATERMARK)

    def __init__(self, settings: LedgerSettings) -> None:
        self._settings = settings
        self._grid = settings.policy.grid

    def process(
        self,
        keyed: tuple[str, Entry],
        events: Any = beam.DoFn.StateParam(EVENTS),
        published: Any = beam.DoFn.StateParam(PUBLISHED),
        standing: Any = beam.DoFn.StateParam(STANDING),
        end: Any = beam.DoFn.StateParam(END),
        fired: Any = beam.DoFn.StateParam(FIRED),
        counted: Any = beam.DoFn.StateParam(COUNTED),
        timer: Any = beam.DoFn.TimerParam(GRID_END),
    ) -> Iterator[Changes | Late]:
        """Takes an entry in: a bounded input waits for its end, an unbounded one gets a preview at once."""
        _, entry = keyed
        if len(entry.published):
            published.add(entry.published)
        if not len(entry.events):
            return
        if entry.end is not None:
            events.add(entry.events)
            end.write(entry.end)
            timer.set(Timestamp(micros=entry.end))
            return
        held = Held(events, published, standing, fired, counted)
        yield from self._recall(entry, held, timer) if entry.recalled else self._take(entry.events, held, timer)

    @on_timer(GRID_END)
    def at_grid_end(
        self,
        moment: Any = beam.DoFn.TimestampParam,
        events: Any = beam.DoFn.StateParam(EVENTS),
        published: Any = beam.DoFn.StateParam(PUBLISHED),
        standing: Any = beam.DoFn.StateParam(STANDING),
        end: Any = beam.DoFn.StateParam(END),
        fired: Any = beam.DoFn.StateParam(FIRED),
        counted: Any = beam.DoFn.StateParam(COUNTED),
        timer: Any = beam.DoFn.TimerParam(GRID_END),
    ) -> Iterator[Changes]:
        """Evaluates: a bounded input once, at its end; an unbounded one whenever a grid interval has ended."""
        held = Held(events, published, standing, fired, counted)
        T = end.read()
        if T is None:
            yield from self._pass_grid_end(grid_end_of_timer(moment.micros, self._grid), held, timer)
        else:
            yield from self._close(T, held)
            end.clear()

    def _close(self, T: int, held: Held) -> Iterator[Changes]:
        publication = self._publication(T)._replace(backfill=True)
        _, (changes, unchanged) = self._evaluated(held.accepted(), T, held, publication)
        count("unchanged", unchanged)
        held.events.clear()
        held.published.clear()
        yield from [changes] if len(changes.revisions) else []

    def _take(self, arrived: pa.RecordBatch, held: Held, timer: RuntimeTimer) -> Iterator[Changes | Late]:
        copies = is_copy(arrived, held.standing())
        if copies.any():
            count("duplicate", int((~arrived["second"].to_numpy(zero_copy_only=False)[copies]).sum()))
            arrived = arrived.filter(pa.array(~copies))
        accepted, fired = held.accepted(), held.fired.read()
        late = pa.array(is_late(arrived, accepted, fired, self._settings.policy.lateness))
        if late.true_count:
            yield self._refused(arrived.filter(late), fired)
            arrived = arrived.filter(pc.invert(late))
        if len(arrived):
            held.events.add(arrived)
            count("retained", len(arrived))
            both = concat([accepted, arrived])
            self._set(timer, int(micros(both, "time").min()), fired)
            behind = fired is not None and int(micros(arrived, "time").min()) < fired
            yield from self._preview(both, self._known_until(both, held, fired), held, fired if behind else None)

    def _recall(self, entry: Entry, held: Held, timer: RuntimeTimer) -> Iterator[Changes]:
        """Goes on from where an earlier run had come; `entry.published` is held by now."""
        time = micros(entry.events, "time")
        fired = fired_before(int(time.max()), entry.published, self._grid)
        held.events.add(entry.events)
        count("retained", len(entry.events))
        if fired is not None:
            held.fired.write(fired)
        self._set(timer, int(time.min()), fired)
        T = self._known_until(entry.events, held, fired)
        _, used, duplicates = remove_duplicates(entry.events)
        held.counted.write((used, duplicates))
        yield from self._preview(entry.events, T, held, None)
        count("recalled")

    def _refused(self, late: pa.RecordBatch, fired: int) -> Late:
        settings = self._settings
        rejects = late_rejects(late, settings.source, fired, settings.policy.lateness, settings.clock())
        count("rejected/late", len(rejects))
        return TaggedOutput(LATE, rejects)

    def _pass_grid_end(self, grid_end: int, held: Held, timer: RuntimeTimer) -> Iterator[Changes]:
        before, events = held.fired.read(), held.accepted()
        fired = grid_end if before is None else max(before, grid_end)
        held.fired.write(fired)
        self._set(timer, fired, fired)
        T = self._known_until(events, held, fired)
        yield from self._preview(events, T, held, None, closed=fired - self._settings.policy.lateness)

    def _preview(
        self, events: pa.RecordBatch, T: int, held: Held, final: int | None, closed: int | None = None
    ) -> Iterator[Changes]:
        """Publishes what has changed; `closed`: no event before it is taken in any more, and what it settles is folded away."""
        evaluated, (changes, _) = self._evaluated(events, T, held, self._publication(T)._replace(final=final))
        if len(changes.revisions):
            held.replace_known(known_after(held.known(), changes.revisions, self._grid))
        if closed is not None:
            held.replace_standing(folded(evaluated, closed, held.standing()), len(events))
        if len(changes.revisions):
            yield changes

    def _evaluated(self, events: pa.RecordBatch, T: int, held: Held, publication: Publication) -> tuple["Evaluated", Compared]:
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

    def _known_until(self, events: pa.RecordBatch, held: Held, fired: int | None) -> int:
        """T; of a set whose instances are all forgotten, and of which no event is left, as the standing says."""
        if not len(events):
            return max(fired or 0, *moments_of(held.standing().marks, KNOWN_UNTIL).values())
        return known_until(int(micros(events, "time").max()), fired, self._grid)
