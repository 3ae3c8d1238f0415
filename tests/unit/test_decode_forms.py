"""Every form that people have of a record gives what the record gives (contract: Input)."""

from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.decoding import decode, ignored, one, rejected, rows, settings
from tests.fixtures.forms import (
    GRAPH_FORMS,
    GRID_FORMS,
    REST_FORMS,
    avro_of,
    csv_of,
    log_row,
    packed,
    parquet_of,
    powershell,
    snake,
    table_of,
    texts,
)
from tests.fixtures.native import (
    AT,
    AT_MICROS,
    INSTANCE,
    OPERATIONS,
    ROBOT,
    SET,
    SPN,
    annotation,
    autoscale,
    graph_row,
    health_record,
    line,
    rest,
    signal,
    state,
    status_event,
)
from transforms.core.decode import Counts, decode_text
from transforms.files.shards import plan_shards, read_shard

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "forms"
LATER = settings(now=AT_MICROS + 100 * 86_400 * 10**6)
RECORDS = {
    "operation": rest(),
    "body": rest(OPERATIONS + "restart/action", properties={"requestbody": '{"instanceIds":["1","2"]}'}),
    "whole body": rest(OPERATIONS + "restart/action", properties={"requestBody": {}}),
    "nobody": rest(caller=..., claims=...),
    "autoscale": autoscale(),
    "principal": rest(claims={SPN: ROBOT}, caller=...),
    "health": health_record("Degraded"),
    "annotated": health_record("Unavailable", "VirtualMachinePreempted"),
    "unchanged": health_record(None, "prose"),
}
ROWS = {
    "status": graph_row(state()),
    "annotation": graph_row(annotation("VirtualMachineHostCrashed"), type="microsoft.resourcehealth/resourceannotations"),
}


def told(text: bytes) -> list[dict[str, Any]]:
    decoded = decode_text(text, "file", settings())
    assert decoded.rejects.num_rows == 0
    return sorted(rows(decoded), key=repr)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
@pytest.mark.parametrize("form", REST_FORMS.values(), ids=REST_FORMS.keys())
def test_forms_of_an_activity_log_record(form: Any, record: Any) -> None:
    assert told(form(record)) == sorted(rows(decode(record)), key=repr)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("form", GRAPH_FORMS.values(), ids=GRAPH_FORMS.keys())
def test_forms_of_a_resource_graph_row(form: Any, row: Any) -> None:
    expected = rows(decode(row))
    found = told(form(row))
    assert [{**event, "event_id": "", "operation_key": ""} for event in found] == [
        {**event, "event_id": "", "operation_key": ""} for event in expected
    ]


@pytest.mark.parametrize("form", ["answer", "table", "properties as text"])
def test_a_row_has_one_id_in_json_table_and_csv(form: str, tmp_path: Path) -> None:
    row = graph_row(state(), tags=None, kind="", zones=["1"], location="5")
    (tmp_path / "a.csv").write_bytes(csv_of([row]))
    assert told(GRAPH_FORMS[form](row)) == told(line(row)) == read(tmp_path)[0]
    assert told(line(row)) != told(line(row | {"location": "6"}))


@pytest.mark.parametrize("form", GRID_FORMS.values(), ids=GRID_FORMS.keys())
def test_forms_of_an_event_grid_event(form: Any) -> None:
    assert told(form(status_event())) == rows(decode(status_event()))


def read(path: Path, by: Any = None) -> tuple[list[dict[str, Any]], list[tuple[str, str]], Counts]:
    """Events, rejects as (location, reason), and counts of all files below a folder."""
    events, rejects, counts = [], [], Counts()
    for shard in plan_shards([str(path)]).shards:
        for piece in read_shard(shard, by or settings()):
            events += rows(piece)
            rejects += [(reject["location"], reject["reason"]) for reject in piece.rejects.to_pylist()]
            counts += piece.counts
    assert counts.records == counts.decoded.total() + counts.ignored.total() + counts.rejected.total()
    assert counts.rejected.total() == len(rejects)
    return sorted(events, key=repr), rejects, counts


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_log_analytics_in_csv_and_parquet(record: Any, tmp_path: Path) -> None:
    row = log_row(record)
    (tmp_path / "a.csv").write_bytes(csv_of([row, row], {"TimeGenerated": "TimeGenerated [UTC]"}))
    (tmp_path / "a.parquet").write_bytes(parquet_of([row, row]))
    assert read(tmp_path)[:2] == (sorted(rows(decode(record)) * 4, key=repr), [])


