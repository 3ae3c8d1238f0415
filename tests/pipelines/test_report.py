"""`trueup report` from folder to text: figures of a month with a clock change, what is read, what is refused."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.reading.report import _OPERATIONS, ReportSettings
from pipelines.reading.report import report as run
from pipelines.record.selection import Selection
from schemas.timestamp import parse_time
from tests.support.build import Event, empty_event
from tests.support.files import trueup, write_events

PREFIX = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/"


def event(kind: str, time: str, scale_set: str, number: int = 0, **fields: Any) -> Event:
    same = {"kind": kind, "event_id": f"{kind}{time}{number}", "scale_set_id": scale_set, "time": parse_time(time)}
    return {**empty_event(), **same, **fields}


def signal(time: str, instance: str, state: str, scale_set: str = "a") -> Event:
    return event("signal", time, scale_set, int(instance), instance_id=instance, state=state)


def restart(time: str, phase: str, instance: str, scale_set: str = "a") -> Event:
    fields = {"operation_key": "k", "verb": "restart", "phase": phase, "initiator": "customer", "target": "named"}
    return event("operation", time, scale_set, **fields, instance_ids=[instance])


def backfilled(root: Path, events: list[Event], *more: str) -> Path:
    path = write_events(root / f"in{len(list(root.iterdir()))}.jsonl", events)
    assert trueup("backfill", "--input", path, "--output", root / "out", *more).err == ""
    return root / "out"


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two instances, one away in the hour that comes twice, the other excused once; and a set that is bad for long."""
    events = [signal("2024-09-30T00:00:00Z", i, "Available") for i in ("1", "2")]
    events += [signal("2024-10-27T00:30:00Z", "1", "Unavailable"), signal("2024-10-27T01:30:00Z", "1", "Available")]
    events += [restart("2024-10-10T10:00:00Z", "started", "2"), restart("2024-10-10T10:05:00Z", "succeeded", "2")]
    events += [signal("2024-10-10T10:00:10Z", "2", "Unavailable"), signal("2024-10-10T10:05:10Z", "2", "Available")]
    events += [signal("2024-10-20T00:00:00Z", "7", "Degraded", "b"), signal("2024-11-02T00:00:00Z", "7", "Available", "b")]
    return backfilled(tmp_path_factory.mktemp("october"), events)


BERLIN = ("--since", "2024-10-01", "--until", "2024-11-01", "--time-zone", "Europe/Berlin")


def test_october_in_berlin_has_745_hours_and_each_is_in_one_day(october: Path) -> None:
    made = trueup("report", "--data", october, *BERLIN, "--scale-set", "a", "--by", "day", "--as", "json").json
    assert (made["period"]["since"], made["period"]["until"]) == ("2024-09-30T22:00:00Z", "2024-10-31T23:00:00Z")
    assert len(made["periods"]) == 31
    days = {row["label"]: row for row in made["periods"]}
    hours = {day: sum(row[f"{name}_seconds"] for name in ("up", "unavailable", "excused")) / 3600 for day, row in days.items()}
    assert hours == {day: 50.0 if day == "2024-10-27" else 48.0 for day in days}
    changed, fleet = days["2024-10-27"], made["fleet"]
    assert (changed["up_seconds"], changed["unavailable_seconds"], changed["availability"]) == (49 * 3600, 3600, 0.98)
    assert days["2024-10-10"]["raw_unavailable_seconds"] == days["2024-10-10"]["excused_seconds"] == 300
    assert fleet["up_seconds"] == 745 * 7200 - 3600 - 300
    assert fleet["availability"] == (745 * 7200 - 3900) / (745 * 7200 - 300)
    assert fleet["raw_availability"] == (745 * 7200 - 3900) / (745 * 7200)
    assert (fleet["interruptions"], fleet["mttr_seconds"], fleet["worst_hour"]) == (1, 3600, 0.5)


def test_the_hour_that_comes_twice_is_two_hours(october: Path) -> None:
    day = ("--since", "2024-10-27", "--until", "2024-10-28", "--time-zone", "Europe/Berlin", "--by", "hour", "--scale-set", "a")
    made = trueup("report", "--data", october, *day, "--as", "json").json
    told = {row["label"]: row["unavailable_seconds"] for row in made["periods"]}
    assert len(told) == 25
    assert {label: seconds for label, seconds in told.items() if seconds} == {
        "2024-10-27 02:00+02:00": 1800,
        "2024-10-27 02:00+01:00": 1800,
    }


