"""Random timelines, dense in ties and exact boundaries, for Hypothesis.

A timeline is told as operations, the stories that they bring about, dips (something goes bad and perhaps recovers),
plain signals and faults, each at an *anchor* (a moment that the timeline already has: the start, end or limit of an
operation, an onset, a recovery) plus an offset that the policy names, give or take a microsecond. So limits, presumptions,
counts and forgetting meet events that lie exactly on them and just beside them.
"""

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from schemas.event import STATES
from schemas.policy import Policy
from schemas.time import floor_to
from tests.support.build import Event
from tests.support.policies import SMALL_POLICIES
from tests.support.telling import Telling

_VERB_WEIGHTS = {
    "delete": 5,
    "scale_in": 4,
    "update": 5,
    "deallocate": 3,
    "stop": 2,
    "upgrade": 2,
    "start": 2,
    "create": 2,
}
_VERB = st.sampled_from([v for name in Policy().verbs for v in [name] * _VERB_WEIGHTS.get(name, 1)])
_PATTERNS = (
    *[("started", "succeeded")] * 6,
    *[("succeeded",)] * 4,
    *[("started",)] * 3,
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
)
_ANCHOR = st.integers(0, 23)
_JITTER = st.sampled_from([0] * 8 + [-1, 1])
_OPERATION = st.tuples(
    _VERB,
    st.sampled_from(["named"] * 4 + ["unnamed"] * 4 + ["all"]),
    st.integers(1, 31),
    st.sampled_from(_PATTERNS),
    st.sampled_from([None, None, None, 0, 1, 1, 2, 3]),
    st.sampled_from(["customer"] * 5 + ["autoscale", "platform", "unknown"]),
    st.integers(0, 2),
    _ANCHOR,
    st.tuples(*[st.tuples(st.integers(0, 63), _JITTER)] * 4),
    st.integers(0, 15),
)
_DIP = st.tuples(
    st.integers(0, 7),
    st.sampled_from(["Degraded", "Unavailable", "Unavailable", "Unknown"]),
    _ANCHOR,
    st.integers(0, 63),
    _JITTER,
    st.one_of(st.none(), st.tuples(st.integers(0, 63), _JITTER)),
)
_STORY = st.tuples(
    st.integers(0, 9),
    st.integers(0, 7),
    st.sampled_from(["Degraded", "Unavailable", "Unavailable", "Unknown"]),
    *[st.tuples(st.integers(0, 63), _JITTER)] * 3,
)
_SIGNAL = st.tuples(st.integers(0, 7), st.sampled_from(STATES), _ANCHOR, st.integers(0, 63), _JITTER)
_FAULT = st.tuples(st.integers(0, 7), _ANCHOR, st.integers(0, 63), _JITTER)
_COPY = st.tuples(st.integers(0, 63), st.integers(0, 9))
_SET = st.tuples(
    st.integers(1, 5),
    st.lists(st.sampled_from(["Available"] * 6 + ["Unavailable", "Unknown", None]), min_size=6, max_size=6),
    st.lists(st.tuples(_OPERATION, _STORY), min_size=1, max_size=4),
    st.lists(_DIP, max_size=4),
    st.lists(_SIGNAL, max_size=3),
    st.lists(_FAULT, max_size=1),
    st.lists(_COPY, max_size=2),
)


@dataclass(frozen=True)
class Timeline:
    """Events of some scale sets, shuffled, and a T that most of them lie before."""

    events: list[Event]
    policy: Policy
    T: int


def timelines(policies: tuple[Policy, ...] = SMALL_POLICIES) -> st.SearchStrategy[Timeline]:
    """Timelines under one of some policies; most have one scale set, some two or three."""
    sets = st.one_of(*[st.lists(_SET, min_size=1, max_size=1)] * 4, st.lists(_SET, min_size=2, max_size=3))
    return st.builds(_timeline, st.sampled_from(policies), sets, st.integers(0, 9), st.integers(0, 2**16))


def _timeline(policy: Policy, sets: list[Any], end: int, order: int) -> Timeline:
    events = [event for number, one in enumerate(sets) for event in Telling(f"s{number}", policy).tell(*one)]
    later = (policy.grid, policy.presume_after, policy.max_open, 2 * policy.max_open)
    beyond = (0, 0, 0, 0, *later, -policy.grid, -policy.max_excuse)
    latest = max(event["time"] for event in events)
    random.Random(order).shuffle(events)
    return Timeline(events, policy, floor_to(latest + beyond[end], policy.grid) + policy.grid)
