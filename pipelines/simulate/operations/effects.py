"""What operations do to the machines of a scale set, and what their records say about it."""

from collections.abc import Sequence
from typing import Final

from pipelines.simulate.fleet.history import History
from pipelines.simulate.fleet.machines import CREATE, DELETE, OFF, OUTAGE, OVERSTAY, PLANNED, Machine, Spell
from pipelines.simulate.operations.telling import annotate, names_of, tell, tell_machines
from schemas.time import NEVER, SECOND

FAILED_RETURNS: Final = 0.01
"""Of the machines that an operation should bring up, those that stay down after it."""
_ANNOTATED: Final = 0.85
_RECORDED: Final = 0.5
"""Of the evictions, those that are annotated, and those of which the log tells; none goes untold."""
_FELT: Final = 0.5
"""Of what the platform maintains, the machines that it reboots or moves for some minutes; the others are frozen for a moment."""
_DISRUPTIVE: Final = (
    "VirtualMachineRebootInitiatedForPlannedMaintenance",
    "VirtualMachineMigrationInitiatedForPlannedMaintenance",
)
_ANNOTATION: Final = {"deallocate": "VirtualMachineDeallocationInitiated", "stop": "VirtualMachineStopInitiatedByControlPlane"}
_SURPLUS: Final = 0.2
"""How many machines more than were asked for a set gets that overprovisions; one at least."""


def create(history: History, time: int, number: int, initiator: str) -> list[Machine]:
    """Adds machines: an update of the set (and of each machine in Flexible mode), which autoscale announces."""
    draws, before = history.draws, len(history.present(time))
    machines = [history.new_machine(time + draws.span(8, 30)) for _ in range(number)]
    up = [bring_up(history, machine, machine.born, machine.born + draws.span(60, 190), CREATE) for machine in machines]
    _resize(history, time, max(up) + draws.span(-20, 40), (before, before + number), initiator)
    if history.scale_set.flexible:
        for machine, ready in zip(machines, up, strict=True):
            tell(history, "update", "write", machine.born - draws.span(1, 4), ready, machine=machine.name, initiator=initiator)
    if history.scale_set.overprovisions:
        _overprovision(history, time, max(up), max(1, round(_SURPLUS * number)))
    return machines


def _overprovision(history: History, time: int, ready: int, number: int) -> None:
    """The platform makes machines that nobody asked for, and takes them back when those that were asked for are there.

    No record mentions either.
    """
    draws = history.draws
    for _ in range(number):
        machine = history.new_machine(time + draws.span(8, 30))
        machine.surplus = True
        up, dropped = machine.born + draws.span(60, 260), ready + draws.span(5, 180)
        machine.spells.append(Spell(machine.born, min(up, dropped), PLANNED, CREATE))
        leave(machine, dropped, dropped + draws.span(20, 90), dropped)


def scale_in(history: History, time: int, machines: Sequence[Machine], initiator: str) -> None:
    """Takes machines away for good: autoscale through an update that names none, a customer by name."""
    draws, before = history.draws, len(history.present(time))
    end, asked = time + draws.span(60, 300), [time] * len(machines)
    if initiator == "autoscale":
        _resize(history, time, end, (before, before - len(machines)), initiator)
    if history.scale_set.flexible:
        moments = [time + draws.span(0, 3) for _ in machines]
        asked = [
            tell(history, "delete", "delete", moment, end, machine=machine.name, initiator=initiator)
            for machine, moment in zip(machines, moments, strict=True)
        ]
    elif initiator != "autoscale":
        asked = [tell(history, "delete", "delete/action", time, end, names=names_of(machines), initiator=initiator)] * len(
            machines
        )
    for machine, moment in zip(machines, asked, strict=True):
        leave(machine, time + draws.span(4, 40), end, moment)


def evict(history: History, time: int, machine: Machine) -> None:
    """The platform takes a spot machine back."""
    draws = history.draws
    recorded = draws.chance(_RECORDED)
    if draws.chance(_ANNOTATED) or not recorded:
        annotate(history, "evict", "VirtualMachinePreempted", time, machine, closes=True)
    if recorded:
        end = time + draws.span(20, 90)
        tell(history, "evict", "evictSpotVM/action", time + draws.span(1, 5), end, machine=machine.name, initiator="platform")
    down = time + draws.span(2, 30)
    if history.scale_set.deletes_evicted:
        leave(machine, down, down + draws.span(60, 200), time)
    else:
        switch_off(machine, down, time)


def stop(history: History, time: int, machines: Sequence[Machine], everything: bool, verb: str = "deallocate") -> None:
    """Switches machines off, as every evening; where the set names no machines, no record does, and none is annotated."""
    draws = history.draws
    end = time + draws.span(70, 240)
    asked = tell_machines(history, verb, time, end, machines, everything)
    for machine, moment in zip(machines, asked, strict=True):
        down = time + draws.span(3, 60)
        told = down - draws.span(0, 2)
        switch_off(machine, down, moment if history.scale_set.nameless else min(moment, told))
        if not history.scale_set.nameless:
            annotate(history, verb, _ANNOTATION[verb], told, machine, closes=True)


