"""What is presumed to have been taken away, and what is given up (semantics.md 4, step 5)."""

from dataclasses import dataclass, replace

from schemas.policy import Policy
from schemas.time import NEVER
from tests.support.plain.lifeline import BAD, Episode, Life, Taken
from tests.support.plain.operations import Operation
from tests.support.plain.removal import first, is_definite, renews, revived_after


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What episodes are judged by; `own` are the lives of the set itself, in order (empty while they are walked)."""

    operations: list[Operation]
    policy: Policy
    T: int
    own: list[Life]


@dataclass(frozen=True, eq=False)
class Claim:
    """An episode that would be presumed removed if its operation's count allows it."""

    instance_id: str
    episode: Episode


def presume(lapsed: Episode, life: Life, known: Knowledge) -> Episode | None:
    """The episode as presumed removed, if all but *counted* holds."""
    operation, a, L = lapsed.operation, lapsed.start, lapsed.limit
    revived = revived_after(life, operation.gone, known.operations, L)
    w = min(a + known.policy.presume_after, revived)
    if not (
        is_kind(operation, life, a)
        and is_not_renewed(life, known.operations, a, L)
        and is_borne_out(operation, life, known.own, a, w)
        and is_silent(life, L + known.policy.settle, w)
    ):
        return None
    returned = first(t for t in life.returns() if t > a)
    lives = first(t for t, state in life.winners if t >= w and state in BAD) if operation.gone else NEVER
    taken = Taken((L, min(returned, revived, lives)), absent=operation.gone)
    # The end so far may lie inside the time taken (a turn out of Unknown): only definite time ends the episode earlier.
    out = first(start for r in life.removals for start, end in (r.removed, r.absent) if a < start < end)
    return replace(lapsed, verdict="presumed_removed", end=min(taken.span[1], out), taken=taken)


def give_up(lapsed: Episode, life: Life, known: Knowledge) -> Episode | None:
    """The overrun as given up, if it was silent for so long."""
    operation, a, L = lapsed.operation, lapsed.start, lapsed.limit
    g = L + known.policy.max_open
    revived = revived_after(life, operation.gone, known.operations, L)
    if not (
        lapsed.end > g
        and is_kind(operation, life, a)
        and is_not_renewed(life, known.operations, a, L)
        and is_silent(life, L + known.policy.settle, g)
        and own_state_before(known.own, g) not in BAD
        and revived > g
    ):
        return None
    returned = first(t for t in life.returns() if t > a)
    lives = first(t for t, state in life.winners if t >= g and state in BAD)
    return replace(lapsed, end=g, taken=Taken((g, min(returned, revived, lives)), absent=True))


def is_kind(operation: Operation, life: Life, a: int) -> bool:
    """*kind*: (i) definite, (ii) unnamed and known to remove, (iii) unnamed and perhaps removing."""
    if is_definite(operation, life):
        lost = operation.outcome == "unfinished" or (operation.outcome == "failed" and operation.gone)
        return operation.effect == "removes" and lost
    if operation.outcome != "succeeded":
        return False
    return operation.effect == "removes" or (operation.effect == "may_remove" and any(t < a for t in life.returns()))


def is_not_renewed(life: Life, operations: list[Operation], a: int, L: int) -> bool:
    """*not renewed*."""
    return not any(renews(p, life) and a < p.start <= L for p in operations)


def is_silent(life: Life, after: int, until: int) -> bool:
    """*silent*: in (after, until), both excluded."""
    spoken = [t for t, state in life.winners if state != "Unknown"]
    return not any(after < t < until for t in [*spoken, *life.faults])


def is_borne_out(operation: Operation, life: Life, own: list[Life], a: int, w: int) -> bool:
    """*borne out*, or not in need of it."""
    if operation.effect == "may_remove" or operation.outcome == "failed":
        return _has_recovered(own, a, w)
    if operation.outcome == "unfinished" or not operation.gone or operation.count is not None:
        return True
    return own_state_at(own, a) is None or _has_recovered(own, a, w)


def _has_recovered(own: list[Life], a: int, w: int) -> bool:
    """Whether the last change of the set's own H before w is a turn to Available from another state, after a."""
    life = next((life for life in reversed(own) if life.first < w), None)
    if life is None or life.state_before(w) is None:
        return False
    changes = [(t, state) for t, state in life.winners if t < w and life.state_before(t) != state]
    time, state = changes[-1]
    return state == "Available" and life.state_before(time) is not None and time > a


def own_state_at(own: list[Life], t: int) -> str | None:
    """The set's own H, None before it has reported and once it is forgotten."""
    return next((life.state_at(t) for life in reversed(own) if life.first <= t), None)


def own_state_before(own: list[Life], t: int) -> str | None:
    """The set's own H just before t."""
    return next((life.state_before(t) for life in reversed(own) if life.first < t), None)
