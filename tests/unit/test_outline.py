"""What is read of a record before it is sent on: its format, its time, and whose it is."""

import pytest

from schemas.timestamp import parse_time
from transforms.core.decode.outline import UNKNOWN, Outline, outline_of

SET = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachineScaleSets/N"
MACHINE = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/V"
TIME = parse_time("2026-01-01T00:00:00Z")
RECORDS = {
    "canonical": b'{"kind": "fault", "scale_set_id": "A", "time": "2026-01-01T00:00:00Z"}',
    "eventgrid": b'{"eventType": "x", "eventTime": "2026-01-01T09:00:00Z", "data": {"resourceInfo": {"properties": '
    b'{"targetResourceId": "%s/virtualMachines/3", "occurredTime": "2026-01-01T00:00:00Z"}}}}',
    "eventgrid resource": b'{"type": "x", "specversion": "1.0", "time": "2026-01-01T00:00:00Z", "data": {"resourceUri": "%s"}}',
    "eventgrid subject": b'{"type": "x", "specversion": "1.0", "time": "2026-01-01T00:00:00Z", '
    b'"subject": "%s/providers/Microsoft.ResourceHealth/availabilityStatuses/current"}',
    "activitylog rest": b'{"eventTimestamp": "2026-01-01T00:00:00Z", "time": "2020-01-01T00:00:00Z", "resourceId": "%s"}',
    "activitylog export": b'{"time": "2026-01-01T00:00:00Z", "operationName": "x", "resourceId": "%s"}',
    "activitylog autoscale": b'{"eventTimestamp": "2026-01-01T00:00:00Z", "resourceId": "/other", "properties": '
    b'{"ResourceName": "%s"}}',
    "resourcegraph": b'{"type": "microsoft.resourcehealth/availabilitystatuses", "properties": '
    b'{"targetResourceId": "%s", "occurredTime": "2026-01-01T00:00:00Z"}}',
}


@pytest.mark.parametrize("name", RECORDS)
def test_every_format_tells_its_time_and_owner(name: str) -> None:
    text = RECORDS[name]
    owner = "a" if name == "canonical" else SET.casefold()
    assert outline_of(text.replace(b"%s", SET.encode())) == Outline(name.partition(" ")[0], TIME, owner)


def test_a_machine_of_a_flexible_set_is_its_own_owner() -> None:
    text = RECORDS["activitylog export"].replace(b"%s", MACHINE.encode())
    assert outline_of(text).owner == MACHINE.casefold()


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"5", b'"x"', b"\xff"])
def test_what_is_no_object_is_unknown(text: bytes) -> None:
    assert outline_of(text) == UNKNOWN


def test_fields_of_other_types_are_no_times_and_no_owners() -> None:
    assert outline_of(b'{"kind": "signal", "time": 5, "scale_set_id": ["a"]}') == Outline("canonical", None, None)
    assert outline_of(b'{"eventType": "x", "data": "text", "eventTime": "soon"}') == Outline("eventgrid", None, None)
