"""Administrative, autoscale and resource events: verbs, phases, initiators, targets
(contract: Administrative, Actions, Named instances)."""

import json
from typing import Any

import pytest

from schemas.azure.inventory import inventory_of
from tests.fixtures.decoding import ignored, one, rejected, settings
from tests.fixtures.native import (
    INSTANCE,
    MACHINE,
    OPERATIONS,
    ROBOT,
    SET,
    SET_ID,
    SPN,
    autoscale,
    export,
    resource_event,
    rest,
)

VERBS = [
    ("delete", "delete"),
    ("delete/action", "delete"),
    ("deallocate/action", "deallocate"),
    ("powerOff/action", "stop"),
    ("start/action", "start"),
    ("restart/action", "restart"),
    ("reimage/action", "reimage"),
    ("reimageAll/action", "reimage"),
    ("redeploy/action", "redeploy"),
    ("manualUpgrade/action", "upgrade"),
    ("osRollingUpgrade/action", "upgrade"),
    ("extensionRollingUpgrade/action", "upgrade"),
    ("performMaintenance/action", "maintenance"),
    ("evictSpotVM/action", "evict"),
    ("simulateEviction/action", "evict"),
    ("write", "update"),
]
PLACES = [("", SET), ("virtualMachines/", INSTANCE)]
FLEXIBLE = settings(inventory_of([("row 1", {"vm_id": MACHINE, "scale_set_id": SET})]))


@pytest.mark.parametrize(("name", "verb"), VERBS, ids=[name for name, _ in VERBS])
@pytest.mark.parametrize(("under", "resource"), PLACES, ids=["set", "instance"])
@pytest.mark.parametrize("case", [str, str.upper, str.lower], ids=["plain", "upper", "lower"])
def test_the_name_of_an_operation_tells_its_verb_in_any_case(name: Any, verb: Any, under: Any, resource: Any, case: Any) -> None:
    assert one(rest(case(OPERATIONS + under + name), resourceId=case(resource)))["verb"] == verb
    assert one(export(case(OPERATIONS + under + name), resourceId=case(resource)))["verb"] == verb
    assert one(resource_event("WriteFailure", case(OPERATIONS + under + name), case(resource)))["verb"] == verb


@pytest.mark.parametrize(("name", "verb"), VERBS, ids=[name for name, _ in VERBS])
def test_the_same_for_machines_of_flexible_sets(name: Any, verb: Any) -> None:
    event = one(rest("Microsoft.Compute/virtualMachines/" + name, resourceId=MACHINE), by=FLEXIBLE)
    assert (event["verb"], event["target"], event["instance_ids"]) == (verb, "named", ["flex_a1b2"])


@pytest.mark.parametrize(
    "name",
    [
        "rollingUpgrades/action",
        "rollingUpgrades/cancel/action",
        "scale/action",
        "extensions/write",
        "read",
        "virtualMachines/extensions/write",
    ],
)
def test_any_other_operation_is_ignored(name: str) -> None:
    assert ignored(rest(OPERATIONS + name)) == f"operation:{(OPERATIONS + name).casefold()}"


STATUSES = {
    "started": ["Started", "Start"],
    "progress": ["Accepted", "Accept", "InProgress", "In Progress", "Updated"],
    "succeeded": ["Succeeded", "Success"],
    "failed": ["Failed", "Failure", "Canceled", "Cancelled"],
}


@pytest.mark.parametrize(("phase", "status"), [(phase, status) for phase, found in STATUSES.items() for status in found])
def test_a_status_tells_the_phase(phase: Any, status: Any) -> None:
    assert one(rest(status=status))["phase"] == phase
    assert one(rest(status=..., resultType=status))["phase"] == phase
    assert one(export(result=status))["phase"] == phase


@pytest.mark.parametrize("status", ["Active", "0", "Resolved", 0, True, ["Started"]])
def test_any_other_status_is_a_bad_value(status: bool | int | list[str] | str) -> None:
    assert rejected(rest(status=status))[0] == "bad_value"
    assert rejected(export(result=status))[0] == "bad_value"


@pytest.mark.parametrize("status", ["", None, ...])
def test_an_absent_status_is_a_missing_field(status: Any) -> None:
    assert rejected(rest(status=status)) == ("missing_field", "status is required, and it is absent")
    assert rejected(export(result=status)) == ("missing_field", "resultType is required, and it is absent")


@pytest.mark.parametrize("correlation", ["", None, ...])
def test_an_absent_correlation_is_a_missing_field(correlation: Any) -> None:
    for record in (
        rest(correlationId=correlation),
        export(correlationId=correlation),
        autoscale() | {"correlationId": correlation},
    ):
        assert rejected({k: v for k, v in record.items() if v is not ...}) == (
            "missing_field",
            "correlationId is required, and it is absent",
        )


def test_the_key_is_correlation_operation_and_resource_whatever_the_operation_id_is() -> None:
    key = f"c-1|{OPERATIONS}delete/action|{SET}".casefold()
    assert one(rest())["operation_key"] == one(rest(status="Succeeded", operationId="O-2"))["operation_key"] == key
    assert one(export())["operation_key"] == key
    assert one(resource_event(operation=OPERATIONS + "delete/action"))["operation_key"] == key