def test_an_outage_that_began_long_before_is_known_by_its_rows(october: Path) -> None:
    made = trueup("report", "--data", october, "--since", "2024-10-30", "--until", "2024-10-31", "--as", "json").json
    (cause,) = made["causes"]
    assert (cause["verdict"], cause["episodes"], cause["counted_seconds"]) == ("unexplained", 0, 86_400)


def test_a_date_is_of_the_zone_and_an_offset_counts(october: Path) -> None:
    def since(*given: str) -> str:
        return trueup("report", "--data", october, *given, "--as", "json").json["period"]["since"]

    assert since("--since", "2024-10-02", "--time-zone", "Europe/Berlin") == "2024-10-01T22:00:00Z"
    assert since("--since", "2024-10-02T06:00:00", "--time-zone", "Europe/Berlin") == "2024-10-02T04:00:00Z"
    assert since("--since", "2024-10-02T06:00:00+05:00", "--time-zone", "Europe/Berlin") == "2024-10-02T01:00:00Z"
    assert since("--since", "2024-10-02") == "2024-10-02T00:00:00Z"
    assert since() == "2024-09-30T00:00:00Z"


def test_only_what_may_hold_rows_is_opened(october: Path) -> None:
    selection = Selection(str(october), ("a",))
    run(
        ReportSettings(str(october), since=parse_time("2024-10-05T00:00:00Z"), until=parse_time("2024-10-06T00:00:00Z")),
        selection,
    )
    opened = {table: sum(one.row_groups for one in found) for table, found in selection.opened.items()}
    assert opened["availability"] == 1
    assert "attributions" not in opened
    assert "operations" not in opened
    whole = Selection(str(october), ("a",))
    run(ReportSettings(str(october)), whole)
    assert {table: sum(one.row_groups for one in whole.opened[table]) for table in ("attributions", "operations")} == {
        "attributions": 2,
        "operations": 1,
    }


def test_only_the_latest_version_of_a_cell_counts(tmp_path: Path) -> None:
    first = [signal("2024-01-01T00:00:00Z", "1", "Available"), signal("2024-01-01T06:00:00Z", "1", "Unavailable")]
    root = backfilled(tmp_path, first, "--until", "2024-01-02T00:00:00Z")
    before = trueup("report", "--data", root, "--as", "json").json["fleet"]
    again = [*first, signal("2024-01-01T07:00:00Z", "1", "Available")]
    backfilled(tmp_path, again, "--until", "2024-01-02T00:00:00Z")
    after = trueup("report", "--data", root, "--as", "json").json["fleet"]
    assert (before["unavailable_seconds"], after["unavailable_seconds"]) == (18 * 3600, 3600)
    assert (after["interruptions"], after["repaired"]) == (1, 1)


def test_rows_that_are_there_twice_count_once(tmp_path: Path) -> None:
    root = backfilled(
        tmp_path, [signal("2024-01-01T00:00:00Z", "1", "Available"), signal("2024-01-01T06:00:00Z", "1", "Unavailable")]
    )
    before = trueup("report", "--data", root, "--as", "json").json
    for path in list(root.glob("*/day=*/*.parquet")):
        path.with_name("copy.parquet").write_bytes(path.read_bytes())
    assert trueup("report", "--data", root, "--as", "json").json == before


def test_files_that_vanish_are_looked_for_again(october: Path, tmp_path: Path) -> None:
    root = shutil.copytree(october, tmp_path / "copy")
    selection = Selection(str(root))
    before = run(ReportSettings(str(root))).fleet.to_pylist()
    assert selection.files("availability")
    for path in list(root.glob("availability/day=*/*.parquet")):
        path.rename(path.with_name(f"new-{path.name}"))
    assert run(ReportSettings(str(root)), selection).fleet.to_pylist() == before


@pytest.mark.parametrize(("glob", "number"), [("a", 1), ("A", 1), ("[ab]", 2), ("*", 2)])
def test_scale_sets_are_chosen_by_id_or_name_in_any_case(glob: str, number: int, october: Path) -> None:
    assert len(trueup("report", "--data", october, "--scale-set", glob, "--as", "json").json["scale_sets"]) == number


def test_top_leaves_the_worst_and_the_figures_of_all(october: Path) -> None:
    made = trueup("report", "--data", october, "--top", "1", "--as", "json").json
    everything = trueup("report", "--data", october, "--as", "json").json
    assert [row["scale_set_id"] for row in made["scale_sets"]] == ["b"]
    assert {row["scale_set_id"] for row in made["scale_set_periods"]} == {"b"}
    assert made["fleet"] == everything["fleet"]


