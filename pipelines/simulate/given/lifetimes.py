"""Lifetimes of machines and sizes of batches, by the quantiles of a real cloud (`vm_lifetimes.csv` names its source)."""

import csv
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from pipelines.simulate.given.draws import Draws
from schemas.time import MINUTE

END_TOGETHER: Final = 0.445
"""Of the batches of more than one machine, those whose machines all live equally long (same trace)."""


class Quantiles(NamedTuple):
    """A distribution by points: which share of all values lies at or below each value; ascending."""

    rows: tuple[tuple[float, float], ...]

    def points(self) -> Iterator[tuple[float, float]]:
        """Share and value of each point."""
        return iter(self.rows)

    def at(self, share: float) -> float:
        """The value at a share, interpolated between the points around it; beyond the last point, its value.

        >>> Quantiles(((0.5, 10.0), (1.0, 20.0))).at(0.75)
        15.0
        """
        before = self.rows[0]
        for after in self.rows:
            if share <= after[0]:
                width = after[0] - before[0]
                return after[1] if width == 0 else before[1] + (after[1] - before[1]) * (share - before[0]) / width
            before = after
        return before[1]

    def above(self, share: float) -> int:
        """The first value, a whole number, whose share is at least this one."""
        return int(next((value for own, value in self.rows if share <= own), self.rows[-1][1]))


@cache
def read_quantiles(quantity: str) -> Quantiles:
    """The quantiles of one quantity of the table."""
    text = files("pipelines.simulate.given").joinpath("vm_lifetimes.csv").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    rows = [row for row in csv.DictReader(lines) if row["quantity"] == quantity]
    return Quantiles(tuple((float(row["share"]), float(row["value"])) for row in rows))


def draw_lifetime(draws: Draws) -> int:
    """How long a machine lives, in microseconds; at least two minutes, so that it can come up."""
    minutes = read_quantiles("lifetime_minutes").at(float(draws.random.random()))
    return round(max(minutes, 2.0) * 60_000) * (MINUTE // 60_000)


def draw_batch(draws: Draws, most: int) -> list[int]:
    """The lifetimes of the machines of a batch, which has at most so many."""
    size = min(read_quantiles("batch_machines").above(float(draws.random.random())), most)
    if draws.chance(END_TOGETHER):
        return [draw_lifetime(draws)] * size
    return [draw_lifetime(draws) for _ in range(size)]


def draw_arrivals(draws: Draws) -> float:
    """The number of batches that arrive in five minutes, relative to the mean."""
    return read_quantiles("arrivals_over_mean").at(float(draws.random.random()))
