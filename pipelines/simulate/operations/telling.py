"""What the records of an operation show of it: its targets, its times by their own clock, and what is lost, hidden or late."""

from collections.abc import Sequence
from typing import Any, Final

from pipelines.simulate.fleet.history import Carrier, History, Operation
from pipelines.simulate.fleet.machines import Machine
from schemas.time import HOUR

_BEGIN_LOST: Final = 0.005
_MASKED: Final = 0.05
_FAR_CLOCK: Final = 0.02
"""Of the operations, those whose record is stamped by a clock that is some ten seconds ahead."""
_ON_MACHINES: Final = {"deallocate": "deallocate/action", "stop": "powerOff/action", "start": "start/action"}
"""The native names of operations that name machines of a set, or all."""
_LONGEST: Final = {"upgrade": 6 * HOUR, "update": 2 * HOUR}
"""How long an operation may take before its end is late; any other an hour."""


def tell(history: History, verb: str, native: str, time: int, end: int, carrier: Carrier = "administrative", **more: Any) -> int:
    """Adds an operation as its records show it: by their clock, perhaps without an end, a beginning, or the request's body.

    Gives the time of the first record.
    """
    draws, told = history.draws, carrier == "administrative"
    skew = draws.span(-1.5, 1.5) + (draws.span(5, 25) if draws.chance(_FAR_CLOCK) else 0)
    if more.get("machine") is not None:
        more["names"] = (more["machine"],)
    elif more.get("names") and draws.chance(_MASKED):
        more |= {"names": (), "masked": True}
    opened, ended, late = _fate(history) if told else (True, True, False)
    begins, closes = time + skew, max(end, time) + skew if ended else None
    if late and more.get("accepted", True):
        closes, more["late"] = begins + _LONGEST.get(verb, HOUR) + draws.span(300, 10_800), True
    history.record(Operation(carrier, verb, native, begins, closes, opened=opened, correlation=draws.guid(), **more))
    return begins if opened or closes is None else closes


def _fate(history: History) -> tuple[bool, bool, bool]:
    """Whether there is a record of the beginning, one of the end, and whether that one is late."""
    fate, lost, late = history.draws.random.random(), history.settings.lost_end_share, history.settings.late_end_share
    return not lost <= fate < lost + _BEGIN_LOST, fate >= lost, lost + _BEGIN_LOST <= fate < lost + _BEGIN_LOST + late


def tell_machines(history: History, verb: str, time: int, end: int, machines: Sequence[Machine], everything: bool) -> list[int]:
    """The records of an operation on some machines; in Flexible mode each has its own. Gives when each was asked for."""
    native = _ON_MACHINES[verb]
    if not history.scale_set.flexible:
        named = {"everything": True} if everything else {"names": names_of(machines)}
        whom: dict[str, Any] = {"bare": True} if history.scale_set.nameless else named
        return [tell(history, verb, native, time, end, **whom)] * len(machines)
    moments = [time + history.draws.span(0, 3) for _ in machines]
    return [
        tell(history, verb, native, moment, end, machine=machine.name) for machine, moment in zip(machines, moments, strict=True)
    ]


def annotate(history: History, verb: str, native: str, time: int, machine: Machine, closes: bool = False) -> None:
    """Adds an operation that shows only as an annotation on a machine; its end is never reported unless it ends at once."""
    who = "platform" if verb in ("evict", "maintenance") else "customer"
    end = time if closes else None
    history.record(Operation("annotation", verb, native, time, end, (machine.name,), machine=machine.name, initiator=who))


def names_of(machines: Sequence[Machine]) -> tuple[str, ...]:
    """The names of some machines, as a request gives them."""
    return tuple(machine.name for machine in machines)