def test_messages_in_avro(tmp_path: Path) -> None:
    bodies = [line(status_event()), line([status_event()]), packed(status_event()).encode(), None, b"", b"x"]
    (tmp_path / "a.avro").write_bytes(avro_of(*bodies))
    assert read(tmp_path)[:2] == (rows(decode(status_event())) * 3, [("row 6", "not_json")])


@pytest.mark.parametrize("time", ["/Date(1790845210123)/", "/Date(1790845210123+0100)/", "10/1/2026, 9:00:10.123 AM"])
def test_times_as_powershell_and_the_portal_write_them(time: str) -> None:
    assert decode(rest(eventTimestamp=time)).counts.latest == AT_MICROS // 1000 * 1000


@pytest.mark.parametrize("time", ["/Date(-1)/", "/Date(x)/", "Date(1790845210123)", "/Date(1790845210123)/ "])
def test_what_is_no_such_time_or_too_early_is_a_bad_time(time: str) -> None:
    assert rejected(rest(eventTimestamp=time))[0] == "bad_time" if not time.endswith(" ") else one(rest(eventTimestamp=time))


@pytest.mark.parametrize(
    ("record", "marked"),
    [
        pytest.param(log_row(rest()) | {"eventType": "x", "type": "y"}, "eventgrid", id="event_grid_before_log_analytics"),
        pytest.param(log_row(rest()) | {"eventTimestamp": "soon"}, "activitylog", id="log_analytics_before_rest"),
        pytest.param(log_row(rest()) | {"resourceId": "/x", "operationName": "y"}, "activitylog", id="and_before_export"),
        pytest.param(snake(rest()) | {"type": "microsoft.resourcehealth/x"}, "activitylog", id="loose_rest_before_graph"),
    ],
)
def test_the_first_format_that_fits_counts_with_loose_names_too(record: Any, marked: str) -> None:
    counts = decode(record).counts
    assert [name for name, _ in counts.decoded] == [marked] or (marked == "eventgrid" and counts.ignored == {"type:x": 1})


def test_an_exact_name_goes_before_a_loose_one_and_null_is_as_absent() -> None:
    record = rest() | {"EventTimestamp": "soon", "event_data_id": "other", "Status": {"Value": "Failed"}}
    assert one(record) == one(rest())
    assert one(record | {"status": None})["phase"] == "failed"
    assert one(record | {"eventDataId": ""})["event_id"] == "other"


@pytest.mark.parametrize("category", ["Policy", "Security"])
def test_a_row_of_log_analytics_tells_its_kind_by_its_category(category: str) -> None:
    assert ignored(log_row(rest()) | {"CategoryValue": category}) == f"category:{category.casefold()}"
    assert one(log_row(rest()) | {"CategoryValue": "", "Category": "Administrative"}) == one(rest())
    assert one(log_row(rest()) | {"CategoryValue": None}) == one(rest())


def test_columns_of_log_analytics_that_stand_in_for_each_other() -> None:
    row = log_row(rest(claims={SPN: ROBOT}, caller=...))
    other = {
        "ActivityStatusValue": "ActivityStatus",
        "_ResourceId": "ResourceId",
        "Claims_d": "Claims",
        "Properties_d": "Properties",
    }
    assert one({other.get(name, name): value for name, value in row.items()}) == one(row)
    assert one(row)["initiator"] == "autoscale"


