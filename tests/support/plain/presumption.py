"""What is presumed to have been taken away, and what is given up (rules: Presumed removed, Given up)."""

from dataclasses import dataclass, replace
from itertools import pairwise

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


def presume(lapsed: Episode, life: Life, known: Knowledge, has_come_back: bool) -> Episode | None:
    """The episode as presumed removed, if all but *counted* holds; it may have come back from one of its candidates."""
    operation, a, L = lapsed.operation, lapsed.start, lapsed.limit
    revived = revived_after(life, operation.gone, known.operations, L)
    w = min(a + known.policy.presume_after, revived)
    if not (
        is_kind(operation, life, a)
        and is_not_renewed(life, known.operations, a, L)
        and (not must_be_borne_out(operation, life, known.own, a, has_come_back) or is_borne_out(known.own, a, w, known.policy))
        and is_silent(life, L, L + known.policy.settle, w)
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
        and is_silent(life, L, L + known.policy.settle, g)
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
        partial = operation.outcome == "failed" and not operation.refused and operation.gone
        return operation.effect == "removes" and (operation.outcome == "unfinished" or partial)
    if operation.outcome == "failed":
        return False
    return operation.effect == "removes" or (operation.effect == "may_remove" and any(t < a for t in life.returns()))


def is_not_renewed(life: Life, operations: list[Operation], a: int, L: int) -> bool:
    """*not renewed*."""
    return not any(renews(p, life) and a < p.start <= L for p in operations)


def is_silent(life: Life, L: int, settled: int, until: int) -> bool:
    """*silent*: no return in (L, until), and no word but Unknown and no fault in (settled, until)."""
    spoken = [t for t, state in life.winners if state != "Unknown"]
    returned = any(L < t < until for t in life.returns())
    return not returned and not any(settled < t < until for t in [*spoken, *life.faults])


def must_be_borne_out(operation: Operation, life: Life, own: list[Life], a: int, has_come_back: bool) -> bool:
    """Whether what is otherwise presumed needs the set's own word, too."""
    if is_definite(operation, life):
        return operation.outcome == "failed"
    if operation.outcome == "unfinished" or operation.effect == "may_remove":
        return True
    return operation.gone and own_state_at(own, a) is not None and (operation.count is None or has_come_back)


def is_borne_out(own: list[Life], a: int, w: int, policy: Policy) -> bool:
    """*borne out*: having been bad, the set itself turns well before w, and from then on mostly is."""
    turned = first(t for t in _turns_to_available(own) if a < t < w and _was_bad(own, a, t))
    if turned == NEVER:
        return False
    edges = sorted({turned, w} | {t for t in _edges(own) if turned < t < w})
    well = sum(end - start for start, end in pairwise(edges) if own_state_at(own, start) == "Available")
    return 2 * well > w - turned and well >= policy.settle


def _turns_to_available(own: list[Life]) -> list[int]:
    """When the set's own H turns to Available from another state: a first signal is no turn."""
    return [t for life in own for t in life.recoveries() if t < life.forgotten and life.state_before(t) is not None]


def _was_bad(own: list[Life], a: int, t: int) -> bool:
    """Whether the set's own H was Degraded or Unavailable at some moment in [a, t)."""
    return any(own_state_at(own, moment) in BAD for moment in [a, *_edges(own)] if a <= moment < t)


def _edges(own: list[Life]) -> list[int]:
    """Every moment at which the set's own H can change."""
    return [edge for life in own for edge in [*(t for t, _ in life.winners), life.forgotten]]


def own_state_at(own: list[Life], t: int) -> str | None:
    """The set's own H, None before it has reported and once it is forgotten."""
    return next((life.state_at(t) for life in reversed(own) if life.first <= t), None)


def own_state_before(own: list[Life], t: int) -> str | None:
    """The set's own H just before t."""
    return next((life.state_before(t) for life in reversed(own) if life.first < t), None)
