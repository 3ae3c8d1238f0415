"""What the platform reports about the health of machines and of their set: states, and annotations of faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from pipelines.simulate.fleet.history import History
from pipelines.simulate.fleet.machines import CREATE, DELETE, LEAVING, OFF, OUTAGE, OVERSTAY, Machine, Spell, overlaid
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.health.outages import ALONE, HOST, SET
from schemas.time import MINUTE, SECOND

AVAILABLE, DEGRADED, UNAVAILABLE, UNKNOWN = "Available", "Degraded", "Unavailable", "Unknown"
_SILENCE: Final = 10 * MINUTE
"""After so long without a sign of life the platform calls a machine Unknown."""
_NOTICES: Final = {
    HOST: (0.85, ("VirtualMachineHostCrashed", "VirtualMachineHostRebootedForRepair")),
    SET: (0.3, ("VirtualMachineStorageOffline",)),
    ALONE: (0.35, ("VirtualMachineCrashed", "VirtualMachinePossiblyDegradedDueToHardwareFailure")),
}
"""By kind of outage: how often it is annotated, and with what."""
_UNHEARD: Final = 0.5
"""Of the machines that nobody asked for, those of which nothing is ever told."""
_LATE_NOTICES: Final = 0.1
"""Of the annotations, those that come minutes after the outage began."""


class Signal(NamedTuple):
    """A report of a state."""

    time: int
    state: str


class Notice(NamedTuple):
    """An annotation of a fault."""

    time: int
    annotation: str


@dataclass(frozen=True)
class Health:
    """The truth about one machine, and what is reported about it."""

    machine: Machine
    spells: list[Spell]
    """With outages, in order, none over another."""
    signals: list[Signal]
    """In order of time."""
    notices: list[Notice]


def report(history: History, machine: Machine, outages: list[Spell]) -> Health:
    """What the platform reports about one machine until the end of the history."""
    spells = [spell for spell in overlaid(machine, outages) if spell.start < history.end]
    signals = list(_signals(history, machine, spells))
    known = {(outage.start, outage.cause) for outage in outages}
    new = [spell for spell in spells if spell.truth == OUTAGE and spell.cause in _NOTICES]
    notices = [notice for spell in new for notice in _notices(history.draws, spell, spell[::3] in known)]
    return Health(machine, spells, [each for each in signals if each.time < history.end], sorted(notices))


def _signals(history: History, machine: Machine, spells: list[Spell]) -> Iterator[Signal]:
    """State changes in order of time. A machine that is back is reported Available; one that is gone not at all, or Unknown."""
    if machine.surplus and history.draws.chance(_UNHEARD):
        return
    if machine.born < history.start:
        yield Signal(machine.born, AVAILABLE)
    state = AVAILABLE if machine.born < history.start else None
    for spell, after in pairwise([*spells, None]):
        assert spell is not None
        if spell.cause == DELETE and state == AVAILABLE and history.draws.chance(history.settings.silent_share):
            return
        for signal in _of_spell(history.draws, spell, state):
            if signal.time < spell.end and signal.state != state:
                state = signal.state
                yield signal
        if spell.end < machine.gone and (after is None or after.start > spell.end):
            state = AVAILABLE
            yield Signal(spell.end, AVAILABLE)
    if spells and spells[-1].cause == DELETE and history.draws.chance(0.3):
        yield Signal(machine.gone + _SILENCE, UNKNOWN)


def _of_spell(draws: Draws, spell: Spell, state: str | None) -> list[Signal]:
    """The states that are reported in a spell of a machine whose last reported one is `state`."""
    start, manner = spell.start, float(draws.random.random())
    if spell.cause == CREATE:
        return [] if manner < 0.2 else [Signal(start, UNKNOWN if manner < 0.3 else UNAVAILABLE)]
    if spell.cause == OVERSTAY:
        return [] if state in (DEGRADED, UNAVAILABLE) else [Signal(start, UNAVAILABLE)]
    if spell.cause == OFF:
        return [Signal(start, UNAVAILABLE), *([Signal(start + _SILENCE, UNKNOWN)] if manner < 0.6 else [])]
    if spell.cause == "start" and manner < 0.5 and state is not None:
        return []
    if spell.cause == DELETE or manner < 0.15:
        worse = [] if spell.cause == DELETE and manner < 0.4 else [Signal(start + draws.span(8, 60), UNAVAILABLE)]
        return [Signal(start, DEGRADED), *(worse if spell.cause == DELETE or manner < 0.08 else [])]
    if spell.cause in _NOTICES and manner > 0.95:
        return [Signal(start, UNKNOWN), Signal(start + _SILENCE, UNAVAILABLE)]
    return [Signal(start, UNAVAILABLE)]


def _notices(draws: Draws, spell: Spell, at_onset: bool) -> Iterator[Notice]:
    """The annotations of an outage; they come later if the outage shows only when an operation should have ended."""
    share, names = _NOTICES[spell.cause]
    if draws.chance(share):
        late = draws.span(200, 1200) if draws.chance(_LATE_NOTICES) else draws.span(-2 if at_onset else 0, 20)
        yield Notice(spell.start + late, draws.pick(names))


def report_set(history: History, machines: list[Health]) -> list[Signal]:
    """The set's own state as the platform reports it: some seconds late, and only if it has changed by then."""
    if not history.scale_set.reports_itself:
        return []
    changes = sorted(change for health in machines for change in _weights(history, health))
    signals, present, bad, last = [Signal(history.start - 30 * MINUTE, AVAILABLE)], 0, 0, 0
    for change, following in pairwise([*changes, None]):
        assert change is not None
        present, bad = present + change[1], bad + change[2]
        told = max(change[0] + history.draws.span(1, 12), last)
        last = told
        if change[0] < history.start or (following is not None and following[0] <= told):
            continue
        state = UNAVAILABLE if bad == present else DEGRADED
        state = state if bad else AVAILABLE
        if state != signals[-1].state and told < history.end:
            signals.append(Signal(told, state))
    return signals


