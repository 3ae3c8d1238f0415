"""Many small events of a fleet as canonical JSON, cheap enough that making them is never what limits a run."""

import random
from collections.abc import Iterator, Sequence

from schemas.time import format_time

_STATES = ("Available", "Available", "Degraded", "Unavailable")


def fleet(sets: int, seed: int = 0) -> "Fleet":
    """A fleet of so many scale sets."""
    return Fleet([f"fleet/{number}" for number in range(sets)], seed=seed)


class Fleet:
    """Scale sets of some instances each, of which events are told one after the other; equal seeds, equal events."""

    def __init__(self, names: Sequence[str], instances: int = 8, seed: int = 0) -> None:
        self._names = names
        self._instances = instances
        self._rng = random.Random(seed)
        self._number = 0

    def events(self, start: int, end: int, count: int) -> Iterator[bytes]:
        """Events spread over [start, end) (microseconds), of sets that chance names; one in ten is a record of a restart."""
        for number in range(count):
            yield self._event(format_time(start + (end - start) * number // count))

    def _event(self, moment: str) -> bytes:
        rng = self._rng
        self._number += 1
        name = self._names[int(rng.random() * len(self._names))]
        who = int(rng.random() * self._instances)
        head = f'"event_id":"{self._number}","scale_set_id":"{name}","time":"{moment}"'
        if rng.random() < 0.1:
            phase = "started" if rng.random() < 0.5 else "succeeded"
            return (
                f'{{"kind":"operation",{head},"operation_key":"{name}-{who}","verb":"restart","phase":"{phase}",'
                f'"initiator":"customer","target":"named","instance_ids":["{who}"]}}'
            ).encode()
        state = _STATES[int(rng.random() * 4)]
        return f'{{"kind":"signal",{head},"instance_id":"{who}","state":"{state}"}}'.encode()

    def snapshot(self, time: int) -> Iterator[bytes]:
        """One event a set, so that each is known."""
        moment = format_time(time)
        for name in self._names:
            self._number += 1
            yield (
                f'{{"kind":"signal","event_id":"{self._number}","scale_set_id":"{name}","time":"{moment}","state":"Available"}}'
            ).encode()
