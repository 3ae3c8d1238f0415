"""Published payloads: each file is decoded, ignored or rejected on purpose, and here is why."""

from pathlib import Path
from typing import Any

import pytest

from schemas.azure.inventory import Belonging, Inventory
from schemas.azure.resource import Place, VirtualMachine, parse_resource
from schemas.time import NEVER
from tests.fixtures.decoding import one_by_one, settings, told
from transforms.core.decode import decode_text

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "azure"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the published payloads are not part of the project")

SIGNAL, OPERATION, FAULT = ("signal",), ("operation",), ("fault",)
DECODED = {  # the machine is in the inventory of this test: kinds of the events
    "eg_cloudevents_availabilitystatuschanged_doc.json": SIGNAL,
    "eg_cloudevents_availabilitystatuschanged_reboot_lag.json": SIGNAL,
    "eg_cloudevents_resourceannotated_2023preview_specversion1.json": OPERATION,  # specversion "1" is CloudEvents too
    "eg_cloudevents_resourceannotated_dealloc_doc.json": OPERATION,
    "eg_cloudevents_resourceannotated_reboot_impacttype.json": OPERATION,
    "eg_eventgrid_availabilitystatuschanged_2022preview.json": SIGNAL,
    "eg_eventgrid_availabilitystatuschanged_doc.json": SIGNAL,
    "eg_eventgrid_resourceannotated_dealloc_doc.json": OPERATION,
    "al_rest_resourcehealth_doc.json": SIGNAL,  # the other vocabulary: healthStatus
    "al_rest_resourcehealth_spot_preempted_real.json": SIGNAL,
    "al_export_storage_pt1h_resourcehealth_start.jsonl": ("signal", "operation"),  # details name an annotation
    "arg_healthresources_availabilitystatus_properties.json": SIGNAL,  # the properties column alone: a row projected flat
}
UNCHANGED = {"health_unchanged": 1}
NO_FORMAT = {"no_format": 1}
LIST_KEYS = "operation:microsoft.eventhub/namespaces/authorizationrules/listkeys/action"
IGNORED = {
    "eg_subscription_resourceactionsuccess_doc.json": {LIST_KEYS: 1},  # an event hub's operation
    "eg_subscription_resourcedeletesuccess_doc.json": {"operation:microsoft.storage/storageaccounts/delete": 1},
    "al_rest_administrative_doc.json": {"operation:microsoft.network/networksecuritygroups/write": 1},
    "al_rest_administrative_beginrequest_started_real_redacted.json": {"operation:microsoft.web/sites/config/write": 1},
    "al_rest_administrative_vmss_deployment_real_redacted.json": {"operation:microsoft.resources/deployments/write": 1},
    "al_rest_autoscale_scaledown_doc.json": {"other_resource": 1},  # scales a cloud service
    "al_rest_resourcehealth_vmss_instance_updated_real.json": UNCHANGED,  # states are null, details are empty
    "al_rest_list_filtered_restspec.json": NO_FORMAT,  # a specification's example around a list
    "al_export_eventhub_records_doc.json": {"operation:microsoft.support/supporttickets/write": 1},
    "al_export_eventhub_accept_repeated_real_redacted.json": {"operation:microsoft.containerservice/containerservices/write": 2},
    "al_export_elastic_raw_lines.jsonl": {LIST_KEYS: 1, "health_unchanged": 2},
    "al_export_elastic_resourcehealth_minimal.jsonl": UNCHANGED,  # nothing but a cause
    "al_export_elastic_time_formats.jsonl": {"no_format": 11},  # times alone: test_decode_times.py reads them
    "al_export_elastic_mixedcase_resourceid.jsonl": {
        "operation:microsoft.web/sites/start/action": 1,
        "operation:microsoft.aadiam/updatedirectory/action": 1,
    },
    "al_export_elastic_responsebody_properties.jsonl": {"operation:sign-in activity": 1},
    "al_export_elastic_duration_as_string.jsonl": {LIST_KEYS: 1},
    "al_alert_common_resourcehealth_dealloc.json": NO_FORMAT,  # alerts are no input
    "al_alert_webhook_legacy_resourcehealth.json": NO_FORMAT,
    "arg_healthresources_resourceannotation_properties.json": {"other_resource": 1},  # its id is emptied, so of no machine
    "metric_export_record_logzio.json": NO_FORMAT,
    "rest_availabilitystatuses_by_rg.json": NO_FORMAT,  # specifications' examples
    "rest_childavailabilitystatus_vmss_instance_current.json": NO_FORMAT,
    "rest_childavailabilitystatuses_vmss_instance_history.json": NO_FORMAT,
}
REJECTED = {  # published with mistakes: they are no JSON
    "eg_flash_preview_malformed.txt",
    "al_autoscale_laproperties_doc.txt",
    "autoscale_scaleactions_resourcelog_doc.txt",
    "scheduled_events_schema_doc.txt",
}
NO_RECORDS = {"SOURCES.md", "annotations_2026-03-18.csv"}


class _Everything(Inventory):
    """An inventory that knows every machine."""

    def __init__(self) -> None:
        super().__init__({})

    def rows_of(self, vm_id: str) -> tuple[Belonging]:
        machine = parse_resource(vm_id)
        assert isinstance(machine, VirtualMachine)
        return (Belonging(-NEVER, NEVER, Place("set", machine.name)),)

    def place(self, vm_id: str, time: int) -> Place:
        return self.rows_of(vm_id)[0].place


BY = settings(_Everything())


def _decode(name: str) -> Any:
    return decode_text((SAMPLES / name).read_bytes(), name, BY)


def test_every_sample_is_in_one_of_the_tables() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == {*DECODED, *IGNORED, *REJECTED, *NO_RECORDS}


@pytest.mark.parametrize("name", DECODED)
def test_decoded_samples(name: str) -> None:
    decoded = _decode(name)
    assert tuple(decoded.events["kind"].to_pylist()) == DECODED[name]
    assert (decoded.rejects.num_rows, decoded.counts.records) == (0, 1)


@pytest.mark.parametrize("name", DECODED)
def test_without_an_inventory_their_machines_are_unplaced(name: str) -> None:
    decoded = decode_text((SAMPLES / name).read_bytes(), name, settings())
    assert decoded.counts.ignored == {"unplaced_vm": 1}


@pytest.mark.parametrize("name", IGNORED)
def test_ignored_samples(name: str) -> None:
    decoded = _decode(name)
    assert +decoded.counts.ignored == IGNORED[name]
    assert (decoded.events.num_rows, decoded.rejects.num_rows) == (0, 0)


@pytest.mark.parametrize("name", sorted(REJECTED))
def test_rejected_samples(name: str) -> None:
    decoded = _decode(name)
    assert decoded.rejects["reason"].to_pylist() == ["not_json"]
    assert decoded.events.num_rows == 0


@pytest.mark.parametrize("name", [name for name in (*DECODED, *IGNORED) if name.endswith(".json")])
def test_columns_and_models_agree_on_samples(name: str) -> None:
    text = b" ".join((SAMPLES / name).read_bytes().split(b"\n"))
    decoded = decode_text(text, "test", BY)
    assert told(decoded) == one_by_one([text.strip()], BY) or text.lstrip().startswith(b"[")
