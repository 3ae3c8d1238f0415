"""The forms in which a simulated Activity Log is written: all tell the same."""

import dataclasses
import json
from typing import Any

import pytest

from pipelines.simulate.fleet.history import History
from pipelines.simulate.fleet.machines import OUTAGE
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.given.settings import FORMS, LOG_ANALYTICS, REST, STORAGE, SimulationError, SimulationSettings
from pipelines.simulate.health.health import report
from pipelines.simulate.operations import effects as operations
from pipelines.simulate.records.delivery import Post
from pipelines.simulate.records.log_forms import LOG_FORMS, caller_of, event_id
from pipelines.simulate.records.records import send_records
from schemas.policy import Policy
from schemas.time import DAY
from tests.support.simulated import END, at, history, placed, spell
from transforms.core.decode import DecodeSettings, decode_records

LINES = (
    "TimeGenerated", "OperationNameValue", "ActivityStatusValue", "CategoryValue", "_ResourceId", "CorrelationId", "Caller",
    "Claims_d", "Properties", "Properties_d", "EventDataId", "Type",
)  # fmt: skip


def lived(form: str, **fields: Any) -> History:
    """A day with something of every kind."""
    made = history(machines=8, kind="web", **fields)
    made.settings = dataclasses.replace(made.settings, operations=form, late_end_share=0.3)
    operations.scale_in(made, at(10), made.machines[:2], "autoscale")
    operations.scale_in(made, at(1000), made.machines[2:4], "customer")
    operations.create(made, at(2000), 2, "autoscale")
    operations.stop(made, at(4000), made.idle(at(4000)), everything=True)
    operations.start(made, at(9000), made.off(), everything=False)
    operations.evict(made, at(20_000), made.machines[5])
    operations.maintain(made, at(20_000), made.machines[6])
    operations.fail(made, at(30_000))
    return made


def records(made: History) -> list[dict[str, Any]]:
    post = Post(Draws("post"), 0)
    machines = [report(made, machine, [spell(50_000, 60_000, OUTAGE, "host")]) for machine in made.machines]
    send_records(made, machines, [], post, Draws("records"))
    return [json.loads(delivery.text) for delivery in post.deliveries if "eventgrid" not in delivery.file]


def events(form: str, **fields: Any) -> list[dict[str, Any]]:
    """What the records of the Activity Log tell, but for ids."""
    made = lived(form, **fields)
    texts = [json.dumps(record).encode() for record in records(made)]
    found = decode_records(texts, "test", 1, DecodeSettings(Policy(), END + DAY, placed(made)))
    assert found.rejects.num_rows == 0
    told = [{name: value for name, value in event.items() if name != "event_id"} for event in found.events.to_pylist()]
    return sorted(told, key=lambda event: json.dumps(event, default=str))


def without_hashed_keys(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keys of annotations hold the id of their record."""
    return [event | {"operation_key": None} if "#annotation" in (event["operation_key"] or "") else event for event in found]


@pytest.mark.parametrize("flexible", [False, True])
@pytest.mark.parametrize("form", [REST, LOG_ANALYTICS])
def test_the_same_record_tells_the_same_in_every_form(form: str, flexible: bool) -> None:
    same, other = (without_hashed_keys(events(each, flexible=flexible)) for each in (STORAGE, form))
    assert len(same) > 40
    assert sorted(map(str, other)) == sorted(map(str, same))
    assert {event["kind"] for event in same} == {"signal", "fault", "operation"}


def test_the_history_is_the_same_whatever_the_form() -> None:
    assert len({str(lived(form).operations) for form in FORMS}) == 1


def test_log_analytics_has_the_columns_of_its_table_and_json_in_them() -> None:
    found = records(lived(LOG_ANALYTICS))
    assert all(set(LINES) <= set(record) for record in found)
    assert {record["Type"] for record in found} == {"AzureActivity"}
    assert {record["CategoryValue"] for record in found} == {"Administrative", "Autoscale", "ResourceHealth"}
    assert all(json.loads(record["Properties"]) == record["Properties_d"] for record in found)
    assert all(record["_ResourceId"] == record["_ResourceId"].lower() for record in found)
    assert len({record["EventDataId"] for record in found}) == len(found)


def test_log_analytics_says_what_the_export_says() -> None:
    for record, same in zip(records(lived(LOG_ANALYTICS)), records(lived(STORAGE)), strict=True):
        told = record["Properties_d"]
        assert (record["TimeGenerated"], record["OperationNameValue"]) == (same["time"], same["operationName"])
        assert (record["ActivityStatusValue"], record["CorrelationId"]) == (same["resultType"], same["correlationId"])
        assert record["_ResourceId"] == same["resourceId"].lower()
        assert told.get("requestbody") == same["properties"].get("requestbody")
        if record["CategoryValue"] == "ResourceHealth":
            assert told == same["properties"]["eventProperties"]
        if record["CategoryValue"] == "Autoscale":
            assert json.loads(told["eventProperties"]) == same["properties"]["eventProperties"]


def test_a_late_end_has_no_body_in_any_form() -> None:
    for form in FORMS:
        made = history()
        made.settings = dataclasses.replace(made.settings, operations=form, late_end_share=1)
        operations.stop(made, at(10), made.machines, everything=True)
        ends = [text for text in map(json.dumps, records(made)) if "Succe" in text or '"Success"' in text]
        assert ends
        assert not any("instanceIds" in text for text in ends)


def test_ids_are_those_of_the_record_and_callers_are_in_the_claims() -> None:
    assert event_id({"a": 1, "b": 2}) == event_id({"b": 2, "a": 1}) != event_id({"a": 1, "b": 3})
    assert caller_of({"aud": "x", "http://x/claims/upn": "dana.example@example.com"}) == "dana.example@example.com"


def test_every_form_has_its_folder() -> None:
    assert set(LOG_FORMS) == set(FORMS)
    assert len({form.file_of("s") for form in LOG_FORMS.values()}) == len(FORMS)
    assert all("/S/" in form.file_of("s") for form in LOG_FORMS.values())


def test_another_form_is_refused() -> None:
    with pytest.raises(SimulationError, match="--operations: one of storage, rest, log-analytics is required, got csv"):
        SimulationSettings(operations="csv")
