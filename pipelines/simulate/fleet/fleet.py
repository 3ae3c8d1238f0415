"""The fleet: scale sets of four kinds of workload, with their sizes, modes and places."""

from dataclasses import dataclass
from typing import Final

from pipelines.simulate.given.draws import Draws
from pipelines.simulate.given.settings import SimulationSettings

WEB: Final = "web"
BATCH: Final = "batch"
OFFICE: Final = "office"
STEADY: Final = "db"
KINDS: Final = (WEB, BATCH, OFFICE, STEADY)
_SHARES: Final = (0.45, 0.2, 0.15, 0.2)
_MEDIAN: Final = {WEB: 10.0, BATCH: 4.0, OFFICE: 8.0, STEADY: 6.0}
_MOST: Final = 80
_REPORTS: Final = 0.75
"""Of all sets, those that report themselves."""
SUBSCRIPTIONS: Final = 3
MACHINES_OF_A_HOST: Final = 8


@dataclass(frozen=True)
class ScaleSet:
    """The fixed properties of one scale set."""

    number: int
    kind: str
    size: int
    """Machines that it has by day."""
    flexible: bool
    """Its machines are plain virtual machines, which only the inventory places."""
    spot: bool
    deletes_evicted: bool
    reports_itself: bool
    """The platform tells the aggregate health of the set too."""
    peak: float
    """The hour of the day, UTC, at which it has most to do."""
    subscription: str
    subscription_number: int
    busy: bool = False
    """An operation is worked on it every few minutes."""
    flaps: bool = False
    """What it says of itself goes bad and good again for hours, whatever its machines do."""
    nameless: bool = False
    """Who stops and starts it says nothing of which machines."""
    overprovisions: bool = False
    """It gets more machines than were asked for, and gives them back."""

    @property
    def name(self) -> str:
        """Its short name."""
        return f"{self.kind}-{self.number + 1}"

    @property
    def group_id(self) -> str:
        """The resource id of its group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/RG-{self.kind.title()}"

    @property
    def resource_id(self) -> str:
        """Its resource id, as records write it."""
        return f"{self.group_id}/providers/Microsoft.Compute/virtualMachineScaleSets/{self.name}"

    def machine_id(self, name: str) -> str:
        """The resource id of one of its machines."""
        if self.flexible:
            return f"{self.group_id}/providers/Microsoft.Compute/virtualMachines/{name}"
        return f"{self.resource_id}/virtualMachines/{name}"


def subscriptions(seed: int) -> list[str]:
    """The ids of the fleet's subscriptions."""
    draws = Draws(seed, "subscriptions")
    return [draws.guid() for _ in range(SUBSCRIPTIONS)]


def draw_fleet(settings: SimulationSettings) -> list[ScaleSet]:
    """The scale sets of a fleet; each is the same however many others there are."""
    ids = subscriptions(settings.seed)
    return [_draw_set(settings, number, ids) for number in range(settings.scale_sets)]


def _draw_set(settings: SimulationSettings, number: int, ids: list[str]) -> ScaleSet:
    draws = Draws(settings.seed, "set", number)
    kind = str(draws.random.choice(KINDS, p=_SHARES))
    size = round(min(max(_MEDIAN[kind] * float(draws.random.lognormal(0, 0.7)), 2), _MOST))
    place = int(draws.random.integers(SUBSCRIPTIONS))
    flexible = draws.chance(settings.flexible_share)
    return ScaleSet(
        number,
        kind,
        size,
        flexible=flexible,
        spot=kind in (WEB, BATCH) and draws.chance(settings.spot_share),
        deletes_evicted=draws.chance(0.5),
        reports_itself=draws.chance(_REPORTS),
        peak=float(draws.random.uniform(9, 18)),
        subscription=ids[place],
        subscription_number=place,
        busy=draws.chance(settings.busy_share),
        flaps=draws.chance(settings.flapping_share),
        nameless=draws.chance(settings.nameless_share) and kind == OFFICE and not flexible,
        overprovisions=draws.chance(settings.overprovisioned_share) and kind in (WEB, BATCH) and not flexible,
    )


def hosts_of(fleet: list[ScaleSet]) -> int:
    """The number of hosts on which the fleet's machines run."""
    return max(1, -(-sum(each.size for each in fleet) // MACHINES_OF_A_HOST))