def start(history: History, time: int, machines: Sequence[Machine], everything: bool) -> None:
    """Switches machines on again."""
    draws, up = history.draws, []
    for machine in machines:
        begin = time + draws.span(2, 20)
        machine.switch_on(begin)
        up.append(bring_up(history, machine, begin, begin + draws.span(40, 150), "start"))
        if not history.scale_set.nameless:
            annotate(history, "start", "VirtualMachineStartInitiatedByControlPlane", begin - draws.span(0, 2), machine)
    tell_machines(history, "start", time, max(up) + draws.span(-15, 30), machines, everything)


def upgrade(history: History, time: int) -> None:
    """Brings all idle machines to a new model, a fifth at a time."""
    draws, machines = history.draws, history.idle(time)
    at, step = time + draws.span(10, 40), max(1, len(machines) // 5)
    for first in range(0, len(machines), step):
        batch = machines[first : first + step]
        ends = []
        for machine in batch:
            down = at + draws.span(0, 15)
            ends.append(bring_up(history, machine, down, down + draws.span(50, 180), "upgrade"))
        at = max(ends) + draws.span(10, 60)
    native, names = ("manualUpgrade/action", names_of(machines)) if draws.chance(0.25) else ("osRollingUpgrade/action", ())
    for machine in machines:
        machine.busy = max(machine.busy, at)
    tell(history, "upgrade", native, time, at, names=names)


def renew(history: History, time: int, machine: Machine, verb: str) -> None:
    """Restarts, reimages or redeploys one machine."""
    draws = history.draws
    down = time + draws.span(1, 15)
    up = bring_up(history, machine, down, down + draws.span(40, 150), verb)
    tell(history, verb, f"{verb}/action", time, up + draws.span(-15, 30), machine=machine.name)
    if verb == "restart" and draws.chance(0.5):
        annotate(history, "restart", "VirtualMachineRestarted", down - draws.span(0, 1), machine)


def maintain(history: History, time: int, machine: Machine) -> None:
    """The platform maintains a machine for ends of its own, and never tells that it is done.

    Where a machine is down for it, that is an outage, as under the default policy.
    """
    draws, native = history.draws, "VirtualMachinePlannedFreezeStarted"
    if draws.chance(_FELT):
        native = draws.pick(_DISRUPTIVE)
        down = time + draws.span(1, 10)
        machine.busy = down + draws.span(60, 300)
        machine.spells.append(Spell(down, machine.busy, OUTAGE, "maintenance"))
    annotate(history, "maintenance", native, time, machine)


def delete_set(history: History, time: int) -> None:
    """Deletes the set with all that is in it."""
    draws = history.draws
    end = time + draws.span(90, 400)
    history.machines[:] = [machine for machine in history.machines if machine.born < time]
    asked = tell(history, "delete", "delete", time, end, everything=True)
    for machine in history.machines:
        if machine.gone > time:
            was_down = _cut(machine, time)
            leave(machine, time if was_down else time + draws.span(3, 60), end, asked)
    history.deleted = end


def update_nothing(history: History, time: int) -> None:
    """An update without an effect on machines: a tag, or a capacity that stays the same."""
    tell(history, "update", "write", time, time + history.draws.span(3, 90))


def fail(history: History, time: int) -> None:
    """An update that the platform refuses: it touches nothing."""
    tell(history, "update", "write", time, time + history.draws.span(1, 20), succeeded=False)


def bring_up(history: History, machine: Machine, down: int, up: int, cause: str) -> int:
    """Takes a machine down and up again, or fails to; gives the moment at which it should be up."""
    machine.spells.append(Spell(down, up, PLANNED, cause))
    machine.busy = up
    if history.draws.chance(FAILED_RETURNS):
        machine.busy = up + history.draws.lognormal(1500, 0.9, 240, 36_000)
        machine.spells.append(Spell(up, machine.busy, OUTAGE, OVERSTAY))
    return up


def leave(machine: Machine, down: int, gone: int, asked: int) -> None:
    """Takes a machine away for good."""
    machine.gone = machine.busy = max(gone, down + 5 * SECOND)
    machine.spells.append(Spell(down, machine.gone, PLANNED, DELETE, asked))


def switch_off(machine: Machine, down: int, asked: int) -> None:
    """Takes a machine out of service until it is started."""
    machine.spells.append(Spell(down, NEVER, PLANNED, OFF, asked))


def _cut(machine: Machine, time: int) -> bool:
    """Ends the current spell of a machine that leaves, and drops later ones; gives whether it was down."""
    kept = [spell for spell in machine.spells if spell.start < time]
    machine.spells = [spell._replace(end=min(spell.end, time)) for spell in kept]
    return bool(kept) and kept[-1].end > time


def _resize(history: History, time: int, end: int, capacity: tuple[int, int], initiator: str) -> None:
    """The update that changes the capacity, and its announcement."""
    if initiator == "autoscale":
        verb, native = ("scale_out", "Scaleup") if capacity[1] > capacity[0] else ("scale_in", "Scaledown")
        tell(history, verb, native, time, time, "autoscale", initiator=initiator, capacity=capacity)
        time += history.draws.span(1, 4)
    tell(history, "update", "write", time, end, initiator=initiator)
