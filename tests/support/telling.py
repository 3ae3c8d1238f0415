"""Numbers that Hypothesis draws, told as the events of one scale set (see `tests.support.timelines`)."""

from typing import Any

from schemas.event import INITIATORS, PHASES, STATES
from schemas.policy import Policy
from tests.support.build import EPOCH, Event, empty_event

Draw = tuple[int, int]
"""A number that chooses an offset, and microseconds beside it."""


class Telling:
    """Tells one scale set; `moments` are those that later events may be anchored at."""

    def __init__(self, scale_set_id: str, policy: Policy, instances: int) -> None:
        self.scale_set_id, self.policy, self.instances = scale_set_id, policy, instances
        self.moments = [EPOCH + policy.grid // 2]
        self.near, self.far = _near(policy), _far(policy)
        self.told: list[Event] = []

    def snapshot(self, states: tuple[str | None, ...]) -> None:
        """What the set itself, then each instance, is in before anything happens."""
        for who, state in enumerate(states[: self.instances + 1]):
            if state is not None:
                self.event("signal", self.moments[0] - who % 3 - self.policy.skew, who, state=state)

    def tell(self, operations: Any, dips: Any, signals: Any, faults: Any, copies: Any) -> list[Event]:
        for number, (operation, story) in enumerate(operations):
            self.operation(*operation)
            self.story(*story)
            for dip in dips[number :: len(operations)]:
                self.dip(*dip)
        for dip in dips if not operations else []:
            self.dip(*dip)
        for who, state, *when in signals:
            self.signal(who, state, self.at(*when))
        for who, *when in faults:
            self.event("fault", self.at(*when), who, annotation="virtualmachinecrashed")
        return self.told + [_copy(self.told[index % len(self.told)], change) for index, change in copies]

    def operation(
        self,
        verb: str,
        target: str,
        names: int,
        phases: tuple[str, ...],
        count: int | None,
        by: str,
        key: int,
        anchor: int,
        steps: tuple[Draw, ...],
        mix: int,
    ) -> None:
        """The records of one operation, seldom all alike: `mix` says which fields a later one has of its own."""
        self.verb = "pause" if verb == "evict" and "pause" in self.policy.verbs else verb
        self.named = [str(i + 1) for i in range(5) if names >> i & 1]
        time = self.start = self.at(anchor, *steps[0])
        for number, phase in enumerate(phases):
            time += self.step(*steps[number]) if number else 0
            other = mix if number else -1
            self.record(
                time,
                phase,
                "unnamed" if other == 1 else target,
                self.named[:1] if other == 0 else self.named,
                operation_key=f"k{key}",
                initiator=INITIATORS[steps[number][0] % 4] if other == 2 else by,
                count=None if mix == 3 and number == 0 else count,
            )
        deadline = self.policy.verbs[self.verb].deadline
        self.limit = time + self.policy.settle + (deadline if phases == ("started",) else 0)
        self.moments.append(self.limit)

    def record(self, time: int, phase: str, target: str, named: list[str], **fields: Any) -> None:
        ids = named if target == "named" else None
        self.event("operation", time, 0, verb=self.verb, phase=phase, target=target, instance_ids=ids, **fields)
        self.moments.append(time)

    def story(self, plot: int, who: int, state: str, onset: Draw, recovery: Draw, word: Draw) -> None:
        """What the operation brings about: some fall, the set says so and recovers (or not), one speaks again later."""
        if plot == 0:
            return
        start = self.start + self.soon(*onset)
        who = int(self.named[who % len(self.named)]) if plot % 2 else who
        for k in range(1 if plot < 7 else 3):
            self.signal(who + k, state, start + k * (onset[0] % 3))
        if plot in (2, 3, 7, 8):
            self.signal(0, "Degraded", start + 1)
            self.signal(0, "Available", max(start + 2, self.later(start, *recovery)))
        if plot in (3, 4, 5, 9):
            since = start if plot < 5 else self.limit
            self.signal(who, STATES[word[0] % 4] if plot < 5 else "Available", self.later(since, *word))
        self.moments.append(start)

    def dip(self, who: int, state: str, anchor: int, offset: int, jitter: int, recovery: Draw | None) -> None:
        """Something goes bad, and returns (or not)."""
        start = self.at(anchor, offset, jitter)
        self.signal(who, state, start)
        if recovery is not None:
            self.signal(who, "Available", self.later(start, *recovery))

    def signal(self, who: int, state: str, time: int) -> None:
        self.moments.append(time)
        self.event("signal", time, who, state=state)

    def event(self, kind: str, time: int, who: int, **fields: Any) -> None:
        number, who = len(self.told), who % (self.instances + 1)
        # The order of ids is not the order in which events are told.
        same = {"kind": kind, "event_id": f"{number * 7 % 11}-{number}", "scale_set_id": self.scale_set_id, "time": time}
        self.told.append({**empty_event(), **same, "instance_id": str(who) if who else None, **fields})

    def at(self, anchor: int, offset: int, jitter: int) -> int:
        """Some way from a moment that the timeline has; the latest ones are likelier."""
        recent = self.moments[-8:] if anchor % 4 else self.moments
        return recent[-1 - anchor % len(recent)] + self.offset(offset) + jitter

    def later(self, moment: int, offset: int, jitter: int) -> int:
        return moment + abs(self.offset(offset)) + jitter

    def offset(self, number: int) -> int:
        """Three in four are near, one in eight lies before the anchor."""
        if number % 4 == 3:
            return self.far[number // 4 % len(self.far)]
        return self.near[number // 2 % len(self.near)] * (-1 if number % 8 == 2 else 1)

    def soon(self, number: int, jitter: int) -> int:
        """From the first record of an operation to what it causes: mostly a little later."""
        skew, unseen = self.policy.skew, self.policy.unseen
        little = [0, 1, 2] if skew == 1 else self.near[6:9]
        steps = (*little, *little, 0, skew, -skew, -skew - unseen, self.policy.settle)
        return steps[number % len(steps)] + jitter

    def step(self, number: int, jitter: int) -> int:
        """From one record of an operation to its next one."""
        policy, deadline = self.policy, self.policy.verbs[self.verb].deadline
        steps = (deadline // 5, deadline // 3, deadline // 2, deadline // 4, deadline, policy.skew, policy.settle, 0)
        return max(0, steps[number % len(steps)] + jitter)


def _near(policy: Policy) -> list[int]:
    """Offsets within an operation; of a tiny policy all of them."""
    if policy.skew == 1:
        return [0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3]
    some = [policy.settle // 7, policy.possible_excuse // 8, policy.possible_excuse // 5]
    return [0, 0, 0, policy.skew, policy.unseen, policy.settle, *some, policy.skew + policy.unseen, policy.possible_excuse]


def _far(policy: Policy) -> list[int]:
    """Offsets at which something happens long after an operation."""
    deadlines = sorted({verb.deadline for verb in policy.verbs.values()})
    far = [policy.max_excuse, policy.presume_after, policy.max_open, policy.settle + policy.max_open]
    far += [2 * policy.max_open, 2 * policy.settle, policy.grid, 2 * policy.max_open + policy.settle]
    return far + [deadline + extra for deadline in deadlines for extra in (0, policy.settle)]


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
