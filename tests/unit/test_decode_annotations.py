"""Annotations: what each name becomes, on whom, and who began it (contract: Annotations)."""

from typing import Any

import pytest

from tests.fixtures.decoding import ignored, one, rejected
from tests.fixtures.native import SET, annotation, annotation_event, graph_row, health_record

VM = "VirtualMachine"
ANNOUNCED = {
    VM + "DeallocationInitiated": ("deallocate", "announced"),
    VM + "StopInitiatedByControlPlane": ("stop", "announced"),
    VM + "StopInitiatedByControlPlaneTrackingId": ("stop", "announced"),
    VM + "StoppedInternally": ("stop", "announced"),
    VM + "Preempted": ("evict", "announced"),
    VM + "StartInitiatedByControlPlane": ("start", "started"),
    VM + "Allocated": ("start", "started"),
    VM + "Restarted": ("restart", "started"),
    VM + "RebootInitiatedByControlPlane": ("restart", "started"),
    VM + "SizeChanged": ("restart", "started"),
    VM + "ConfigurationUpdated": ("restart", "started"),
    VM + "RedeployInitiatedByControlPlane": ("redeploy", "started"),
    VM + "RedeployInitiatedByControlPlaneDueToPlannedMaintenance": ("redeploy", "started"),
    VM + "MigrationInitiatedForPlannedMaintenance": ("maintenance", "started"),
    VM + "RebootInitiatedForPlannedMaintenance": ("maintenance", "started"),
    VM + "PlannedFreezeStarted": ("maintenance", "started"),
}
DEGRADED = [
    "PossiblyDegradedDueToHardwareFailure",
    "PossiblyDegradedDueToHardwareFailureWithRedeployDeadline",
    "ScheduledForServiceHealing",
    "MigrationScheduledForDegradedHardware",
]
FAULTS = [
    "AccelnetUnhealthy",
    "PossiblyDegradedDueToHardwareFailureWithRedeployDeadline",
    "NetworkUnhealthy",
    "LiveMigrationFailure",
    "LiveMigrationSucceeded",
    *(VM + name + tail for name in DEGRADED for tail in ("", "LiveMigrationEligible", "LiveMigrationNotEligible")),
    VM + "Crashed",
    VM + "HostCrashed",
    VM + "HostRebootedForRepair",
    VM + "StorageOffline",
    VM + "MigrationInitiatedForRepair",
    VM + "ScheduledForMigrationWithGracePeriod",
    VM + "MigratedDueToHardwareFailure",
]
EVIDENCE = [
    VM + "FailedToSecureBoot",
    VM + "FailedSecureKeyRelease",
    VM + "PlannedFreezeSucceeded",
    VM + "PlannedFreezeFailed",
    VM + "ProvisioningTimedOut",
    "PossiblyDegradedDueToHardwareFailure",
]


@pytest.mark.parametrize("name", ANNOUNCED)
@pytest.mark.parametrize("case", [str, str.upper, str.lower], ids=["plain", "upper", "lower"])
def test_an_announcement_becomes_an_operation(name: Any, case: Any) -> None:
    event = one(annotation_event(case(name)))
    assert (event["verb"], event["phase"]) == ANNOUNCED[name]
    assert (event["target"], event["instance_ids"], event["operation_key"]) == ("named", ["7"], "ce-1")
    assert "count" not in event


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("case", [str, str.lower], ids=["plain", "lower"])
def test_a_genuine_failure_becomes_a_fault_notice(name: Any, case: Any) -> None:
    event = one(annotation_event(case(name)))
    assert (event["kind"], event["annotation"], event["instance_id"]) == ("fault", case(name), "7")


@pytest.mark.parametrize("name", EVIDENCE)
def test_the_rest_is_evidence_only(name: Any) -> None:
    assert ignored(annotation_event(name)) == f"annotation:{name.casefold()}"
    assert ignored(graph_row(annotation(name), type=None)) == f"annotation:{name.casefold()}"
    assert ignored(health_record(None, name)) == "health_unchanged"


@pytest.mark.parametrize(
    ("impact", "category", "is_fault"),
    [
        ("Degraded", "Planned", True),
        ("degra-ded ", None, True),
        ("Downtime Reboot", "Unplanned", True),
        ("downtime-freeze", "UN-PLANNED", True),
        ("Downtime Freeze", "Planned", False),
        ("Downtime Freeze", None, False),
        ("Informational", "Unplanned", False),
        (None, "Unplanned", False),
    ],
)
def test_an_unknown_name_is_a_fault_by_its_impact(impact: str | None, category: str | None, is_fault: bool) -> None:
    record = annotation_event("SomethingNew", impactType=impact, category=category)
    if is_fault:
        assert one(record)["kind"] == "fault"
    else:
        assert ignored(record) == "annotation:somethingnew"


def test_a_known_name_means_what_the_table_says_whatever_its_impact() -> None:
    assert one(annotation_event(VM + "Preempted", impactType="Degraded", category="Unplanned"))["verb"] == "evict"


def test_details_that_are_no_name_of_the_table_are_prose() -> None:
    record = health_record(None, "SomethingNew")
    record["properties"] |= {"impactType": "Degraded"}
    assert ignored(record) == "health_unchanged"


@pytest.mark.parametrize(
    ("context", "cause", "initiator"),
    [
        ("Customer Initiated", None, "customer"),
        ("customer-initiated", None, "customer"),
        ("User-initiated", None, "customer"),
        ("UserInitiated", None, "customer"),
        ("Platform initiated", None, "platform"),
        ("PLATFORM-INITIATED ", None, "platform"),
        ("VM Initiated", None, "unknown"),
        ("Null", "UserInitiated", "unknown"),
        (None, "UserInitiated", "customer"),
        ("", "Platform Initiated", "platform"),
        (None, None, "unknown"),
    ],
)
def test_context_or_else_cause_tells_who_began_it(context: str | None, cause: str | None, initiator: str) -> None:
    assert one(annotation_event(VM + "Restarted", context=context, cause=cause))["initiator"] == initiator


@pytest.mark.parametrize("name", [name for name, (verb, _) in ANNOUNCED.items() if verb == "maintenance"])
def test_planned_maintenance_is_the_platforms_whatever_the_context(name: Any) -> None:
    assert one(annotation_event(name))["initiator"] == "platform"


def test_an_annotation_without_an_instance_is_about_all() -> None:
    event = one(annotation_event(VM + "Restarted", SET))
    assert event["target"] == "all"
    assert "instance_ids" not in event


def test_a_fault_without_an_instance_bears_on_the_set_itself() -> None:
    assert "instance_id" not in one(annotation_event(VM + "HostCrashed", SET))


def test_an_absent_name_is_a_missing_field_once_the_target_is_known() -> None:
    assert rejected(annotation_event(None)) == ("missing_field", "annotationName is required, and it is absent")
    assert rejected(annotation_event(["x"]))[0] == "bad_value"
    assert ignored(annotation_event(None, "/elsewhere")) == "other_resource"