@pytest.mark.parametrize(
    ("end", "phase"),
    [("Success", "succeeded"), ("Failure", "failed"), ("Cancel", "failed")],
    ids=["success", "failure", "cancel"],
)
@pytest.mark.parametrize("what", ["Write", "Delete", "Action"])
def test_resource_events_tell_ends(what: str, end: str, phase: str) -> None:
    assert one(resource_event(what + end))["phase"] == phase


@pytest.mark.parametrize(
    ("record", "initiator"),
    [
        pytest.param(rest(), "customer", id="person"),
        pytest.param(rest(caller=...), "customer", id="claims_alone"),
        pytest.param(rest(claims=...), "customer", id="caller_alone"),
        pytest.param(rest(caller="", claims={}), "unknown", id="nobody"),
        pytest.param(rest(caller=None, claims="{ }"), "unknown", id="nobody_as_text"),
        pytest.param(rest(caller=..., claims=[]), "unknown", id="nobody_as_list"),
        pytest.param(rest(caller=..., claims="******"), "customer", id="masked_claims"),
        pytest.param(export(identity=...), "unknown", id="nobody_in_an_export"),
        pytest.param(export(identity={"claims": {}}), "unknown", id="empty_claims_in_an_export"),
        pytest.param(export(identity=..., caller="jane@example.com"), "customer", id="caller_of_an_export_alone"),
        pytest.param(rest(OPERATIONS + "evictSpotVM/action", caller=..., claims=...), "platform", id="eviction_by_nobody"),
        pytest.param(rest(caller=ROBOT.upper()), "autoscale", id="caller"),
        pytest.param(rest(claims={SPN: ROBOT}), "autoscale", id="service_principal"),
        pytest.param(rest(claims=json.dumps({SPN: ROBOT})), "autoscale", id="claims_as_text"),
        pytest.param(export(identity={"claims": {SPN: ROBOT.lower()}}), "autoscale", id="identity"),
        pytest.param(export(identity="Jane Doe"), "unknown", id="identity_as_text_holds_no_claims"),
        pytest.param(export(caller=ROBOT), "autoscale", id="caller_of_an_export"),
        pytest.param(resource_event(), "customer", id="resource_event"),
        pytest.param(rest(OPERATIONS + "evictSpotVM/action"), "platform", id="eviction"),
        pytest.param(rest(OPERATIONS + "simulateEviction/action"), "customer", id="simulated_eviction"),
        pytest.param(rest(OPERATIONS + "evictSpotVM/action", caller=ROBOT), "autoscale", id="eviction_by_autoscale"),
    ],
)
def test_who_began_it(record: Any, initiator: str) -> None:
    assert one(record)["initiator"] == initiator


@pytest.mark.parametrize(
    ("claims", "initiator"), [({SPN: ROBOT}, "autoscale"), ({}, "unknown"), (None, "unknown"), ("x", "customer")]
)
def test_a_resource_event_has_its_claims_in_its_data(claims: Any, initiator: str) -> None:
    record = resource_event()
    record["data"]["claims"] = claims
    assert one(record)["initiator"] == initiator


NAMED = {"instanceIds": ["3", "A", "a", 5]}


@pytest.mark.parametrize(
    ("body", "target", "ids"),
    [
        pytest.param(json.dumps(NAMED), "named", ["3", "5", "a"], id="text"),
        pytest.param(NAMED, "named", ["3", "5", "a"], id="object"),
        pytest.param(json.dumps(json.dumps(NAMED)), "named", ["3", "5", "a"], id="twice_encoded"),
        pytest.param('{"instanceIds":["*"]}', "all", None, id="star"),
        pytest.param('{"instanceIds":[]}', "unnamed", None, id="empty_list"),
        pytest.param('{"instanceIds":[{}]}', "unnamed", None, id="unreadable_list"),
        pytest.param("******", "unnamed", None, id="masked"),
        pytest.param('{"instanceIds":["1"', "unnamed", None, id="broken"),
        pytest.param("", "unnamed", None, id="empty"),
        pytest.param(None, "unnamed", None, id="null"),
        pytest.param([1], "unnamed", None, id="array"),
        pytest.param("[" * 5000, "unnamed", None, id="deep_text"),
    ],
)
@pytest.mark.parametrize("spelling", ["requestbody", "requestBody"])
def test_the_request_body_names_instances(body: Any, target: str, ids: list[str] | None, spelling: str) -> None:
    for record in (rest(properties={spelling: body}), export(properties={spelling: body, "eventProperties": {}})):
        event = one(record)
        assert (event["target"], event.get("instance_ids")) == (target, ids)


OF_ALL = ["deallocate", "powerOff", "start", "restart", "reimage", "reimageAll", "redeploy", "performMaintenance"]


