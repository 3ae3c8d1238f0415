"""Steps of a report: those of parts of the time, chained, are those of the whole, for each scale set and for their sum."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from schemas.time import DAY
from transforms.core.report.series import COUNTS, Runs
from transforms.core.report.steps import Steps, chained, steps_of, summed

ROWS = [
    (0, 0, 10, 3),
    (0, 10, 20, 3),
    (0, 20, 30, 4),
    (0, 40, 50, 4),
    (1, 5, 10, 1),
    (1, 10, 20, 2),
    (1, 20, 45, 0),
    (2, 20, 30, 7),
]
"""Scale set, start, end, rate: rows that go on as before, that change, a gap, one of nothing, and a set that comes later."""


def steps(rows: list[tuple[int, int, int, int]]) -> Steps:
    code, start, end, rate = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    none = np.zeros(len(code), np.int8)
    counts = np.zeros((len(COUNTS), len(code)), np.int32)
    return steps_of(Runs(pa.array(["a", "b", "c"]), code.astype(np.int32), start, end, none, none, counts), rate)


def told(made: Steps) -> list[list[tuple[int, int]]]:
    both = list(zip(made.moments.tolist(), made.rates.tolist(), strict=True))
    return [both[first:last] for first, last in zip(made.first.tolist(), made.last.tolist(), strict=True)]


def test_steps_are_where_the_rate_changes_and_around_gaps() -> None:
    a, b, c = told(steps(ROWS))
    assert a == [(0, 3), (20, 4), (30, 0), (40, 4), (50, 0)]
    assert b == [(5, 1), (10, 2), (20, 0), (45, 0)]
    assert c == [(20, 7), (30, 0)]


@pytest.mark.parametrize("cuts", [(), (10,), (20,), (40,), (10, 20), (5, 10, 20, 30, 40)])
def test_chained_steps_of_parts_are_those_of_the_whole(cuts: tuple[int, ...]) -> None:
    edges = [-1, *cuts, 99]
    parts = [[row for row in ROWS if lo <= row[1] < hi] for lo, hi in pairwise(edges)]
    made = chained([steps(part) for part in parts if part])
    assert told(made) == told(steps(ROWS))
    assert told(summed(made)) == [[(0, 3), (5, 4), (10, 5), (20, 11), (30, 0), (40, 4), (50, 0)]]
    assert made.integral().tolist() == [3 * 20 + 4 * 10 + 4 * 10, 5 + 20, 70]


def test_nothing_has_no_steps() -> None:
    none = np.zeros(0, np.int64)
    assert told(summed(Steps(np.zeros(2, np.int64), np.zeros(2, np.int64), none, none))) == [[]]


def test_a_sum_over_many_years_in_many_parts_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transforms.core.report.steps._AT_ONCE", 1)
    moments = np.arange(20_000) * (40 * 365 * DAY // 20_000)
    rates = np.arange(20_000)[::-1].copy()
    own = Steps(np.zeros(1, np.int64), np.full(1, 20_000), moments, rates)
    assert told(summed(own)) == told(own)
