"""Which operations target a lifeline, what they remove, and what brings it back
(rules: Removed, Brings back, Makes anew, The set itself)."""

from collections.abc import Iterable

from schemas.time import NEVER
from tests.support.plain.lifeline import Life, Removal
from tests.support.plain.operations import Operation


def is_definite(operation: Operation, life: Life) -> bool:
    """Whether it targets the instance definitely; the set itself, only `all` does (but for steps 3 and 4)."""
    if life.instance_id is None:
        return operation.target == "all"
    return operation.names_or_all(life.instance_id)


def is_target(operation: Operation, life: Life, onset: int) -> bool:
    """Whether it targets the lifeline, definitely or possibly, where an episode begins at `onset`."""
    if life.instance_id is None or is_definite(operation, life):
        return True
    if operation.target != "unnamed":
        return False
    return not operation.adds or not any(t < onset for t in life.returns())


def renews(operation: Operation, life: Life) -> bool:
    """A definite excusing `renews` operation on it, that asks for it anew."""
    return operation.effect == "renews" and operation.excuses and operation.asks and is_definite(operation, life)


def definite_removals(life: Life, operations: list[Operation]) -> list[Removal]:
    """What the definite operations remove, one for each that removes at all."""
    return [_removal(life, operation, operations) for operation in operations if _removes(operation, life)]


def _removes(operation: Operation, life: Life) -> bool:
    if operation.effect != "removes" or not operation.excuses or operation.outcome != "succeeded":
        return False
    if not is_definite(operation, life) or (life.instance_id is None and not operation.gone):
        return False
    return life.first <= (operation.end if operation.target == "all" else operation.limit)


def _removal(life: Life, operation: Operation, operations: list[Operation]) -> Removal:
    start = max(operation.start, life.first)
    if not operation.gone:
        return Removal(operation, (start, _back_in_service(life, operation, operations)), (NEVER, NEVER))
    returned = first(t for t in life.returns() if t > operation.limit)
    made = first(p.start for p in operations if makes_anew(p, life) and p.begin >= operation.end)
    back = min(returned, made)
    return Removal(operation, (start, min(operation.limit, back)), (operation.limit, back))


def _back_in_service(life: Life, operation: Operation, operations: list[Operation]) -> int:
    end, limit = operation.end, operation.limit
    returned = first(t for t in life.returns() if t >= end and (t > limit or not life.is_repeat(t)))
    return min(returned, first(t for t in brings_back(life, operations) if t >= end))


def brings_back(life: Life, operations: list[Operation]) -> list[int]:
    """Every moment at which something brings it back, if it was left behind."""
    by_name = [p.start for p in operations if renews(p, life)]
    unnamed = [p for p in operations if p.target == "unnamed" and p.effect == "renews" and p.excuses and not p.adds]
    starts = [p for p in unnamed if p.verb == "start"]
    left_on = [t for t in life.turns_bad() if any(p.begin <= t < p.limit for p in unnamed)]
    brought = [t for t in life.recoveries() if any(p.begin <= t < p.limit for p in starts)]
    return [*by_name, *left_on, *brought]


def makes_anew(operation: Operation, life: Life) -> bool:
    """Whether it makes anew what nothing was left of, if it begins late enough."""
    if not operation.excuses or operation.outcome == "failed" or not operation.asks:
        return False
    if life.instance_id is None:
        return operation.target == "all" and operation.effect == "renews"
    return operation.effect in ("renews", "may_remove") and life.instance_id in operation.names


def revived_after(life: Life, gone: bool, operations: list[Operation], after: int) -> int:
    """The first moment after `after` at which something brings it back or, if nothing was left, makes it anew."""
    if gone:
        return first(p.start for p in operations if makes_anew(p, life) and p.begin > after)
    return first(t for t in brings_back(life, operations) if t > after)


def first(times: Iterable[int]) -> int:
    """The earliest of some times, NEVER if there is none."""
    return min(times, default=NEVER)
