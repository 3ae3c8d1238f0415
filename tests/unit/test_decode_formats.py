"""Which format a record is of, which kind, which target: in this order (contract: Formats, Order of checks)."""

import json
from typing import Any

import pytest

from tests.fixtures.decoding import decode, ignored, one, rejected, rows, settings
from tests.fixtures.native import (
    AT,
    AT_MICROS,
    GROUP,
    INSTANCE,
    SET,
    SET_ID,
    annotation,
    annotation_event,
    autoscale,
    cloud_event,
    export,
    fault,
    graph_row,
    grid_event,
    health_export,
    health_record,
    line,
    operation,
    resource_event,
    rest,
    signal,
    state,
    status_event,
)
from transforms.core.decode.fast_path.columns import known_records
from transforms.core.decode.slow_path.events import record_hash


@pytest.mark.parametrize(
    ("record", "format", "kind", "event_id"),
    [
        pytest.param(status_event(), "eventgrid", "signal", "ce-1", id="cloud_event"),
        pytest.param(status_event(specversion="1"), "eventgrid", "signal", "ce-1", id="old_specversion"),
        pytest.param(
            grid_event("AvailabilityStatusesChanged", state()), "eventgrid", "signal", "eg-1", id="old_type_in_grid_schema"
        ),
        pytest.param(annotation_event("VirtualMachinePreempted"), "eventgrid", "operation", "ce-1", id="annotation"),
        pytest.param(resource_event(), "eventgrid", "operation", "re-1", id="resource_event"),
        pytest.param(rest(), "activitylog", "operation", "rest-1", id="rest"),
        pytest.param(autoscale(), "activitylog", "operation", "rest-1", id="autoscale"),
        pytest.param(health_record(), "activitylog", "signal", "rest-1", id="health_record"),
        pytest.param(export(), "activitylog", "operation", record_hash(export()), id="export"),
        pytest.param(graph_row(state()), "resourcegraph", "signal", record_hash(graph_row(state())), id="graph_row"),
        pytest.param(signal(), "canonical", "signal", "s-1", id="canonical_signal"),
        pytest.param(fault(), "canonical", "fault", "f-1", id="canonical_fault"),
        pytest.param(operation(), "canonical", "operation", "o-1", id="canonical_operation"),
    ],
)
def test_each_source_gives_its_event(record: Any, format: str, kind: str, event_id: Any) -> None:
    decoded = decode(record)
    (event,) = rows(decoded)
    assert (event["kind"], event["event_id"], event["scale_set_id"]) == (kind, event_id, SET_ID)
    assert decoded.counts.decoded == {(format, kind): 1}
    assert decoded.counts.earliest == decoded.counts.latest == AT_MICROS


