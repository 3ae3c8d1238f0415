"""A history that is cut anywhere, with a standing carried over, gives the rows of the whole."""

import random
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import Policy
from schemas.time import DAY, HOUR, floor_to
from tests.support.build import at, down, op, rows, signal, spanning, to_batch, up
from tests.support.policies import SECONDS_POLICIES, SMALL_POLICIES, TINY_POLICIES
from tests.support.timelines import Timeline, many_sets, smallest
from transforms.core.columns.arrow import micros
from transforms.core.columns.batches import concat
from transforms.core.evaluation.duplicates import identities
from transforms.core.evaluation.evaluate import Evaluation, evaluate
from transforms.core.standing.folding import folded, is_copy, resumed_cells
from transforms.core.standing.standing import NO_STANDING, Standing

WORLDS = {
    "microseconds": (TINY_POLICIES, 10),
    "small": (SMALL_POLICIES, 6),
    "seconds": (SECONDS_POLICIES, 8),
    "default": ((Policy(),), 4),
}
TABLES = ("availability", "attributions", "operations")


def _versions(evaluated: Evaluation) -> dict[tuple[str, int], dict[str, list[dict[str, Any]]]]:
    """Of each cell its rows by table."""
    out: dict[tuple[str, int], dict[str, list[dict[str, Any]]]] = {}
    for table in TABLES:
        for row in rows(getattr(evaluated, table)):
            out.setdefault((row["scale_set_id"], row["cell"]), {name: [] for name in TABLES})[table].append(row)
    return out


def _in_pieces(timeline: Timeline, cuts: list[tuple[int, int]], seed: int) -> dict[Any, Any]:
    """What has been published when events come in pieces: of each cell the rows of its last version."""
    draw = random.Random(seed)
    standing, published = NO_STANDING, dict[Any, Any]()
    left = list(timeline.events)
    for closed, T in [*cuts, (None, timeline.T)]:
        come = [e for e in left if closed is None or e["time"] < closed or (e["time"] < T and draw.random() < 0.5)]
        taken = {id(e) for e in come}
        left = [e for e in left if id(e) not in taken]
        events = concat([standing.events, to_batch(come)]) if come else standing.events
        evaluated = resumed_cells(evaluate(events, timeline.policy, T, standing.marks), standing, timeline.policy)
        published.update(_versions(evaluated))
        if closed is not None:
            standing = folded(evaluated, closed)
    return published


def _cuts(timeline: Timeline, seed: int, number: int) -> list[tuple[int, int]]:
    draw = random.Random(seed)
    first = min(e["time"] for e in timeline.events)
    moments = sorted(draw.randint(first, max(first, timeline.T + timeline.policy.grid)) for _ in range(number))
    return [(m, floor_to(m, timeline.policy.grid) + draw.choice((1, 1, 2)) * timeline.policy.grid) for m in moments]


def _whole(timeline: Timeline) -> dict[Any, Any]:
    return _versions(evaluate(to_batch(timeline.events), timeline.policy, timeline.T))


def _difference(timeline: Timeline, seed: int, number: int) -> str:
    cuts = [(c, T) for c, T in _cuts(timeline, seed, number) if T <= timeline.T]
    came, required = _in_pieces(timeline, cuts, seed), _whole(timeline)
    for key in sorted({*came, *required}):
        for table in TABLES:
            a, b = came.get(key, {}).get(table, []), required.get(key, {}).get(table, [])
            if a != b:
                for x, y in zip_longest(a, b):
                    if x != y:
                        return f"cuts {cuts} {table} {key}\n  came:     {x}\n  required: {y}"
    return ""


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=settings.default.max_examples // 4)
@given(seed=st.integers(0, 2**32), number=st.integers(1, 3))
def test_a_history_in_pieces_gives_the_rows_of_the_whole(world: str, seed: int, number: int) -> None:
    policies, sets = WORLDS[world]
    timeline = many_sets(seed, sets, policies)
    if _difference(timeline, seed, number):
        timeline = smallest(timeline, lambda fewer: bool(fewer.events) and bool(_difference(fewer, seed, number)))
        pytest.fail(f"{_difference(timeline, seed, number)}\n{timeline!r}")


