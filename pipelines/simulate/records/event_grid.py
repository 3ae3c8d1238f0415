"""Health and resource events as Event Grid delivers them: CloudEvents, or its own schema in one of the subscriptions."""

from typing import Any, Final

from pipelines.simulate.fleet.fleet import ScaleSet
from pipelines.simulate.fleet.history import Operation
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.records.delivery import EVENT_GRID, Post, stamp
from schemas.time import SECOND

_HEALTH: Final = "Microsoft.ResourceNotifications.HealthResources."
_CLOUD_EVENTS: Final = "eventgrid/%Y-%m-%d/%H-cloudevents.jsonl"
_OWN_SCHEMA: Final = "eventgrid/%Y-%m-%d/%H-eventgrid.jsonl"
_WITH_OWN_SCHEMA: Final = 1
_WITH_RESOURCE_EVENTS: Final = 2
"""The numbers of subscriptions that differ from the others."""
_CATEGORIES: Final = {"Customer Initiated": "Not Applicable", "Platform Initiated": "Unplanned"}


class EventGrid:
    """Writes what Event Grid sends about one scale set."""

    def __init__(self, scale_set: ScaleSet, draws: Draws, post: Post) -> None:
        self._set, self._draws, self._post = scale_set, draws, post

    def status(self, resource: str, time: int, state: str, before: str | None) -> None:
        """A state has changed."""
        told = {"previousAvailabilityState": before or "Unknown", "availabilityState": state}
        self._send_health("AvailabilityStatusChanged", "availabilityStatuses", "2023-12-01", resource, time, told)

    def annotation(self, resource: str, time: int, name: str, context: str, harms: bool) -> None:
        """A machine was annotated."""
        told = {
            "annotationName": name,
            "reason": "Told by the platform",
            "summary": "The state of this machine changes, or is about to. ",
            "context": context,
            "category": _CATEGORIES[context],
            "impactType": "Downtime Reboot" if harms else "Informational",
        }
        self._send_health("ResourceAnnotated", "resourceAnnotations", "2022-08-01", resource, time, told)

    def ended(self, operation: Operation, resource: str, action: str, caller: dict[str, str]) -> None:
        """An operation has ended; only one subscription has such events, and there are none for the beginning."""
        if self._set.subscription_number != _WITH_RESOURCE_EVENTS or operation.end is None:
            return
        what = "Write" if action.endswith("write") else "Delete" if action.endswith("delete") else "Action"
        data = {
            "correlationId": operation.correlation,
            "operationName": action,
            "resourceUri": resource,
            "resourceProvider": "Microsoft.Compute",
            "status": "Succeeded" if operation.succeeded else "Failed",
            "claims": caller,
            "subscriptionId": self._set.subscription,
        }
        self._send(
            f"Microsoft.Resources.Resource{what}{'Success' if operation.succeeded else 'Failure'}", resource, data, operation.end
        )

    def _send_health(self, kind: str, resources: str, version: str, target: str, time: int, told: dict[str, str]) -> None:
        name = self._draws.guid()
        same = {"targetResourceId": target, "targetResourceType": resource_type(target), "occurredTime": stamp(time)}
        data = {
            "resourceInfo": {
                "id": f"{target}/providers/Microsoft.ResourceHealth/{resources}/{name}",
                "name": name,
                "type": f"Microsoft.ResourceHealth/{resources}",
                "properties": same | told,
            },
            "operationalInfo": {"resourceEventTime": stamp(time)},
            "apiVersion": version,
        }
        self._send(_HEALTH + kind, target, data, time)

    def _send(self, kind: str, subject: str, data: dict[str, Any], time: int) -> None:
        sent, source = stamp(time + self._draws.span(0, 30) // SECOND * SECOND), f"/subscriptions/{self._set.subscription}"
        if kind.startswith("Microsoft.Resources."):
            sent = stamp(time)
        own_id = self._draws.guid()
        if self._set.subscription_number == _WITH_OWN_SCHEMA:
            record = {"id": own_id, "topic": source, "subject": subject, "data": data, "eventType": kind, "dataVersion": "1"}
            self._post.send(record | {"metadataVersion": "1", "eventTime": sent}, time, EVENT_GRID, _OWN_SCHEMA)
            return
        record = {"id": own_id, "source": source, "subject": subject, "data": data, "type": kind, "specversion": "1.0"}
        self._post.send(record | {"time": sent}, time, EVENT_GRID, _CLOUD_EVENTS)


def resource_type(resource: str) -> str:
    """The type of a resource of the fleet, by its id.

    >>> resource_type("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/a/virtualMachines/3")
    'Microsoft.Compute/virtualMachineScaleSets/virtualMachines'
    """
    parts = resource.rpartition("/providers/")[2].split("/")
    return "/".join([parts[0], *parts[1::2]])
