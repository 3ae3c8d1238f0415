"""Personal data goes nowhere but, unread, into the payload of a rejected record where that is kept (contract: Personal data)."""

from typing import Any

import pytest

from tests.fixtures.decoding import decode, settings
from tests.fixtures.native import OPERATIONS, SPN, autoscale, export, health_record, resource_event, rest

SECRETS = ("jane", "Jane", "192.0.2.", "secret-claim")
PRIVATE = {
    "caller": "jane@example.com",
    "claims": {"name": "Jane Doe", SPN: "secret-claim", "ipaddr": "192.0.2.7"},
    "identity": {"claims": {"name": "Jane Doe", SPN: "secret-claim"}},
    "callerIpAddress": "192.0.2.9",
    "httpRequest": {"clientIpAddress": "192.0.2.8"},
    "authorization": {"evidence": {"principalId": "secret-claim"}},
}
RECORDS = [rest(), export(), autoscale(), health_record("Available", "VirtualMachineCrashed"), rest(OPERATIONS + "read")]
BROKEN = [
    rest(status="x"),
    export(correlationId=None),
    autoscale(OldInstancesCount="x"),
    health_record("x"),
    rest(eventTimestamp="x"),
]


def _resource_event(**fields: Any) -> dict[str, Any]:
    event = resource_event(**fields)
    event["data"] |= PRIVATE
    return event


@pytest.mark.parametrize("odd", [{}, {"claims": "Jane Doe"}, {"claims": ["Jane"]}, {"caller": {"jane": 1}}, {"identity": 5}])
def test_no_event_no_reject_and_no_count_tells_who_it_was(odd: Any) -> None:
    records = [record | PRIVATE | odd for record in RECORDS + BROKEN] + [_resource_event(), _resource_event(id=None)]
    decoded = decode(*records)
    assert decoded.events.num_rows == 6
    assert decoded.rejects.num_rows == len(BROKEN) + 1
    told = repr((decoded.events.to_pylist(), decoded.rejects.to_pylist(), decoded.counts))
    assert not [secret for secret in SECRETS if secret in told]


def test_only_the_payload_of_a_reject_may_hold_it() -> None:
    decoded = decode(rest(status="x") | PRIVATE, by=settings(keep_payload=True))
    assert "jane@example.com" in decoded.rejects["payload"][0].as_py()
    told = repr((decoded.events.to_pylist(), decoded.rejects.drop_columns(["payload"]).to_pylist(), decoded.counts))
    assert not [secret for secret in SECRETS if secret in told]
