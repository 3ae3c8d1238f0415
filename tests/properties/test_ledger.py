"""Batch = stream, through the ledger's own step: any order of arrival, bundles, crashes and restarts end as one evaluation.

That keys are groups was seen to fail with each of these in `transforms/ledger.py`: T of all scale sets of a look the latest of
theirs; late by the group's last grid end; those for which a bundle had no time taken as done; no timer set again for them;
of several looks at a grid end the changes of the last one only.
"""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import Policy
from schemas.time import MINUTE, floor_to
from tests.support.build import Event, rows, to_batch
from tests.support.keeping import TABLES, Disk, Ledger
from tests.support.policies import SMALL_POLICIES
from tests.support.timelines import Timeline, many_sets
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.ledger.decisions import first_multiple_after

WORLDS = {
    "small": (tuple(policy.model_copy(update={"lateness": policy.grid}) for policy in SMALL_POLICIES), 6),
    "hasty": (tuple(policy.model_copy(update={"lateness": policy.grid // 4}) for policy in SMALL_POLICIES), 6),
    "default": ((Policy(), Policy().model_copy(update={"lateness": 20 * MINUTE})), 4),
}

GROUPS = (1, 7, 64, None)
"""Numbers of groups; None: each scale set is one."""


def streamed(
    timeline: Timeline, seed: int, crashes: int, disk: Disk, events: list[Event] | None = None, lag: int | None = None
) -> Ledger:
    """The last run of a stream over a history, or some events of it, each up to `lateness` behind its time, some twice.

    With a lag, each is up to that behind, and half of the scale sets are as much later as a whole: they appear behind the others.
    """
    draw, policy, end = random.Random(seed), timeline.policy, until(timeline)
    late = {event["scale_set_id"]: lag * draw.randint(0, 1) for event in timeline.events} if lag else {}
    lag = policy.lateness if lag is None else lag
    events = timeline.events if events is None else events
    sent = [*events, *draw.sample(events, len(events) // 3)]
    due = (event["time"] + late.get(event["scale_set_id"], 0) + draw.randint(0, lag) for event in sent)
    arrivals = sorted((moment, number) for number, moment in enumerate(due))
    dies = sorted(draw.sample(range(len(arrivals)), min(crashes, len(arrivals))))
    ledger, place = Ledger(policy, end, disk), 0
    while place < len(arrivals):
        size = draw.choice((1, 1, 2, 5, 20))
        bundle = arrivals[place : place + size]
        if draw.random() < 0.8:  # a watermark may wait, and never goes before what is to come
            ledger.advance(bundle[0][0])
        ledger.take([sent[number] for _, number in bundle])
        if draw.random() < 0.4:
            ledger.flush()
        if dies and dies[0] < place + size:
            dies = [at for at in dies if at >= place + size]
            ledger = Ledger(policy, end, disk)
        place += size
    ledger.advance(end)
    ledger.flush()
    return ledger


def until(timeline: Timeline) -> int:
    """An end that all have come to: no event is later, and all of the last hour's are there."""
    grid = timeline.policy.grid
    return floor_to(max(event["time"] for event in timeline.events) + timeline.policy.lateness, grid) + 2 * grid


def whole(timeline: Timeline) -> dict[str, list[dict[str, Any]]]:
    """The rows of one evaluation."""
    evaluated = evaluate(to_batch(timeline.events), timeline.policy, until(timeline))
    return {name: sorted(rows(getattr(evaluated, name)), key=repr) for name in TABLES}


@pytest.mark.parametrize(("world", "examples"), [("small", 15), ("hasty", 15), ("default", 2)])
def test_a_stream_ends_as_the_evaluation_of_its_events_however_it_is_keyed(world: str, examples: int) -> None:
    @settings(max_examples=examples)
    @given(seed=st.integers(0, 2**32), crashes=st.integers(0, 3), groups=st.sampled_from(GROUPS), hurried=st.booleans())
    def holds(seed: int, crashes: int, groups: int | None, hurried: bool) -> None:
        timeline, disk = many_sets(seed, WORLDS[world][1], WORLDS[world][0]), Disk(groups=groups, hurried=hurried)
        ledger = streamed(timeline, seed, crashes, disk)
        assert ledger.rejects == []
        assert disk.current() == whole(timeline)

    holds()


@pytest.mark.parametrize(("world", "examples"), [("small", 15), ("hasty", 15), ("default", 2)])
def test_a_backfill_and_a_stream_that_goes_on_from_it_end_as_one_evaluation(world: str, examples: int) -> None:
    @settings(max_examples=examples)
    @given(seed=st.integers(0, 2**32), crashes=st.integers(0, 2), groups=st.sampled_from(GROUPS))
    def holds(seed: int, crashes: int, groups: int | None) -> None:
        timeline, disk = many_sets(seed, WORLDS[world][1], WORLDS[world][0]), Disk(groups=groups)
        times = [event["time"] for event in timeline.events]
        cut = random.Random(seed).choice(times)
        early = [event for event in timeline.events if event["time"] <= cut]
        disk.backfill(early, timeline.policy, first_multiple_after(cut, timeline.policy.grid))
        later = [event for event in timeline.events if event["time"] > cut]
        ledger = streamed(timeline, seed, crashes, disk, later)
        assert ledger.rejects == []
        assert disk.current() == whole(timeline)

    holds()


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), groups=st.sampled_from(GROUPS[:-1]))
def test_what_is_late_does_not_depend_on_the_groups(seed: int, groups: int) -> None:
    timeline = many_sets(seed, *WORLDS["hasty"][::-1])
    found = []
    for number in (None, groups):
        disk = Disk(groups=number, hurried=number == 1)
        ledger = streamed(timeline, seed, 0, disk, lag=timeline.policy.lateness + 4 * timeline.policy.grid)
        found.append((disk.current(), sorted(row["location"] for row in ledger.rejects)))
    assert found[0] == found[1]
