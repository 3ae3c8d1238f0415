"""Irrelevant records among those of a fleet: of other resources and other kinds, none about a scale set's health."""

from typing import Any, Final

from pipelines.simulate.fleet.fleet import ScaleSet
from pipelines.simulate.fleet.history import History
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.records.activity_log import ActivityLog
from pipelines.simulate.records.delivery import ADMINISTRATIVE, stamp
from pipelines.simulate.records.event_grid import EventGrid
from schemas.time import HOUR

_A_DAY: Final = 6.0
"""Records of each kind, for each scale set and day."""
_OTHERS: Final = (
    ("Microsoft.Storage/storageAccounts/listKeys/action", "Microsoft.Storage/storageAccounts/media"),
    ("Microsoft.Authorization/policies/audit/action", "Microsoft.Storage/storageAccounts/media"),
    ("Microsoft.Network/networkSecurityGroups/write", "Microsoft.Network/networkSecurityGroups/inner"),
)
_NO_TEARDOWN: Final = ("scale/action", "runCommand/action", "setOrchestrationServiceState/action")


def send_noise(history: History, grid: EventGrid, log: ActivityLog, draws: Draws) -> None:
    """Sends irrelevant records around a scale set, spread over its days."""
    scale_set, rate = history.scale_set, _A_DAY * (history.end - history.start) / (24 * HOUR)
    for moment in draws.moments(rate, history.start, history.end):
        name, resource = draws.pick(_OTHERS)
        log.send(_other(scale_set, name, f"{scale_set.group_id}/providers/{resource}", moment, draws), moment, ADMINISTRATIVE)
    for moment in draws.moments(rate / 3, history.start, history.end):
        action = f"Microsoft.Compute/virtualMachineScaleSets/{draws.pick(_NO_TEARDOWN)}"
        log.send(_other(scale_set, action, scale_set.resource_id, moment, draws), moment, ADMINISTRATIVE)
    for moment in draws.moments(rate / 3, history.start, history.end):
        alone = f"{scale_set.group_id}/providers/Microsoft.Compute/virtualMachines/jump-{scale_set.number}"
        grid.status(alone, moment, draws.pick(("Available", "Unavailable")), None)
        log.health(alone, moment, "Updated", (None, None), "", "UserInitiated")


def _other(scale_set: ScaleSet, action: str, resource: str, time: int, draws: Draws) -> dict[str, Any]:
    return {
        "time": stamp(time),
        "resourceId": resource.upper(),
        "operationName": action.upper(),
        "category": "Administrative",
        "resultType": "Success",
        "resultSignature": "Succeeded.",
        "correlationId": draws.guid(),
        "level": "Information",
        "location": scale_set.kind,
        "properties": {"eventCategory": "Administrative", "statusCode": "OK"},
    }
