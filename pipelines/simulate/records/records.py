"""The records of one scale set in native formats, made from its history and its reported health."""

from typing import Any, Final

from pipelines.simulate.fleet.history import History, Operation
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.health.health import Health, Signal, logged_signals
from pipelines.simulate.records.activity_log import ActivityLog
from pipelines.simulate.records.delivery import Post, stamp
from pipelines.simulate.records.event_grid import EventGrid, resource_type
from pipelines.simulate.records.noise import send_noise

_CUSTOMER: Final = "Customer Initiated"
_PLATFORM: Final = "Platform Initiated"


def send_records(history: History, machines: list[Health], own: list[Signal], post: Post, draws: Draws) -> None:
    """Sends all records of a scale set from its start on."""
    scale_set = history.scale_set
    grid = EventGrid(scale_set, draws, post)
    log = ActivityLog(scale_set, draws, post, grid, history.settings.operations)
    _send_statuses(history, grid, scale_set.resource_id, own)
    for health in machines:
        resource = scale_set.machine_id(health.machine.name)
        _send_statuses(history, grid, resource, health.signals)
        _log_statuses(history, log, resource, health)
        for notice in health.notices:
            grid.annotation(resource, notice.time, notice.annotation, _PLATFORM, harms=True)
            log.health(resource, notice.time, "Updated", (None, None), notice.annotation, "PlatformInitiated")
    for operation in history.operations:
        _send_operation(operation, grid, log, scale_set.machine_id)
    send_noise(history, grid, log, draws)


def snapshot_rows(history: History, machines: list[Health], own: list[Signal]) -> list[dict[str, Any]]:
    """The rows of Resource Graph: the states of a set and of its machines before the start."""
    scale_set = history.scale_set
    resources = [(scale_set.resource_id, own), *((scale_set.machine_id(each.machine.name), each.signals) for each in machines)]
    before = [(resource, [signal for signal in signals if signal.time < history.start]) for resource, signals in resources]
    return [_row(resource, signals[-1]) for resource, signals in before if signals]


def _row(resource: str, signal: Signal) -> dict[str, Any]:
    place = resource.lower()
    return {
        "id": f"{place}/providers/microsoft.resourcehealth/availabilitystatuses/current",
        "name": "current",
        "type": "microsoft.resourcehealth/availabilitystatuses",
        "properties": {
            "targetResourceType": resource_type(resource),
            "targetResourceId": resource,
            "occurredTime": stamp(signal.time),
            "previousAvailabilityState": "Unknown",
            "availabilityState": signal.state,
        },
    }


def _send_statuses(history: History, grid: EventGrid, resource: str, signals: list[Signal]) -> None:
    before: str | None = None
    for signal in signals:
        if signal.time >= history.start:
            grid.status(resource, signal.time, signal.state, before)
        before = signal.state


def _log_statuses(history: History, log: ActivityLog, resource: str, health: Health) -> None:
    before = "Available"
    for signal, name in logged_signals(health.signals, health.machine):
        if history.start <= signal.time < history.end:
            log.health(resource, signal.time, name, (before, signal.state), "", "PlatformInitiated")
        before = signal.state


def _send_operation(operation: Operation, grid: EventGrid, log: ActivityLog, machine_id: Any) -> None:
    if operation.carrier != "annotation":
        log.operation(operation)
        return
    resource, by_platform = machine_id(operation.machine), operation.initiator == "platform"
    context, cause = (_PLATFORM, "PlatformInitiated") if by_platform else (_CUSTOMER, "UserInitiated")
    grid.annotation(resource, operation.start, operation.native, context, harms=False)
    log.health(resource, operation.start, "Updated", (None, None), operation.native, cause)