@pytest.mark.parametrize(
    ("record", "format"),
    [
        pytest.param(signal(eventType="x", id="z"), "canonical", id="kind_before_event_type"),
        pytest.param(status_event(kind="other"), "eventgrid", id="another_kind_is_no_mark"),
        pytest.param(status_event(eventTimestamp=AT), "eventgrid", id="event_grid_before_rest"),
        pytest.param(rest(time=AT, resultType="Start"), "activitylog", id="rest_before_export"),
        pytest.param(rest(eventType="", kind=None), "activitylog", id="an_empty_mark_is_none"),
        pytest.param(graph_row(state(), type=...), "resourcegraph", id="graph_without_type"),
    ],
)
def test_the_first_format_that_fits_counts(record: Any, format: str) -> None:
    ((decoded, _),) = decode(record).counts.decoded
    assert decoded == format


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(state(availabilityState=None), id="properties_without_a_state"),
        pytest.param({"time": AT, "resourceId": SET, "metricName": "x"}, id="metric"),
        pytest.param(status_event(specversion=...), id="cloud_event_without_specversion"),
        pytest.param(graph_row(state(targetResourceId=None), type=None), id="graph_without_type_and_target"),
        pytest.param({}, id="empty"),
    ],
)
def test_a_record_of_no_format_is_ignored(record: Any) -> None:
    assert ignored(record) == "no_format"


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        pytest.param(cloud_event("Other", state()), "type:microsoft.resourcenotifications.healthresources.other", id="type"),
        pytest.param(rest("Microsoft.Web/sites/write", "Bogus"), "operation:microsoft.web/sites/write", id="operation"),
        pytest.param(rest(None), "operation:none", id="no_operation"),
        pytest.param(rest(category="Policy"), "category:policy", id="category_as_text"),
        pytest.param(rest(category=None), "category:none", id="no_category"),
        pytest.param(export(properties={"eventCategory": "Security"}), "category:security", id="export_category"),
        pytest.param(autoscale("Flapping"), "autoscale:microsoft.insights/autoscalesettings/flapping/action", id="flapping"),
        pytest.param(autoscale(ResourceName=...), "autoscale:no_resource_name", id="no_resource_name"),
        pytest.param(
            annotation_event("VirtualMachineFailedToSecureBoot"), "annotation:virtualmachinefailedtosecureboot", id="evidence"
        ),
        pytest.param(
            graph_row(state(), type="Microsoft.ResourceHealth/events"), "type:microsoft.resourcehealth/events", id="graph"
        ),
        pytest.param(resource_event(operation="Microsoft.Web/sites/x"), "operation:microsoft.web/sites/x", id="resource_event"),
        pytest.param(health_record(None, "prose"), "health_unchanged", id="unchanged"),
        pytest.param(rest("jane@example.com"), "operation:other", id="nothing_but_kinds_in_the_counts"),
    ],
)
def test_what_is_of_no_kind_is_ignored_before_anything_else_is_looked_at(record: Any, kind: str) -> None:
    assert ignored(record | {"resourceId": "/elsewhere", "eventTimestamp": "soon"} if "eventDataId" in record else record) == kind


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        pytest.param(GROUP + "/providers/Microsoft.Web/sites/x", "other_resource", id="another_provider"),
        pytest.param(SET + "/extensions/x", "other_resource", id="child_of_a_set"),
        pytest.param(INSTANCE + "/networkInterfaces/x", "other_resource", id="child_of_an_instance"),
        pytest.param(GROUP + "/providers/Microsoft.Compute/virtualMachines/", "other_resource", id="no_name"),
        pytest.param("/subscriptions/s", "other_resource", id="subscription"),
        pytest.param(GROUP + "/providers/Microsoft.Compute/virtualMachines/x", "unplaced_vm", id="machine"),
    ],
)
def test_another_target_is_ignored_before_other_fields_are_looked_at(target: Any, kind: str) -> None:
    assert ignored(status_event("Bogus", target)) == kind
    assert ignored(rest(status="Bogus", resourceId=target)) == kind
    assert ignored(status_event("Degraded", target)) == kind


@pytest.mark.parametrize(
    ("record", "name"),
    [
        pytest.param(status_event(target=None), "targetResourceId", id="event_grid"),
        pytest.param(rest(resourceId=""), "resourceId", id="rest"),
        pytest.param(resource_event(uri=None), "resourceUri", id="resource_event"),
    ],
)
def test_an_absent_target_is_a_missing_field(record: Any, name: str) -> None:
    assert rejected(record) == ("missing_field", f"{name} is required, and it is absent")


def test_the_subject_without_its_health_tail_stands_in_for_the_target() -> None:
    tail = "/providers/Microsoft.resourceHEALTH/AvailabilityStatuses/current"
    assert one(status_event(target=..., subject=INSTANCE + tail))["instance_id"] == "7"


def test_ids_of_resources_are_case_folded_as_unicode_and_others_stay() -> None:
    event = one(status_event(target=SET.replace("Web", "Straße") + "/virtualMachines/Ä1", id="ÄÖ"))
    assert event["scale_set_id"].endswith("/strasse")
    assert (event["instance_id"], event["event_id"]) == ("ä1", "ÄÖ")
    assert one(signal(scale_set_id="Straße", instance_id="Ä1"))["scale_set_id"] == "strasse"


