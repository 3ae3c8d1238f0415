"""Random timelines, dense in ties and exact boundaries, for Hypothesis.

A timeline is told as operations, the stories that they bring about, dips (something goes bad and perhaps recovers),
plain signals and faults, each at an *anchor* (a moment that the timeline already has: the start, end or limit of an
operation, an onset, a recovery) plus an offset that the policy names, give or take a microsecond. So limits, presumptions,
counts and forgetting meet events that lie exactly on them and just beside them. Half of them have scenes, too, each made
for one rule (see `tests.support.scenes`).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from schemas.event import STATES
from schemas.policy import Policy
from schemas.time import floor_to
from tests.support.build import Event
from tests.support.policies import SMALL_POLICIES
from tests.support.scenes import SCENES, Scene
from tests.support.shapes import Choice, Several, sample, strategy
from tests.support.telling import Telling

_VERB_WEIGHTS = {"delete": 5, "scale_in": 4, "update": 5, "deallocate": 3, "stop": 3, "upgrade": 3, "start": 3, "create": 2}
_VERB = Choice([v for name in Policy().verbs for v in [name] * _VERB_WEIGHTS.get(name, 1)])
_PHASES = Choice(
    [
        *[("started", "succeeded")] * 6,
        *[("succeeded",)] * 4,
        *[("started",)] * 4,
        *[("started", "failed")] * 3,
        *[("announced",)] * 3,
        ("failed",),
        ("progress",),
        ("started", "progress", "succeeded"),
        ("succeeded", "started"),
        ("succeeded", "started", "succeeded"),
        ("started", "succeeded", "succeeded"),
        ("started", "succeeded", "failed"),
        ("announced", "progress"),
        ("started", "started", "succeeded"),
        ("started", "succeeded", "started", "succeeded"),
    ]
)
_WHO = range(8)
_OFFSET = (range(64), Choice([0] * 8 + [-1, 1]))
_WHEN = (range(24), *_OFFSET)
_BAD = Choice(["Degraded", "Unavailable", "Unavailable", "Unknown"])
_OPERATION = (
    _VERB,
    Choice(["named"] * 4 + ["unnamed"] * 4 + ["all"]),
    range(1, 32),
    _PHASES,
    Choice([None, None, None, 0, 1, 1, 2, 3]),
    Choice(["customer"] * 5 + ["autoscale", "platform", "unknown"]),
    range(3),
    range(24),
    (_OFFSET,) * 4,
    range(16),
)
_LOST = (
    Choice(["delete", "scale_in", "update", "deallocate", "stop"]),
    Choice(["named", "unnamed", "unnamed"]),
    range(1, 32),
    Choice([("succeeded",), ("started", "succeeded"), ("started",), ("started", "failed"), ("announced",)]),
    Choice([None, None, 1, 2]),
    "customer",
    *_OPERATION[6:],
)
"""What may take an instance away without a word."""
_STORY = (range(10), _WHO, _BAD, _OFFSET, _OFFSET, _OFFSET)
_DIP = (_WHO, _BAD, *_WHEN, Choice([None, _OFFSET]))
_SIGNAL = (_WHO, Choice(STATES), *_WHEN)
_FAULT = (_WHO, *_WHEN)
_COPY = (range(64), range(10))
_FIRST = Choice(["Available"] * 20 + ["Unavailable", "Unknown", None, None])
_SNAPSHOT = (Choice(["Available"] * 8 + ["Degraded", None, None, None]), *[_FIRST] * 5)


_LATE = (range(24), Choice(range(3, 64, 4)), Choice([0, 0, 0, -1, 1]))
"""Long after a moment, at one of the offsets that end a presumption, an excuse or a memory."""
_LATE_SIGNAL = (_WHO, Choice([*STATES, "Available"]), *_LATE)
_LATE_FAULT = (_WHO, *_LATE)


def _set(told: Any, dips: Several, signals: Several, faults: Several) -> Any:
    return (range(1, 6), _SNAPSHOT, (), told, dips, signals, faults, Several(_COPY, 0, 2))


_ANY, _FALL = (_OPERATION, _STORY), (_LOST, (range(1, 10), *_STORY[1:]))
_QUIET = Choice([(_FALL,), (_FALL, _ANY)])
_SILENT = _set(_QUIET, Several(_DIP, 0, 0), Several(_LATE_SIGNAL, 0, 2), Several(_LATE_FAULT, 0, 1))
_CALM = _set(_QUIET, Several(_DIP, 0, 1), Several(_SIGNAL, 0, 1), Several(_FAULT, 0, 1))
_LIVELY = _set(Several(_ANY, 1, 2), Several(_DIP, 0, 2), Several(_SIGNAL, 0, 1), Several(_FAULT, 0, 1))
_BUSY = _set(Several(_ANY, 1, 4), Several(_DIP, 0, 6), Several(_SIGNAL, 0, 5), Several(_FAULT, 0, 2))
_SCENE = (range(len(SCENES)), (range(64),) * 40)
_WELL = ("Available",) * 6
_STAGED = (
    range(2, 6),
    Choice([_WELL, _WELL, _SNAPSHOT]),
    Several(_SCENE, 1, 3),
    Several(_ANY, 0, 1),
    Several(_DIP, 0, 1),
    Several(_SIGNAL, 0, 1),
    Several(_FAULT, 0, 1),
    Several(_COPY, 0, 1),
)
_PLAY = (range(2, 6), _WELL, Several(_SCENE, 1, 2), (), (), (), (), ())
SCALE_SET = Choice([_SILENT, _CALM, _LIVELY, _BUSY, _PLAY, _PLAY, _STAGED, _STAGED])
"""From quiet to busy: what is quiet for long can be presumed, given up and forgotten; half are staged."""
_SETS = strategy(Choice([*[Several(SCALE_SET, 1, 1)] * 4, Several(SCALE_SET, 2, 3)]))
"""Made once: that takes longer than most timelines do."""


@dataclass(frozen=True, repr=False)
class Timeline:
    """Events of some scale sets, shuffled, and a T that most of them lie before."""

    events: list[Event]
    policy: Policy
    T: int

    def __repr__(self) -> str:
        """The policy as what it differs in from the default; events one a line, in order, without nulls."""
        default = Policy().model_dump()
        policy = {name: value for name, value in self.policy.model_dump().items() if value != default[name]}
        told = [{name: value for name, value in event.items() if value is not None} for event in self.events]
        lines = map(repr, sorted(told, key=lambda event: event["time"]))
        return "\n".join([f"T={self.T} policy={policy}", *lines])


def timelines(policies: tuple[Policy, ...] = SMALL_POLICIES) -> st.SearchStrategy[Timeline]:
    """Timelines under one of some policies; most have one scale set, some two or three."""
    return st.builds(_timeline, st.sampled_from(policies), _SETS, st.integers(0, 9), st.integers(0, 2**16))


def many_sets(seed: int, number: int, policies: tuple[Policy, ...] = SMALL_POLICIES) -> Timeline:
    """One timeline of many scale sets: they are drawn evenly, and cheaper to evaluate together."""
    draw = random.Random(seed)
    sets = [sample(SCALE_SET, draw) for _ in range(number)]
    return _timeline(draw.choice(policies), sets, draw.randrange(10), draw.randrange(2**16))


def _timeline(policy: Policy, sets: list[Any], end: int, order: int) -> Timeline:
    events = [event for number, one in enumerate(sets) for event in _tell(f"s{number}", policy, *one)]
    later = (policy.grid, policy.presume_after, policy.max_open, 2 * policy.max_open)
    beyond = (0, 0, 0, 0, *later, -policy.grid, -policy.max_excuse)
    latest = max(event["time"] for event in events)
    random.Random(order).shuffle(events)
    return Timeline(events, policy, floor_to(latest + beyond[end], policy.grid) + policy.grid)


def _tell(scale_set_id: str, policy: Policy, instances: int, snapshot: Any, scenes: Any, *rest: Any) -> list[Event]:
    telling = Telling(scale_set_id, policy, instances)
    telling.snapshot(snapshot)
    for number, choices in scenes:
        SCENES[number](Scene(telling, choices))
    return telling.tell(*rest)


def smallest(timeline: Timeline, fails: Callable[[Timeline], bool]) -> Timeline:
    """The same failure with as few events as leaving out one after another gives."""
    kept = timeline
    for size in (len(kept.events) // 2, len(kept.events) // 8, 1, 1):
        first = 0
        while size > 0 and first < len(kept.events):
            fewer = replace(kept, events=kept.events[:first] + kept.events[first + size :])
            kept, first = (fewer, first) if fails(fewer) else (kept, first + size)
    return kept
