"""The Activity Log records of a scale set: operations, autoscale, health."""

import dataclasses
from typing import Any, Final

from pipelines.simulate.fleet.fleet import ScaleSet
from pipelines.simulate.fleet.history import Operation
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.given.settings import STORAGE
from pipelines.simulate.records.delivery import ADMINISTRATIVE, AUTOSCALE, HEALTH, Post, stamp
from pipelines.simulate.records.event_grid import EventGrid
from pipelines.simulate.records.log_forms import LOG_FORMS
from schemas.time import SECOND

_ROBOT: Final = "Microsoft.Insights/autoscaleSettings"
_SPN: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/spn"
_HEALTH_EVENT: Final = "Microsoft.Resourcehealth/healthevent/{}/action"
_STATUSES: Final = {"Activated": "Active", "Updated": "Updated", "Resolved": "Resolved"}
_PERSON: Final = {
    "aud": "https://management.core.windows.net/",
    "appid": "c44b0000-0000-4000-8000-00000000d370",
    "ipaddr": "203.0.113.77",
    "name": "Dana Example",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "dana.example@example.com",
    "ver": "1.0",
}
"""A caller; whoever reads the records has to leave it out."""
_WITHOUT_BODY: Final = ("write", "delete", "osRollingUpgrade/action")


class ActivityLog:
    """Writes the Activity Log of one scale set; the ends of operations go to Event Grid too."""

    def __init__(self, scale_set: ScaleSet, draws: Draws, post: Post, grid: EventGrid, form: str = STORAGE) -> None:
        self._set, self._draws, self._post, self._grid = scale_set, draws, post, grid
        self._form = LOG_FORMS[form]

    def operation(self, operation: Operation) -> None:
        """The records of an operation: its beginning, that it was accepted, its end."""
        if operation.carrier == "autoscale":
            self._autoscale(operation)
            return
        resource, action = self._resource(operation), action_of(self._set, operation)
        ids = self._draws.guid()
        if operation.opened:
            self._administrative(operation, resource, action, operation.start, ("Start", "Started.", ids))
            later = operation.start + 2 * SECOND
            if operation.accepted and (operation.end is None or later < operation.end):
                self._administrative(operation, resource, action, later, ("Accept", "Accepted.Accepted", ids))
        if operation.end is not None:
            end = ("Success", "Succeeded.") if operation.succeeded else ("Failure", "Failed.Conflict")
            closing = dataclasses.replace(operation, bare=operation.bare or operation.late)
            self._administrative(closing, resource, action, operation.end, (*end, self._draws.guid()))
            self._grid.ended(operation, resource, action, _caller(operation))

    def health(
        self, resource: str, time: int, name: str, states: tuple[str | None, str | None], details: str, cause: str
    ) -> None:
        """A health event: state before and after (or neither), perhaps an annotation."""
        told = {
            "title": "Told by the platform",
            "details": details,
            "currentHealthStatus": states[1],
            "previousHealthStatus": states[0],
            "type": "Downtime",
            "cause": cause,
        }
        record = {
            "time": stamp(time),
            "resourceId": resource.upper(),
            "correlationId": self._draws.guid(),
            "operationName": _HEALTH_EVENT.format(name),
            "level": "Information",
            "resultType": _STATUSES[name],
            "category": "ResourceHealth",
            "properties": {"eventCategory": "ResourceHealth", "eventProperties": told},
        }
        self.send(record, time, HEALTH)

    def send(self, record: dict[str, Any], time: int, kind: str) -> None:
        """Sends a record of the storage account's export in the form that is asked for."""
        self._post.send(self._form.write(record), time, kind, self._form.file_of(self._set.subscription))

    def _resource(self, operation: Operation) -> str:
        return self._set.resource_id if operation.machine is None else self._set.machine_id(operation.machine)

    def _administrative(self, operation: Operation, resource: str, action: str, time: int, phase: tuple[str, str, str]) -> None:
        properties = {"eventCategory": "Administrative", "entity": resource, "message": action, **_body(operation)}
        record = {
            "time": stamp(time),
            "resourceId": resource.upper(),
            "operationName": action.upper(),
            "category": "Administrative",
            "resultType": phase[0],
            "resultSignature": phase[1],
            "durationMs": 0,
            "callerIpAddress": "203.0.113.77",
            "correlationId": operation.correlation,
            "operationId": phase[2],
            "identity": {"authorization": {"scope": resource, "action": action}, "claims": _caller(operation)},
            "level": "Information",
            "location": "global",
            "properties": properties,
        }
        self.send(record, time, ADMINISTRATIVE)

    def _autoscale(self, operation: Operation) -> None:
        name = f"Microsoft.Insights/AutoscaleSettings/{operation.native}/Action"
        before, after = operation.capacity or (0, 0)
        told = {
            "Description": f"The autoscale engine changes the capacity from {before} to {after}.",
            "ResourceName": self._set.resource_id,
            "OldInstancesCount": str(before),
            "NewInstancesCount": str(after),
        }
        record = {
            "time": stamp(operation.start),
            "resourceId": f"{self._set.group_id}/providers/microsoft.insights/autoscalesettings/{self._set.name}".upper(),
            "operationName": name.upper(),
            "category": "Autoscale",
            "resultType": "Succeeded",
            "resultSignature": "Succeeded.",
            "correlationId": operation.correlation,
            "identity": {"claims": _caller(operation)},
            "level": "Information",
            "properties": {"eventCategory": "Autoscale", "eventProperties": told},
        }
        self.send(record, operation.start, AUTOSCALE)


def action_of(scale_set: ScaleSet, operation: Operation) -> str:
    """The full name of an operation on a set, on one of its instances, or on a machine of a Flexible set."""
    if operation.machine is None:
        return f"Microsoft.Compute/virtualMachineScaleSets/{operation.native}"
    place = "virtualMachines" if scale_set.flexible else "virtualMachineScaleSets/virtualMachines"
    return f"Microsoft.Compute/{place}/{operation.native}"


def _caller(operation: Operation) -> dict[str, str]:
    return {_SPN: _ROBOT} if operation.initiator == "autoscale" else _PERSON


def _body(operation: Operation) -> dict[str, Any]:
    """The request's body as JSON text, if an operation on the set has one."""
    if operation.bare or operation.machine is not None or operation.native in _WITHOUT_BODY:
        return {}
    if operation.masked:
        return {"requestbody": "******"}
    names = ["*"] if operation.everything else list(operation.names)
    return {"requestbody": '{"instanceIds":[' + ",".join(f'"{name}"' for name in names) + "]}"}