def test_a_row_of_log_analytics_without_an_id_has_its_hash(tmp_path: Path) -> None:
    row = {name: value for name, value in log_row(rest()).items() if name != "EventDataId"}
    assert one(row)["event_id"] != one(row | {"Level": "x"})["event_id"]
    (tmp_path / "a.parquet").write_bytes(parquet_of([row]))
    assert read(tmp_path)[0] == [one(texts(row))]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        pytest.param(log_row(rest(eventTimestamp=...)), "TimeGenerated", id="time"),
        pytest.param(log_row(rest(status=...)), "ActivityStatusValue", id="status"),
        pytest.param(log_row(rest(correlationId=...)), "correlationId", id="correlation"),
    ],
)
def test_what_a_row_lacks_is_named_as_its_column_is(row: Any, name: str) -> None:
    assert rejected(row) == ("missing_field", f"{name} is required, and it is absent")


def test_the_id_of_a_rest_record_stands_in_for_its_event_data_id() -> None:
    assert one(rest(eventDataId=None, id="other"))["event_id"] == "other"
    assert one(rest(id="other"))["event_id"] == "rest-1"


FLAT = {"targetResourceId": INSTANCE, "availabilityState": "Degraded", "occurredTime": AT}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(FLAT, id="flat"),
        pytest.param(FLAT | {"type": "Microsoft.ResourceHealth/AvailabilityStatuses"}, id="flat_with_type"),
        pytest.param(FLAT | {"properties": {"title": "x"}}, id="flat_beside_other_properties"),
        pytest.param({"TargetResourceId": INSTANCE, "availability_state": "degraded", "occurredtime": AT}, id="loose"),
        pytest.param(graph_row({"availabilityState": "Degraded", "occuredTime": AT}), id="rest_list"),
        pytest.param(graph_row({"availabilityState": "Degraded", "OccuredTime": AT}, type=..., targetResourceId=SET), id="mixed"),
    ],
)
def test_rows_of_health_as_they_are_projected_and_listed(row: Any) -> None:
    if "targetResourceId" in row and row["targetResourceId"] == SET:
        assert ignored(row) == "no_format"  # its properties have no target, and the row itself no state
        return
    event = one(row)
    assert (event["instance_id"], event["state"], decode(row).counts.latest) == ("7", "Degraded", AT_MICROS)


def test_the_occurred_time_goes_before_the_one_that_is_spelt_otherwise() -> None:
    assert one(graph_row(state(occuredTime="soon"))) | {"event_id": ""} == one(graph_row(state())) | {"event_id": ""}


@pytest.mark.parametrize("resource", ["/x", INSTANCE, "", None])
def test_a_row_without_a_target_and_without_the_tail_of_its_id_lacks_it(resource: Any) -> None:
    row = graph_row({"availabilityState": "Degraded", "occurredTime": AT}, id=resource)
    assert rejected(row) == ("missing_field", "targetResourceId is required, and it is absent")


def test_content_is_what_it_holds_only_where_nothing_stands_beside_it() -> None:
    record = powershell(rest(OPERATIONS + "restart/action", properties={"requestbody": '{"instanceIds":["1"]}'}))
    assert one(record)["instance_ids"] == ["1"]
    record["Properties"]["other"] = 1
    assert one(record)["target"] == "unnamed"


@pytest.mark.parametrize("body", ["InstanceIds", "instance_ids"])
def test_instances_that_a_body_spells_otherwise_are_not_all_of_them(body: str) -> None:
    event = one(rest(OPERATIONS + "restart/action", properties={"requestbody": {body: ["1"]}}))
    assert (event["target"], event["instance_ids"]) == ("named", ["1"])


