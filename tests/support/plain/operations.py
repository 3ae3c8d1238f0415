"""Operations folded from their records (semantics.md 3)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schemas.event import PHASES
from schemas.policy import Policy

Event = dict[str, Any]
CLOSING = ("announced", "succeeded", "failed")


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation; times in microseconds, `end` None while unfinished."""

    scale_set_id: str
    key: str
    verb: str
    effect: str
    gone: bool
    initiator: str
    outcome: str
    target: str
    names: frozenset[str]
    count: int | None
    begin: int
    start: int
    end: int | None
    limit: int
    excuses: bool

    @property
    def order(self) -> tuple[int, str, str]:
        """The order in which operations are named: unique within a scale set."""
        return self.start, self.key, self.verb

    def names_or_all(self, instance_id: str) -> bool:
        """Whether it targets an instance definitely."""
        return self.target == "all" or instance_id in self.names


def fold_operations(records: Iterable[Event], policy: Policy) -> list[Operation]:
    """The operations of one scale set, in order of (start, operation_key, verb)."""
    groups: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for record in records:
        groups[record["operation_key"], record["verb"]].append(record)
    folded = [_operation(run, policy) for group in groups.values() for run in _runs(group, policy)]
    return sorted(folded, key=lambda operation: operation.order)


def _runs(records: list[Event], policy: Policy) -> list[list[Event]]:
    """The records of one key and verb, cut where another operation opens."""
    runs: list[list[Event]] = []
    for record in sorted(records, key=lambda r: (r["time"], PHASES.index(r["phase"]), r["event_id"])):
        if runs and _belongs(record, runs[-1], policy):
            runs[-1].append(record)
        else:
            runs.append([record])
    return runs


def _belongs(record: Event, run: list[Event], policy: Policy) -> bool:
    """Whether a record still belongs to the operation that `run` has opened."""
    first, close = run[0], _close(run)
    if close is None:
        return record["time"] <= first["time"] + policy.verbs[first["verb"]].deadline
    after = record["time"] - close["time"]
    if record["phase"] != "started":
        return after <= policy.settle
    return first["phase"] == "succeeded" and after <= policy.skew and after <= policy.settle


def _close(run: list[Event]) -> Event | None:
    return next((record for record in run if record["phase"] in CLOSING), None)


def _operation(run: list[Event], policy: Policy) -> Operation:
    first, close = run[0], _close(run)
    verb = policy.verbs[first["verb"]]
    up_to_close = run if close is None else run[: run.index(close) + 1]
    initiators = [record["initiator"] for record in up_to_close]
    start, end = first["time"], None if close is None else close["time"]
    target, names = _targets(run)
    return Operation(
        scale_set_id=first["scale_set_id"],
        key=first["operation_key"],
        verb=first["verb"],
        effect=verb.effect,
        gone=verb.gone,
        initiator=next((i for i in initiators if i != "unknown"), "unknown"),
        outcome="unfinished" if close is None else "failed" if close["phase"] == "failed" else "succeeded",
        target=target,
        names=names,
        count=max((r["count"] for r in run if r.get("count") is not None), default=None),
        begin=start - policy.unseen if first["phase"] == "succeeded" else start,
        start=start,
        end=end,
        limit=(start + verb.deadline if end is None else end) + policy.settle,
        excuses=first["verb"] in policy.always_excused or any(i in policy.excused_initiators for i in initiators),
    )


def _targets(run: list[Event]) -> tuple[str, frozenset[str]]:
    if any(record["target"] == "all" for record in run):
        return "all", frozenset()
    names = frozenset(i for record in run if record["target"] == "named" for i in record["instance_ids"])
    return ("named" if names else "unnamed"), names
