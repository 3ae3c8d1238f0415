"""`trueup simulate`, `backfill` and `score`, one after the other, as a user runs them."""

import json
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.tables.truth import TRUE_FAULTS, TRUE_INSTANCES, TRUE_OPERATIONS
from schemas.time import NEVER, format_time, to_micros
from schemas.timestamp import parse_time
from tests.support.files import Finished, trueup, two_days, write_events

SMALL = (
    "--days", 3, "--scale-sets", 14, "--outages-per-vm-year", 200, "--seed", 4, "--upgrades-per-week", 5, "--silent-share", 0,
    "--overprovisioned-share", 0,
)  # fmt: skip
SINCE = "2026-06-01T00:00:00Z"


def simulated(output: Path, *options: object) -> Finished:
    done = trueup("simulate", "--output", output, *options)
    assert done.status == 0, done.err
    return done


def backfilled(fleet: Path, record: Path, *options: object) -> None:
    arguments = ("--input", fleet / "events", "--inventory", fleet / "inventory.csv", "--output", record, "--since", SINCE)
    done = trueup("backfill", *arguments, *options)
    assert done.status == 0, done.err


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "fleet"
    simulated(folder, *SMALL)
    return folder


@pytest.fixture(scope="module")
def record(fleet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    backfilled(fleet, folder)
    return folder


def scored(record: Path, fleet: Path) -> dict[str, Any]:
    return trueup("score", "--data", record, "--truth", fleet / "truth", "--json").json


def test_the_same_seed_gives_the_same_bytes_and_another_others(fleet: Path, tmp_path: Path) -> None:
    simulated(tmp_path / "again", *SMALL)
    assert contents(tmp_path / "again") == contents(fleet)
    simulated(tmp_path / "other", *SMALL, "--seed", 5)
    assert contents(tmp_path / "other") != contents(fleet)


def test_nothing_of_it_is_rejected_but_what_is_broken_by_design(fleet: Path) -> None:
    facts = json.loads((fleet / "truth" / "simulation.json").read_text())
    found = trueup("validate", "--input", fleet / "events", "--inventory", fleet / "inventory.csv", "--json").json
    assert found["rejected"] == ({"not_json": facts["broken"]} if facts["broken"] else {})
    assert found["records"] == sum(facts[name] for name in ("records", "duplicates", "broken", "snapshot"))
    assert {row["format"] for row in found["decoded"]} == {"eventgrid", "activitylog", "resourcegraph"}
    assert {"health_unchanged", "unplaced_vm"} < set(found["ignored"])


def test_a_backfill_of_it_hides_no_outage_that_a_rule_can_tell(record: Path, fleet: Path) -> None:
    figures = scored(record, fleet)
    assert figures["outage_seconds"] > 100_000
    assert figures["hidden_tellable_seconds"] == 0
    assert figures["found_seconds"] > 0.5 * figures["outage_seconds"]
    assert figures["hidden_coincident_seconds"] > 0
    assert figures["hidden_overstayed_seconds"] > 0
    assert figures["unreported_seconds"] == 0
    parts = ("found", "hidden_tellable", "hidden_coincident", "hidden_overstayed", "unknown", "unreported")
    assert sum(figures[f"{name}_seconds"] for name in parts) == pytest.approx(figures["outage_seconds"])


def test_the_corrected_availability_is_nearer_to_the_truth(record: Path, fleet: Path) -> None:
    figures = scored(record, fleet)
    errors = [abs(figures[f"{name}_availability"] - figures["true_availability"]) for name in ("raw", "corrected")]
    assert errors[1] < errors[0] / 5
    assert figures["corrected_error"] < figures["raw_error"] / 5
    assert min(figures["precision"], figures["recall"]) > 0.9


def test_a_record_that_forgives_too_much_is_found_out(fleet: Path, tmp_path: Path) -> None:
    lenient = tmp_path / "lenient.toml"
    lenient.write_text('settle = "5h"\nskew = "1h"\npossible_excuse = "6h"\n')
    backfilled(fleet, tmp_path / "record", "--policy", lenient)
    (held,) = (tmp_path / "record" / "_trueup" / "policies").iterdir()
    assert scored(tmp_path / "record", fleet)["hidden_tellable_seconds"] == 0
    held.unlink()  # and is judged by the default policy
    assert scored(tmp_path / "record", fleet)["hidden_tellable_seconds"] > 1000


def test_the_rows_that_are_wrong_for_longest_are_named_and_can_be_looked_at(record: Path, fleet: Path) -> None:
    figures = scored(record, fleet)
    worst = figures["worst"]
    assert [row["seconds"] for row in worst] == sorted((row["seconds"] for row in worst), reverse=True)
    assert {"hidden_coincident", "hidden_overstayed"} <= {row["wrong"] for row in worst}
    assert max(Counter(row["wrong"] for row in worst).values()) == 3
    rows = pa.concat_tables([pq.read_table(path) for path in record.glob("attributions/*/*.parquet")]).to_pylist()
    known = {(row["scale_set_id"], row["instance_id"], format_time(to_micros(row["onset"])), row["verdict"]) for row in rows}
    for row in worst:
        assert 0 < row["seconds"] <= figures[f"{row['wrong']}_seconds"] or row["wrong"] == "false_up"
        assert (row["scale_set_id"], row["instance_id"], row["onset"], row["verdict"]) in known
    text = trueup("score", "--data", record, "--truth", fleet / "truth").out
    assert all(row["explain"] in text for row in worst)
    for row in worst:
        moment = parse_time(row["explain"].split()[-1])
        parts = [each for each in rows if (each["instance_id"], each["verdict"]) == (row["instance_id"], row["verdict"])]
        assert any(to_micros(each["start"]) <= moment < (to_micros(each["end"]) if each["end"] else NEVER) for each in parts)
    assert trueup(*shlex.split(worst[0]["explain"])[1:]).status == 0


def test_the_truth_is_in_the_schemas_that_are_promised_and_without_gaps(fleet: Path) -> None:
    schemas = {"instances": TRUE_INSTANCES, "operations": TRUE_OPERATIONS, "faults": TRUE_FAULTS}
    tables = {name: pq.read_table(fleet / "truth" / f"{name}.parquet") for name in schemas}
    assert {name: table.schema.remove_metadata() for name, table in tables.items()} == schemas
    rows = tables["instances"].sort_by([("scale_set_id", "ascending"), ("instance_id", "ascending"), ("start", "ascending")])
    for before, row in zip(rows.to_pylist()[:-1], rows.to_pylist()[1:], strict=True):
        if (before["scale_set_id"], before["instance_id"]) == (row["scale_set_id"], row["instance_id"]):
            assert before["end"] == row["start"]
            assert [before[name] for name in ("truth", "cause", "reported")] != [
                row[name] for name in ("truth", "cause", "reported")
            ]


def test_reported_states_of_the_truth_are_those_that_the_record_counts(record: Path, fleet: Path) -> None:
    rows = pq.read_table(fleet / "truth" / "instances.parquet").to_pylist()
    up = sum((row["end"] - row["start"]).total_seconds() for row in rows if row["reported"] == "Available")
    series = pa.concat_tables([pq.read_table(path) for path in record.glob("availability/*/*.parquet")]).to_pylist()
    until = max(row["end"] for row in rows)
    counted = sum(
        (min(row["end"], until) - row["start"]).total_seconds() * row["raw_available"] for row in series if row["start"] < until
    )
    assert counted == pytest.approx(up)


def test_a_score_is_read_at_eighty_columns(record: Path, fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = trueup("score", "--data", record, "--truth", fleet / "truth")
    assert done.status == 0
    commands = [line for line in done.out.splitlines() if "trueup explain" in line]
    assert commands
    assert max(len(line) for line in done.out.splitlines() if line not in commands) <= 80
    assert "hidden although a rule can tell" in done.out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--days", "0"], "--days: a number from 1 to 366 is required, got 0."),
        (["--days", "367"], "--days"),
        (["--days", "x"], "--days"),
        (["--scale-sets", "0"], "--scale-sets"),
        (["--scale-sets", "-1"], "--scale-sets"),
        (["--outages-per-vm-year", "-1"], "--outages-per-vm-year"),
        (["--outages-per-vm-year", "nan"], "--outages-per-vm-year"),
        (["--outages-per-vm-year", "inf"], "--outages-per-vm-year"),
        (["--upgrades-per-week", "-0.1"], "--upgrades-per-week"),
        (["--spot-share", "1.1"], "--spot-share"),
        (["--flexible-share", "-1"], "--flexible-share"),
        (["--duplicate-share", "2"], "--duplicate-share"),
        (["--seed", "-1"], "--seed"),
        (["--start", "2026-06-01T00:30:00Z"], "--start: a full hour"),
        (["--start", "1999-06-01T00:00:00Z"], "--start"),
        (["--start", "soon"], "--start"),
        (["--start", "2900-01-01T00:00:00Z"], "past"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_cannot_be_simulated_is_one_sentence(options: list[str], says: str, tmp_path: Path) -> None:
    done = trueup("simulate", "--output", tmp_path / "fleet", *options)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert says in done.err
    assert not (tmp_path / "fleet").exists()


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    done = trueup("simulate", "--output", tmp_path, *SMALL)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert trueup("simulate", "--output", tmp_path / "mine", *SMALL).status == 1


def test_a_fleet_of_one_set_without_anything_special(tmp_path: Path) -> None:
    nothing = (
        "--outages-per-vm-year",
        0,
        "--upgrades-per-week",
        0,
        "--spot-share",
        0,
        "--flexible-share",
        0,
        "--duplicate-share",
        0,
    )
    simulated(tmp_path / "fleet", "--scale-sets", 1, "--days", 1, *nothing)
    backfilled(tmp_path / "fleet", tmp_path / "record")
    assert scored(tmp_path / "record", tmp_path / "fleet")["scale_sets"] == 1
    assert (tmp_path / "fleet" / "inventory.csv").read_text() == "vm_id,scale_set_id,valid_from,valid_to\n"


def test_folders_that_do_not_hold_what_they_should_are_one_sentence(record: Path, fleet: Path, tmp_path: Path) -> None:
    others = write_events(tmp_path / "e.jsonl", two_days("a"))
    assert trueup("backfill", "--input", others, "--output", tmp_path / "other").status == 0
    (tmp_path / "odd").mkdir()
    for name in ("instances", "operations", "faults"):
        pq.write_table(pa.table({"a": [1]}), tmp_path / "odd" / f"{name}.parquet")
    for data, truth in (
        (tmp_path / "no", fleet / "truth"),
        (record, fleet),
        (tmp_path / "other", fleet / "truth"),
        (record, tmp_path / "odd"),
    ):
        done = trueup("score", "--data", data, "--truth", truth)
        assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)


def test_scale_sets_that_the_record_lacks_are_counted(fleet: Path, tmp_path: Path) -> None:
    events = sorted((fleet / "events" / "eventgrid").rglob("*cloudevents.jsonl"))
    options = [option for path in events for option in ("--input", path)]
    done = trueup("backfill", *options, "--inventory", fleet / "inventory.csv", "--output", tmp_path / "record")
    assert done.status == 0
    assert scored(tmp_path / "record", fleet)["without_rows"] > 0
    assert "the record holds nothing" in trueup("score", "--data", tmp_path / "record", "--truth", fleet / "truth").out
