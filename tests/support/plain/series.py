"""The series of one scale set (rules: Counts, State), sampled at every moment at which anything can change."""

from itertools import pairwise
from typing import Any

from schemas.time import floor_to
from tests.support.plain.lifeline import Life

Row = dict[str, Any]
RAW = {
    "Available": "raw_available",
    "Degraded": "raw_degraded",
    "Unavailable": "raw_unavailable",
    "Unknown": "raw_unknown",
}
CLASSES = ("up", "degraded", "unavailable", "overrun", "excused", "unknown", "removed")
COUNTED = ("degraded", "unavailable", "overrun")


def class_at(life: Life, t: int) -> str:
    """Class of a lifeline at a moment of its life; "absent" is one here."""
    state = life.state_at(t)
    if life.is_absent(t):
        return "absent"
    if life.is_removed(t):
        return "removed"
    if state in ("Available", "Unknown"):
        return "up" if state == "Available" else "unknown"
    episode = next(e for e in life.episodes if e.start <= t < e.end)
    if episode.verdict in ("fault", "unexplained", "unexcused"):
        return state.lower()
    return "excused" if t < episode.limit else "overrun"


def change_points(lives: list[Life]) -> set[int]:
    """Every moment at which a class or a state of some life can change."""
    points: set[int] = set()
    for life in lives:
        points |= {time for time, _ in life.winners} | {life.forgotten}
        points |= {edge for absent in (True, False) for span in life.spans(absent=absent) for edge in span}
        points |= {point for e in life.episodes for point in (e.start, e.end, e.limit) if point is not None}
    return points


def build_series(scale_set_id: str, own: list[Life], instances: list[list[Life]], T: int, grid: int) -> list[Row]:
    """The rows of one scale set from its first signal until T: maximal, and cut at every multiple of the grid."""
    everything = [*own, *(life for lives in instances for life in lives)]
    if not everything:
        return []
    begin = min(life.first for life in everything)
    points = sorted(point for point in change_points(everything) if begin <= point < T)
    rows: list[Row] = []
    for start, end in zip(points, [*points[1:], T], strict=True):
        values = values_at(own, instances, start)
        for piece_start, piece_end in _cut(start, end, grid):
            same = rows and rows[-1]["values"] == values and piece_start % grid != 0
            if same:
                rows[-1]["end"] = piece_end
            else:
                rows.append({"start": piece_start, "end": piece_end, "values": values})
    return [_row(scale_set_id, row, grid) for row in rows]


def _row(scale_set_id: str, row: Row, grid: int) -> Row:
    when = {"start": row["start"], "end": row["end"]}
    return {"scale_set_id": scale_set_id, **when, **row["values"], "cell": floor_to(row["start"], grid)}


def _cut(start: int, end: int, grid: int) -> list[tuple[int, int]]:
    edges = [start, *range(floor_to(start, grid) + grid, end, grid), end]
    return list(pairwise(edges))


def values_at(own: list[Life], instances: list[list[Life]], t: int) -> Row:
    """All columns but the times, at one moment."""
    living = [life for lives in instances for life in lives if life.state_at(t) is not None]
    present = [(life.state_at(t), class_at(life, t)) for life in living if class_at(life, t) != "absent"]
    raw = {column: sum(h == state for h, _ in present) for state, column in RAW.items()}
    by_class = {name: sum(c == name for _, c in present) for name in CLASSES}
    has_reported = any(lives[0].first <= t for lives in instances)
    own_life = next((life for life in own if life.state_at(t) is not None), None)
    if present:
        state = _state_of(present)
    elif has_reported or own_life is None:
        state = "Idle"
    else:
        state = _own_state(own_life, t)
    return {"reported_state": _reported(own_life, present, t), "state": state, **raw, **by_class}


def _state_of(present: list[tuple[str, str]]) -> str:
    """Corrected state of a set with instances present, of (H, class) of each."""
    classes = {c for _, c in present}
    if bad := [h for h, c in present if c in COUNTED]:
        return "Degraded" if "up" in classes or "Degraded" in bad else "Unavailable"
    names = {"up": "Available", "excused": "Planned", "unknown": "Unknown"}
    return next((state for name, state in names.items() if name in classes), "Idle")


def _own_state(life: Life, t: int) -> str:
    reported, name = life.state_at(t), class_at(life, t)
    if name == "excused":
        return "Available" if reported == "Degraded" else "Planned"
    return {"up": "Available", "unknown": "Unknown", "removed": "Idle", "absent": "Idle"}.get(name, reported)


def _reported(own: Life | None, present: list[tuple[str, str]], t: int) -> str | None:
    """The set's own H, else that of its instances, with nothing excused and nothing removed."""
    if own is not None:
        return own.state_at(t)
    uncorrected = {"Available": "up", "Unknown": "unknown"}
    return _state_of([(h, uncorrected.get(h, "unavailable")) for h, _ in present]) if present else None
