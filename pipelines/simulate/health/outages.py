"""Real outages: of single machines, of hosts with all machines on them, and of whole sets."""

from typing import Final, NamedTuple

from pipelines.simulate.fleet.fleet import ScaleSet, hosts_of
from pipelines.simulate.fleet.history import History
from pipelines.simulate.fleet.machines import OFF, OUTAGE, Machine, Spell
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.given.settings import SimulationSettings
from pipelines.simulate.operations.workload import YEAR

ALONE: Final = "instance"
HOST: Final = "host"
SET: Final = "set"
SHARES: Final = {ALONE: 0.6, HOST: 0.25, SET: 0.15}
"""Of a machine's outages, how many are its own, its host's, its whole set's."""
DURING_OPERATIONS: Final = 0.2
"""Of a machine's own outages, those that begin while an operation on its set is under way: change breaks things."""


class Outage(NamedTuple):
    """A failure in [start, end)."""

    start: int
    end: int


def draw_host_outages(settings: SimulationSettings, fleet: list[ScaleSet]) -> list[list[Outage]]:
    """The outages of each host."""
    draws = Draws(settings.seed, "hosts")
    expected = settings.outages_per_vm_year * SHARES[HOST] * (settings.end - settings.start) / YEAR
    return [
        [
            Outage(moment, moment + draws.lognormal(420, 0.8, 90, 14_400))
            for moment in draws.moments(expected, settings.start, settings.end)
        ]
        for _ in range(hosts_of(fleet))
    ]


def draw_outages(history: History, settings: SimulationSettings, hosts: list[list[Outage]]) -> dict[str, list[Spell]]:
    """The outages of each machine of a set by its name; some overlap, and some fall into times when it does not exist."""
    draws = history.draws
    expected = settings.outages_per_vm_year * SHARES[SET] * (history.end - history.start) / YEAR
    whole = [
        Outage(moment, moment + draws.lognormal(900, 0.8, 120, 21_600))
        for moment in draws.moments(expected, history.start, history.end)
    ]
    found: dict[str, list[Spell]] = {}
    for machine in history.machines:
        spells = [_of_set(draws, outage) for outage in whole]
        spells += [_of_host(draws, outage) for outage in hosts[machine.host]]
        spells += [Spell(*outage, OUTAGE, ALONE) for outage in _own(history, settings, machine)]
        found[machine.name] = spells
    return found


def _of_set(draws: Draws, outage: Outage) -> Spell:
    start = outage.start + draws.span(0, 20)
    return Spell(start, max(outage.end + draws.span(0, 90), start), OUTAGE, SET)


def _of_host(draws: Draws, outage: Outage) -> Spell:
    start = outage.start + draws.span(0, 2)
    return Spell(start, max(outage.end + draws.span(0, 60), start), OUTAGE, HOST)


def _own(history: History, settings: SimulationSettings, machine: Machine) -> list[Outage]:
    draws, first, last = history.draws, max(machine.born, history.start), min(machine.gone, history.end)
    off = sum(min(spell.end, last) - spell.start for spell in machine.spells if spell.cause == OFF and spell.start < last)
    expected = settings.outages_per_vm_year * SHARES[ALONE] * max(last - first - off, 0) / YEAR
    moments = draws.moments(expected, first, last)
    starts = [_moved(history, moment, first, last) if draws.chance(DURING_OPERATIONS) else moment for moment in moments]
    return [Outage(start, start + draws.lognormal(300, 1.2, 20, 43_200)) for start in sorted(starts)]


def _moved(history: History, moment: int, first: int, last: int) -> int:
    """A moment within one of the set's operations, if there is one while the machine is there."""
    spans = [(each.start, each.end) for each in history.operations if each.end is not None and each.end > each.start]
    near = [(start, end) for start, end in spans if first <= start and end < last]
    if not near:
        return moment
    start, end = history.draws.pick(near)
    return start + history.draws.span(0, (end - start) / 1e6)
