"""What a backfill publishes (contract: What a backfill publishes, Cold start, Equal cells)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.policy import Policy
from schemas.tables.by_name import VERSIONED
from schemas.time import format_time
from tests.support.build import rows, to_batch
from tests.support.files import TABLES, at, current, names, signal, table, trueup, two_days, write_events
from transforms.core.evaluation.evaluate import evaluate

DAY = 24 * 3600


def when(seconds: float) -> str:
    return format_time(at(seconds))


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return write_events(tmp_path / "in" / "events.jsonl", two_days())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_the_tables_hold_what_the_evaluation_says(events: Path, out: Path) -> None:
    assert trueup("backfill", "--input", events, "--output", out).status == 0
    tables = evaluate(to_batch(two_days()), Policy(), at(2 * DAY - 3_600))
    assert current(out) == {name: sorted(rows(getattr(tables, name)), key=repr) for name in TABLES}
    assert {row["verdict"] for row in current(out)["attributions"]} >= {"explained", "removed", "unexplained"}


def test_after_a_batch_into_an_empty_folder_all_rows_are_current(events: Path, out: Path) -> None:
    trueup("backfill", "--input", events, "--output", out)
    assert sum(map(len, current(out).values())) == sum(len(table(out, name)) for name in TABLES)


def test_the_same_input_again_writes_nothing_in_the_versioned_tables(events: Path, out: Path) -> None:
    trueup("backfill", "--input", events, "--output", out)
    before = names(out, *VERSIONED)
    again = trueup("backfill", "--input", events, "--output", out, "--json")
    assert again.json["cells"]["written"] == 0
    assert again.json["cells"]["unchanged"] > 90
    assert names(out, *VERSIONED) == before


def test_overlapping_input_writes_only_the_cells_that_changed(events: Path, out: Path, tmp_path: Path) -> None:
    trueup("backfill", "--input", events, "--output", out)
    dip = [signal(20 * 3600 + 5, "1", "Unavailable"), signal(20 * 3600 + 65, "1", "Available")]
    more = write_events(tmp_path / "more" / "more.jsonl", dip)
    trueup("backfill", "--input", events, "--input", more, "--output", out)
    again = [row for row in table(out, "revisions").to_pylist() if row["revision"] == 1]
    assert [(row["scale_set_id"], row["cell"], row["cause"]) for row in again] == [
        ("a", datetime.fromtimestamp(at(20 * 3600) / 1e6, UTC), "backfill")
    ]
    tables = evaluate(to_batch([*two_days(), *dip]), Policy(), at(2 * DAY - 3_600))
    assert current(out) == {name: sorted(rows(getattr(tables, name)), key=repr) for name in TABLES}


def test_a_cell_that_lost_all_its_rows_gets_an_empty_version(out: Path, tmp_path: Path) -> None:
    first = write_events(tmp_path / "in" / "a.jsonl", [signal(10, "1", "Available"), signal(2 * 3600, "1", "Available")])
    second = write_events(tmp_path / "in" / "b.jsonl", [signal(3600 + 10, "1", "Available"), signal(2 * 3600, "1", "Available")])
    trueup("backfill", "--input", first, "--output", out)
    assert trueup("backfill", "--input", second, "--output", out, "--cold", "--since", when(0)).status == 0
    (empty,) = [row for row in table(out, "revisions").to_pylist() if row["availability_rows"] == 0]
    assert (empty["cell"].timestamp() * 1e6, empty["revision"]) == (at(0), 1)
    assert min(row["start"] for row in current(out)["availability"]) == at(3600 + 10)
    again = trueup("backfill", "--input", second, "--output", out, "--cold", "--since", when(0), "--json")
    assert again.json["cells"]["written"] == 0


def test_since_and_until_choose_cells_and_hide_no_event(events: Path, out: Path) -> None:
    trueup("backfill", "--input", events, "--output", out, "--since", when(DAY), "--until", when(DAY + 3600))
    cells = {row["cell"] for name in TABLES for row in current(out)[name]}
    assert cells == {at(DAY)}
    tables = evaluate(to_batch(two_days()), Policy(), at(2 * DAY - 3_600))
    assert current(out)["availability"] == sorted((row for row in rows(tables.availability) if row["cell"] == at(DAY)), key=repr)


def test_an_until_after_the_last_event_says_that_the_input_is_complete(events: Path, out: Path) -> None:
    trueup("backfill", "--input", events, "--output", out, "--until", when(3 * DAY))
    assert max(row["end"] for row in current(out)["availability"]) == at(3 * DAY)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ((), 1),
        (("--since", when(DAY)), 1),
        (("--since", when(DAY + 5 * 3600)), 1),
        (("--since", when(DAY + 6 * 3600)), 0),
        (("--cold",), 0),
    ],
    ids=["from its first event", "before it", "less than max_excuse after it", "max_excuse after it", "asked for"],
)
def test_a_cold_start_in_the_place_of_what_is_known_is_refused(
    more: tuple[str, ...], status: int, events: Path, out: Path, tmp_path: Path
) -> None:
    trueup("backfill", "--input", events, "--output", out)
    before, rows_before = names(out, *VERSIONED), current(out)
    from_midnight = [signal(DAY, "9", "Available", scale_set=name) for name in "ab"]
    later = write_events(tmp_path / "later" / "e.jsonl", [*from_midnight, *(e for e in two_days() if e["time"] > at(DAY))])
    done = trueup("backfill", "--input", later, "--output", out, *more)
    assert done.status == status
    if status:
        assert "--cold" in done.err
        assert " a" in done.err
        assert done.err.count("\n") == 1
        assert names(out, *VERSIONED) == before
        assert current(out) == rows_before


def test_a_set_that_the_folder_does_not_know_is_no_cold_start(events: Path, out: Path, tmp_path: Path) -> None:
    trueup("backfill", "--input", events, "--output", out)
    other = write_events(
        tmp_path / "other" / "e.jsonl",
        [signal(DAY, "1", "Available", scale_set="new"), signal(DAY + 9, "1", "Available", scale_set="new")],
    )
    assert trueup("backfill", "--input", other, "--output", out).status == 0


def test_a_dry_run_lists_the_cells_that_would_change_and_writes_nothing(events: Path, out: Path) -> None:
    done = trueup("backfill", "--input", events, "--output", out, "--dry-run", "--until", when(2 * DAY))
    assert f"{when(0)}  a" in done.out.splitlines()
    assert not out.exists()
    trueup("backfill", "--input", events, "--output", out, "--until", when(2 * DAY))
    assert (
        trueup("backfill", "--input", events, "--output", out, "--dry-run", "--json", "--until", when(2 * DAY)).json["changes"]
        == []
    )


def test_another_grid_is_refused(events: Path, out: Path) -> None:
    trueup("backfill", "--input", events, "--output", out)
    done = trueup("backfill", "--input", events, "--output", out, "--grid", "15m")
    assert done.status == 2
    assert "1h" in done.err
    assert "15m" in done.err


def test_another_policy_publishes_every_cell_anew_and_is_kept_by_its_hash(events: Path, out: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('settle = "16m"\n')
    trueup("backfill", "--input", events, "--output", out)
    done = trueup("backfill", "--input", events, "--output", out, "--policy", policy, "--json")
    assert done.json["cells"]["unchanged"] == 0
    kept = {path.stem: json.loads(path.read_text()) for path in (out / "_trueup" / "policies").iterdir()}
    assert {row["policy"] for row in table(out, "availability").to_pylist()} == set(kept)
    assert kept[done.json["policy"]]["settle"] == 16 * 60 * 1_000_000


def test_a_reject_is_written_once_however_often_its_input_is_read(out: Path, tmp_path: Path) -> None:
    broken = write_events(tmp_path / "in" / "e.jsonl", two_days("a"), extra=["{broken", '{"kind": "signal"}'])
    first = trueup("backfill", "--input", broken, "--output", out, "--json")
    again = trueup("backfill", "--input", broken, "--output", out, "--json")
    assert (first.json["rejects_written"], again.json["rejects_written"]) == (2, 0)
    assert sorted(row["reason"] for row in table(out, "rejects").to_pylist()) == ["missing_field", "not_json"]
    assert [row["payload"] for row in table(out, "rejects").to_pylist()] == [None, None]


def test_more_rejects_than_allowed_fail_after_they_are_written(out: Path, tmp_path: Path) -> None:
    broken = write_events(tmp_path / "in" / "e.jsonl", two_days("a"), extra=["{broken"] * 2)
    assert trueup("backfill", "--input", broken, "--output", out, "--max-rejects", 1).status == 1
    assert len(table(out, "rejects")) == 2
    assert trueup("backfill", "--input", broken, "--output", out, "--max-rejects", 2).status == 0


def test_every_record_is_accounted_for(out: Path, tmp_path: Path) -> None:
    lines = ["{broken", '{"eventType": "Other", "id": "1"}']
    path = write_events(tmp_path / "in" / "e.jsonl", two_days("a") * 2, extra=lines)
    done = trueup("backfill", "--input", path, "--output", out, "--json").json["records"]
    assert (done["duplicate"], sum(done["rejected"].values()), sum(done["ignored"].values())) == (len(two_days("a")), 1, 1)
    assert done["in"] == done["used"] + done["duplicate"] + 2


def test_files_hold_sorted_rows_with_the_encodings_of_the_contract(events: Path, out: Path) -> None:
    trueup("backfill", "--input", events, "--output", out)
    for name in TABLES:
        for path in (out / name).glob("day=*/*.parquet"):
            file = pq.ParquetFile(path)
            keys = [(row["scale_set_id"], row["start"]) for row in file.read().to_pylist()]
            assert keys == sorted(keys)
            columns = {
                file.metadata.row_group(0).column(i).path_in_schema: file.metadata.row_group(0).column(i)
                for i in range(file.metadata.num_columns)
            }
            assert "DELTA_BINARY_PACKED" in columns["start"].encodings
            assert columns["scale_set_id"].has_dictionary_page
            assert columns["start"].compression == "ZSTD"
            assert columns["start"].has_offset_index
            assert columns["start"].statistics.has_min_max
            assert path.parent.name == f"day={keys[0][1]:%Y-%m-%d}"
    assert len(list((out / "availability").glob("day=*"))) == 2


def test_an_input_without_events_is_no_error(out: Path, tmp_path: Path) -> None:
    nothing = write_events(tmp_path / "in" / "e.jsonl", [])
    assert trueup("backfill", "--input", nothing, "--output", out).status == 0
    assert names(out, *VERSIONED) == set()


def test_the_text_of_a_rejected_record_is_kept_only_if_asked_for(out: Path, tmp_path: Path) -> None:
    broken = write_events(tmp_path / "in" / "e.jsonl", two_days("a"), extra=["{broken"])
    trueup("backfill", "--input", broken, "--output", out, "--keep-rejected-payload")
    assert [row["payload"] for row in table(out, "rejects").to_pylist()] == ["{broken"]


def test_a_folder_of_an_object_store_holds_the_same(
    events: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trueup("backfill", "--input", events, "--output", tmp_path / "here")
    monkeypatch.setattr("pipelines.record.folder.is_local", lambda path: False)
    trueup("backfill", "--input", events, "--output", out)
    assert current(out) == current(tmp_path / "here")
    assert trueup("backfill", "--input", events, "--output", out, "--json").json["cells"]["written"] == 0
    assert not (out / "_trueup" / "unfinished").exists()
