"""The figures of a report computed the slow and obvious way: from rows as dicts, one elementary interval after another."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Row = dict[str, Any]
Span = tuple[int, int]
BAD = ("degraded", "unavailable", "overrun")
RAW_BAD = ("raw_degraded", "raw_unavailable")
COUNTS = ("raw_available", *RAW_BAD, "raw_unknown", "up", *BAD, "excused", "unknown", "removed")


def availabilities(times: pa.Table) -> tuple[float | None, float | None]:
    """As reported, and corrected, of the sums of `class_times`."""
    sums = {name: int(pc.sum(times[name]).as_py()) for name in COUNTS}
    goods = (("raw_available", RAW_BAD), ("up", BAD))
    raw, corrected = (ratio(sums[good], sums[good] + sum(sums[name] for name in bad)) for good, bad in goods)
    return None if raw is None else float(raw), None if corrected is None else float(corrected)


def ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def overlap(a: Span, b: Span) -> int:
    start = a[0] if a[0] > b[0] else b[0]
    end = a[1] if a[1] < b[1] else b[1]
    return end - start if end > start else 0


def class_times(series: list[Row], span: Span) -> Counter[str]:
    """Instance microseconds by reported state and class, within a span."""
    times: Counter[str] = Counter()
    for row in series:
        if lasted := overlap((row["start"], row["end"]), span):
            for name in COUNTS:
                times[name] += row[name] * lasted
    return times


def outside(series: list[Row], operations: list[Row], span: Span) -> tuple[int, int]:
    """Up and bad instance time while no excusing operation of the set is under way or settling."""
    up = bad = 0
    windows = [(o["start"], o["limit"]) for o in operations if o["excuses"]]
    for row in series:
        lo, hi = max(row["start"], span[0]), min(row["end"], span[1])
        points = sorted({p for p in (lo, hi, *(t for w in windows for t in w)) if lo <= p <= hi})
        for a, b in pairwise(points):
            if not any(w[0] <= a < w[1] for w in windows):
                up += row["up"] * (b - a)
                bad += sum(row[name] for name in BAD) * (b - a)
    return up, bad


def interruptions(attributions: list[Row], series: list[Row]) -> Iterator[tuple[int | None, int | None, int, Row]]:
    """(where it begins in this row, where it ends in this row, since when it counts, the row) of rows in which time counts."""
    for row in attributions:
        if row["instance_id"] is None or row["verdict"] not in ("overrun", "unexcused", "fault", "unexplained"):
            continue
        if row["end"] is None and row["worst_state"] not in ("Degraded", "Unavailable"):
            continue
        if row["end"] is not None and not row["counted_seconds"]:
            continue
        begin = row["limit"] if row["verdict"] == "overrun" else row["onset"]
        same = [r for r in attributions if (r["instance_id"], r["onset"]) == (row["instance_id"], row["onset"])]
        known = max((r["end"] for r in series if r["scale_set_id"] == row["scale_set_id"]), default=row["end"])
        if row["end"] is not None and row["end"] >= known:
            row = {**row, "end": None}  # where all that is known ends, a row does too
        goes_on = any(r["start"] == row["end"] for r in same)
        here = row["start"] <= begin and (row["end"] is None or begin < row["end"])
        yield begin if here else None, None if goes_on else row["end"], begin, row


def outages(attributions: list[Row], series: list[Row], span: Span) -> tuple[int, int, int, int]:
    """Interruptions that begin in the span, that end in it, how long these took, and that go on when it ends."""
    found = list(interruptions(attributions, series))
    begun = sum(begin is not None and span[0] <= begin < span[1] for begin, _, _, _ in found)
    took = [end - since for _, end, since, _ in found if end is not None and span[0] <= end < span[1]]
    going_on = [row for _, _, since, row in found if max(since, row["start"]) < span[1]]
    still_open = sum(row["end"] is None or row["end"] >= span[1] for row in going_on)
    return begun, len(took), sum(took), still_open


def window_share(series: list[Row], good: str, bad: tuple[str, ...], window: Span) -> Fraction | None:
    part = against = 0
    for row in series:
        if lasted := overlap((row["start"], row["end"]), window):
            part += row[good] * lasted
            against += sum(row[name] for name in bad) * lasted
    return ratio(part, part + against)


def worst_window(series: list[Row], good: str, bad: tuple[str, ...], span: Span, width: int) -> Fraction | None:
    """The lowest share of any window that begins or ends at a change, where the series is known throughout."""
    span = known(series, span)
    last = span[1] - width
    edges = {t for row in series for t in (row["start"], row["end"])}
    starts = {t for edge in edges for t in (edge, edge - width)} | {span[0], last}
    shares = [window_share(series, good, bad, (t, t + width)) for t in starts if span[0] <= t <= last]
    return min((share for share in shares if share is not None), default=None)


def known(series: list[Row], span: Span) -> Span:
    """The part of a span in which there are rows; some that is empty if there are none."""
    here = [row for row in series if overlap((row["start"], row["end"]), span)]
    if not here:
        return span[0], span[0]
    return max(span[0], min(row["start"] for row in here)), min(span[1], max(row["end"] for row in here))


def states(series: list[Row], column: str, span: Span) -> Counter[str]:
    times: Counter[str] = Counter()
    for row in series:
        if row[column] is not None:
            times[row[column]] += overlap((row["start"], row["end"]), span)
    return +times


def cause_rows(attributions: list[Row], span: Span, known: int) -> dict[tuple[Any, ...], tuple[int, set[str], int]]:
    """By (verdict, verb, initiator): episodes that begin in the span, the sets, and the removed microseconds in the span."""
    episodes: Counter[tuple[Any, ...]] = Counter()
    removed: Counter[tuple[Any, ...]] = Counter()
    sets: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for row in attributions:
        end = min(span[1], known) if row["end"] is None else row["end"]
        if row["instance_id"] is None or row["start"] >= span[1] or end <= span[0]:
            continue
        key = row["verdict"], row["verb"], row["initiator"]
        sets[key].add(row["scale_set_id"])
        episodes[key] += row["start"] == row["onset"] and span[0] <= row["start"]
        if row["verdict"] == "removed":
            removed[key] += overlap((row["start"], end), span)
        if row["verdict"] == "presumed_removed":
            removed[key] += overlap((max(row["start"], row["limit"]), end), span)
    return {key: (episodes[key], sets[key], removed[key]) for key in sets}


def exposure(series: list[Row], operations: list[Row], skew: int, span: Span) -> int:
    """Instance time, not removed, inside windows of operations of one set."""
    windows = [(max(o["start"] - skew, span[0]), min(o["limit"], span[1]), o) for o in operations]
    total = 0
    for row in series:
        lo, hi = max(row["start"], span[0]), min(row["end"], span[1])
        present = sum(row[name] for name in COUNTS[:4]) - row["removed"]
        points = sorted({p for p in (lo, hi, *(t for a, b, _ in windows for t in (a, b))) if lo <= p <= hi})
        for a, b in pairwise(points):
            open_ = [o for start, end, o in windows if start <= a < end]
            named = sum(len(o["instance_ids"]) for o in open_)
            total += (present if any(o["target"] != "named" for o in open_) else min(present, named)) * (b - a)
    return total


def onsets(attributions: list[Row], span: Span) -> list[Row]:
    return [
        row
        for row in attributions
        if row["instance_id"] is not None
        and row["verdict"] != "removed"
        and row["start"] == row["onset"]
        and span[0] <= row["start"] < span[1]
    ]
