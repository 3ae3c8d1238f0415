"""When operations happen to a scale set: the day's load, batches, nights, upgrades, manual repairs, evictions."""

import math
from collections.abc import Callable
from functools import partial
from typing import Final

from pipelines.simulate.fleet.fleet import BATCH, OFFICE, WEB
from pipelines.simulate.fleet.history import History
from pipelines.simulate.fleet.machines import Machine
from pipelines.simulate.given.lifetimes import draw_arrivals, draw_batch
from pipelines.simulate.operations import effects as operations
from pipelines.simulate.operations.agenda import EPOCH_MONDAY, TICK, Act, Agenda
from pipelines.simulate.operations.autoscale import Autoscale
from pipelines.simulate.operations.refusals import make_refused_requests
from schemas.time import DAY, HOUR, MINUTE, NEVER

YEAR: Final = 365 * DAY
WEEK: Final = 7 * DAY
_BY_HAND: Final = 12.0
"""How often a machine is restarted, reimaged or redeployed by hand in a year."""
_EVICTED: Final = 0.15
"""How often a spot machine is evicted in a day."""
_FAILED: Final = 0.5
"""How many updates of a set fail in a week, after some seconds."""
_BUSY: Final = 360.0
"""How many operations are worked on a busy set in a day: one in four minutes."""
_BUSY_RENEWS: Final = 0.05
"""Of them, those that restart, reimage or redeploy a machine; the others no machine feels."""
_BUSY_REFUSED: Final = 10.0
"""How much more often a busy set refuses something."""
_STOPPED: Final = 0.3
"""Of the sets that are off at night, those that are stopped and not deallocated."""
_DELETED: Final = 0.05
"""How many sets are deleted in a week."""
_BATCHES: Final = 8.0
"""How many batches a set gets in a day."""
_MOST_OF_A_BATCH: Final = 30


def run_life(history: History) -> None:
    """Runs the life of a scale set from its start to its end."""
    agenda, scale_set = Agenda(), history.scale_set
    for _ in range(scale_set.size):
        history.new_machine(history.start - HOUR)
    _plan_rare(agenda, history)
    _plan_refusals(agenda, history)
    if scale_set.busy:
        _scatter(agenda, history, _BUSY * (history.end - history.start) / DAY, lambda time: _keep_busy(history, time))
    if scale_set.kind == WEB:
        Autoscale(history, agenda)
    elif scale_set.kind == BATCH:
        _plan_batches(agenda, history)
    elif scale_set.kind == OFFICE:
        _plan_nights(agenda, history)
    agenda.work(history.end)


def _plan_rare(agenda: Agenda, history: History) -> None:
    """Upgrades, repairs, maintenance, evictions, failures and the end of the set."""
    scale_set, settings, days = history.scale_set, history.settings, (history.end - history.start) / DAY
    machine_years, weeks = scale_set.size * days * DAY / YEAR, days / 7
    one = partial(_on_one, history)
    _scatter(agenda, history, settings.upgrades_per_week * weeks, lambda time: operations.upgrade(history, time), of_idle=True)
    _scatter(agenda, history, _BY_HAND * machine_years, lambda time: one(time, _renew))
    _scatter(agenda, history, settings.maintenance_per_vm_year * machine_years, lambda time: one(time, operations.maintain))
    if scale_set.spot:
        _scatter(agenda, history, _EVICTED * scale_set.size * days, lambda time: one(time, operations.evict))
        if not scale_set.deletes_evicted and scale_set.kind != OFFICE:
            for day in range(math.ceil(days)):
                agenda.add(history.start + day * DAY + 8 * HOUR, lambda time: _start_evicted(history, time))
    _scatter(agenda, history, _FAILED * weeks, lambda time: operations.fail(history, time))
    ends = history.draws.moments(_DELETED * weeks, history.start, history.end)
    for moment in ends[:1]:
        agenda.add(moment, lambda time: operations.delete_set(history, time))


def _plan_refusals(agenda: Agenda, history: History) -> None:
    """Requests that are refused at first, and carried out once they are granted."""
    often = _BUSY_REFUSED if history.scale_set.busy else 1.0
    weeks = (history.end - history.start) / WEEK
    _scatter(
        agenda,
        history,
        history.settings.refusals_per_week * often * weeks,
        lambda time: make_refused_requests(agenda, history, time),
    )


def _keep_busy(history: History, time: int) -> None:
    if history.draws.chance(_BUSY_RENEWS):
        _on_one(history, time, _renew)
    else:
        operations.update_nothing(history, time)


def _scatter(agenda: Agenda, history: History, expected: float, act: Act, of_idle: bool = False) -> None:
    """Plans something for a number of random moments; nothing happens once the set is deleted, or without a machine."""

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
    """Switches the set on from morning to evening on working days, and off otherwise."""
    draws = history.draws
    habit, verb = draws.chance(0.7), "stop" if draws.chance(_STOPPED) else "deallocate"
    first = history.start - history.start % DAY

    def evening(time: int) -> None:
        if history.deleted == NEVER and history.idle(time):
            operations.stop(history, time, history.idle(time), everything=habit, verb=verb)

    def morning(time: int) -> None:
        if history.deleted == NEVER and history.off():
            operations.start(history, time, history.off(), everything=habit)

    for day in range(first, history.end, DAY):
        if (day - EPOCH_MONDAY) // DAY % 7 < 5:
            agenda.add(day + 6 * HOUR + draws.span(0, 3600), morning)
            agenda.add(day + 19 * HOUR + draws.span(0, 3600), evening)


def _plan_batches(agenda: Agenda, history: History) -> None:
    """Batches of machines that are created together, live for a while, and are deleted by name."""
    draws = history.draws
    for tick in range(history.start, history.end, TICK):
        expected = _BATCHES * TICK / DAY * draw_arrivals(draws)
        for moment in draws.moments(expected, tick, tick + TICK):
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
    """Groups machines that end within five minutes of each other: one operation deletes them."""
    joined: list[tuple[int, list[Machine]]] = []
    for end, machines in sorted(ends.items()):
        if joined and end - joined[-1][0] < TICK:
            joined[-1] = (end, [*joined[-1][1], *machines])
        else:
            joined.append((end, machines))
    return joined


def _end_batch(history: History, machines: list[Machine], time: int) -> None:
    idle = [machine for machine in machines if machine.is_idle(time)]
    if idle and history.deleted == NEVER:
        operations.scale_in(history, time, idle, "customer")
