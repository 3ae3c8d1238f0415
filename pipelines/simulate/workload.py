"""When things are done to a scale set: the day's load, batches, nights, upgrades, repairs by hand, evictions."""

import heapq
import math
from collections.abc import Callable
from functools import partial
from typing import Final

from pipelines.simulate import operations
from pipelines.simulate.fleet import BATCH, OFFICE, WEB
from pipelines.simulate.history import History
from pipelines.simulate.lifetimes import draw_arrivals, draw_batch
from pipelines.simulate.machines import Machine
from pipelines.simulate.settings import SimulationSettings
from schemas.time import DAY, HOUR, MINUTE, NEVER

Act = Callable[[int], None]
YEAR: Final = 365 * DAY
WEEK: Final = 7 * DAY
_TICK: Final = 5 * MINUTE
_COOLDOWN: Final = 15 * MINUTE
_MAINTAINED: Final = 1.0
"""How often the platform reboots a machine in a year for its own maintenance."""
_BY_HAND: Final = 12.0
"""How often a machine is restarted, reimaged or redeployed by hand in a year."""
_EVICTED: Final = 0.15
"""How often a spot machine is evicted in a day."""
_REFUSED: Final = 0.5
"""How many updates of a set fail in a week."""
_DELETED: Final = 0.05
"""How many sets are deleted in a week."""
_BATCHES: Final = 8.0
"""How many batches a set gets in a day."""
_MOST_OF_A_BATCH: Final = 30
_EPOCH_MONDAY: Final = 4 * DAY
"""1970-01-05."""


class Agenda:
    """What is to be done, in order of time."""

    def __init__(self) -> None:
        self._acts: list[tuple[int, int, Act]] = []
        self._number = 0

    def add(self, time: int, act: Act) -> None:
        """Something to be done at a time; of equal times, what came first."""
        self._number += 1
        heapq.heappush(self._acts, (time, self._number, act))

    def work(self, until: int) -> None:
        """Does everything that is due before a moment, and what follows from it."""
        while self._acts and self._acts[0][0] < until:
            time, _, act = heapq.heappop(self._acts)
            act(time)


def live(history: History, settings: SimulationSettings) -> None:
    """Lets a scale set live from its start to its end."""
    agenda, its = Agenda(), history.scale_set
    for _ in range(its.size):
        history.new_machine(history.start - HOUR)
    _plan_rare(agenda, history, settings)
    if its.kind == WEB:
        _Autoscale(history, agenda)
    elif its.kind == BATCH:
        _plan_batches(agenda, history)
    elif its.kind == OFFICE:
        _plan_nights(agenda, history)
    agenda.work(history.end)


def _plan_rare(agenda: Agenda, history: History, settings: SimulationSettings) -> None:
    """Upgrades, repairs, maintenance, evictions, refusals and the end of the set."""
    its, days = history.scale_set, (history.end - history.start) / DAY
    machine_years, weeks = its.size * days * DAY / YEAR, days / 7
    one = partial(_on_one, history)
    _scatter(agenda, history, settings.upgrades_per_week * weeks, lambda time: operations.upgrade(history, time), of_idle=True)
    _scatter(agenda, history, _BY_HAND * machine_years, lambda time: one(time, _renew))
    _scatter(agenda, history, _MAINTAINED * machine_years, lambda time: one(time, operations.maintain))
    if its.spot:
        _scatter(agenda, history, _EVICTED * its.size * days, lambda time: one(time, operations.evict))
        if not its.deletes_evicted and its.kind != OFFICE:
            for day in range(math.ceil(days)):
                agenda.add(history.start + day * DAY + 8 * HOUR, lambda time: _start_evicted(history, time))
    _scatter(agenda, history, _REFUSED * weeks, lambda time: operations.fail(history, time))
    ends = history.draws.moments(_DELETED * weeks, history.start, history.end)
    for moment in ends[:1]:
        agenda.add(moment, lambda time: operations.delete_set(history, time))


def _scatter(agenda: Agenda, history: History, expected: float, act: Act, of_idle: bool = False) -> None:
    """Does something at so many moments; nothing any more once the set is deleted, nor without a machine where it needs one."""

    def do(time: int) -> None:
        if history.deleted == NEVER and (not of_idle or history.idle(time)):
            act(time)

    for moment in history.draws.moments(expected, history.start, history.end):
        agenda.add(moment, do)


def _on_one(history: History, time: int, act: Callable[[History, int, Machine], None]) -> None:
    idle = history.idle(time)
    if idle:
        act(history, time, history.draws.pick(idle))


