"""Scenes: what makes one rule decide, told with its times at the rule's own boundaries or just beside them.

What of it happens, to whom and when is drawn, so that the rule seldom decides alone. Random operations and dips meet
these situations too seldom: a scene is a start, not an expectation.
"""

from collections.abc import Callable
from typing import Any

from tests.support.telling import Telling


class Scene:
    """One scene of a scale set; every choice is taken from `numbers`, in order."""

    def __init__(self, telling: Telling, numbers: tuple[int, ...]) -> None:
        self.telling, self.policy, self.numbers = telling, telling.policy, iter(numbers)
        self.little = [0, 1, 2] if self.policy.skew <= 1 else telling.near[6:9]
        self.who, self.other = self.pick(1, 2, 3), self.pick(2, 3, 4)
        self.t = max(telling.moments) + self.pick(*self.little, self.policy.settle)

    def pick(self, *options: Any) -> Any:
        return options[next(self.numbers) % len(options)]

    def near(self, *moments: int) -> int:
        """One of some moments, or a microsecond beside it."""
        return self.pick(*moments) + self.pick(0, 0, 0, 0, -1, 1)

    def soon(self, moment: int) -> int:
        return moment + self.pick(*self.little)

    def deadline(self, verb: str) -> int:
        return self.policy.verbs[verb].deadline

    def records(self, verb: str, phases: str, times: list[int], target: Any = None, **fields: Any) -> None:
        """Records of one operation, at some times; `target` is None (unnamed), "all", or the number of an instance."""
        kind = {"target": "unnamed"} if target is None else {"target": "all"}
        if isinstance(target, int):
            kind = {"target": "named", "instance_ids": [str((target - 1) % self.telling.instances + 1)]}
        same = {"operation_key": f"k{verb}", "initiator": "customer", "count": None, **fields}
        for phase, time in zip(phases.split(), times, strict=False):
            self.telling.event("operation", time, 0, verb=verb, phase=phase, **{"instance_ids": None, **kind, **same})
            self.telling.moments.append(time)

    def says(self, who: int, state: str, time: int) -> None:
        self.telling.signal(who and (who - 1) % self.telling.instances + 1, state, time)

    def falls(self, time: int) -> int:
        self.says(self.who, self.pick("Unavailable", "Unavailable", "Degraded", "Unknown"), time)
        return time

    def set_recovers(self, a: int) -> None:
        """The set itself says that it is bad, and that it is well again; or it does not."""
        if self.pick(True, True, False):
            self.says(0, "Degraded", a + self.pick(0, 1))
            self.says(0, "Available", self.soon(a + 2))


def refused(scene: Scene) -> None:
    """An operation fails at once, perhaps beside another, and something falls."""
    policy, t = scene.policy, scene.t
    verb, target = scene.pick("delete", "stop", "start", "restart", "update"), scene.pick(scene.who, scene.who, None, "all")
    end = scene.near(t + policy.skew, t + policy.skew, scene.soon(t))
    if scene.pick(True, False):
        # What is refused may come while the excuse of another lasts, or bring back what another has stopped.
        first = scene.pick("restart", "stop", "update")
        before = t - scene.pick(policy.settle, *scene.little)
        scene.records(first, "started succeeded", [before - 1, before], scene.pick(scene.who, None), operation_key="first")
    scene.records(verb, scene.pick("started failed", "started failed", "progress failed"), [t, end], target)
    if scene.pick(False, False, True):
        scene.records(verb, "progress", [scene.near(t, end, end)], target)
    scene.set_recovers(scene.falls(scene.near(t - policy.skew, scene.soon(t), end + min(policy.skew, policy.settle))))
    if scene.pick(False, True):
        verb, by = scene.pick(("restart", "customer"), ("update", "customer"), ("maintenance", "platform"))
        start = scene.near(t, scene.soon(t), t + policy.skew)
        scene.records(verb, "started succeeded", [start, start + 2], scene.pick(scene.who, None), initiator=by)
    if scene.pick(False, True):
        scene.says(scene.who, "Available", scene.near(end + policy.skew, end + policy.settle))