def csv_rows(root: Path, *arguments: str) -> list[dict[str, str]]:
    done = trueup("report", "--data", root, *arguments, "--as", "csv")
    assert done.err == ""
    return list(csv.DictReader(io.StringIO(done.out)))


@pytest.mark.parametrize(
    "table", ["scale_sets", "fleet", "periods", "scale_set_periods", "states", "causes", "chance", "coverage"]
)
def test_csv_has_rows_of_one_kind_with_the_figures_of_the_json(table: str, october: Path) -> None:
    asked = (*BERLIN, "--by", "week")
    rows = csv_rows(october, *asked, "--table", table)
    told = trueup("report", "--data", october, *asked, "--as", "json").json[table]
    told = [told] if table == "fleet" else told
    numbers = [[value for value in row.values() if isinstance(value, float | int)] for row in told]
    assert numbers == [[float(row[name]) for name, value in one.items() if isinstance(value, float | int)]
                       for row, one in zip(rows, told, strict=True)]  # fmt: skip
    assert any(numbers)
    assert rows[0]["period_start"] == "2024-10-01T00:00:00+02:00"
    whole = table not in ("periods", "scale_set_periods")
    assert rows[-1]["period_end"] == "2024-11-01T00:00:00+01:00"
    assert len({row["period_start"] for row in rows}) == (1 if whole else 5)


def test_csv_is_of_scale_sets_unless_told_otherwise(october: Path) -> None:
    assert csv_rows(october) == csv_rows(october, "--table", "scale_sets")
    assert [row["scale_set_id"] for row in csv_rows(october)] == ["b", "a"]


def test_the_inventory_is_put_beside_what_counts(tmp_path: Path) -> None:
    flexible = (PREFIX + "web").casefold()
    root = backfilled(
        tmp_path,
        [signal("2024-01-01T00:00:00Z", "1", "Available", flexible), signal("2024-01-02T00:00:00Z", "2", "Available", "u")],
    )
    machine = PREFIX.replace("virtualMachineScaleSets", "virtualMachines")
    lines = [f"{machine}vm{n},{PREFIX}web,{'2024-01-01T12:00:00Z' if n else ''}," for n in range(3)]
    inventory = tmp_path / "inventory.csv"
    inventory.write_text("\n".join(["vm_id,scale_set_id,valid_from,valid_to", *lines]))
    made = trueup("report", "--data", root, "--inventory", inventory, "--as", "json").json
    told = {row.pop("scale_set_id"): row for row in made["coverage"]}
    assert told[flexible] == {"counted_at_start": 1, "counted_at_end": 1, "inventory_at_start": 1, "inventory_at_end": 3}
    assert (told["u"]["inventory_at_start"], told["u"]["inventory_at_end"]) == (None, None)
    shown = trueup("report", "--data", root, "--inventory", inventory).out
    assert "the inventory names 1 and 3" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--data", "/nowhere"], 1, "--data: a folder that trueup has written"),
        (["--data", "DIR", "--scale-set", "none*"], 1, "--scale-set: the id or name of a scale set"),
        (["--data", "DIR", "--since", "2030-01-01"], 1, "a period within what is published"),
        (["--data", "DIR", "--until", "2000-01-01"], 1, "a period within what is published"),
        (["--data", "DIR", "--since", "2024-10-02", "--until", "2024-10-02"], 2, "--until: a time later than --since"),
        (["--data", "DIR", "--since", "0001-01-01", "--time-zone", "Asia/Tokyo"], 2, "--since: a time of the years 1900 to 2199"),
        (
            ["--data", "DIR", "--until", "9999-12-31T23:59:59", "--time-zone", "America/New_York"],
            2,
            "--until: a time of the years",
        ),
        (["--data", "DIR", "--until", "2199-01-01", "--by", "hour"], 2, "--by: at most 200,000 periods"),
        (["--data", "DIR", "--top", "99999999999999999999"], 2, "--top"),
        (["--data", "DIR", "--since", "yesterday"], 2, "--since: a date or a time like"),
        (["--data", "DIR", "--until", "2024-13-01"], 2, "--until: a date or a time like"),
        (["--data", "DIR", "--time-zone", "Mars/Base"], 2, "--time-zone: the name of a time zone"),
        (["--data", "DIR", "--time-zone", "../etc/passwd"], 2, "--time-zone: the name of a time zone"),
        (["--data", "DIR", "--time-zone", ""], 2, "--time-zone: the name of a time zone"),
        (["--data", "DIR", "--by", "year"], 2, "--by"),
        (["--data", "DIR", "--target", "100"], 2, "--target: a percentage"),
        (["--data", "DIR", "--target", "nan"], 2, "--target: a percentage"),
        (["--data", "DIR", "--top", "0"], 2, "--top"),
        (["--data", "DIR", "--as", "xml"], 2, "--as"),
        (["--data", "DIR", "--table", "fleet"], 2, "--table: --as csv is required with it, got table."),
        (["--data", "DIR", "--inventory", "/nowhere.csv"], 2, "/nowhere.csv"),
        ([], 2, "--data is required"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_what_cannot_be_reported_is_said_in_one_sentence(arguments: list[str], status: int, says: str, october: Path) -> None:
    done = trueup("report", *(str(october) if one == "DIR" else one for one in arguments))
    assert (done.status, done.out, done.err.count("\n")) == (status, "", 1)
    assert says in done.err
    assert done.err.startswith("trueup: ")
    assert done.err.endswith(".\n")


def test_a_folder_without_any_published_row_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "_trueup").mkdir()
    (tmp_path / "_trueup" / "grid.json").write_text(json.dumps({"grid": "1h"}))
    done = trueup("report", "--data", tmp_path)
    assert (done.status, done.err) == (1, f"trueup: {tmp_path}: published rows are required, and there are none.\n")


