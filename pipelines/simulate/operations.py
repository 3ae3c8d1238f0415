"""What operations do to the machines of a scale set, and what their records tell of it."""

from collections.abc import Sequence
from typing import Any, Final

from pipelines.simulate.history import Carrier, History, Operation
from pipelines.simulate.machines import CREATE, DELETE, OFF, OUTAGE, OVERSTAY, PLANNED, Machine, Spell
from schemas.time import NEVER, SECOND

FAILED_RETURNS: Final = 0.01
"""Of the machines that an operation should bring up, those that stay down after it."""
_END_LOST: Final = 0.01
_BEGIN_LOST: Final = 0.005
_MASKED: Final = 0.05
_FAR_CLOCK: Final = 0.02
"""Of the operations, those whose record is stamped by a clock that is some ten seconds ahead."""


def create(history: History, time: int, number: int, initiator: str) -> list[Machine]:
    """Adds machines: an update of the set (and of each machine in Flexible mode), which autoscale announces."""
    draws, before = history.draws, len(history.present(time))
    machines = [history.new_machine(time + draws.span(8, 30)) for _ in range(number)]
    up = [bring_up(history, machine, machine.born, machine.born + draws.span(60, 190), CREATE) for machine in machines]
    _resize(history, time, max(up) + draws.span(-20, 40), (before, before + number), initiator)
    if history.scale_set.flexible:
        for machine, ready in zip(machines, up, strict=True):
            _tell(history, "update", "write", machine.born - draws.span(1, 4), ready, machine=machine.name, initiator=initiator)
    return machines


def scale_in(history: History, time: int, machines: Sequence[Machine], initiator: str) -> None:
    """Takes machines away for good: autoscale through an update that names none, a customer by name."""
    draws, before = history.draws, len(history.present(time))
    end, asked = time + draws.span(60, 300), [time] * len(machines)
    if initiator == "autoscale":
        _resize(history, time, end, (before, before - len(machines)), initiator)
    if history.scale_set.flexible:
        moments = [time + draws.span(0, 3) for _ in machines]
        asked = [
            _tell(history, "delete", "delete", moment, end, machine=machine.name, initiator=initiator)
            for machine, moment in zip(machines, moments, strict=True)
        ]
    elif initiator != "autoscale":
        asked = [_tell(history, "delete", "delete/action", time, end, names=_names(machines), initiator=initiator)] * len(
            machines
        )
    for machine, moment in zip(machines, asked, strict=True):
        leave(machine, time + draws.span(4, 40), end, moment)


def evict(history: History, time: int, machine: Machine) -> None:
    """The platform takes a spot machine back."""
    draws = history.draws
    _annotate(history, "evict", "VirtualMachinePreempted", time, machine, closes=True)
    if draws.chance(0.5):
        end = time + draws.span(20, 90)
        _tell(history, "evict", "evictSpotVM/action", time + draws.span(1, 5), end, machine=machine.name, initiator="platform")
    down = time + draws.span(2, 30)
    if history.scale_set.deletes_evicted:
        leave(machine, down, down + draws.span(60, 200), time)
    else:
        switch_off(machine, down, time)


def deallocate(history: History, time: int, machines: Sequence[Machine], everything: bool) -> None:
    """Switches machines off, as every evening."""
    draws = history.draws
    end = time + draws.span(70, 240)
    asked = _tell_machines(history, "deallocate", "deallocate/action", time, end, machines, everything)
    for machine, moment in zip(machines, asked, strict=True):
        down = time + draws.span(3, 60)
        told = down - draws.span(0, 2)
        switch_off(machine, down, min(moment, told))
        _annotate(history, "deallocate", "VirtualMachineDeallocationInitiated", told, machine, closes=True)


def start(history: History, time: int, machines: Sequence[Machine], everything: bool) -> None:
    """Switches machines on again."""
    draws, up = history.draws, []
    for machine in machines:
        begin = time + draws.span(2, 20)
        machine.switch_on(begin)
        up.append(bring_up(history, machine, begin, begin + draws.span(40, 150), "start"))
        _annotate(history, "start", "VirtualMachineStartInitiatedByControlPlane", begin - draws.span(0, 2), machine)
    _tell_machines(history, "start", "start/action", time, max(up) + draws.span(-15, 30), machines, everything)


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
    native, names = ("manualUpgrade/action", _names(machines)) if draws.chance(0.25) else ("osRollingUpgrade/action", ())
    for machine in machines:
        machine.busy = max(machine.busy, at)
    _tell(history, "upgrade", native, time, at, names=names)