def _weights(history: History, health: Health) -> Iterator[tuple[int, int, int]]:
    """When a machine starts and stops counting in its set, and being bad: (time, change of present, change of bad)."""
    leaves = [spell for spell in health.spells if spell.cause in LEAVING]
    away = [(min(_when_gone(spell), history.end), min(spell.end, history.end)) for spell in leaves]
    counts, bad = False, False
    moments = {signal.time for signal in health.signals} | {moment for span in away for moment in span}
    for moment in sorted(moments):
        state = _state_at(health.signals, moment)
        now_counts = state is not None and moment < health.machine.gone and not any(a <= moment < b for a, b in away)
        now_bad = now_counts and state in (DEGRADED, UNAVAILABLE)
        if (now_counts, now_bad) != (counts, bad):
            yield moment, now_counts - counts, now_bad - bad
        counts, bad = now_counts, now_bad


def _when_gone(spell: Spell) -> int:
    """When a machine that leaves no longer counts in its set: gone, or switched off for a minute."""
    return spell.end if spell.cause == DELETE else min(spell.start + MINUTE, spell.end)


def _state_at(signals: list[Signal], moment: int) -> str | None:
    before = [signal.state for signal in signals if signal.time <= moment]
    return before[-1] if before else None


def logged_signals(signals: list[Signal], machine: Machine) -> Iterator[tuple[Signal, str]]:
    """Which of a machine's states the Activity Log reports too, and under which name of a health event.

    It leaves out Unknown and spells shorter than 35 seconds, and repeats what has lasted for 15 minutes.
    """
    bad: Signal | None = None
    for signal, after in pairwise([*signals, None]):
        assert signal is not None
        if signal.state == AVAILABLE:
            if bad is not None:
                yield signal, "Resolved"
            bad = None
        elif signal.state != UNKNOWN and bad is None:
            ends = None if after is None else after.time
            if ends is None or ends - signal.time >= 35 * SECOND:
                bad = signal
                yield signal, "Activated"
                again = signal.time + 15 * MINUTE
                if again < machine.gone and (ends is None or again < ends):
                    yield Signal(again, signal.state), "Updated"
