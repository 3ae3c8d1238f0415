"""Flapping: for hours a set's own health changes between Degraded and Available, whatever its machines do."""

from collections.abc import Iterable, Iterator
from typing import Final

from pipelines.simulate.given.draws import Draws
from pipelines.simulate.health.health import AVAILABLE, DEGRADED, Signal
from schemas.time import DAY

_BOUTS_A_DAY: Final = 0.7


def draw_flaps(draws: Draws, start: int, end: int) -> list[tuple[int, int]]:
    """The spells [start, end) in which a set is reported Degraded without a reason, in order and without overlaps."""
    flaps: list[tuple[int, int]] = []
    for moment in draws.moments(_BOUTS_A_DAY * (end - start) / DAY, start, end):
        time, until = moment, moment + draws.lognormal(5400, 0.8, 600, 28_800)
        while time < until:
            flaps.append((time, time + draws.lognormal(150, 0.7, 20, 1200)))
            time = flaps[-1][1] + draws.lognormal(240, 0.7, 20, 1800)
    return list(_apart(sorted(flaps), end))


def _apart(flaps: Iterable[tuple[int, int]], end: int) -> Iterator[tuple[int, int]]:
    free = 0
    for first, last in flaps:
        if first >= free and last < end:
            yield first, last
            free = last + 1


def with_flaps(signals: list[Signal], flaps: list[tuple[int, int]]) -> list[Signal]:
    """The set's own signals, made at least Degraded while it flaps; in order of time, without repetitions.

    >>> with_flaps([Signal(0, "Available"), Signal(5, "Unavailable")], [(2, 3), (4, 9)])[1:3]
    [Signal(time=2, state='Degraded'), Signal(time=3, state='Available')]
    """
    moments = sorted({signal.time for signal in signals} | {moment for flap in flaps for moment in flap})
    told: list[Signal] = []
    for moment in moments:
        state = next((signal.state for signal in reversed(signals) if signal.time <= moment), None)
        if state == AVAILABLE and any(first <= moment < last for first, last in flaps):
            state = DEGRADED
        if state is not None and (not told or told[-1].state != state):
            told.append(Signal(moment, state))
    return told