def handed_on(scene: Scene) -> None:
    """A request is never closed, and its end comes after the deadline, when who was its target had been taken away."""
    policy, t = scene.policy, scene.t
    verb = scene.pick("start", "create", "restart", "deallocate", "delete", "update")
    target = scene.pick(scene.who, scene.who, "all", None)
    late = scene.near(t + scene.deadline(verb) + 1, t + scene.deadline(verb) + policy.settle, t + policy.presume_after)
    times = [t, late, late + scene.deadline(verb) + 1]
    first = scene.pick("started", "started", "started", "progress", "succeeded", "failed")
    last, named = scene.pick("succeeded", "failed", "progress", "started"), scene.pick(None, None, None, scene.other)
    scene.records(verb, first, times, target)
    scene.records(verb, f"{last} succeeded", times[1:], named)
    at = scene.pick(late, times[2])
    if scene.pick(True, True, False):
        removal, phases = (
            scene.pick("stop", "delete", "scale_in"),
            scene.pick("started succeeded", "started succeeded", "started"),
        )
        end = at - scene.pick(0, *scene.little)
        scene.records(removal, phases, [end - 1, end], scene.who, operation_key="gone")
    scene.falls(scene.near(at - policy.unseen, scene.soon(at) - 1, scene.soon(at)))
    if scene.pick(False, True):
        scene.says(scene.who, "Available", scene.soon(at + 1))
        scene.falls(scene.soon(at + 2))


def come_back(scene: Scene) -> None:
    """A renewal has had its effect, something else begins, and the instance falls again."""
    policy, t = scene.policy, scene.t
    verb, target = scene.pick("restart", "restart", "upgrade", "maintenance", "update"), scene.pick(scene.who, None, "all")
    back = scene.near(t, scene.soon(t), scene.soon(t + 1))
    a = scene.soon(max(t, back) + 2)
    scene.records(verb, scene.pick("started succeeded", "started succeeded", "started"), [t, scene.near(back, a, a)], target)
    if scene.pick(True, True, False):
        scene.says(scene.who, scene.pick("Unavailable", "Unknown"), back - 1)
    scene.says(scene.who, "Available", back)
    other, named = scene.pick(("scale_in", None), ("scale_in", None), ("update", None), ("stop", scene.who), ("restart", None))
    start, count = a + scene.pick(-1, -1, 0, 1), scene.pick(None, 1, 1)
    phases = scene.pick("started succeeded", "started succeeded", "started", "started failed")
    scene.records(other, phases, [start, start + 2], named, count=count, operation_key="other")
    scene.falls(a)
    scene.set_recovers(a)
    if scene.pick(False, False, True):
        scene.says(scene.who, "Available", scene.near(a + policy.settle, a + policy.presume_after))


def adds(scene: Scene) -> None:
    """A scale-out and the update that carries it out; perhaps a scale-in beside them."""
    policy, t = scene.policy, scene.t
    target = scene.pick(None, None, None, None, scene.other)
    scene.records("scale_out", scene.pick("started succeeded", "started failed", "announced"), [t, t + 1], target)
    start = scene.near(t, scene.soon(t), t + policy.skew, t - policy.skew)
    verb, by = scene.pick("update", "update", "update", "upgrade"), scene.pick("customer", "customer", "customer", "platform")
    phases = scene.pick("started succeeded", "started succeeded", "started", "succeeded")
    named = scene.pick(None, None, None, None, scene.who)
    scene.records(verb, phases, [start, scene.soon(start + 1)], named, initiator=by)
    if scene.pick(False, True):
        scaled_in = scene.near(t, start + policy.skew, start - policy.skew)
        scene.records(
            "scale_in", scene.pick("announced", "started failed"), [scaled_in, scaled_in + 1], scene.pick(None, None, 2)
        )
    scene.set_recovers(scene.falls(scene.soon(start)))
    if scene.pick(False, True):
        scene.says(scene.who, "Available", scene.soon(start + 2))


