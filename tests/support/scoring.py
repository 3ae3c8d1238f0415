"""Truths, operations and verdicts of one instance, "1" of set 0, written in seconds."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from schemas.policy import EFFECTS, Policy
from schemas.tables.truth import TRUTHS
from transforms.core.score.blame import COUNTED, EXCUSED, REMOVED, Verdicts
from transforms.core.score.excusable import (
    ALL,
    NAMED,
    REPORTED,
    UNNAMED,
    Bounds,
    Durations,
    Faults,
    OperationWindows,
    Truth,
    bounds,
)
from transforms.core.score.score import Score, States, Times, score

POLICY = Policy()
SPANS = Durations(POLICY.skew, POLICY.possible_excuse, POLICY.max_excuse)
VERDICTS = {"excused": EXCUSED, "removed": REMOVED, "counted": COUNTED}
CAUSES = ("", "start")


def micros(values: Sequence[float]) -> Any:
    """Seconds as microseconds."""
    return np.array([round(value * 1_000_000) for value in values], np.int64)


def ints(values: Sequence[int]) -> Any:
    return np.array(list(values), np.int64)


def truth_of(rows: Sequence[tuple[Any, ...]], instance: int = 1) -> Truth:
    """Rows are (start, end, truth, reported) and perhaps a cause."""
    return Truth(
        np.full(len(rows), instance),
        np.zeros(len(rows), np.int64),
        micros([row[0] for row in rows]),
        micros([row[1] for row in rows]),
        ints([TRUTHS.index(row[2]) for row in rows]),
        ints([CAUSES.index(row[4]) if len(row) > 4 else 0 for row in rows]),
        ints([-1 if row[3] is None else REPORTED.index(row[3]) for row in rows]),
    )


def verdicts_of(rows: Sequence[tuple[float, float, str]], instance: int = 1) -> Verdicts:
    """Rows are (start, end, verdict)."""
    codes = ints([VERDICTS[row[2]] for row in rows])
    start, end = micros([row[0] for row in rows]), micros([row[1] for row in rows])
    return Verdicts(np.full(len(rows), instance), start, end, codes, np.arange(len(rows)))


def windows_of(operations: Sequence[tuple[Any, ...]]) -> OperationWindows:
    """Operations are (verb, start, end, instances, "*" for all), perhaps an initiator, perhaps whether a beginning was told,
    perhaps what else it is: refused, late, adds."""
    rows = sorted(operations, key=lambda row: row[1])
    verbs = [POLICY.verbs[row[0]] for row in rows]
    start = micros([row[1] for row in rows])
    end = ints(
        [
            round(row[2] * 1e6) if row[2] is not None else int(at) + verb.deadline
            for row, at, verb in zip(rows, start, verbs, strict=True)
        ]
    )
    names = [[] if row[3] == "*" else [int(name) for name in row[3].split()] for row in rows]
    by = [row[4] if len(row) > 4 else "customer" for row in rows]
    opened = [row[5] if len(row) > 5 else True for row in rows]
    return OperationWindows(
        np.zeros(len(rows), np.int64),
        start,
        np.where(opened, start, start - POLICY.unseen) if rows else start,
        end + POLICY.settle,
        ints([EFFECTS.index(verb.effect) for verb in verbs]),
        np.array([who != "platform" or row[0] in POLICY.always_excused for who, row in zip(by, rows, strict=True)], np.bool_),
        *(np.array([len(row) > 6 and name in row[6] for row in rows], np.bool_) for name in ("refused", "late", "adds")),
        ints([ALL if row[3] == "*" else NAMED if row[3] else UNNAMED for row in rows]),
        ints([0, *np.cumsum([len(own) for own in names])]),
        ints([name for own in names for name in own]),
    )


def bounds_of(truth: Truth, windows: OperationWindows, faults: Sequence[float] = ()) -> Bounds:
    """Until when each row looks like an operation's doing; faults are of instance 1."""
    return bounds(truth, windows, Faults(np.ones(len(faults), np.int64), micros(faults)), SPANS)


def score_of(
    truth: Sequence[tuple[Any, ...]],
    verdicts: Sequence[tuple[float, float, str]],
    operations: Sequence[tuple[Any, ...]] = (),
    times: dict[str, Sequence[int]] | None = None,
    states: Sequence[tuple[float, float, int]] = (),
) -> Score:
    """The score, times in seconds."""
    own = truth_of(truth)
    sums = Times(**{name: ints((times or {}).get(name, [])) for name in Times._fields})
    called = micros([row[0] for row in states]), micros([row[1] for row in states]), ints([row[2] for row in states])
    series = States(np.zeros(len(states), np.int64), *called)
    figures = asdict(score(own, bounds_of(own, windows_of(operations)), verdicts_of(verdicts), sums, series))
    return Score(**{name: value // 1_000_000 if isinstance(value, int) else value for name, value in figures.items()})