def _renew(history: History, time: int, machine: Machine) -> None:
    operations.renew(history, time, machine, history.draws.pick(("restart", "restart", "reimage", "redeploy")))


def _start_evicted(history: History, time: int) -> None:
    if history.deleted == NEVER and history.off():
        operations.start(history, time, history.off(), everything=False)


def _plan_nights(agenda: Agenda, history: History) -> None:
    """On working days from the morning to the evening; off otherwise."""
    draws = history.draws
    habit = draws.chance(0.7)
    first = history.start - history.start % DAY

    def evening(time: int) -> None:
        if history.deleted == NEVER and history.idle(time):
            operations.deallocate(history, time, history.idle(time), everything=habit)

    def morning(time: int) -> None:
        if history.deleted == NEVER and history.off():
            operations.start(history, time, history.off(), everything=habit)

    for day in range(first, history.end, DAY):
        if (day - _EPOCH_MONDAY) // DAY % 7 < 5:
            agenda.add(day + 6 * HOUR + draws.span(0, 3600), morning)
            agenda.add(day + 19 * HOUR + draws.span(0, 3600), evening)


def _plan_batches(agenda: Agenda, history: History) -> None:
    """Batches of machines that are created together, live for a while, and are deleted by name."""
    draws = history.draws
    for tick in range(history.start, history.end, _TICK):
        expected = _BATCHES * _TICK / DAY * draw_arrivals(draws)
        for moment in draws.moments(expected, tick, tick + _TICK):
            agenda.add(moment, lambda time: _begin_batch(agenda, history, time))


def _begin_batch(agenda: Agenda, history: History, time: int) -> None:
    if history.deleted != NEVER:
        return
    lifetimes = draw_batch(history.draws, _MOST_OF_A_BATCH)
    machines = operations.create(history, time, len(lifetimes), "customer")
    ends: dict[int, list[Machine]] = {}
    for lifetime, machine in zip(lifetimes, machines, strict=True):
        ends.setdefault(max(time + lifetime, machine.busy + MINUTE), []).append(machine)
    for end, together in _joined(ends):
        agenda.add(end, partial(_end_batch, history, together))


def _joined(ends: dict[int, list[Machine]]) -> list[tuple[int, list[Machine]]]:
    """Machines that end within five minutes of each other are deleted by one operation."""
    joined: list[tuple[int, list[Machine]]] = []
    for end, machines in sorted(ends.items()):
        if joined and end - joined[-1][0] < _TICK:
            joined[-1] = (end, [*joined[-1][1], *machines])
        else:
            joined.append((end, machines))
    return joined


def _end_batch(history: History, machines: list[Machine], time: int) -> None:
    idle = [machine for machine in machines if machine.is_idle(time)]
    if idle and history.deleted == NEVER:
        operations.scale_in(history, time, idle, "customer")


class _Autoscale:
    """Keeps a set as large as its load demands, with rests between its actions."""

    def __init__(self, history: History, agenda: Agenda) -> None:
        self._history = history
        self._rest, self._noise = history.start, 0.0
        for tick in range(history.start, history.end, _TICK):
            agenda.add(tick + history.draws.span(0, 30), self._check)

    def _check(self, time: int) -> None:
        history = self._history
        self._noise = 0.9 * self._noise + float(history.draws.random.normal(0, 0.012))
        if time < self._rest or history.deleted != NEVER:
            return
        have = len(history.present(time))
        want = max(1, math.ceil(history.scale_set.size * max(demand(time, history.scale_set.peak) + self._noise, 0.1)))
        step = max(1, history.scale_set.size // 4)
        if want > have:
            operations.create(history, time, min(want - have, step), "autoscale")
        elif have - want > max(1, 0.15 * have):
            self._shrink(time, min(have - want, step))
        else:
            return
        self._rest = time + _COOLDOWN

    def _shrink(self, time: int, number: int) -> None:
        victims = self._history.draws.some(self._history.idle(time), number)
        if victims:
            operations.scale_in(self._history, time, victims, "autoscale")


def demand(time: int, peak: float) -> float:
    """What is asked of a set at a time, relative to its size: most around its peak hour, less at night and on weekends.

    >>> demand(_EPOCH_MONDAY + 14 * HOUR, 14.0), round(demand(_EPOCH_MONDAY + 2 * HOUR, 14.0), 2)
    (1.0, 0.4)
    """
    hour, day = time % DAY / HOUR, (time - _EPOCH_MONDAY) // DAY % 7
    level = 0.7 + 0.3 * math.cos((hour - peak) * math.pi / 12)
    return level * (0.65 if day >= 5 else 1.0)
