"""What one instance, or the set itself, has reported (rules: Reported state)."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from schemas.event import STATES
from schemas.time import NEVER
from tests.support.plain.operations import Event, Operation

BAD = ("Degraded", "Unavailable")
Span = tuple[int, int]


def worse(states: list[str]) -> str:
    """The worst of some states."""
    return max(states, key=STATES.index)


@dataclass(frozen=True, eq=False)
class Removal:
    """What one definite operation does to a life: removed, then absent; either span may be empty."""

    operation: Operation
    removed: Span
    absent: Span


@dataclass(frozen=True, eq=False)
class Taken:
    """Time in which an instance is taken away without a definite operation: presumed removed, or given up."""

    span: Span
    absent: bool


@dataclass(frozen=True, eq=False)
class Episode:
    """[start, end) of one verdict; `limit` is L (rules: Extended), None where nothing is excused."""

    start: int
    end: int
    verdict: str
    candidates: int
    operation: Operation | None = None
    limit: int | None = None
    taken: Taken | None = None


@dataclass(eq=False)
class Life:
    """One lifeline from its first signal until it is forgotten: a new instance may follow under the same id."""

    instance_id: str | None
    winners: list[tuple[int, str]]
    event_ids: dict[tuple[int, str], str]
    faults: list[int]
    removals: list[Removal] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    forgotten: int = NEVER

    @property
    def first(self) -> int:
        """The time of the first signal."""
        return self.winners[0][0]

    def state_at(self, t: int) -> str | None:
        """H(t), or None before the first signal and once forgotten."""
        return None if t >= self.forgotten else _last([state for time, state in self.winners if time <= t])

    def state_before(self, t: int) -> str | None:
        """H just before t."""
        return None if t > self.forgotten else _last([state for time, state in self.winners if time < t])

    def returns(self) -> list[int]:
        """The times of signals of Available that win their tie."""
        return [time for time, state in self.winners if state == "Available"]

    def is_repeat(self, t: int) -> bool:
        """Whether the return at t found H Available."""
        return self.state_before(t) == "Available"

    def recoveries(self) -> list[int]:
        """The times of returns that are no repeats."""
        return [time for time in self.returns() if not self.is_repeat(time)]

    def turns_bad(self) -> list[int]:
        """The moments at which H turns Degraded or Unavailable, from any other state (the other one, too) or none."""
        return [time for time, state in self.winners if state in BAD and self.state_before(time) != state]

    def spans(self, *, absent: bool, definite_only: bool = False) -> list[Span]:
        """Absent time, or else removed time, as it was decided: may overlap, none is empty."""
        spans = [removal.absent if absent else removal.removed for removal in self.removals]
        if not definite_only:
            spans += [e.taken.span for e in self.episodes if e.taken is not None and e.taken.absent == absent]
        return [(start, min(end, self.forgotten)) for start, end in spans if start < min(end, self.forgotten)]

    def begins_to_be_deleted(self) -> list[int]:
        """When each definite operation that leaves nothing behind begins to remove it, whatever else covers that."""
        removed = [removal.removed for removal in self.removals if removal.operation.gone]
        return [start for start, end in removed if start < min(end, self.forgotten)]

    def is_absent(self, t: int) -> bool:
        return covers(self.spans(absent=True), t)

    def is_removed(self, t: int) -> bool:
        """Whether it is removed, definitely or as presumed (absent goes first)."""
        return covers(self.spans(absent=False), t)


def begin_life(instance_id: str | None, signals: list[Event], faults: list[Event], since: int) -> Life | None:
    """The life of the signals and faults at or after `since`; None if no signal is left."""
    reported: dict[int, list[str]] = defaultdict(list)
    event_ids: dict[tuple[int, str], str] = {}
    for signal in signals:
        if signal["time"] >= since:
            reported[signal["time"]].append(signal["state"])
            key = signal["time"], signal["state"]
            event_ids[key] = min(signal["event_id"], event_ids.get(key, signal["event_id"]))
    if not reported:
        return None
    winners = [(time, worse(states)) for time, states in sorted(reported.items())]
    return Life(instance_id, winners, event_ids, sorted(f["time"] for f in faults if f["time"] >= since))


def covers(spans: list[Span], t: int) -> bool:
    return any(start <= t < end for start, end in spans)


def union(spans: list[Span]) -> list[Span]:
    """The maximal stretches that some spans cover: those that touch are one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif start < end:
            merged.append((start, end))
    return merged


def without(spans: list[Span], holes: list[Span]) -> list[Span]:
    """The maximal stretches that `spans` cover and `holes` do not."""
    edges = sorted({edge for span in [*spans, *holes] for edge in span})
    pieces = pairwise(edges)
    return union([(start, end) for start, end in pieces if covers(spans, start) and not covers(holes, start)])


def _last(states: list[str]) -> str | None:
    return states[-1] if states else None