FORMS = {  # (format, kind) of each record, or what they are ignored by
    "F01": ["operation", "operation", "signal"],
    "F02": ["operation", "operation", "signal"],
    "F03": ["operation", "operation", "signal"],
    "F04": ["operation", "operation", "signal"],
    "F05": ["signal", "signal"],
    "F06": ["signal", "signal"],
    "F07": ["signal"],
    "F08": ["signal", "signal"],
    "F09": ["signal", "signal"],
    "F10": ["operation", "operation", "signal"],
    "F11": ["operation", "operation", "signal"],
    "F12": {"no_format": 1},
    "F13": ["signal", "signal"],
    "F14": ["signal", "signal"],
    "F15": ["signal", "signal"],
    "F16": ["signal", "signal"],
    "F17": {"no_format": 1},
    "F18": {"no_format": 1},
    "F19": {"no_format": 2},
    "F20": {"no_format": 1},
    "F21": ["operation", "signal"],
    "F22": ["signal", "signal", "signal"],
    "F23": ["signal"],
    "F24": {"no_format": 1},
    "F25": {"no_format": 1},
}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples of forms are not part of the project")
@pytest.mark.parametrize("form", FORMS)
def test_samples_of_forms(form: Any) -> None:
    (folder,) = SAMPLES.glob(form + "-*")
    events, rejects, counts = read(folder, LATER)
    wanted = FORMS[form]
    assert rejects == []
    assert sorted(event["kind"] for event in events) == (sorted(wanted) if isinstance(wanted, list) else [])
    assert +counts.ignored == ({} if isinstance(wanted, list) else wanted)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples of forms are not part of the project")
def test_samples_that_hold_the_same_records_give_the_same_events() -> None:
    def found(form: str) -> Any:
        return read(next(SAMPLES.glob(form + "-*")), LATER)[0]

    assert found("F01") == found("F02") == found("F03") == found("F04")
    assert found("F05") == found("F06") == found("F09")
    assert found("F13") == found("F14") == found("F15") == found("F16")


def test_an_object_that_wraps_nothing_is_of_no_format() -> None:
    for record in ({"data": {"x": 1}}, {"value": 5}, {"records": None}, {"columns": [], "rows": 5}, {"body": [1]}, {"items": []}):
        assert ignored(record) == "no_format"


def test_a_record_that_has_such_members_wraps_nothing() -> None:
    assert one(signal(records=[{}], value=[], data=[])) == one(signal())
    assert one(log_row(rest()) | {"value": [{}], "body": "x"}) == one(rest())


def test_tables_side_by_side_and_rows_that_do_not_fit_their_columns() -> None:
    table = table_of([signal(), signal(state="x")])
    table["rows"] += [["signal"], "x", None]
    decoded = decode_text(line({"tables": [table, table_of([signal(event_id="s-2")]), 5]}), "file", settings())
    assert sorted(event["event_id"] for event in rows(decoded)) == ["s-1", "s-2"]
    assert sorted((reject["location"], reject["reason"]) for reject in decoded.rejects.to_pylist()) == [
        ("record 1, record 2", "bad_value"),
        ("record 1, record 3", "not_json"),
        ("record 1, record 4", "not_json"),
        ("record 1, record 5", "not_json"),
        ("record 3", "not_json"),
    ]


def nested(levels: int) -> bytes:
    around = [(b'{"records": [', b"]}") if level % 2 else (b'{"body": ', b"}") for level in range(levels)]
    return b"".join(before for before, _ in around) + line(signal()) + b"".join(behind for _, behind in reversed(around))


def test_envelopes_and_messages_nest_64_deep() -> None:
    assert told(nested(64)) == rows(decode(signal()))
    for levels in (65, 3_000, 100_000):
        assert decode_text(nested(levels), "file", settings()).rejects["reason"].to_pylist() == ["too_deep"]


@pytest.mark.parametrize("content", ["", "  ", "\n"])
def test_an_empty_message_stands_for_nothing(content: str) -> None:
    assert decode_text(line([{"content": content, "id": "m"}]), "file", settings()).counts.records == 0


@pytest.mark.parametrize("content", ["hello", "5", "eyJ4", "bnVsbA==", "{"])
def test_a_message_of_anything_else_is_not_json(content: str) -> None:
    decoded = decode_text(line([{"body": content}, status_event()]), "file", settings())
    assert [(reject["location"], reject["reason"]) for reject in decoded.rejects.to_pylist()] == [("record 1", "not_json")]
    assert decoded.events.num_rows == 1


def test_a_wanted_format_does_not_hinder_unwrapping() -> None:
    by = settings(format="activitylog")
    assert rows(decode({"records": [rest()]}, powershell(rest()), log_row(rest()), by=by)) == rows(decode(*[rest()] * 3))
