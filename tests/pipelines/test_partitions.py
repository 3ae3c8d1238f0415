"""The current rows do not depend on how the input is cut, ordered or repeated, nor on how much memory a run may use."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.event import CANONICAL
from schemas.tables.by_name import VERSIONED
from tests.support.build import Event
from tests.support.files import current, names, table, trueup, two_days, write_events

SETS = "abcdefgh"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The current rows of one file in order."""
    folder = tmp_path_factory.mktemp("whole")
    trueup("backfill", "--input", write_events(folder / "in.jsonl", two_days(SETS)), "--output", folder / "out")
    return current(folder / "out")


def scattered(folder: Path, events: list[Event], files: int, seed: int) -> Path:
    """Events in any order over some files, some of them twice."""
    rng = random.Random(seed)
    dealt = events + rng.sample(events, len(events) // 3)
    rng.shuffle(dealt)
    for number in range(files):
        write_events(folder / f"{rng.random()}-{number}.jsonl", dealt[number::files])
    return folder


def write_parquet(path: Path, events: list[Event]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = [pa.array([event[name] for event in events], CANONICAL.field(name).type) for name in CANONICAL.names]
    pq.write_table(pa.Table.from_arrays(columns, schema=CANONICAL), path, row_group_size=7)


@pytest.mark.parametrize(("files", "seed"), [(1, 1), (2, 2), (9, 3), (30, 4)])
def test_any_split_order_and_repetition_gives_the_same_current_rows(
    files: int, seed: int, tmp_path: Path, expected: dict[str, list[dict[str, Any]]]
) -> None:
    folder = scattered(tmp_path / "in", list(two_days(SETS)), files, seed)
    assert trueup("backfill", "--input", folder, "--output", tmp_path / "out").status == 0
    assert current(tmp_path / "out") == expected
    assert len(expected["attributions"]) > 20


def test_parquet_and_lines_give_the_same(tmp_path: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    write_parquet(tmp_path / "in" / "e.parquet", list(two_days(SETS)))
    trueup("backfill", "--input", tmp_path / "in", "--output", tmp_path / "out")
    assert current(tmp_path / "out") == expected


def test_parts_of_scale_sets_give_the_same(
    tmp_path: Path, expected: dict[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transforms.ledger.PART_EVENTS", 5)
    folder = scattered(tmp_path / "in", list(two_days(SETS)), 3, 5)
    trueup("backfill", "--input", folder, "--output", tmp_path / "out")
    assert current(tmp_path / "out") == expected
    assert trueup("backfill", "--input", folder, "--output", tmp_path / "out", "--json").json["cells"]["written"] == 0


def test_days_that_come_one_after_the_other_give_the_same(tmp_path: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    events = sorted(two_days(SETS), key=lambda event: event["time"])
    for number in range(3):
        write_events(tmp_path / "in" / f"{number}.jsonl", events[number * len(events) // 3 : (number + 1) * len(events) // 3])
        trueup("backfill", "--input", tmp_path / "in", "--output", tmp_path / "out")
    assert current(tmp_path / "out") == expected
    assert max(row["revision"] for row in table(tmp_path / "out", "revisions").to_pylist()) > 0


def test_a_run_in_parts_gives_the_same_and_says_so(
    tmp_path: Path, expected: dict[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.backfill.memory.BYTES_OF_EVENT", 10_000_000)
    path = write_events(tmp_path / "in" / "e.jsonl", [*two_days(SETS), two_days(SETS)[0]], extra=["{broken"])
    done = trueup("backfill", "--input", path, "--output", tmp_path / "out", "--memory", "500M", "--json").json
    assert done["partitions"] > 2
    assert current(tmp_path / "out") == expected
    assert done["records"]["in"] == done["records"]["used"] + 2
    assert (done["records"]["duplicate"], done["rejects_written"], done["scale_sets"]) == (1, 1, len(SETS))
    again = trueup("backfill", "--input", path, "--output", tmp_path / "out", "--memory", "500M", "--json").json
    assert (again["cells"]["written"], again["rejects_written"]) == (0, 0)


def test_a_refused_run_in_parts_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.backfill.memory.BYTES_OF_EVENT", 10_000_000)
    events = sorted(two_days(SETS), key=lambda event: event["time"])
    whole = write_events(tmp_path / "in" / "e.jsonl", events)
    rest = write_events(tmp_path / "rest" / "e.jsonl", events[len(events) // 2 :])
    trueup("backfill", "--input", whole, "--output", tmp_path / "out")
    before = names(tmp_path / "out", *VERSIONED)
    assert trueup("backfill", "--input", rest, "--output", tmp_path / "out", "--memory", "500M").status == 1
    assert names(tmp_path / "out", *VERSIONED) == before


def test_a_scale_set_larger_than_the_memory_is_evaluated_and_named(
    tmp_path: Path, expected: dict[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.backfill.memory.BYTES_OF_EVENT", 100_000_000_000)
    path = write_events(tmp_path / "in" / "e.jsonl", two_days(SETS))
    done = trueup("backfill", "--input", path, "--output", tmp_path / "out", "--memory", "1G", "--json")
    assert done.json["too_large_scale_sets"] == list(SETS)
    assert current(tmp_path / "out") == expected


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    trueup("backfill", "--input", write_events(tmp_path / "e.jsonl", two_days()), "--output", tmp_path / "out")
    assert list(scratch.iterdir()) == []
    assert list((tmp_path / "out" / "_trueup" / "unfinished").iterdir()) == []
    assert json.loads(next((tmp_path / "out" / "_trueup" / "runs").iterdir()).read_text())["records"]["in"] == len(two_days())
