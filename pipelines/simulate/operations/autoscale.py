"""Autoscale: keeps a set as large as its load demands."""

import math
from typing import Final

from pipelines.simulate.fleet.history import History
from pipelines.simulate.operations import effects as operations
from pipelines.simulate.operations.agenda import EPOCH_MONDAY, TICK, Agenda
from schemas.time import DAY, HOUR, MINUTE, NEVER

_COOLDOWN: Final = 15 * MINUTE


class Autoscale:
    """Keeps a set as large as its load demands, with rests between its actions."""

    def __init__(self, history: History, agenda: Agenda) -> None:
        self._history = history
        self._rest, self._noise = history.start, 0.0
        for tick in range(history.start, history.end, TICK):
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
    """The load on a set at a time, relative to its size: highest around its peak hour, lower at night and on weekends.

    >>> demand(EPOCH_MONDAY + 14 * HOUR, 14.0), round(demand(EPOCH_MONDAY + 2 * HOUR, 14.0), 2)
    (1.0, 0.4)
    """
    hour, day = time % DAY / HOUR, (time - EPOCH_MONDAY) // DAY % 7
    level = 0.7 + 0.3 * math.cos((hour - peak) * math.pi / 12)
    return level * (0.65 if day >= 5 else 1.0)
