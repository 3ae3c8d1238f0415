"""The score equals a plain computation: seconds one by one, and operations one by one."""

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.tables.truth import TRUTHS
from tests.support.scoring import POLICY, VERDICTS, bounds_of, truth_of, verdicts_of, windows_of
from transforms.core.columns.kernel import NEVER
from transforms.core.score.blame import OUTAGE, OVERSTAYED, PLANNED, RIGHT, WRONGS, Verdicts, wrong
from transforms.core.score.excusable import NOWHERE, REPORTED, Bounds
from transforms.core.score.score import instance_times, wrong_rows

SECOND = 1_000_000
LENGTH = 24
MINUTE = 60

seconds = st.lists(
    st.tuples(st.sampled_from(TRUTHS), st.sampled_from([None, *REPORTED]), st.booleans()), min_size=LENGTH, max_size=LENGTH
)
"""Of each second: truth, report, and whether the instance is known at all."""
said = st.lists(st.sampled_from([None, *VERDICTS]), min_size=LENGTH, max_size=LENGTH)
moments = st.integers(0, LENGTH)
operations = st.lists(
    st.tuples(
        st.sampled_from(["restart", "stop", "update", "upgrade", "delete"]),
        st.integers(0, 600).map(lambda minute: minute * MINUTE),
        st.one_of(st.none(), st.integers(0, 60).map(lambda minute: minute * MINUTE)),
        st.sampled_from(["", "1", "2", "*", "1 2"]),
        st.sampled_from(["customer", "platform"]),
        st.booleans(),
        st.sampled_from(["", "", "refused", "late", "adds"]),
    ),
    max_size=6,
)


@given(seconds, said, moments, moments, st.integers(1, 2))
def test_time_is_laid_over_time_second_by_second(
    true: list[Any], verdicts: list[str | None], excused: int, removed: int, other: int
) -> None:
    rows = [(at, at + 1, truth, reported) for at, (truth, reported, known) in enumerate(true) if known]
    truth = truth_of(rows)
    own = verdicts_of([(at, at + 1, verdict) for at, verdict in enumerate(verdicts) if verdict is not None], other)
    bounds = Bounds(*(np.full(len(rows), moment * SECOND) for moment in (excused, removed)))
    expected = plain_seconds(rows, verdicts if other == 1 else [None] * LENGTH, excused, removed)
    assert counted(instance_times(truth, bounds, own)) == expected


def plain_seconds(rows: list[Any], verdicts: list[str | None], excused: int, removed: int) -> Counter[tuple[int, ...]]:
    found: Counter[tuple[int, ...]] = Counter()
    before: tuple[int, int] | None = None
    for at, _, name, reported in rows:
        kind = TRUTHS.index(name)
        if kind == OUTAGE and before is not None and before[0] == at and before[1] in (PLANNED, OVERSTAYED):
            kind = OVERSTAYED
        tell = (at < excused) + 2 * (at < removed)
        verdict = verdicts[at]
        state = len(REPORTED) if reported is None else REPORTED.index(reported)
        found[0 if verdict is None else VERDICTS[verdict], kind, tell, state] += SECOND
        before = at + 1, kind
    return found


def counted(sums: Any) -> Counter[tuple[int, ...]]:
    return Counter({tuple(map(int, place)): int(sums[tuple(place)]) for place in np.argwhere(sums)})


@given(seconds, said, moments, moments)
def test_what_is_wrong_is_some_rows_fault_second_by_second(
    true: list[Any], verdicts: list[str | None], excused: int, removed: int
) -> None:
    rows = [(at, at + 1, truth, reported) for at, (truth, reported, known) in enumerate(true) if known]
    own = verdicts_of([(at, at + 1, verdict) for at, verdict in enumerate(verdicts) if verdict is not None])
    truth, bounds = truth_of(rows), Bounds(*(np.full(len(rows), moment * SECOND) for moment in (excused, removed)))
    number, expected = -1, Counter[tuple[int, str]]()
    for at, verdict in enumerate(verdicts):
        number += verdict is not None
        for place, seconds in plain_seconds([row for row in rows if row[0] <= at], verdicts, excused, removed).items():
            if not any(row[0] == at for row in rows):
                continue
            before = plain_seconds([row for row in rows if row[0] < at], verdicts, excused, removed)
            if number >= 0 and seconds > before[place] and (name := wrong(*place)) != RIGHT:
                expected[number, name] += SECOND
    found = wrong_rows(truth, bounds, own, len(own.row))
    assert Counter({(int(row), WRONGS[kind]): int(found[row, kind]) for row, kind in np.argwhere(found)}) == expected


