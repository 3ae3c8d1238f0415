"""The agenda of a scale set: what is to be done, and when."""

import heapq
from collections.abc import Callable
from typing import Final

from schemas.time import DAY, MINUTE

Act = Callable[[int], None]
TICK: Final = 5 * MINUTE
"""How often somebody looks at the load."""
EPOCH_MONDAY: Final = 4 * DAY
"""1970-01-05."""


class Agenda:
    """What is to be done, in order of time."""

    def __init__(self) -> None:
        self._acts: list[tuple[int, int, Act]] = []
        self._number = 0

    def add(self, time: int, act: Act) -> None:
        """Adds something to be done at a time; at equal times, what was added first comes first."""
        self._number += 1
        heapq.heappush(self._acts, (time, self._number, act))

    def work(self, until: int) -> None:
        """Does everything that is due before a moment, and what follows from it."""
        while self._acts and self._acts[0][0] < until:
            time, _, act = heapq.heappop(self._acts)
            act(time)
