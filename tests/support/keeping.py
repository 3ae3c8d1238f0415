"""The ledger's own step without a runner: state in dictionaries, timers by hand, a journal, a sink, and crashes.

What Beam does for `transforms.ledger.Keep` is little enough to be done here, so that a random history costs milliseconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pyarrow as pa
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.timestamp import Timestamp

from schemas.policy import Policy
from schemas.time import MILLISECOND
from tests.support.build import Event, rows, to_batch
from tests.support.graph import ledger_settings
from transforms.coders import StandingCoder
from transforms.core.columns.arrow import no_rows
from transforms.core.columns.groups import group_codes
from transforms.core.ledger.changes import CHECKPOINTS, PUBLISHED, Changes, published_after
from transforms.core.ledger.decisions import LedgerInput, input_of_events
from transforms.core.ledger.supersede import newest_versions
from transforms.core.standing.standing import NO_STANDING, Standing, split_standing
from transforms.ledger import Keep

TABLES = ("availability", "attributions", "operations")
_STANDING = StandingCoder()


class Bag:
    """State of many values."""

    def __init__(self) -> None:
        self._values: list[Any] = []

    def add(self, value: Any) -> None:
        self._values.append(value)

    def read(self) -> Iterator[Any]:
        return iter(list(self._values))

    def clear(self) -> None:
        self._values = []


class Value:
    """State of one value."""

    def __init__(self) -> None:
        self._value: Any = None

    def write(self, value: Any) -> None:
        self._value = value

    def read(self) -> Any:
        return self._value

    def clear(self) -> None:
        self._value = None


class Timer:
    """A timer of one key."""

    def __init__(self) -> None:
        self.due: int | None = None

    def set(self, moment: Timestamp) -> None:
        self.due = moment.micros


class State:
    """What Beam keeps of one key."""

    def __init__(self) -> None:
        self.timer = Timer()
        self.cells: dict[str, Any] = {"events": Bag(), "standing": Value(), "notes": Value(), "end": Value()}


@dataclass
class Ledger:
    """A run of a stream: its ledger, and what outlives it, which the next run is given."""

    policy: Policy
    now: int
    disk: "Disk"
    _states: dict[str, State] = field(default_factory=lambda: defaultdict(State))
    _held: list[Changes] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    fired: int = 0
    """How often a timer has fired."""

    def __post_init__(self) -> None:
        # The stopwatch goes on by one at each look at it.
        time = {"most_sets": 2, "longest": 2.0, "stopwatch": count().__next__} if self.disk.hurried else {}
        self._keep = Keep(ledger_settings(self.now, self.policy, emit_checkpoints=True, **time))
        for key in self.disk.known_keys():
            self._enter(key, self.disk.recalled(key))

    def take(self, events: Iterable[Event]) -> None:
        """Some events, one bundle."""
        by_key: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            by_key[self.disk.key_of(event["scale_set_id"])].append(event)
        for key, own in by_key.items():
            self.disk.journal[key] += own
            self._enter(key, input_of_events(to_batch(own), None))

    def advance(self, watermark: int) -> None:
        """Fires all timers up to the watermark, in their order."""
        while due := [(state.timer.due, key) for key, state in self._states.items() if state.timer.due is not None]:
            moment, key = min(due)
            if moment > watermark:
                return
            state = self._states[key]
            state.timer.due = None
            self.fired += 1
            self._keep.start_bundle()
            fired_at = Timestamp(
                micros=moment - MILLISECOND + 1
            )  # Beam may cut so much off, and grids of microseconds are told apart
            self._emit(self._keep.at_grid_end(key, fired_at, timer=state.timer, **state.cells))

    def flush(self) -> None:
        """Writes what is held."""
        if self._held:
            self.disk.write(newest_versions(self._held), self.policy.grid)
            self._held = []

    def retained(self) -> int:
        """Events in the ledger."""
        return sum(
            len(s.cells["standing"].read().events if s.cells["standing"].read() else ()) + sum(map(len, s.cells["events"].read()))
            for s in self._states.values()
        )

    def _enter(self, key: str, entry: LedgerInput) -> None:
        state = self._states[key]
        self._keep.start_bundle()
        self._emit(self._keep.process((key, entry), timer=state.timer, **state.cells))

    def _emit(self, given: Iterable[Any]) -> None:
        for each in given:
            if isinstance(each, TaggedOutput):
                self.rejects += each.value.to_pylist()
            else:
                self._held.append(each)


@dataclass
class Disk:
    """What a crash leaves: what was written, the journal, standings; the last two by key."""

    groups: int | None = None
    """In how many groups of scale sets the ledger is keyed; None: each alone."""
    hurried: bool = False
    """Whether a bundle has time for four scale sets of a grid end only, two at a time."""
    changes: list[Changes] = field(default_factory=list)
    known: pa.RecordBatch = field(default_factory=lambda: no_rows(PUBLISHED))
    journal: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    standings: dict[str, Standing] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    """How many events of the journal a standing has, since the run began."""

    def write(self, changes: Changes, grid: int) -> None:
        """Publishes, then keeps standings."""
        if len(changes.revisions):
            self.changes.append(changes)
            self.known = published_after(self.known, changes.revisions, grid)
        for row in changes.checkpoints.to_pylist():
            self.standings[row["key"]] = _STANDING.decode(row["standing"])
            self.taken[row["key"]] = row["taken"]

    def backfill(self, events: Iterable[Event], policy: Policy, T: int) -> None:
        """Publishes what a backfill of some events would, and keeps the standings that it leaves."""
        keep, state = Keep(ledger_settings(T, policy, emit_checkpoints=True)), State()
        entry = input_of_events(to_batch(list(events)), T)
        assert not [*keep.process(("0", entry), timer=state.timer, **state.cells)]
        for changes in keep.at_grid_end("0", Timestamp(micros=T), timer=state.timer, **state.cells):
            self.write(changes._replace(checkpoints=no_rows(CHECKPOINTS)), policy.grid)
            (row,) = changes.checkpoints.to_pylist()
            self.standings = dict(split_standing(_STANDING.decode(row["standing"]), self.groups))

    def key_of(self, scale_set: str) -> str:
        """The key of a scale set."""
        return scale_set if self.groups is None else str(group_codes(pa.array([scale_set]), self.groups)[0])

    def known_keys(self) -> list[str]:
        """The keys that there is something of; what standings have goes out of the journal."""
        for key, number in self.taken.items():
            self.journal[key] = self.journal[key][number:]
        self.taken = {}
        return sorted({*(key for key, events in self.journal.items() if events), *self.standings})

    def recalled(self, key: str) -> LedgerInput:
        """The entry of one."""
        events = to_batch(self.journal[key])
        own = [self.key_of(name) == key for name in self.known.column("scale_set_id").to_pylist()]
        known = self.known.filter(pa.array(own, pa.bool_()))
        return LedgerInput(None, events, known, recalled=True, standing=self.standings.get(key, NO_STANDING))

    def current(self) -> dict[str, list[dict[str, Any]]]:
        """The current rows of each table, without the sets' empty versions."""
        latest: dict[tuple[str, Any], Any] = {}
        for changes in self.changes:
            for row in changes.revisions.to_pylist():
                key = row["scale_set_id"], row["cell"]
                latest[key] = max(row["as_of"], latest.get(key, row["as_of"]))
        return {name: sorted(self._rows(name, latest), key=repr) for name in TABLES}

    def _rows(self, table: str, latest: dict[tuple[str, Any], Any]) -> Iterator[dict[str, Any]]:
        for changes in self.changes:
            batch = getattr(changes, table)
            versions = batch.select(["scale_set_id", "cell", "as_of"]).to_pylist()
            for row, version in zip(rows(batch), versions, strict=True):
                if version["as_of"] == latest[version["scale_set_id"], version["cell"]]:
                    yield row
