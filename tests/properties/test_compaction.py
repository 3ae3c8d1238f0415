"""Compaction changes no answer: not when it is done, not while it runs, not where it is killed."""

import os
import shutil
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipelines.record.compact import Compaction, compact
from pipelines.record.store import Store
from pipelines.record.superseded import kept_versions
from schemas.tables.by_name import VERSIONED
from schemas.tables.reject import REJECTS
from schemas.time import DAY, from_micros
from tests.support.files import TABLES, current, names, table
from tests.support.history import NOW, STEP, VERSIONS, publish_history


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    publish_history(Store(str(folder)))
    reject = pa.RecordBatch.from_pylist(
        [{"source": "s", "location": str(n), "arrived": from_micros(NOW), "reason": "late", "detail": "d"} for n in range(2)],
        schema=REJECTS,
    )
    for row in range(2):
        Store(str(folder)).reject([reject.slice(row, 1)])
    return folder


@pytest.fixture
def folder(history: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(history, tmp_path / "record"))


def as_of(folder: Path, moment: datetime) -> dict[str, list[dict[str, Any]]]:
    """The rows that were current at a moment, exact copies once."""
    found = [row for row in table(folder, "revisions").to_pylist() if row["as_of"] <= moment]
    latest: dict[Any, datetime] = {}
    for row in found:
        key = row["scale_set_id"], row["cell"]
        latest[key] = max(row["as_of"], latest.get(key, row["as_of"]))
    return {name: _unique([row for row in table(folder, name).to_pylist() if _is_of(row, latest)]) for name in TABLES}


def _is_of(row: dict[str, Any], latest: dict[Any, datetime]) -> bool:
    return latest.get((row["scale_set_id"], row["cell"])) == row["as_of"]


def _unique(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({repr(row) for row in rows})


@examples(max_examples=12)
@given(steps=st.lists(st.integers(0, 40), min_size=1, max_size=3), keep=st.integers(0, 60))
def test_wherever_it_is_killed_every_answer_within_keep_stays(
    history: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[int], keep: int
) -> None:
    folder = Path(shutil.copytree(history, tmp_path_factory.mktemp("killed") / "record"))
    moments = [from_micros(NOW - number * STEP) for number in range(VERSIONS) if number * 10 <= keep] or [from_micros(NOW)]
    before = [as_of(history, moment) for moment in moments]
    assert all(before[0].values())
    for number in steps:
        compaction = Compaction(str(folder), NOW, keep * DAY)
        written = list(islice(compaction.write(), number))
        if len(written) < number:
            list(islice(compaction.remove(), number - len(written)))
        assert [as_of(folder, moment) for moment in moments] == before
    compact(str(folder), NOW, keep * DAY, 0)
    assert [as_of(folder, moment) for moment in moments] == before


def test_each_day_of_a_table_is_one_sorted_file_afterwards(folder: Path) -> None:
    many = names(folder, *VERSIONED)
    done = compact(str(folder), NOW, 1_000 * DAY, 0)
    files = names(folder, *VERSIONED, "rejects")
    assert len({Path(name).parent for name in files}) == len(files) < len(many)
    assert (done.versions_removed, done.rows_removed) == (0, 0)
    assert done.files_before - done.files_removed + done.files_written == len(files)
    for name in names(folder, *VERSIONED):
        rows = pq.read_table(folder / name, partitioning=None).to_pylist()
        order = [(row["scale_set_id"], row.get("start", row["cell"]), row["as_of"]) for row in rows]
        assert order == sorted(order)
    assert len(table(folder, "rejects")) == 2


def test_a_second_one_does_nothing(folder: Path) -> None:
    compact(str(folder), NOW, DAY, 0)
    before = names(folder, *VERSIONED, "rejects")
    done = compact(str(folder), NOW, DAY, 0)
    assert (done.files_removed, done.files_written) == (0, 0)
    assert names(folder, *VERSIONED, "rejects") == before


def test_what_is_superseded_longer_than_keep_goes_and_current_rows_stay(history: Path, folder: Path) -> None:
    done = compact(str(folder), NOW, 0, 0)
    left = table(folder, "revisions").to_pylist()
    assert len({(row["scale_set_id"], row["cell"]) for row in left}) == len(left)
    assert done.versions_removed == len(table(history, "revisions")) - len(left) > 0
    assert current(folder) == current(history)


@pytest.mark.parametrize(("lag", "versions"), [(0, 1), (1, 2)])
def test_a_version_superseded_exactly_as_long_ago_as_is_kept_goes(lag: int, versions: int) -> None:
    times = [from_micros(NOW - 2 * DAY), from_micros(NOW - DAY)]
    names = pa.array(["a", "a"]).dictionary_encode()
    revisions = pa.record_batch({"scale_set_id": names, "cell": [times[0]] * 2, "as_of": times})
    assert len(kept_versions(revisions, NOW - DAY - lag)) == versions


def test_copies_of_rows_become_one(history: Path, folder: Path) -> None:
    for path in sorted(folder.glob("*/day=*/*.parquet")):
        shutil.copy(path, path.with_name(f"copy-{path.name}"))
    compact(str(folder), NOW, 1_000 * DAY, 0)
    for name in (*VERSIONED, "rejects"):
        assert _unique(table(folder, name).to_pylist()) == _unique(table(history, name).to_pylist())
        assert len(table(folder, name)) == len(table(history, name))


@pytest.mark.parametrize(("age", "stays"), [(timedelta(hours=23), True), (timedelta(days=1), False)])
def test_rows_that_were_never_published_stay_for_a_day(folder: Path, age: timedelta, stays: bool) -> None:
    before = current(folder)
    newest = max(folder.glob("revisions/*/*.parquet"), key=lambda path: len(path.name))
    published = table(folder, "availability")
    newest.unlink()
    left = current(folder)
    for path in folder.glob("availability/*/*.parquet"):
        os.utime(path, (NOW / 1e6 - age.total_seconds(),) * 2)
    compact(str(folder), NOW, 1_000 * DAY, 0)
    assert current(folder) == left != before
    assert (len(table(folder, "availability")) == len(published)) == stays


def test_what_is_written_meanwhile_stays(history: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    compaction = Compaction(str(folder), NOW, 0)
    assert list(compaction.write()) == []
    shutil.copytree(history, folder, dirs_exist_ok=True)
    list(compaction.remove())
    assert current(folder) == current(history)
