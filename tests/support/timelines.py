"""Random timelines, dense in ties and exact boundaries, for Hypothesis.

A timeline is told as operations, the stories that they bring about, dips (something goes bad and perhaps recovers),
plain signals and faults, each at an *anchor* (a moment that the timeline already has: the start, end or limit of an
operation, an onset, a recovery) plus an offset that the policy names, give or take a microsecond. So limits, presumptions,
counts and forgetting meet events that lie exactly on them and just beside them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from schemas.event import INITIATORS, PHASES, STATES
from schemas.policy import Policy
from schemas.time import SECOND, floor_to
from tests.support.build import EPOCH, Event, empty_event
from tests.support.policies import SMALL_POLICIES

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
    events = [event for number, one in enumerate(sets) for event in _Telling(f"s{number}", policy).tell(*one)]
    latest = max(event["time"] for event in events)
    T = floor_to(latest, policy.grid) + policy.grid
    beyond = (
        0,
        0,
        0,
        0,
        policy.grid,
        policy.presume_after,
        policy.max_open,
        2 * policy.max_open,
        -policy.grid,
        -policy.max_excuse,
    )
    random.Random(order).shuffle(events)
    return Timeline(events, policy, floor_to(T + beyond[end], policy.grid))


class _Telling:
    """Turns the numbers that Hypothesis draws into the events of one scale set."""

    def __init__(self, scale_set_id: str, policy: Policy):
        self.scale_set_id, self.policy = scale_set_id, policy
        self.moments = [EPOCH + policy.grid // 2]
        self.near, self.far = _offsets(policy)
        self.numbers: Iterator[int] = iter(range(1000))

    def tell(
        self, instances: int, snapshot: Any, operations: Any, dips: Any, signals: Any, faults: Any, copies: Any
    ) -> list[Event]:
        self.instances = instances
        events = [e for i, state in enumerate(snapshot[: instances + 1]) if state for e in [self.signal(i, state, 0)]]
        self.moments[1:] = []
        for number, (operation, story) in enumerate(operations):
            events += self.operation(*operation)
            events += self.story(events[-1], *story)
            for dip in dips[number :: len(operations)]:
                events += self.dip(*dip)
        events += [self.signal(who, state, self.at(*when)) for who, state, *when in signals]
        events += [
            self.event("fault", self.at(*when), who, annotation="virtualmachinecrashed") for who, *when in faults
        ]
        events += [_copy(events[index % len(events)], change) for index, change in copies]
        return events

    def at(self, anchor: int, offset: int, jitter: int) -> int:
        """A moment near or exactly some way from one that the timeline has; the latest ones are likelier."""
        moment = (
            self.moments[-1 - anchor % min(len(self.moments), 8)]
            if anchor % 4
            else self.moments[anchor % len(self.moments)]
        )
        return moment + _signed(offset, self.near, self.far) + jitter

    def who(self, number: int) -> str | None:
        return None if number % (self.instances + 1) == 0 else str(number % (self.instances + 1))

    def signal(self, who: int, state: str, time: int) -> Event:
        time = time or self.moments[0] - self.policy.skew - who * (self.policy.settle // 5 + 1)
        self.moments.append(time)
        return self.event("signal", time, who, state=state)

    def dip(
        self, who: int, state: str, anchor: int, offset: int, jitter: int, recovery: tuple[int, int] | None
    ) -> list[Event]:
        """Something goes bad, and returns (or not)."""
        start = self.at(anchor, offset, jitter)
        events = [self.signal(who, state, start)]
        if recovery is not None:
            events.append(
                self.signal(who, "Available", start + abs(_signed(recovery[0], self.near, self.far)) + recovery[1])
            )
        return events

    def story(self, last: Event, plot: int, who: int, state: str, onset: Any, recovery: Any, word: Any) -> list[Event]:
        """What an operation brings about: some fall, the set says so and recovers (or not), one speaks again later."""
        if plot == 0:
            return []
        start = self.first_record + self.soft(*onset)
        if last["target"] == "named" and plot % 2:
            who = int(last["instance_ids"][who % len(last["instance_ids"])])
        victims = [who] if plot < 7 else [who, who + 1, who + 2]
        events = [self.signal(victim, state, start + k * (onset[0] % 3)) for k, victim in enumerate(victims)]
        recovered = start + abs(_signed(recovery[0], self.near, self.far)) + recovery[1]
        if plot in (2, 3, 7, 8):
            events += [self.signal(0, "Degraded", start + 1), self.signal(0, "Available", max(start + 2, recovered))]
        if plot in (3, 4, 5, 9):
            spoken = STATES[word[0] % 4] if plot == 3 else "Available"
            events.append(self.signal(who, spoken, start + abs(_signed(word[0], self.near, self.far)) + word[1]))
        self.moments.append(start)
        return events

    def soft(self, number: int, jitter: int) -> int:
        """From the first record of an operation to what it causes: mostly a little later."""
        policy = self.policy
        steps = (
            *self.near[6:9],
            *self.near[6:9],
            0,
            policy.skew,
            -policy.skew,
            -policy.skew - policy.unseen,
            policy.settle,
        )
        return steps[number % len(steps)] + jitter

    def operation(
        self,
        verb: str,
        target: str,
        names: int,
        phases: Any,
        count: Any,
        initiator: str,
        key: int,
        anchor: int,
        steps: Any,
        mix: int,
    ) -> list[Event]:
        self.first_record = time = self.at(anchor, *steps[0])
        named = [str(i + 1) for i in range(5) if names >> i & 1]
        events = []
        for number, phase in enumerate(phases):
            if number:
                time += self.step(verb, *steps[number])
            # Later records seldom say the same: one of them may know other targets, another initiator, a count.
            other = number > 0 and mix == 0
            to = "unnamed" if number > 0 and mix == 1 else target
            fields = {"verb": verb, "phase": phase, "operation_key": f"k{key}", "target": to}
            fields |= {"instance_ids": named[:1] if other else named} if to == "named" else {}
            by = INITIATORS[steps[number][0] % 4] if other or mix == 2 else initiator
            events.append(
                self.event(
                    "operation", time, 0, **fields, initiator=by, count=None if mix == 3 and number == 0 else count
                )
            )
            self.moments.append(time)
        # The limit: most episodes that lapse do so here.
        self.moments.append(
            time + self.policy.settle + (self.policy.verbs[verb].deadline if phases == ("started",) else 0)
        )
        return events

    def step(self, verb: str, number: int, jitter: int) -> int:
        """From one record of an operation to its next one."""
        policy, deadline = self.policy, self.policy.verbs[verb].deadline
        steps = (deadline // 5, deadline // 3, deadline // 2, deadline // 4, deadline, policy.skew, policy.settle, 0)
        return max(0, steps[number % len(steps)] + jitter)

    def event(self, kind: str, time: int, who: int, **fields: Any) -> Event:
        number = next(self.numbers)
        same = {
            "kind": kind,
            "event_id": f"{number * 7 % 11}-{number}",
            "scale_set_id": self.scale_set_id,
            "time": time,
        }
        return {**empty_event(), **same, "instance_id": self.who(who), **fields}


def _offsets(policy: Policy) -> tuple[list[int], list[int]]:
    """The offsets at which something changes: within an operation, and long after it."""
    small = [policy.settle // 5 + SECOND // 10 * k for k in (1, 3, 8)]
    near = [
        0,
        0,
        0,
        policy.skew,
        policy.unseen,
        policy.settle,
        *small,
        policy.skew + policy.unseen,
        policy.possible_excuse,
    ]
    deadlines = sorted({verb.deadline for verb in policy.verbs.values()})
    far = [policy.max_excuse, policy.presume_after, policy.max_open, policy.settle + policy.max_open]
    far += [2 * policy.max_open, 2 * policy.settle, policy.grid, 2 * policy.max_open + policy.settle]
    return near, far + [deadline + extra for deadline in deadlines for extra in (0, policy.settle)]


def _signed(number: int, near: list[int], far: list[int]) -> int:
    """Three in four are near, one in eight of these earlier than the anchor."""
    if number % 4 == 3:
        return far[number // 4 % len(far)]
    sign = -1 if number % 8 == 2 else 1
    return sign * near[number // 2 % len(near)]


def _copy(event: Event, change: int) -> Event:
    """The same event once more (same identity), perhaps with another field."""
    changes: dict[str, list[dict[str, Any]]] = {
        "signal": [{"state": STATES[change % 4]}, {"instance_id": None}, {"instance_id": "1"}],
        "fault": [{"instance_id": "1"}, {"instance_id": None}],
        "operation": [
            {"phase": PHASES[change % 5]},
            {"initiator": INITIATORS[change % 4]},
            {"target": "all", "instance_ids": None},
            {"count": change},
            {"operation_key": "k0"},
        ],
    }
    return dict(event) if change < 3 else {**event, **changes[event["kind"]][change % len(changes[event["kind"]])]}
