"""The three tables of the contract, of any events (rules: Copies; contract: Output)."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.policy import Policy
from schemas.time import floor_to
from tests.support.plain.attribution import walk_lives
from tests.support.plain.lifeline import Life
from tests.support.plain.operations import Event, Operation, fold_operations
from tests.support.plain.presumption import Claim, Knowledge
from tests.support.plain.rows import attribution_rows
from tests.support.plain.series import build_series

Row = dict[str, Any]
FIELDS = (
    "kind", "event_id", "scale_set_id", "instance_id", "time", "state", "annotation",
    "operation_key", "verb", "phase", "initiator", "target", "instance_ids", "count",
)  # fmt: skip


@dataclass(frozen=True)
class Plain:
    """Rows with the columns of the tables but `as_of` and `policy` (contract: Output); times in microseconds."""

    availability: list[Row]
    attributions: list[Row]
    operations: list[Row]


def first_T(events: list[Event], grid: int, until: int | None = None, *, now: int) -> int | None:  # noqa: N802
    """T of a batch (rules: T); None without any event or `until` that counts."""
    past = [event["time"] for event in events if event["time"] <= now]
    ends = [floor_to(max(past), grid) + grid] if past else []
    ends += [] if until is None else [until]
    return min(max(ends), floor_to(now, grid)) if ends else None


def plain_evaluate(events: list[Event], policy: Policy, T: int) -> Plain:
    """Evaluates events of any scale sets, in any order, with or without copies."""
    sets: dict[str, list[Event]] = defaultdict(list)
    for event in remove_duplicates(events):
        if event["time"] < T:
            sets[event["scale_set_id"]].append(event)
    plain = Plain([], [], [])
    for scale_set_id in sorted(sets):
        _evaluate_set(scale_set_id, sets[scale_set_id], policy, T, plain)
    return plain


def remove_duplicates(events: list[Event]) -> list[Event]:
    """One event for each identity: the smallest of its copies."""
    smallest: dict[tuple[Any, ...], Event] = {}
    for event in events:
        identity = tuple(event[name] for name in ("kind", "scale_set_id", "event_id", "time"))
        if identity not in smallest or _rank(event) < _rank(smallest[identity]):
            smallest[identity] = event
    return list(smallest.values())


def _rank(event: Event) -> list[tuple[bool, Any]]:
    """Fields in the contract's order, null before any value, ids of instances as a sorted set."""
    values = [event.get(name) for name in FIELDS]
    values = [sorted(set(value)) if isinstance(value, list) else value for value in values]
    return [(value is not None, 0 if value is None else value) for value in values]


def _evaluate_set(scale_set_id: str, events: list[Event], policy: Policy, T: int, plain: Plain) -> None:
    operations = fold_operations([e for e in events if e["kind"] == "operation"], policy)
    own, instances = _lives(events, operations, policy, T)
    lives = [*own, *(life for lives in instances for life in lives)]
    plain.availability.extend(build_series(scale_set_id, own, instances, T, policy.grid))
    rows = [row for life in lives for row in attribution_rows(scale_set_id, life, policy, T)]
    plain.attributions.extend(sorted(rows, key=_attribution_order))
    named = Counter(episode.operation for life in lives for episode in life.episodes)
    plain.operations.extend(_operation_row(operation, named[operation], policy) for operation in operations)


def _attribution_order(row: Row) -> tuple[int, bool, str]:
    return row["start"], row["instance_id"] is not None, row["instance_id"] or ""


def _lives(events: list[Event], operations: list[Operation], policy: Policy, T: int) -> tuple[list[Life], list[list[Life]]]:
    """The lives of the set itself, and those of each of its instances."""

    def of(kind: str, instance_id: str | None) -> list[Event]:
        return [e for e in events if e["kind"] == kind and e.get("instance_id") == instance_id]

    own: list[Life] = []
    list(walk_lives(None, of("signal", None), of("fault", None), own, Knowledge(operations, policy, T, [])))
    ids = sorted({e["instance_id"] for e in events if e["kind"] == "signal" and e.get("instance_id") is not None})
    instances: list[list[Life]] = [[] for _ in ids]
    known = Knowledge(operations, policy, T, own)
    each = zip(ids, instances, strict=True)
    walks = [walk_lives(i, of("signal", i), of("fault", i), lives, known) for i, lives in each]
    _decide(walks, lambda claim, granted: granted < _places(claim, instances, policy))
    return own, instances


def _decide(walks: list[Any], grant: Callable[[Claim, int], bool]) -> None:
    """Grants claims on counts in order of (a, instance_id): what is refused can let a later episode begin."""
    granted: Counter[Operation | None] = Counter()
    waiting: list[tuple[int, str, int, Claim]] = []

    def resume(number: int, answer: bool | None) -> None:
        try:
            claim = walks[number].send(answer)
        except StopIteration:
            return
        heapq.heappush(waiting, (claim.episode.start, claim.instance_id, number, claim))

    for number in range(len(walks)):
        resume(number, None)
    while waiting:
        *_, number, claim = heapq.heappop(waiting)
        answer = grant(claim, granted[claim.episode.operation])
        granted[claim.episode.operation] += answer
        resume(number, answer)


def _places(claim: Claim, instances: list[list[Life]], policy: Policy) -> int:
    """n of *counted*: the operation's count less the instances of which definite operations leave nothing meanwhile.

    Every removal that begins by the operation's limit is known when the claim is decided: a life whose end is still
    open then cannot have begun to be absent `max_open` before that limit.
    """
    operation = claim.episode.operation
    removed = 0
    for lives in instances:
        starts = [start for life in lives for start in life.begins_to_be_deleted()]
        removed += any(operation.begin - policy.skew <= start <= operation.limit for start in starts)
    return operation.count - removed


def _operation_row(operation: Operation, episodes: int, policy: Policy) -> Row:
    return {
        "scale_set_id": operation.scale_set_id,
        "operation_key": operation.key,
        "verb": operation.verb,
        "effect": operation.effect,
        "initiator": operation.initiator,
        "outcome": operation.outcome,
        "target": operation.target,
        "instance_ids": sorted(operation.names),
        "start": operation.start,
        "end": operation.end,
        "limit": operation.limit,
        "excuses": operation.excuses,
        "episodes": episodes,
        "cell": floor_to(operation.start, policy.grid),
    }
