"""Attribution rows: episodes and stretches of removed time, continued where they are long (contract: Attributions)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from schemas.policy import Policy
from schemas.time import floor_to
from tests.support.plain.lifeline import Episode, Life, union, without, worse
from tests.support.plain.operations import Operation
from tests.support.plain.series import COUNTED, change_points, class_at

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Whole:
    """What is listed, before it is cut: `end` may be later than T."""

    start: int
    end: int
    verdict: str
    operation: Operation | None
    limit: int | None
    candidates: int
    signal_event_id: str | None
    begins: tuple[int, ...] = ()
    """Of a removed stretch: when each of its operations begins to remove."""


def attribution_rows(scale_set_id: str, life: Life, policy: Policy, T: int) -> list[Row]:
    """All rows of one life."""
    wholes = [*(_of_episode(e, life) for e in life.episodes), *_removed_stretches(life)]
    return [
        {"scale_set_id": scale_set_id, "instance_id": life.instance_id, **_row(whole, part, life, T, policy)}
        for whole in wholes
        for part in _parts(whole, policy, T)
    ]


def _of_episode(episode: Episode, life: Life) -> Whole:
    """Its row ends where the instance becomes absent, if that is earlier."""
    taken = episode.taken
    end = min(episode.end, taken.span[0]) if taken is not None and taken.absent else episode.end
    winner = dict(life.winners).get(episode.start)
    signal = None if winner is None else life.event_ids[episode.start, winner]
    return Whole(episode.start, end, episode.verdict, episode.operation, episode.limit, episode.candidates, signal)


def _removed_stretches(life: Life) -> list[Whole]:
    """Maximal stretches that definite operations remove, outside absent time of any kind."""
    removed = union(life.spans(absent=False, definite_only=True))
    stretches = []
    for start, end in without(removed, life.spans(absent=True)):
        its = [r for r in life.removals if max(r.removed[0], start) < min(r.removed[1], end)]
        operation = min((r.operation for r in its), key=lambda o: o.order)
        begins = tuple(r.removed[0] for r in its)
        stretches.append(Whole(start, end, "removed", operation, operation.limit, len(its), None, begins))
    return stretches


def _parts(whole: Whole, policy: Policy, T: int) -> list[tuple[int, int | None]]:
    """[start, end) of its rows, cut at the first grid multiple at or after start + max_open; None: open at T."""
    parts: list[tuple[int, int | None]] = []
    start = whole.start
    while start < T:
        cut = -floor_to(-(start + policy.max_open), policy.grid)
        if whole.end <= cut or cut > T:
            return [*parts, (start, whole.end if whole.end <= T else None)]
        parts.append((start, cut))
        start = cut
    return parts


def _row(whole: Whole, part: tuple[int, int | None], life: Life, T: int, policy: Policy) -> Row:
    start, end = part
    operation, starts = whole.operation, start == whole.start
    states = [life.state_at(start), *(s for t, s in life.winners if start < t < (T if end is None else end))]
    return {
        "start": start,
        "end": end,
        "onset": whole.start,
        "worst_state": worse(states),
        "verdict": whole.verdict,
        "operation_key": operation.key if operation else None,
        "verb": operation.verb if operation else None,
        "initiator": operation.initiator if operation else None,
        "operation_start": operation.start if operation else None,
        "operation_end": operation.end if operation else None,
        "limit": whole.limit,
        "lag_seconds": (whole.start - operation.start) / 1e6 if operation else None,
        "candidates": sum(end is None or b < end for b in whole.begins) if whole.begins else whole.candidates,
        "excused_seconds": _seconds(whole, life, start, end, ("excused",)),
        "counted_seconds": _seconds(whole, life, start, end, COUNTED),
        "signal_event_id": whole.signal_event_id if starts else None,
        "cell": floor_to(start, policy.grid),
    }


def _seconds(whole: Whole, life: Life, start: int, end: int | None, classes: tuple[str, ...]) -> float | None:
    """Seconds of a row that its lifeline spends in some classes; null while it is open, 0 of a removed stretch."""
    if whole.verdict == "removed":
        return 0.0
    if end is None:
        return None
    points = sorted({start, end} | {t for t in change_points([life]) if start < t < end})
    pieces = pairwise(points)
    return sum(b - a for a, b in pieces if class_at(life, a) in classes) / 1e6