def brings_back(scene: Scene) -> None:
    """Something is stopped, mostly without names, and long afterwards started so, or renewed."""
    policy, t = scene.policy, scene.t
    end, target = t + scene.pick(1, 2), scene.pick(None, None, None, scene.who)
    scene.records(scene.pick("stop", "deallocate", "evict"), "started succeeded", [t, end], target)
    if target is None or scene.pick(True, False):
        scene.falls(scene.soon(t))
    verb, by = scene.pick("start", "start", "start", "upgrade", "scale_out"), scene.pick(*["customer"] * 5, "platform")
    start = end if target else end + policy.settle + scene.pick(1, policy.unseen + 1, policy.settle + 2)
    phases = scene.pick("started succeeded", "started succeeded", "succeeded", "started", "started failed")
    scene.records(verb, phases, [start, start + 1], scene.pick(*[None] * 5, scene.other), initiator=by)
    limit = start + 1 + (policy.skew if "failed" in phases else policy.settle)
    limit += {"started": scene.deadline(verb) - 1, "succeeded": -1}.get(phases, 0)
    back = scene.near(scene.soon(start), scene.soon(start), limit, start - policy.unseen * (phases == "succeeded"))
    scene.says(scene.who, scene.pick("Available", "Available", "Available", "Degraded"), back)


def borne_out(scene: Scene) -> None:
    """Something vanishes without a word in an operation, and the set itself says how it fares."""
    policy, t = scene.policy, scene.t
    verb, phases, target = scene.pick(
        ("update", "started succeeded", None),
        ("update", "started", None),
        ("scale_in", "started succeeded", None),
        ("scale_in", "started", None),
        ("delete", "started progress failed", scene.who),
    )
    if scene.pick(False, False, True):
        scene.records("restart", "started succeeded", [t - 3, t - 1], None)
        scene.says(scene.who, "Unavailable", t - 2)
        scene.says(scene.who, "Available", t - 1)
    scene.records(verb, phases, [t, t + 1, t + 2], target, count=scene.pick(None, None, 1, 2))
    a = scene.falls(scene.soon(t))
    w = a + policy.presume_after
    scene.says(0, scene.pick("Degraded", "Degraded", "Unavailable", "Unknown"), scene.near(a, a, a + 1, scene.soon(a)))
    turn = scene.near(scene.soon(a + 1), scene.soon(a + 1), w - policy.settle, w)
    scene.says(0, scene.pick("Available", "Available", "Available", "Unknown"), turn)
    if scene.pick(True, False):
        scene.says(
            0,
            scene.pick("Degraded", "Unavailable", "Unknown"),
            scene.near((turn + w) // 2, turn + policy.settle, scene.soon(turn)),
        )
        if scene.pick(True, False):
            scene.says(0, "Available", scene.near(w - policy.settle, (turn + 3 * w) // 4))
    if scene.pick(False, False, True):
        limit = t + 1 + policy.settle
        scene.says(scene.who, scene.pick("Available", "Degraded"), scene.near(limit, limit + policy.settle, w))


def counted(scene: Scene) -> None:
    """An operation says how many it takes away, and others take some away beside it."""
    policy, t = scene.policy, scene.t
    end = t + scene.pick(1, 2)
    phases = scene.pick("started succeeded", "succeeded", "announced")
    start = t if phases.startswith("started") else end
    scene.records("scale_in", phases, [start, end], None, count=scene.pick(1, 1, 2))
    verb = scene.pick("delete", "delete", "stop", "evict")
    beside = scene.near(start - policy.skew, start - policy.unseen - policy.skew, scene.soon(start), end + policy.settle)
    scene.records(verb, "started succeeded", [beside, beside + 1], scene.other)
    a = scene.falls(scene.soon(t))
    if scene.pick(True, False):
        scene.says(scene.who + 2, "Unavailable", scene.near(a, scene.soon(a)))
    scene.set_recovers(a)


def removed_again(scene: Scene) -> None:
    """What has been away for so long that its row is continued is removed again, on which side of the cut may be."""
    policy, t = scene.policy, scene.t
    cut = -(-(t + policy.max_open) // policy.grid) * policy.grid
    scene.records("stop", "started succeeded", [t, t + 1], scene.who)
    again = scene.near(cut, cut, scene.soon(cut), scene.soon(t + policy.max_open))
    scene.records(
        scene.pick("deallocate", "stop", "delete"), "started succeeded", [again, again + 1], scene.who, operation_key="l"
    )


_OFTEN = (handed_on, come_back, adds, brings_back)
SCENES: tuple[Callable[[Scene], None], ...] = (refused, borne_out, counted, removed_again, *_OFTEN, *_OFTEN)