def renew(history: History, time: int, machine: Machine, verb: str) -> None:
    """Restarts, reimages or redeploys one machine."""
    draws = history.draws
    down = time + draws.span(1, 15)
    up = bring_up(history, machine, down, down + draws.span(40, 150), verb)
    _tell(history, verb, f"{verb}/action", time, up + draws.span(-15, 30), machine=machine.name)
    if verb == "restart" and draws.chance(0.5):
        _annotate(history, "restart", "VirtualMachineRestarted", down - draws.span(0, 1), machine)


def maintain(history: History, time: int, machine: Machine) -> None:
    """The platform reboots a machine for maintenance of its own: an outage, as the default policy sees it."""
    draws = history.draws
    down = time + draws.span(1, 10)
    machine.busy = down + draws.span(60, 300)
    machine.spells.append(Spell(down, machine.busy, OUTAGE, "maintenance"))
    native = "VirtualMachineRebootInitiatedForPlannedMaintenance"
    _annotate(history, "maintenance", native, time, machine, initiator="platform")


def delete_set(history: History, time: int) -> None:
    """Deletes the set with all that is in it."""
    draws = history.draws
    end = time + draws.span(90, 400)
    history.machines[:] = [machine for machine in history.machines if machine.born < time]
    asked = _tell(history, "delete", "delete", time, end, everything=True)
    for machine in history.machines:
        if machine.gone > time:
            was_down = _cut(machine, time)
            leave(machine, time if was_down else time + draws.span(3, 60), end, asked)
    history.deleted = end


def fail(history: History, time: int) -> None:
    """An update that the platform refuses: it touches nothing."""
    _tell(history, "update", "write", time, time + history.draws.span(1, 20), succeeded=False)


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
    """Ends whatever goes on, since the machine leaves, and lets nothing more come; says whether it was down."""
    kept = [spell for spell in machine.spells if spell.start < time]
    machine.spells = [spell._replace(end=min(spell.end, time)) for spell in kept]
    return bool(kept) and kept[-1].end > time


def _names(machines: Sequence[Machine]) -> tuple[str, ...]:
    return tuple(machine.name for machine in machines)


def _resize(history: History, time: int, end: int, capacity: tuple[int, int], initiator: str) -> None:
    """The update that changes the capacity, and its announcement."""
    if initiator == "autoscale":
        verb, native = ("scale_out", "Scaleup") if capacity[1] > capacity[0] else ("scale_in", "Scaledown")
        _tell(history, verb, native, time, time, "autoscale", initiator=initiator, capacity=capacity)
        time += history.draws.span(1, 4)
    _tell(history, "update", "write", time, end, initiator=initiator)


def _tell_machines(
    history: History, verb: str, native: str, time: int, end: int, machines: Sequence[Machine], everything: bool
) -> list[int]:
    """The records of an operation on some machines; in Flexible mode each has its own. Gives when each was asked for."""
    if not history.scale_set.flexible:
        named = {"everything": True} if everything else {"names": _names(machines)}
        return [_tell(history, verb, native, time, end, **named)] * len(machines)
    moments = [time + history.draws.span(0, 3) for _ in machines]
    return [
        _tell(history, verb, native, moment, end, machine=machine.name) for machine, moment in zip(machines, moments, strict=True)
    ]


def _annotate(
    history: History, verb: str, native: str, time: int, machine: Machine, initiator: str = "customer", closes: bool = False
) -> None:
    who = "platform" if verb == "evict" else initiator
    end = time if closes else None
    history.record(Operation("annotation", verb, native, time, end, (machine.name,), machine=machine.name, initiator=who))


def _tell(history: History, verb: str, native: str, time: int, end: int, carrier: Carrier = "administrative", **more: Any) -> int:
    """Keeps an operation as its records tell it: by their clock, perhaps without an end, a beginning, or the request's body.

    Gives the time of the first record.
    """
    draws = history.draws
    skew = draws.span(-1.5, 1.5) + (draws.span(5, 25) if draws.chance(_FAR_CLOCK) else 0)
    if more.get("machine") is not None:
        more["names"] = (more["machine"],)
    elif more.get("names") and draws.chance(_MASKED):
        more |= {"names": (), "masked": True}
    fate = draws.random.random()
    told = carrier == "administrative"
    closes = max(end, time) + skew if not told or fate >= _END_LOST else None
    opened = not told or not _END_LOST <= fate < _END_LOST + _BEGIN_LOST
    history.record(Operation(carrier, verb, native, time + skew, closes, opened=opened, correlation=draws.guid(), **more))
    return time + skew if opened or closes is None else closes
