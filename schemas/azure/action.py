"""Operations of the Azure resource manager: which of them are verbs, and what a status says
(contract: Actions, Administrative)."""

from functools import lru_cache
from typing import Any, Final

from schemas.fields import embedded
from schemas.names import is_nothing, pick

AUTOSCALE: Final = "microsoft.insights/autoscalesettings"
"""Who autoscale is, as caller and as service principal name."""
SERVICE_PRINCIPAL: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/spn"

_SETS: Final = "microsoft.compute/virtualmachinescalesets/"
_PREFIXES: Final = (_SETS + "virtualmachines/", _SETS, "microsoft.compute/virtualmachines/")
DELETE_SET: Final = _SETS + "delete"

VERBS: Final = {
    "delete": "delete",
    "delete/action": "delete",
    "deallocate/action": "deallocate",
    "poweroff/action": "stop",
    "start/action": "start",
    "restart/action": "restart",
    "reimage/action": "reimage",
    "reimageall/action": "reimage",
    "redeploy/action": "redeploy",
    "manualupgrade/action": "upgrade",
    "osrollingupgrade/action": "upgrade",
    "extensionrollingupgrade/action": "upgrade",
    "performmaintenance/action": "maintenance",
    "evictspotvm/action": "evict",
    "simulateeviction/action": "evict",
    "write": "update",
}
"""By the case-folded end of the operation's name; `rollingUpgrades/action` is not here: it cancels one."""

PHASES: Final = {
    "started": "started",
    "start": "started",
    "accepted": "progress",
    "accept": "progress",
    "inprogress": "progress",
    "in progress": "progress",
    "updated": "progress",
    "succeeded": "succeeded",
    "success": "succeeded",
    "failed": "failed",
    "failure": "failed",
    "canceled": "failed",
    "cancelled": "failed",
}
"""By the case-folded status."""

SCALING: Final = {"scaleup": "scale_out", "scaledown": "scale_in"}


@lru_cache(4096)
def verb_of(operation: str) -> str | None:
    """The verb of an operation on scale sets or virtual machines; None for any other.

    >>> verb_of("MICROSOFT.COMPUTE/virtualMachineScaleSets/powerOff/action")
    'stop'
    >>> verb_of("Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades/action")
    """
    name = operation.casefold()
    prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), None)
    return None if prefix is None else VERBS.get(name.removeprefix(prefix))


def scaling_of(operation: str) -> str | None:
    """The verb of an autoscale action: up and down mean out and in.

    >>> scaling_of("Microsoft.Insights/AutoscaleSettings/Scaledown/Action")
    'scale_in'
    """
    return SCALING.get(operation.casefold().removesuffix("/action").rpartition("/")[2])


@lru_cache(1024)
def phase_of(status: str) -> str | None:
    """The phase that a status tells; None if it is not known."""
    return PHASES.get(status.casefold())


def initiator_of(operation: str, names: tuple[object, ...], is_anonymous: bool) -> str:
    """Who began an administrative operation; `names` are the caller's and the service principal's, if anything is told of either.

    >>> initiator_of("Microsoft.Compute/virtualMachineScaleSets/write", ("microsoft.insights/AutoscaleSettings",), False)
    'autoscale'
    """
    if any(isinstance(name, str) and name.casefold() == AUTOSCALE for name in names):
        return "autoscale"
    if operation.casefold().endswith("/evictspotvm/action"):
        return "platform"
    return "unknown" if is_anonymous else "customer"


def targets_in(body: object, operation: str, verb: str) -> tuple[str, tuple[str, ...]]:
    """What an operation on a scale set targets, by its request body and its name; and the instances, if it names any.

    >>> targets_in('{"instanceIds": ["1", 2]}', "", "restart"), targets_in("******", "", "restart")
    (('named', ('1', '2')), ('unnamed', ()))
    >>> targets_in({}, "", "restart"), targets_in({}, "", "delete")
    (('all', ()), ('unnamed', ()))
    """
    ids = _named_in(body)
    if ids:
        return ("all", ()) if ids == ("*",) else ("named", ids)
    whole = operation.casefold() == DELETE_SET or (ids == () and verb in _OF_ALL)
    return ("all" if whole else "unnamed"), ()


_OF_ALL: Final = frozenset(("deallocate", "stop", "start", "restart", "reimage", "redeploy", "maintenance"))
"""Verbs of operations that Azure defines to be on all instances where their body names none."""


def _named_in(body: object) -> tuple[str, ...] | None:
    """The `instanceIds` of a body, ("*",) for all; () where it has none; None where it, or its list, is empty or unreadable."""
    found = embedded(body)
    if found is None:
        return None
    ids: Any = found.get("instanceIds") or pick(found, "instanceIds")
    if ids is None:
        return ()
    if not isinstance(ids, list) or not all(isinstance(i, str | int) and not isinstance(i, bool) for i in ids):
        return None
    texts = tuple(str(i) for i in ids if not is_nothing(i))
    return ("*",) if "*" in texts else texts or None
