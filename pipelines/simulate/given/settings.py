"""Settings of a simulation, checked when they are made (contract: trueup simulate)."""

import math
from dataclasses import dataclass
from typing import Final

from pipelines.failures import UsageError
from schemas.time import DAY, HOUR, SECOND, format_time
from schemas.timestamp import EARLIEST

MOST_DAYS: Final = 366
MOST_SETS: Final = 100_000
MOST_OUTAGES: Final = 1_000.0
MOST_A_WEEK: Final = 100.0


STORAGE, REST, LOG_ANALYTICS = "storage", "rest", "log-analytics"
FORMS: Final = (STORAGE, REST, LOG_ANALYTICS)
"""Forms of the Activity Log: a storage account's export, what its REST API and the command line list, a workspace's export."""
SHARES: Final = (
    "spot_share", "flexible_share", "duplicate_share", "busy_share", "flapping_share", "nameless_share",
    "overprovisioned_share", "silent_share", "lost_end_share", "late_end_share",
)  # fmt: skip


class SimulationError(UsageError):
    """An option of a simulation is wrong."""


@dataclass(frozen=True)
class SimulationSettings:
    """The settings of a simulation. Times in microseconds.

    Raises:
        SimulationError: a number is not finite, or outside of what can be simulated.
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
    maintenance_per_vm_year: float = 4.0
    """How often the platform tells that it maintains a machine, and never that it is done; half of that is not felt."""
    refusals_per_week: float = 2.0
    """How often something is asked of a set in vain, and asked for again; of a busy one ten times as often."""
    busy_share: float = 0.05
    """Of all sets, those on which an operation is worked every few minutes."""
    flapping_share: float = 0.1
    """Of the sets that report themselves, those whose own health flaps for hours though no machine has anything."""
    nameless_share: float = 0.5
    """Of the Uniform sets that are off at night, those that are stopped and started without a word of which machines."""
    overprovisioned_share: float = 0.5
    """Of the Uniform sets that scale, those that get more machines than were asked for, and lose them within minutes."""
    silent_share: float = 0.05
    """Of the machines that are deleted, those whose last word is Available."""
    lost_end_share: float = 0.01
    """Of all operations, those whose end nobody tells."""
    late_end_share: float = 0.01
    """Of all operations, those whose end is told hours later, and without names."""
    operations: str = STORAGE
    """The form in which the Activity Log is written: one of FORMS."""

    def __post_init__(self) -> None:
        _within("--seed", self.seed, 0, 2**63 - 1)
        _within("--days", self.days, 1, MOST_DAYS)
        _within("--scale-sets", self.scale_sets, 1, MOST_SETS)
        _within("--outages-per-vm-year", self.outages_per_vm_year, 0, MOST_OUTAGES)
        _within("--maintenance-per-vm-year", self.maintenance_per_vm_year, 0, MOST_OUTAGES)
        for name in ("upgrades_per_week", "refusals_per_week"):
            _within(_option(name), getattr(self, name), 0, MOST_A_WEEK)
        for name in SHARES:
            _within(_option(name), getattr(self, name), 0, 1)
        if self.operations not in FORMS:
            raise SimulationError(f"--operations: one of {', '.join(FORMS)} is required, got {self.operations}.")
        if self.start % HOUR or self.start < EARLIEST + DAY:
            raise SimulationError(f"--start: a full hour from 2000-01-02 on is required, got {format_time(self.start)}.")

    @property
    def end(self) -> int:
        """The moment at which the simulation ends."""
        return self.start + self.days * DAY


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _within(option: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise SimulationError(f"{option}: a number from {least:,} to {most:,} is required, got {value}.")
