"""The kernel gives what the plain evaluator reads in the rules, in any order, repeated or not, in any company."""

import random
from itertools import pairwise, zip_longest
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import Policy
from schemas.tables.availability import CLASSES, RAW
from schemas.time import SECOND
from tests.support.evaluators import EVALUATORS, evaluate, kernel_evaluate
from tests.support.plain import Plain, plain_evaluate
from tests.support.policies import SECONDS_POLICIES, SMALL_POLICIES, TINY_POLICIES
from tests.support.timelines import Timeline, many_sets, smallest, timelines

SMALL = timelines(SMALL_POLICIES)
SEEDS = st.integers(0, 2**32)
FEWER = settings(max_examples=settings.default.max_examples // 4)
"""For what is no comparison of the two evaluators."""

WORLDS = {"microseconds": (TINY_POLICIES, 15), "seconds": (SECONDS_POLICIES, 8), "default policy": ((Policy(),), 4)}
"""Policies, and how many scale sets are evaluated at once."""

TABLES = ("availability", "attributions", "operations")


def _difference(actual: Plain, expected: Plain) -> str:
    """The first row in which two answers differ; empty if they are the same."""
    for table in TABLES:
        for number, (came, required) in enumerate(zip_longest(getattr(actual, table), getattr(expected, table))):
            if came != required:
                names = [name for name in (came or required) if (came or {}).get(name, 0) != (required or {}).get(name, 0)]
                return f"{table}[{number}] differs in {names}\n  came:     {came}\n  required: {required}"
    return ""


def _assert_same(actual: Plain, expected: Plain) -> None:
    if difference := _difference(actual, expected):
        pytest.fail(difference)


def _disagreement(timeline: Timeline) -> str:
    events, policy, T = timeline.events, timeline.policy, timeline.T
    return _difference(kernel_evaluate(events, policy, T), plain_evaluate(events, policy, T))


def _assert_agreement(timeline: Timeline) -> None:
    """The two evaluators agree; or else the failure shows as few events as it takes."""
    if _disagreement(timeline):
        timeline = smallest(timeline, lambda fewer: bool(_disagreement(fewer)))
        pytest.fail(f"{_disagreement(timeline)}\n{timeline!r}")


@given(SMALL)
def test_kernel_equals_plain(timeline: Timeline) -> None:
    _assert_agreement(timeline)


@pytest.mark.parametrize("world", WORLDS)
@given(seed=SEEDS)
def test_kernel_equals_plain_on_many_scale_sets_at_once(world: str, seed: int) -> None:
    policies, sets = WORLDS[world]
    _assert_agreement(many_sets(seed, sets, policies))


@pytest.mark.parametrize("evaluator", EVALUATORS)
@FEWER
@given(timeline=SMALL, order=st.integers(0, 2**16))
def test_the_order_of_events_does_not_matter(evaluator: str, timeline: Timeline, order: int) -> None:
    shuffled = random.Random(order).sample(timeline.events, len(timeline.events))
    once = evaluate(evaluator, timeline.events, timeline.policy, timeline.T)
    _assert_same(evaluate(evaluator, shuffled, timeline.policy, timeline.T), once)


@pytest.mark.parametrize("evaluator", EVALUATORS)
@FEWER
@given(timeline=SMALL, again=st.lists(st.integers(0, 99), min_size=1, max_size=5))
def test_repeated_events_do_not_matter(evaluator: str, timeline: Timeline, again: list[int]) -> None:
    repeated = timeline.events + [timeline.events[number % len(timeline.events)] for number in again]
    once = evaluate(evaluator, timeline.events, timeline.policy, timeline.T)
    _assert_same(evaluate(evaluator, repeated, timeline.policy, timeline.T), once)


@pytest.mark.parametrize("evaluator", EVALUATORS)
@FEWER
@given(timeline=SMALL)
def test_events_at_or_after_t_do_not_matter(evaluator: str, timeline: Timeline) -> None:
    earlier = [event for event in timeline.events if event["time"] < timeline.T]
    every = evaluate(evaluator, timeline.events, timeline.policy, timeline.T)
    _assert_same(evaluate(evaluator, earlier, timeline.policy, timeline.T), every)


@pytest.mark.parametrize("evaluator", EVALUATORS)
@FEWER
@given(timeline=SMALL)
def test_several_scale_sets_in_one_call_are_as_one_call_each(evaluator: str, timeline: Timeline) -> None:
    together = evaluate(evaluator, timeline.events, timeline.policy, timeline.T)
    apart = Plain([], [], [])
    for name in sorted({event["scale_set_id"] for event in timeline.events}):
        own = [event for event in timeline.events if event["scale_set_id"] == name]
        one = evaluate(evaluator, own, timeline.policy, timeline.T)
        for table in TABLES:
            getattr(apart, table).extend(getattr(one, table))
    _assert_same(together, apart)


@pytest.mark.parametrize("evaluator", EVALUATORS)
@FEWER
@given(timeline=SMALL)
def test_instances_by_class_add_up_to_instances_by_state(evaluator: str, timeline: Timeline) -> None:
    for row in evaluate(evaluator, timeline.events, timeline.policy, timeline.T).availability:
        assert sum(row[name] for name in CLASSES) == sum(row[name] for name in RAW), row


@pytest.mark.parametrize("evaluator", EVALUATORS)
@FEWER
@given(timeline=SMALL)
def test_rows_are_maximal_and_cover_all_time_from_the_first_signal_to_t(evaluator: str, timeline: Timeline) -> None:
    rows = evaluate(evaluator, timeline.events, timeline.policy, timeline.T).availability
    for before, after in pairwise(rows):
        if before["scale_set_id"] == after["scale_set_id"]:
            assert before["end"] == after["start"]
            assert after["start"] % timeline.policy.grid == 0 or _values(before) != _values(after)
    for name in {row["scale_set_id"] for row in rows}:
        own = [row for row in rows if row["scale_set_id"] == name]
        assert (own[0]["start"], own[-1]["end"]) == (_first_signal(timeline, name), timeline.T)
    assert all(row["cell"] <= row["start"] < row["end"] <= row["cell"] + timeline.policy.grid for row in rows)


@pytest.mark.parametrize("evaluator", EVALUATORS)
@FEWER
@given(timeline=SMALL)
def test_seconds_of_closed_rows_fit_into_them(evaluator: str, timeline: Timeline) -> None:
    for row in evaluate(evaluator, timeline.events, timeline.policy, timeline.T).attributions:
        if row["end"] is not None:
            assert row["excused_seconds"] + row["counted_seconds"] <= (row["end"] - row["start"]) / SECOND + 1e-9, row


def _values(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("start", "end", "cell")}


def _first_signal(timeline: Timeline, scale_set_id: str) -> int:
    kinds = [e for e in timeline.events if e["kind"] == "signal" and e["scale_set_id"] == scale_set_id]
    return min(event["time"] for event in kinds)