def test_too_many_lines_are_refused_where_each_is_told(october: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.reading.report.MOST_LINES", 10)
    done = trueup("report", "--data", october, "--by", "hour", "--as", "csv", "--table", "scale_set_periods")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "--by: at most 10 lines" in done.err
    assert trueup("report", "--data", october, "--by", "hour").status == 0


def test_the_period_says_what_is_known_of_it(october: Path) -> None:
    done = trueup("report", "--data", october, "--since", "2024-09-01", "--scale-set", "a", "--as", "json").json["period"]
    assert (done["known_since"], done["known_until"]) == ("2024-09-30T00:00:00Z", "2024-11-02T01:00:00Z")
    shown = trueup("report", "--data", october, "--since", "2024-09-01", "--scale-set", "a").out
    assert "Published is only 2024-09-30 00:00 to 2024-11-02 01:00" in shown


def test_every_output_names_the_policy(october: Path) -> None:
    (policy,) = (path.stem for path in (october / "_trueup" / "policies").iterdir())
    for form in ("table", "json", "markdown"):
        assert policy in trueup("report", "--data", october, "--as", form).out


@pytest.mark.parametrize(
    ("pattern", "content", "says"),
    [
        ("_trueup/grid.json", b'{"gri', "_trueup/grid.json: what trueup writes there is required"),
        ("_trueup/grid.json", b"[]", "_trueup/grid.json: what trueup writes there is required"),
        ("_trueup/policies/*.json", b"{}", ".json: what trueup writes there is required"),
        ("revisions/day=*/*.parquet", b"", ".parquet: a whole Parquet file is required"),
        ("availability/day=*/*.parquet", b"PAR1 and no more", ".parquet: a whole Parquet file is required"),
        ("attributions/day=*/*.parquet", None, ".parquet: a column as_of is required"),
    ],
)
def test_a_folder_that_is_damaged_is_said_to_be_so(
    pattern: str, content: bytes | None, says: str, october: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(october, tmp_path / "copy")
    path = sorted(root.glob(pattern))[0]
    if content is None:
        pq.write_table(pa.table({"other": [1]}), path)
    else:
        path.write_bytes(content)
    done = trueup("report", "--data", root)
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert says in done.err
    assert str(root) in done.err
    assert "TRUEUP_TRACEBACK" not in done.err


def test_a_folder_without_the_rows_that_were_published_is_said_to_be_so(october: Path, tmp_path: Path) -> None:
    root = shutil.copytree(october, tmp_path / "copy")
    shutil.rmtree(root / "availability")
    done = trueup("report", "--data", root)
    assert (done.status, done.out) == (1, "")
    assert "rows of availability of day=2024-09-30 are required" in done.err


def test_a_folder_that_is_no_day_is_named(october: Path, tmp_path: Path) -> None:
    root = shutil.copytree(october, tmp_path / "copy")
    strange = root / "revisions" / "day=someday"
    strange.mkdir()
    shutil.copy(next(root.glob("revisions/day=2*/*.parquet")), strange)
    done = trueup("report", "--data", root)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "day=someday" in done.err


def test_outages_that_are_still_open_are_told_beside_the_time_to_repair(october: Path) -> None:
    shown = " ".join(trueup("report", "--data", october, *BERLIN).out.split())
    assert "mean time to repair 1:00:00 (without 1 still open at the end)" in shown


def test_of_a_day_only_row_groups_that_may_hold_a_wanted_set_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.record.tables.LEAST_ROWS", 24)
    sets = [f"s{number}" for number in range(8)]
    root = backfilled(
        tmp_path, [signal("2024-01-01T00:00:00Z", "1", "Available", one) for one in sets], "--until", "2024-01-02T00:00:00Z"
    )
    selection = Selection(str(root), ("s3",))
    fleet = run(ReportSettings(str(root)), selection).fleet.to_pylist()[0]
    assert fleet["up_seconds"] == 86_400
    for table in ("revisions", "availability"):
        (opened,) = selection.opened[table]
        assert (opened.row_groups, opened.of_row_groups) == (1, 8), table


def test_keys_of_operations_are_read_only_where_there_are_copies(october: Path, tmp_path: Path) -> None:
    def read(root: Path) -> tuple[dict[str, Any], int]:
        selection = Selection(str(root))
        fleet = run(ReportSettings(str(root)), selection).fleet.to_pylist()[0]
        return fleet, sum(one.bytes for one in selection.opened["operations"])

    root = shutil.copytree(october, tmp_path / "copy")
    once = read(root)
    files = [pq.ParquetFile(path).metadata for path in root.glob("operations/day=*/*.parquet")]
    groups = [file.row_group(number) for file in files for number in range(file.num_row_groups)]
    chunks = [group.column(place) for group in groups for place in range(group.num_columns)]
    needed = {*_OPERATIONS, "cell", "as_of"}
    assert once[1] == sum(one.total_compressed_size for one in chunks if one.path_in_schema.split(".")[0] in needed)
    for path in list(root.glob("operations/day=*/*.parquet")):
        shutil.copy(path, path.with_name("copy.parquet"))
    twice = read(root)
    keys = sum(one.total_compressed_size for one in chunks if one.path_in_schema == "operation_key")
    assert (twice[0], twice[1]) == (once[0], 2 * once[1] + 2 * (once[1] + keys))


def test_a_set_of_two_policies_is_one_set_and_both_are_named(tmp_path: Path) -> None:
    """The second day is published with a policy of its own; no second of either day is counted twice."""
    told = [signal("2024-01-01T00:00:00Z", "1", "Available"), signal("2024-01-01T06:00:00Z", "1", "Unavailable")]
    told += [signal("2024-01-01T07:00:00Z", "1", "Available"), signal("2024-01-02T06:00:00Z", "1", "Unavailable")]
    told += [signal("2024-01-02T06:30:00Z", "1", "Available")]
    root = backfilled(tmp_path, told, "--until", "2024-01-02T00:00:00Z")
    (policy := tmp_path / "policy.toml").write_text('settle = "20m"\n')
    second = ("--since", "2024-01-02T00:00:00Z", "--until", "2024-01-03T00:00:00Z", "--policy", str(policy))
    backfilled(tmp_path, told, *second)
    made = trueup("report", "--data", root, "--as", "json").json
    (line,) = made["scale_sets"]
    assert len(made["period"]["policies"]) == 2
    assert (line["up_seconds"], line["bad_seconds"], line["interruptions"]) == (2 * 86_400 - 5400, 5400, 2)
    assert (line["mttr_seconds"], line["still_open"]) == (2700, 0)


def test_a_folder_whose_name_looks_like_a_glob_is_read_and_written_as_it_is_named(tmp_path: Path) -> None:
    odd = tmp_path / "a[1]*b?"
    told = write_events(tmp_path / "in.jsonl", [signal("2024-01-01T00:00:00Z", "1", "Available")])
    run_of = ("backfill", "--input", told, "--until", "2024-01-02T00:00:00Z", "--output", odd)
    assert trueup(*run_of).err == ""
    assert trueup("report", "--data", odd, "--as", "json").json["fleet"]["up_seconds"] == 86_400
    before = sorted(odd.glob("*/day=*/*.parquet"))
    assert trueup(*run_of).err == ""
    assert sorted(odd.glob("*/day=*/*.parquet")) == before
    for path in list(odd.glob("availability/day=*/*.parquet")):
        shutil.copy(path, path.with_name("copy.parquet"))
    assert trueup("compact", "--data", odd).err == ""
    assert len(list(odd.glob("availability/day=*/*.parquet"))) == 1