@pytest.mark.parametrize("body", [{}, "{}", '"{}"', {"instanceIds": None}, {"other": ["1"]}], ids=repr)
@pytest.mark.parametrize("name", OF_ALL)
def test_a_readable_body_that_names_nobody_means_all_of_a_set(name: Any, body: Any) -> None:
    for record in (rest, export):
        event = one(record(f"{OPERATIONS}{name}/action", properties={"requestbody": body}))
        assert (event["target"], event.get("instance_ids")) == ("all", None)
    instance = one(rest(f"{OPERATIONS}virtualMachines/{name}/action", resourceId=INSTANCE, properties={"requestbody": body}))
    assert instance["instance_ids"] == ["7"]


@pytest.mark.parametrize("name", ["delete/action", "manualUpgrade/action", "evictSpotVM/action", "write"])
def test_of_other_operations_it_means_nobody_in_particular(name: str) -> None:
    assert one(rest(OPERATIONS + name, properties={"requestbody": {}}))["target"] == "unnamed"


@pytest.mark.parametrize("body", [{"instanceIds": []}, {"instanceIds": [{}]}, "******", "", None, [1], ...], ids=repr)
def test_an_empty_or_unreadable_list_or_body_leaves_it_unnamed(body: Any) -> None:
    assert one(rest(OPERATIONS + "restart/action", properties={"requestbody": body}))["target"] == "unnamed"


def test_an_instance_in_the_resource_comes_before_the_body() -> None:
    event = one(
        rest(OPERATIONS + "virtualMachines/delete", resourceId=INSTANCE, properties={"requestbody": '{"instanceIds":["*"]}'})
    )
    assert (event["target"], event["instance_ids"]) == ("named", ["7"])


def test_a_delete_of_the_set_targets_all() -> None:
    assert one(rest(OPERATIONS + "delete"))["target"] == "all"
    assert one(export(OPERATIONS.upper() + "DELETE"))["target"] == "all"
    assert one(resource_event("DeleteSuccess", OPERATIONS + "delete"))["target"] == "all"
    assert one(rest(OPERATIONS + "delete/action"))["target"] == "unnamed"


def test_a_write_names_its_instance_and_its_body_is_not_read() -> None:
    body = {"requestbody": '{"instanceIds":["1"]}'}
    assert one(rest(OPERATIONS + "write", properties=body))["target"] == "unnamed"
    event = one(rest(OPERATIONS + "virtualMachines/write", resourceId=INSTANCE, properties=body))
    assert (event["target"], event["instance_ids"]) == ("named", ["7"])


def test_resource_events_name_nobody_but_the_resource() -> None:
    assert one(resource_event())["target"] == "unnamed"
    assert one(resource_event(uri=INSTANCE))["instance_ids"] == ["7"]


@pytest.mark.parametrize(
    ("direction", "verb", "old", "new", "count"),
    [
        pytest.param("Scaledown", "scale_in", "5", 3, 2, id="in"),
        pytest.param("Scaledown", "scale_in", 3, 5, None, id="in_by_less_than_none"),
        pytest.param("Scaledown", "scale_in", 3, 3, None, id="in_by_none"),
        pytest.param("Scaledown", "scale_in", ..., 3, None, id="count_absent"),
        pytest.param("Scaledown", "scale_in", 5.0, "", None, id="count_empty"),
        pytest.param("Scaledown", "scale_in", 5.0, 1, 4, id="count_as_float"),
        pytest.param("Scaleup", "scale_out", 5, 3, None, id="out"),
    ],
)
def test_autoscale_announces_what_it_does(direction: str, verb: str, old: Any, new: int | str, count: int | None) -> None:
    event = one(autoscale(direction, OldInstancesCount=old, NewInstancesCount=new))
    assert (event["verb"], event["phase"], event["target"], event["initiator"]) == (verb, "announced", "unnamed", "autoscale")
    assert (event.get("count"), event["scale_set_id"]) == (count, SET_ID)
    assert event["operation_key"] == f"c-1|microsoft.insights/autoscalesettings/{direction}/action|{SET}".casefold()


@pytest.mark.parametrize(("status", "phase"), [("Started", "started"), ("Accepted", "progress"), ("Failed", "failed")])
def test_autoscale_has_the_other_phases_of_any_operation(status: str, phase: str) -> None:
    assert one(autoscale(status=status))["phase"] == phase


def test_autoscale_of_something_else_is_ignored() -> None:
    assert (
        ignored(autoscale(ResourceName="/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/serverFarms/p"))
        == "other_resource"
    )


@pytest.mark.parametrize("count", ["many", 2.5, True, "9" * 30])
def test_an_impossible_count_is_a_bad_value(count: Any) -> None:
    assert rejected(autoscale(OldInstancesCount=count))[0] == "bad_value"


def test_an_export_has_autoscale_in_event_properties() -> None:
    told = {"ResourceName": SET, "OldInstancesCount": 4, "NewInstancesCount": 1}
    record = export("Microsoft.Insights/AutoscaleSettings/Scaledown/Action", "Succeeded", category="Autoscale")
    for value in (told, json.dumps(told)):
        event = one(record | {"properties": {"eventProperties": value}})
        assert (event["count"], event["phase"]) == (3, "announced")
