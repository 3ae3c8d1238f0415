"""Records of no format are counted by shape, with what they look like: exact, bounded, and the same whoever decodes them."""

import json
from typing import Any

import pytest

from schemas.policy import Policy
from tests.fixtures.decoding import noted
from transforms.core.decode import DecodeSettings, decode_text
from transforms.core.decode.terms.unread import MOST, Sighting, fields_of, shape_of

SETTINGS = DecodeSettings(Policy(), 1_800_000_000_000_000)
LOOKS = {
    "common alert": ({"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {}}}, "an alert"),
    "portal's CSV": (
        {"Correlation id": "c", "Operation name": "Delete Virtual Machines", "Status": "Succeeded", "Event category": "A"},
        "the portal's CSV, which has display names only: export JSON",
    ),
    "inventory": ({"vm_id": "/subscriptions/s", "scale_set_id": "b"}, "an inventory: give it with --inventory"),
    "scheduled events": ({"DocumentIncarnation": 2, "Events": [{"EventId": "E"}]}, "a machine's scheduled events"),
    "one of them": ({"EventId": "E", "EventStatus": "Scheduled", "NotBefore": ""}, "a machine's scheduled events"),
    "metric": ({"id": "/s/metrics/VmAvailabilityMetric", "type": "Microsoft.Insights/metrics", "timeseries": []}, "a metric"),
    "metric export": ({"count": 1, "total": 1, "metricName": "VmAvailabilityMetric", "timeGrain": "PT1M"}, "a metric"),
    "nodes": ({"apiVersion": "v1", "kind": "List", "items": []}, "what Kubernetes (AKS) tells of its nodes"),
    "a node": ({"involvedObject": {"kind": "Node"}, "reason": "NodeNotReady"}, "what Kubernetes (AKS) tells of its nodes"),
    "Elastic": ({"_index": "logs", "_source": {"event": {"original": "{}"}}}, "an export of Elastic"),
    "Elastic, unwrapped": ({"@timestamp": "2026-01-01", "azure": {}}, "an export of Elastic"),
    "Splunk": ({"preview": False, "result": {"_raw": "{}"}}, "an export of Splunk"),
    "Splunk, unwrapped": ({"_time": "2026-01-01", "_raw": "{}"}, "an export of Splunk"),
    "another table": ({"TimeGenerated": "2026-01-01", "Computer": "a"}, "a table of Log Analytics other than AzureActivity"),
    "resources": ({"id": "/s/v", "type": "Microsoft.Compute/virtualMachines"}, "what there is in Azure"),
    "nothing known": ({"a": 1, "type": "other"}, ""),
    "no field": ({}, ""),
}


@pytest.mark.parametrize(("record", "look"), LOOKS.values(), ids=LOOKS)
def test_what_a_record_looks_like_is_told(record: dict[str, Any], look: str) -> None:
    shape = shape_of(record)
    assert shape.look.startswith(look)
    assert bool(shape.look) == bool(look)
    assert shape.keys == tuple(record)[:3]
    assert shape_of(fields_of(json.dumps(record).encode())) == shape


def test_of_a_key_the_beginning_is_kept_and_of_keys_the_first_in_their_order() -> None:
    assert shape_of({"z" * 41: 1, "b": 1, "a": 1, "c": 1}).keys == ("z" * 40, "b", "a")


@pytest.mark.parametrize("record", [record for record, _ in LOOKS.values()], ids=LOOKS)
def test_both_decoders_count_the_same_shapes(record: dict[str, Any]) -> None:
    plain, odd = json.dumps(record), json.dumps({**record, "properties": 5})
    unread = decode_text(f"{plain}\n".encode(), "f", SETTINGS).counts.unread
    assert unread.shapes == {shape_of(record): Sighting(1, "")}
    unread = decode_text(f"{odd}\n".encode(), "f", SETTINGS).counts.unread
    assert unread.shapes == {shape_of({**record, "properties": 5}): Sighting(1, "")}
    within = decode_text(json.dumps({"records": [record, record]}).encode(), "f", SETTINGS).counts.unread
    assert within.records == 2


def test_counted_are_those_of_no_format_and_no_others() -> None:
    envelope = '{"records": [{"odd": 2}, {"a": [1]}]}'
    text = f'{{"kind": "signal"}}\n{{"eventType": "Other", "id": "1"}}\n{{"odd": 1}}\n{envelope}\nno JSON\n'
    counts = decode_text(text.encode(), "f", SETTINGS).counts
    assert counts.ignored["no_format"] == counts.unread.records == 3
    assert {shape.keys: seen.records for shape, seen in counts.unread.shapes.items()} == {("odd",): 2, ("a",): 1}


def test_what_is_known_is_never_crowded_out() -> None:
    unread = noted([f"a{number:05}" for number in range(3 * MOST)])
    unread.note({"vm_id": "v", "scale_set_id": "s"})
    unread += noted([f"a{number:05}" for number in range(3 * MOST, 4 * MOST)])
    assert [seen.records for shape, seen in unread.shapes.items() if shape.look] == [1]


def test_the_first_of_its_files_is_named_and_that_there_are_others() -> None:
    both = noted(["k"], "b") + noted(["k", "k"], "a")
    assert list(both.shapes.values()) == [Sighting(3, "a", True)]
    assert list((noted(["k"], "a") + noted(["k"], "a")).shapes.values()) == [Sighting(2, "a", False)]
