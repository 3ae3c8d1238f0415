"""Random numbers for one part of the fleet, the same for the same seed."""

import hashlib
from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np

from schemas.time import MILLISECOND, SECOND

T = TypeVar("T")
_MILLISECONDS: Final = SECOND // MILLISECOND


class Draws:
    """A stream of random numbers named by the seed and a path, so that no part of the fleet depends on another.

    Times are whole milliseconds, which is all that the platform's records give, so that all of them agree on a moment.
    """

    def __init__(self, *path: int | str) -> None:
        self._name = "/".join(map(str, path))
        self._numbers = 0
        self.random = np.random.default_rng(np.frombuffer(_digest(self._name), np.uint32))

    def span(self, low: float, high: float) -> int:
        """A uniform length of time between two numbers of seconds; gives microseconds."""
        return round(self.random.uniform(low, high) * _MILLISECONDS) * MILLISECOND

    def lognormal(self, median: float, spread: float, low: float, high: float) -> int:
        """A length of time around a median number of seconds, with a long tail that is cut off; gives microseconds."""
        seconds = min(max(median * float(np.exp(self.random.normal(0, spread))), low), high)
        return round(seconds * _MILLISECONDS) * MILLISECOND

    def chance(self, share: float) -> bool:
        """True with this probability."""
        return bool(self.random.random() < share)

    def pick(self, among: Sequence[T]) -> T:
        """One of the given things, each with the same probability."""
        return among[int(self.random.integers(len(among)))]

    def some(self, among: Sequence[T], number: int) -> list[T]:
        """A random subset, in the given order."""
        chosen = self.random.choice(len(among), min(number, len(among)), replace=False)
        return [among[place] for place in sorted(chosen.tolist())]

    def moments(self, rate: float, start: int, end: int) -> list[int]:
        """Independent moments in [start, end), ascending; `rate` is the number expected in all of it."""
        if end <= start:
            return []
        times = self.random.uniform(start, end, int(self.random.poisson(rate)))
        return sorted(int(time) // MILLISECOND * MILLISECOND for time in times)

    def guid(self) -> str:
        """A new id in the form of a GUID."""
        self._numbers += 1
        text = _digest(f"{self._name}#{self._numbers}").hex()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=16).digest()
