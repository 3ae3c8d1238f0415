"""Settings of a simulation, checked at birth (contract.md `trueup simulate`)."""

import math
from dataclasses import dataclass
from typing import Final

from pipelines.failures import UsageError
from schemas.time import DAY, HOUR, SECOND, format_time
from schemas.timestamp import EARLIEST

MOST_DAYS: Final = 366
MOST_SETS: Final = 100_000
MOST_OUTAGES: Final = 1_000.0
MOST_UPGRADES: Final = 100.0


class SimulationError(UsageError):
    """An option of a simulation is wrong."""


@dataclass(frozen=True)
class SimulationSettings:
    """All that a simulation is told. Times in microseconds.

    Raises:
        SimulationError: a number is none, or outside of what can be simulated.
    """

    seed: int = 1
    days: int = 7
    scale_sets: int = 40
    start: int = 1_780_272_000 * SECOND  # 2026-06-01T00:00:00Z, a Monday
    outages_per_vm_year: float = 6.0
    """How often a machine fails in a year: alone, with its host, or with its whole set."""
    upgrades_per_week: float = 1.0
    """Rolling upgrades of a set."""
    spot_share: float = 0.2
    """Of the sets that scale, those whose machines can be evicted."""
    flexible_share: float = 0.3
    """Of all sets, those in Flexible mode, which need the inventory."""
    duplicate_share: float = 0.01
    """Of all records, those that are delivered twice."""

    def __post_init__(self) -> None:
        _within("--seed", self.seed, 0, 2**63 - 1)
        _within("--days", self.days, 1, MOST_DAYS)
        _within("--scale-sets", self.scale_sets, 1, MOST_SETS)
        _within("--outages-per-vm-year", self.outages_per_vm_year, 0, MOST_OUTAGES)
        _within("--upgrades-per-week", self.upgrades_per_week, 0, MOST_UPGRADES)
        for name in ("spot_share", "flexible_share", "duplicate_share"):
            _within("--" + name.replace("_", "-"), getattr(self, name), 0, 1)
        if self.start % HOUR or self.start < EARLIEST + DAY:
            raise SimulationError(f"--start: a full hour from 2000-01-02 on is required, got {format_time(self.start)}.")

    @property
    def end(self) -> int:
        """The moment at which the simulation ends."""
        return self.start + self.days * DAY


def _within(option: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise SimulationError(f"{option}: a number from {least:,} to {most:,} is required, got {value}.")
