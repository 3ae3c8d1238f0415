"""`trueup status --data`: what a folder holds, and whether compaction is due."""

from pathlib import Path

import pytest

from pipelines.record.store import Store
from schemas.time import format_time, to_micros
from tests.support.files import at, names, signal, table, trueup, two_days, write_events
from tests.support.history import publish_history


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Two runs, a gap of some days between them, and a line that could not be read."""
    first = write_events(tmp_path / "first.jsonl", two_days("ab"), extra=["{broken"])
    later = write_events(tmp_path / "later.jsonl", [signal(6 * 86_400, "1", "Available")])
    for path in (first, later):
        assert trueup("backfill", "--input", path, "--output", tmp_path / "out", "--resume").status == 0
    return tmp_path / "out"


def test_it_tells_until_when_what_was_rejected_what_the_runs_said_and_how_large_it_is(record: Path) -> None:
    told = trueup("status", "--data", record, "--json").json
    assert (told["scale_sets"], told["grid"]) == (2, "1h")
    assert (told["since"], told["until"]) == (format_time(at(0)), format_time(at(6 * 86_400 + 3_600)))
    assert told["rejects"] == {"not_json": 1}
    assert [run["records"]["in"] for run in told["runs"]] == [1, 27]
    assert told["runs"][0]["started"] > told["runs"][1]["started"]
    assert len(told["runs"][0]["gaps"]) == 1
    files, size = names(record, "availability"), told["tables"]["availability"]
    assert (size["files"], size["bytes"]) == (len(files), sum((record / name).stat().st_size for name in files))
    assert not told["compaction_due"]


def test_the_lines_say_the_same(record: Path) -> None:
    said = " ".join(trueup("status", "--data", record).out.split())
    assert "2 scale sets, 2024-01-01T00:00:00Z to 2024-01-07T01:00:00Z, in cells of 1h." in said
    assert "1 record rejected so far: 1 not_json." in said
    assert "27 records read, 26 used, 1 rejected" in said
    assert "Nothing at all happened from 2024-01-02T23:00:00Z to 2024-01-07T00:00:00Z." in said
    assert said.endswith("Compaction is not due.")


@pytest.mark.parametrize(("age", "status"), [("1h", 0), ("0s", 1)])
def test_it_fails_where_nothing_was_published_for_too_long(record: Path, age: str, status: int) -> None:
    told = trueup("status", "--data", record, "--max-age", age, "--json")
    assert (told.status, told.json["newest"]) == (
        status,
        format_time(to_micros(max(table(record, "revisions")["as_of"].to_pylist()))),
    )


def test_days_of_which_nothing_is_published_are_named(tmp_path: Path) -> None:
    for number in (0, 3):
        path = write_events(tmp_path / f"{number}.jsonl", [signal(number * 86_400, "1", "Available", scale_set=f"s{number}")])
        assert trueup("backfill", "--input", path, "--output", tmp_path / "out").status == 0
    told = trueup("status", "--data", tmp_path / "out", "--json").json
    assert told["unpublished"] == [{"from": format_time(at(86_400)), "to": format_time(at(3 * 86_400))}]
    assert "Nothing is published of 2024-01-02 to 2024-01-03." in trueup("status", "--data", tmp_path / "out").out


def test_compaction_is_due_where_a_day_has_many_files_and_no_more_when_it_is_done(tmp_path: Path) -> None:
    for _ in range(12):
        publish_history(Store(str(tmp_path)))
    path = write_events(tmp_path / "in.jsonl", [signal(0, "1", "Available", scale_set="c")])
    assert trueup("backfill", "--input", path, "--output", tmp_path).status == 0
    assert "Compaction is due: of one day there are " in trueup("status", "--data", tmp_path).out
    assert trueup("compact", "--data", tmp_path, "--grace", "0s").status == 0
    assert not trueup("status", "--data", tmp_path, "--json").json["compaction_due"]
    assert len(table(tmp_path, "revisions")) > 0


def test_a_folder_and_a_cluster_are_two_questions(tmp_path: Path) -> None:
    none, both = trueup("status"), trueup("status", "--data", tmp_path, "--flink_master", "localhost:1")
    assert (none.status, both.status) == (2, 2)
    assert none.err == "trueup: --data: either it or --flink_master is required, got none.\n"
    assert both.err == "trueup: --data: either it or --flink_master is required, got both.\n"


def test_an_option_of_the_other_question_is_refused(tmp_path: Path) -> None:
    age = trueup("status", "--flink_master", "localhost:1", "--max-age", "1h")
    name = trueup("status", "--data", tmp_path, "--name", "trueup-prod")
    assert (age.status, name.status) == (2, 2)
    assert age.err.startswith("trueup: --max-age: --data is required with it")
    assert name.err.startswith("trueup: --name: --flink_master is required with it")


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    done = trueup("status", "--data", tmp_path)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert done.err.startswith("trueup: --data: ")


def test_a_folder_of_which_nothing_is_published_yet_has_its_runs(tmp_path: Path) -> None:
    path = write_events(tmp_path / "in.jsonl", [], extra=["{broken"])
    assert trueup("backfill", "--input", path, "--output", tmp_path / "out").status == 0
    assert trueup("status", "--data", tmp_path / "out").out.startswith("Nothing is published yet.")