def _nights(days: int) -> list[Any]:
    """An office set: stopped every night, started every morning; a restart at noon; instances come and go."""
    events: list[Any] = [signal(0, None, "Available"), *up(0, "1", "2")]
    for day in range(days):
        evening, morning, noon = (86_400 * day + seconds for seconds in (64_800, 100_800, 43_200))
        events += [*spanning(noon, noon + 60, "restart", "1", key=f"r{day}"), *down(noon + 5, "1"), *up(noon + 90, "1")]
        events += [*up(noon, f"new{day}"), *spanning(noon + 300, noon + 400, "delete", f"new{day}", key=f"d{day}")]
        events += [*spanning(evening, evening + 60, "deallocate", everything=True, key=f"e{day}"), *down(evening + 30, "1", "2")]
        events += [*spanning(morning, morning + 60, "start", everything=True, key=f"m{day}"), *up(morning + 90, "1", "2")]
    return events


def _standing_after(days: int) -> Standing:
    T = at(86_400 * days + 43_200)
    return folded(evaluate(to_batch(_nights(days)), Policy(), T), T - HOUR)


def test_a_standing_does_not_grow_with_the_age_of_the_history() -> None:
    younger, older = _standing_after(20), _standing_after(60)
    assert 0 < len(younger.events) == len(older.events) < 100
    assert len(younger.marks) == len(older.marks)
    assert len(younger.dropped) == len(older.dropped)


def test_a_scale_set_of_which_all_is_forgotten_goes_on_idle() -> None:
    events = [*up(0, "1"), *spanning(10, 20, "delete", "1")]
    first, last = at(40 * 86_400), at(40 * 86_400 + 7_200)
    standing = folded(evaluate(to_batch(events), Policy(), first), first)
    assert not len(standing.events)
    resumed = resumed_cells(evaluate(standing.events, Policy(), last, standing.marks), standing, Policy())
    states = {(row["state"], row["reported_state"]) for row in rows(resumed.availability)}
    assert states == {("Idle", None)}
    assert rows(resumed.availability)[-1]["end"] == last


def test_copies_of_dropped_events_are_known_for_a_day() -> None:
    events = to_batch(_nights(3))
    standing = folded(evaluate(events, Policy(), at(3 * 86_400)), at(3 * 86_400))
    time = micros(events, "time")
    known = is_copy(events, standing) | np.isin(identities(events), identities(standing.events))
    assert known[time >= at(2 * 86_400)].all()
    assert not is_copy(to_batch(up(2.5 * 86_400, "other")), standing).any()


def test_what_is_heard_within_a_day_takes_a_presumption_back_that_a_standing_holds() -> None:
    events = [*up(0, "1"), *spanning(10, 20, "stop"), *down(15, "1")]
    early, late = at(4 * 3_600), at(12 * 3_600)
    before = evaluate(to_batch(events), Policy(), early)
    assert [row["verdict"] for row in rows(before.attributions)] == ["presumed_removed"]
    standing = folded(before, early - HOUR)
    more = down(10 * 3_600, "1")
    both = concat([standing.events, to_batch(more)])
    resumed = resumed_cells(evaluate(both, Policy(), late, standing.marks), standing, Policy())
    assert rows(resumed.attributions) == rows(evaluate(to_batch([*events, *more]), Policy(), late).attributions)
    assert [row["verdict"] for row in rows(resumed.attributions)] == ["overrun"]


def test_episodes_that_share_a_count_are_decided_for_good_together() -> None:
    """Onsets on both sides of the moment before which all is decided: with days as cells, that lies within a day of them."""
    policy, day, before = Policy().model_copy(update={"grid": DAY}), 86_400, 86_400 - 720
    events = [*up(0, "1", "2"), op(before - 60, "delete", "announced", count=1), *down(before - 30, "2"), *down(before + 30, "1")]
    first = evaluate(to_batch(events), policy, at(3 * day))
    standing = folded(first, at(2 * day + 300))
    resumed = resumed_cells(evaluate(standing.events, policy, at(4 * day), standing.marks), standing, policy)
    verdicts = {row["instance_id"]: row["verdict"] for row in rows(first.attributions)}
    assert verdicts == {"1": "overrun", "2": "presumed_removed"}
    again = folded(resumed, at(3 * day + 300), standing)
    last = resumed_cells(evaluate(again.events, policy, at(5 * day), again.marks), again, policy)
    for later in (resumed, last):
        assert {row["overrun"] for row in rows(later.availability) if row["cell"] >= at(3 * day)} == {1}
