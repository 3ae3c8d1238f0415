"""Resource Health annotations: what each name means (contract: Annotations). Names are compared without case."""

from typing import Final, NamedTuple


class Announcement(NamedTuple):
    """An annotation that tells of an operation; `initiator` where the name alone decides it."""

    verb: str
    phase: str
    initiator: str | None = None


_VM: Final = "VirtualMachine"
_ANNOUNCED: Final = {
    "DeallocationInitiated": Announcement("deallocate", "announced"),
    "StopInitiatedByControlPlane": Announcement("stop", "announced"),
    "StopInitiatedByControlPlaneTrackingId": Announcement("stop", "announced"),
    "StoppedInternally": Announcement("stop", "announced"),
    "Preempted": Announcement("evict", "announced"),
    "StartInitiatedByControlPlane": Announcement("start", "started"),
    "Allocated": Announcement("start", "started"),
    "Restarted": Announcement("restart", "started"),
    "RebootInitiatedByControlPlane": Announcement("restart", "started"),
    "SizeChanged": Announcement("restart", "started"),
    "ConfigurationUpdated": Announcement("restart", "started"),
    "RedeployInitiatedByControlPlane": Announcement("redeploy", "started"),
    "RedeployInitiatedByControlPlaneDueToPlannedMaintenance": Announcement("redeploy", "started"),
    "MigrationInitiatedForPlannedMaintenance": Announcement("maintenance", "started", "platform"),
    "RebootInitiatedForPlannedMaintenance": Announcement("maintenance", "started", "platform"),
    "PlannedFreezeStarted": Announcement("maintenance", "started", "platform"),
}
_DEGRADED: Final = (
    "PossiblyDegradedDueToHardwareFailure",
    "PossiblyDegradedDueToHardwareFailureWithRedeployDeadline",
    "ScheduledForServiceHealing",
    "MigrationScheduledForDegradedHardware",
)
_FAILED: Final = (
    "Crashed",
    "HostCrashed",
    "HostRebootedForRepair",
    "StorageOffline",
    "MigrationInitiatedForRepair",
    "ScheduledForMigrationWithGracePeriod",
    "MigratedDueToHardwareFailure",
)
_BARE: Final = (
    "AccelnetUnhealthy",
    "PossiblyDegradedDueToHardwareFailureWithRedeployDeadline",
    "NetworkUnhealthy",
    "LiveMigrationFailure",
    "LiveMigrationSucceeded",
)

ANNOUNCEMENTS: Final = {(_VM + name).casefold(): meaning for name, meaning in _ANNOUNCED.items()}
"""Operations by case-folded name."""
FAULTS: Final = frozenset(
    name.casefold()
    for name in (
        *_BARE,
        *(_VM + name for name in _FAILED),
        *(_VM + name + tail for name in _DEGRADED for tail in ("", "LiveMigrationEligible", "LiveMigrationNotEligible")),
    )
)
"""Case-folded names that say that hardware, network or guest failed."""
FAULT: Final = "fault"

_INITIATORS: Final = {"customerinitiated": "customer", "userinitiated": "customer", "platforminitiated": "platform"}


def plain(text: object) -> str:
    """A context, category or impact as it is compared: without case, blanks and hyphens.

    >>> plain("Platform-initiated ")
    'platforminitiated'
    """
    return "".join(text.casefold().replace("-", "").split()) if isinstance(text, str) else ""


def initiator_in(context: object) -> str:
    """Who began what an annotation tells, from its context or cause.

    >>> initiator_in("User Initiated"), initiator_in("Null")
    ('customer', 'unknown')
    """
    return _INITIATORS.get(plain(context), "unknown")


def meaning_of(name: str, impact: object = None, category: object = None) -> Announcement | str | None:
    """What an annotation becomes: an announcement, FAULT, or None (evidence only).

    >>> meaning_of("virtualmachinepreempted").verb
    'evict'
    >>> meaning_of("SomethingNew", "Downtime Freeze", "Unplanned")
    'fault'
    """
    folded = name.casefold()
    if folded in ANNOUNCEMENTS:
        return ANNOUNCEMENTS[folded]
    if folded in FAULTS:
        return FAULT
    harm = plain(impact)
    return FAULT if harm == "degraded" or (harm.startswith("downtime") and plain(category) == "unplanned") else None
