"""Operations folded from their records (rules: Folding)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
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
    refused: bool
    opens: bool
    """Whether its first record is `started`: else it may be the late end of the request before it."""
    asks: bool = True
    """Whether it asks for anything anew: not with targets that were handed on to it."""
    adds: bool = False
    """Whether it makes new instances, so that it touches none that was there before."""

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
    folded = [operation for group in groups.values() for operation in _of_one_key(group, policy)]
    operations = sorted(folded, key=lambda operation: operation.order)
    return [replace(operation, adds=_adds(operation, operations, policy)) for operation in operations]


def _of_one_key(records: list[Event], policy: Policy) -> list[Operation]:
    """The operations of one key and verb, in order, targets handed on from each to the next."""
    folded: list[Operation] = []
    for run in _runs(records, policy):
        operation = _operation(run, policy)
        if folded and _is_late_end(operation, folded[-1], policy):
            operation = replace(operation, target=folded[-1].target, names=folded[-1].names, asks=False)
        folded.append(operation)
    return folded


def _is_late_end(operation: Operation, before: Operation, policy: Policy) -> bool:
    """Whether it still belongs to the request of the one before it, and is handed that one's targets."""
    untold = not operation.opens and operation.target == "unnamed"
    recent = operation.start - before.start <= policy.presume_after
    return untold and before.target != "unnamed" and before.end is None and recent


def _adds(operation: Operation, operations: list[Operation], policy: Policy) -> bool:
    """Whether it makes new instances: a creation without names, or what carries out a scale-out."""
    if operation.target != "unnamed":
        return False
    if operation.verb in ("create", "scale_out"):
        return True
    beside = [o for o in operations if o.target == "unnamed" and abs(o.start - operation.start) <= policy.skew]
    scaled_out = any(o.verb == "scale_out" and not o.refused for o in beside)
    scaled_in = any(o.verb == "scale_in" for o in beside)
    return operation.effect == "may_remove" and operation.excuses and scaled_out and not scaled_in


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
    refused = _is_refused(up_to_close, policy)
    expected_end = start + verb.deadline if end is None else end
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
        limit=expected_end + (min(policy.skew, policy.settle) if refused else policy.settle),
        excuses=first["verb"] in policy.always_excused or any(i in policy.excused_initiators for i in initiators),
        refused=refused,
        opens=first["phase"] == "started",
    )


def _is_refused(up_to_close: list[Event], policy: Policy) -> bool:
    """Whether it failed at once, and nothing was done."""
    phases = [record["phase"] for record in up_to_close]
    failed = phases[-1] == "failed" and up_to_close[-1]["time"] - up_to_close[0]["time"] <= policy.skew
    return failed and "started" in phases and "progress" not in phases


def _targets(run: list[Event]) -> tuple[str, frozenset[str]]:
    if any(record["target"] == "all" for record in run):
        return "all", frozenset()
    names = frozenset(i for record in run if record["target"] == "named" for i in record["instance_ids"])
    return ("named" if names else "unnamed"), names
