"""Scale sets with different ends, evaluated and folded together, are what each is alone."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import Policy
from schemas.time import floor_to
from tests.support.build import rows, to_batch
from tests.support.policies import SMALL_POLICIES
from tests.support.timelines import Timeline, many_sets
from transforms.core.columns.batches import concat
from transforms.core.evaluation.ends import End, Ends
from transforms.core.evaluation.evaluate import Evaluation, evaluate
from transforms.core.standing.folding import folded, resumed_cells
from transforms.core.standing.standing import Standing, split_standing

WORLDS = {"small": (SMALL_POLICIES, 6), "default": ((Policy(),), 4)}


def in_two_steps(timeline: Timeline, closed: End, first: End, last: End) -> tuple[Evaluation, Standing]:
    """The evaluation at `last` on top of a standing at `first`, and the standing between them."""
    before = evaluate(to_batch(timeline.events), timeline.policy, first)
    standing = folded(before, closed)
    again = concat([standing.events, to_batch(timeline.events[::7])])
    return resumed_cells(evaluate(again, timeline.policy, last, standing.marks), standing, timeline.policy), standing


def content(evaluated: Evaluation) -> Iterator[list[dict[str, Any]]]:
    """The rows of the tables and of the cells, in order."""
    for table in evaluated[:4]:
        yield rows(table)


def drawn(timeline: Timeline, draw: random.Random) -> dict[str, int]:
    """A moment for each scale set, on the grid."""
    first, grid = min(event["time"] for event in timeline.events), timeline.policy.grid
    names = sorted({event["scale_set_id"] for event in timeline.events})
    return {name: floor_to(draw.randint(first, timeline.T), grid) + grid for name in names}


def ends(moments: dict[str, int]) -> Ends:
    """The same, as the evaluation takes it; not in order."""
    return Ends(pa.array(list(moments)[::-1]), np.array(list(moments.values())[::-1]))


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=settings.default.max_examples // 8)
@given(seed=st.integers(0, 2**32))
def test_sets_with_ends_of_their_own_are_evaluated_and_folded_as_each_alone(world: str, seed: int) -> None:
    draw, timeline = random.Random(seed), many_sets(seed, WORLDS[world][1], WORLDS[world][0])
    first = drawn(timeline, draw)
    closed = {name: moment - draw.randint(0, timeline.policy.grid) for name, moment in first.items()}
    last = {name: moment + draw.randint(0, 2) * timeline.policy.grid for name, moment in first.items()}
    together, stand = in_two_steps(timeline, ends(closed), ends(first), ends(last))
    standings = dict(split_standing(stand, None))
    for name in first:
        own = [event for event in timeline.events if event["scale_set_id"] == name]
        again = [event for event in timeline.events[::7] if event["scale_set_id"] == name]
        before = evaluate(to_batch(own), timeline.policy, first[name])
        standing = folded(before, closed[name])
        assert [rows(table) for table in standings[name]] == [rows(table) for table in standing]
        both = concat([standing.events, to_batch(again)]) if again else standing.events
        alone = resumed_cells(evaluate(both, timeline.policy, last[name], standing.marks), standing, timeline.policy)
        for table, whole in zip(content(alone), content(together), strict=True):
            assert table == [row for row in whole if row["scale_set_id"] == name]