def test_health_of_the_set_itself_has_no_instance() -> None:
    assert "instance_id" not in one(status_event(target=SET))


def test_the_time_is_when_it_happened_not_when_it_was_published() -> None:
    assert one(status_event(time="2026-10-01T11:00:00Z")) == one(status_event())
    assert decode(resource_event(eventTime="2026-10-01T09:00:11Z")).counts.latest == AT_MICROS + 876_544


def test_cloud_events_of_resources_have_their_time_in_the_envelope() -> None:
    record = resource_event(
        eventType=..., eventTime=..., type="Microsoft.Resources.ResourceActionSuccess", specversion="1.0", time=AT
    )
    assert decode(record).counts.latest == AT_MICROS


@pytest.mark.parametrize("status", ["currentHealthStatus", "healthStatus"])
def test_health_records_tell_a_state_in_either_vocabulary(status: str) -> None:
    assert one(health_record(properties={status: "Degraded"}))["state"] == "Degraded"
    assert one(health_export({status: "Degraded"}))["state"] == "Degraded"
    assert one(health_export(json.dumps({status: "Degraded"})))["state"] == "Degraded"


def test_a_health_record_with_an_annotation_gives_a_second_event() -> None:
    first, second = rows(decode(health_record("Unknown", "VirtualMachineStartInitiatedByControlPlane")))
    assert (first["kind"], first["state"], first["second"]) == ("signal", "Unknown", False)
    assert (second["kind"], second["event_id"], second["second"]) == ("operation", "rest-1#annotation", True)
    assert (second["operation_key"], second["initiator"], second["time"]) == ("rest-1#annotation", "customer", first["time"])


def test_a_health_record_with_nothing_but_an_annotation_gives_that_alone() -> None:
    event = one(health_record("", "VirtualMachinePreempted"))
    assert (event["verb"], event["event_id"], event["second"]) == ("evict", "rest-1#annotation", False)


def test_the_context_of_a_health_record_comes_before_its_cause() -> None:
    told = {"details": "VirtualMachineRestarted", "context": "Platform Initiated", "cause": "UserInitiated"}
    assert one(health_record(properties=told))["initiator"] == "platform"


def test_a_wanted_format_is_taken_for_every_record() -> None:
    assert one(status_event(kind="signal"), by=settings(format="eventgrid"))["event_id"] == "ce-1"
    assert ignored(status_event(), by=settings(format="canonical")) == "kind:none"
    assert rows(decode(rest(eventType="x"), by=settings(format="activitylog")))
    assert rows(decode(graph_row(state()), by=settings(format="resourcegraph")))


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format must be one of"):
        settings(format="xml")


def test_the_id_of_a_graph_row_is_the_hash_of_the_whole_row() -> None:
    one_row, other = (decode(graph_row(annotation("VirtualMachineCrashed"), type=..., extra=extra)) for extra in (1, 2))
    assert one_row.events["event_id"] != other.events["event_id"]
    assert len(one_row.events["event_id"][0].as_py()) == 32


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(status_event(), id="status"),
        pytest.param(annotation_event("VirtualMachinePreempted"), id="annotation"),
        pytest.param(resource_event(), id="resource_event"),
        pytest.param(rest(), id="rest"),
        pytest.param(autoscale(), id="autoscale"),
        pytest.param(health_record(), id="health"),
        pytest.param(export(), id="export"),
        pytest.param(signal(), id="canonical"),
    ],
)
def test_a_record_as_azure_sends_it_is_known_so_its_text_needs_no_second_look(record: Any) -> None:
    assert known_records([line(record)]) is not None
    assert known_records([line(record), line(record | {"somethingNew": 1})]) is None


def test_records_that_differ_only_in_the_order_of_keys_have_one_hash() -> None:
    assert record_hash({"a": 1, "b": {"c": 2, "d": 3}}) == record_hash({"b": {"d": 3, "c": 2}, "a": 1})