def test_longer_intervals_say_the_same_as_their_seconds() -> None:
    rows = [(0, 5, "up", "Available"), (5, 12, "outage", "Unavailable"), (12, 20, "planned", "Unknown")]
    pieces = [(at, at + 1, *row[2:]) for row in rows for at in range(row[0], row[1])]
    own = verdicts_of([(3, 8, "excused"), (8, 15, "counted")])
    whole, apart = (
        instance_times(truth_of(each), Bounds(np.full(len(each), 7 * SECOND), np.full(len(each), NOWHERE)), own)
        for each in (rows, pieces)
    )
    assert (whole == apart).all()
    assert whole.sum() == 20 * SECOND


def test_instances_do_not_share_verdicts() -> None:
    truth = truth_of([(0, 5, "up", "Available")], 1)
    nothing = Bounds(np.full(1, NOWHERE), np.full(1, NOWHERE))
    assert instance_times(truth, nothing, Verdicts(*verdicts_of([(0, 5, "counted")], 2))).sum(axis=(1, 2, 3)).tolist() == [
        5e6,
        0,
        0,
        0,
    ]


@given(operations, st.lists(st.integers(0, 600), max_size=2), st.integers(0, 600))
def test_bounds_are_those_of_a_plain_search(given: list[Any], faults: list[int], onset: int) -> None:
    told = [(verb, at, None if took is None else at + took, *more) for verb, at, took, *more in given]
    x = onset * MINUTE
    rows = [(0, x, "up", "Available"), (x, x + 9999, "outage", "Unavailable")] if x else [(0, 9999, "outage", "Unavailable")]
    found = bounds_of(truth_of(rows), windows_of(told), sorted(fault * MINUTE for fault in faults))
    assert (found.excused[-1], found.removed[-1]) == plain_bounds(told, [fault * MINUTE * SECOND for fault in faults], x * SECOND)


def plain_bounds(told: list[Any], faults: list[int], x: int) -> tuple[int, int]:
    """What may have the instance in hand at x, and what of that goes on, without an order of the operations."""
    mine = [each for each in map(plain_operation, told) if each["excuses"] and (each["definite"] or each["unnamed"])]
    if x:  # it was up before
        mine = [each for each in mine if each["definite"] or "adds" not in each["is"]]
    causes = [each for each in mine if each["begin"] - POLICY.skew <= x < each["limit"]]
    if not causes or any(abs(fault - x) <= POLICY.skew for fault in faults):
        return NOWHERE, NOWHERE
    until = max(each["limit"] for each in causes)
    near = min(each["start"] for each in causes) - POLICY.skew, max(each["start"] for each in causes) + POLICY.skew
    for _ in mine:
        may = [each for each in mine if "refused" not in each["is"]]
        follows = [each for each in may if near[0] <= each["start"] <= near[1] or (each["definite"] and each["start"] <= until)]
        until = max([until, *(min(each["limit"], x + POLICY.max_excuse) for each in follows)])
    if not any(each["definite"] for each in causes):
        until = min(until, x + POLICY.possible_excuse)
    brings = [each for each in mine if each["definite"] and each["effect"] != "removes" and "late" not in each["is"]]
    back = [each["start"] for each in brings if each["start"] > x]
    taken = any(each["effect"] != "renews" and "refused" not in each["is"] for each in causes)
    return min([until, *(fault for fault in faults if fault > x)]), min(back, default=NEVER) if taken else NOWHERE


def plain_operation(row: Any) -> dict[str, Any]:
    verb, start, end, names, by, opened, what = row
    its = POLICY.verbs[verb]
    start = start * SECOND
    return {
        "start": start,
        "begin": start if opened else start - POLICY.unseen,
        "limit": (start + its.deadline if end is None else end * SECOND) + POLICY.settle,
        "effect": its.effect,
        "is": what,
        "excuses": by != "platform",
        "definite": names == "*" or "1" in names.split(),
        "unnamed": names == "",
    }
