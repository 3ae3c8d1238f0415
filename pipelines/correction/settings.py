"""Settings of a backfill, checked at birth (contract: trueup backfill, Options)."""

from dataclasses import dataclass, field
from typing import Final, Literal

from pipelines.failures import UsageError
from schemas.azure.inventory import Inventory
from schemas.policy import Policy
from schemas.time import format_duration, format_time
from transforms.core.decode import DecodeSettings

IN_MEMORY: Final = "in-memory"
"""The runner within this process."""
Format = Literal["auto", "eventgrid", "activitylog", "resourcegraph", "canonical"]


class SettingsError(UsageError):
    """An option is wrong, or does not go with another."""


@dataclass(frozen=True)
class BackfillSettings:
    """All that a backfill is told. Times in microseconds.

    Raises:
        SettingsError: `since` or `until` is off the grid, in the wrong order, or later than `now`.
    """

    inputs: tuple[str, ...]
    output: str
    now: int
    """The start of the run."""
    policy: Policy = field(default_factory=Policy)
    inventory: Inventory | None = None
    format: Format = "auto"
    since: int | None = None
    until: int | None = None
    dry_run: bool = False
    cold: bool = False
    resume: bool = False
    """Whether to go on from what was left of the scale sets in the output folder."""
    memory: int | None = None
    """Bytes for the whole process tree, or for each worker elsewhere; None: half of the machine's, or what a group may need."""
    max_rejects: int | None = None
    keep_rejected_payload: bool = False
    runner: str = IN_MEMORY
    runner_options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        grid = self.policy.grid
        for name, moment in (("since", self.since), ("until", self.until)):
            if moment is not None and moment % grid:
                raise SettingsError(
                    f"--{name}: a multiple of the grid ({format_duration(grid)}) is required, got {format_time(moment)}."
                )
        if self.until is not None and self.until > self.now:
            raise SettingsError(f"--until: at most now ({format_time(self.now)}) is required, got {format_time(self.until)}.")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise SettingsError(f"--until: later than --since is required, got {format_time(self.until)}.")

    @property
    def decode(self) -> DecodeSettings:
        """What the decoding step is told."""
        return DecodeSettings(self.policy, self.now, self.inventory, self.format, self.keep_rejected_payload)
