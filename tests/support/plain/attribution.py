"""Episodes and what explains them (rules: Episodes, The set itself)."""

from collections.abc import Generator

from schemas.policy import Policy
from schemas.time import NEVER
from tests.support.plain.lifeline import Episode, Life, begin_life, covers, union
from tests.support.plain.operations import Event, Operation
from tests.support.plain.presumption import Claim, Knowledge, give_up, presume
from tests.support.plain.removal import definite_removals, first, is_definite, is_target, renews

Walk = Generator[Claim, bool, None]


def walk_lives(instance_id: str | None, signals: list[Event], faults: list[Event], lives: list[Life], known: Knowledge) -> Walk:
    """Appends each life under one id to `lives`, asking for every claim on a count to be decided."""
    since = -NEVER
    while (life := begin_life(instance_id, signals, faults, since)) is not None:
        life.removals = definite_removals(life, known.operations)
        lives.append(life)
        yield from _walk_episodes(life, known)
        life.forgotten = since = _forgotten(life, known.policy)


def _forgotten(life: Life, policy: Policy) -> int:
    """When it has been absent for `max_open` without a break."""
    runs = union(life.spans(absent=True))
    return first(start + policy.max_open for start, end in runs if end - start >= policy.max_open)


def _walk_episodes(life: Life, known: Knowledge) -> Walk:
    onset = _next_onset(life, life.first)
    while onset < _forgotten(life, known.policy):
        episode = yield from _judge(life, onset, known)
        life.episodes.append(episode)
        onset = _next_onset(life, episode.end if episode.taken is None else max(episode.end, episode.taken.span[1]))


def _definitely_out(life: Life) -> list[tuple[int, int]]:
    """The removed and absent time of definite removals, in maximal stretches."""
    return union([*life.spans(absent=False, definite_only=True), *life.spans(absent=True, definite_only=True)])


def _next_onset(life: Life, at: int) -> int:
    """The first moment from `at` on that lies in an episode, all time before `at` being settled."""
    out = _definitely_out(life)
    moments = [at, *(time for time, _ in life.winners), *(end for _, end in out)]
    return first(t for t in moments if at <= t < NEVER and not covers(out, t) and life.state_at(t) not in (None, "Available"))


def _natural_end(life: Life, onset: int) -> int:
    """Where the next episode begins, at the next Available, or where definite removed or absent time begins."""
    later = [(time, state) for time, state in life.winners if time > onset]
    available = first(time for time, state in later if state == "Available")
    out = first(start for start, _ in _definitely_out(life) if start > onset)
    known = NEVER
    if life.state_at(onset) == "Unknown":
        known = first(time for time, state in later if state != "Unknown")
    return min(available, out, known)


def _judge(life: Life, a: int, known: Knowledge) -> Generator[Claim, bool, Episode]:
    """Steps 1 to 5 for the episode that begins at a."""
    b = _natural_end(life, a)
    candidates = [o for o in known.operations if _is_candidate(o, life, a, known)]
    if any(abs(fault - a) <= known.policy.skew for fault in life.faults):
        return Episode(a, b, "fault", len(candidates))
    if not candidates:
        return Episode(a, b, "unexplained", 0)
    operation = min(candidates, key=lambda o: _preference(o, life, a))
    has_come_back = any(_has_come_back(o, life, a) for o in candidates)
    if not operation.excuses:
        return Episode(a, b, "unexcused", len(candidates), operation)
    L = _limit(operation, life, a, b, known)
    fault = first(f for f in life.faults if a < f < min(b, L))
    if fault < NEVER:
        return Episode(a, b, "overrun", len(candidates), operation, fault)
    if b <= L or (b > known.T and known.T <= L):
        return Episode(a, b, "explained", len(candidates), operation, L)
    lapsed = Episode(a, b, "overrun", len(candidates), operation, L)
    return lapsed if life.instance_id is None else (yield from _lapse(lapsed, life, known, has_come_back))


def _lapse(lapsed: Episode, life: Life, known: Knowledge, has_come_back: bool) -> Generator[Claim, bool, Episode]:
    """Step 5 for an instance whose excuse has lapsed: presumed removed, given up, or just overrun."""
    presumed = presume(lapsed, life, known, has_come_back)
    if presumed is not None:
        counts = presumed.operation is not None and presumed.operation.count is not None
        if not counts or (yield Claim(life.instance_id, presumed)):
            return presumed
    return give_up(lapsed, life, known) or lapsed


def _is_candidate(operation: Operation, life: Life, a: int, known: Knowledge) -> bool:
    """Step 2."""
    if not is_target(operation, life, a) or not operation.begin - known.policy.skew <= a < operation.limit:
        return False
    only_its_end_was_lost = operation.effect == "removes" and operation.outcome == "unfinished"
    return not (only_its_end_was_lost and _is_over(operation, life, a, known))


def _is_over(operation: Operation, life: Life, a: int, known: Knowledge) -> bool:
    """Whether a definite renewal after the operation's start brought it back before a: only the end was lost."""
    starts = [p.start for p in known.operations if renews(p, life) and operation.start < p.start < a]
    return any(start <= t < a for start in starts for t in life.returns())


def _counts_as_definite(operation: Operation, life: Life) -> bool:
    """In steps 3 and 4 every operation is definite for the set itself."""
    return life.instance_id is None or is_definite(operation, life)


def _has_come_back(operation: Operation, life: Life, a: int) -> bool:
    """Whether it has *come back from* the operation before a: a renewal that is over, and has had its effect."""
    if operation.effect != "renews" or (operation.end is not None and operation.end > a):
        return False
    return any(operation.start <= t < a for t in life.recoveries())


def _preference(operation: Operation, life: Life, a: int) -> tuple[bool, bool, bool, bool, bool, int, str, str]:
    """Step 3: the smallest explains."""
    return (
        operation.refused,
        _has_come_back(operation, life, a),
        not _counts_as_definite(operation, life),
        operation.effect == "may_remove",
        operation.begin > a,
        -operation.start,
        operation.key,
        operation.verb,
    )


def _limit(operation: Operation, life: Life, a: int, b: int, known: Knowledge) -> int:
    """Step 4 without faults: the operation's own limit, as far as others extend it."""
    following = [p for p in known.operations if p.excuses and not p.refused and is_target(p, life, a) and p.start < b]
    L, before = operation.limit, None
    while before != L:
        before = L
        for p in following:
            near = abs(p.start - operation.start) <= known.policy.skew
            if p.limit > L and (near or (_counts_as_definite(p, life) and p.start <= L)):
                L = max(L, min(p.limit, a + known.policy.max_excuse))
    return L if _counts_as_definite(operation, life) else min(L, a + known.policy.possible_excuse)
