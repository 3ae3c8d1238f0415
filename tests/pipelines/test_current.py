"""Current rows (contract: Current rows): the latest version of each cell, copies once, what no revision names never."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.failures import RunError
from pipelines.record.selection import Selection

CELL, FIRST, SECOND = (datetime(2026, 6, 10, hour, tzinfo=UTC) for hour in (9, 10, 11))
Row = tuple[str, datetime, str]
"""Scale set, as_of, and what stands in the row: in `revisions` nothing where the version has none."""


def write(root: Path, table: str, name: str, rows: list[Row]) -> None:
    file = root / table / "day=2026-06-10" / f"{name}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = {"scale_set_id": [row[0] for row in rows], "cell": [CELL] * len(rows), "as_of": [row[1] for row in rows]}
    if table == "revisions":
        counts = {"availability_rows": [1 if row[2] else 0 for row in rows]}
        counts |= dict.fromkeys(("attribution_rows", "operation_rows"), [0] * len(rows))
        pq.write_table(pa.table({**columns, **counts, "policy": ["p"] * len(rows)}), file)
    else:
        pq.write_table(pa.table({**columns, "start": columns["cell"], "state": [row[2] for row in rows]}), file)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Set a in two versions, set b in one."""
    write(tmp_path, "availability", "x", [("a", FIRST, "old"), ("b", FIRST, "only")])
    write(tmp_path, "availability", "y", [("a", SECOND, "new")])
    write(tmp_path, "revisions", "x", [("a", FIRST, "old"), ("b", FIRST, "only")])
    write(tmp_path, "revisions", "y", [("a", SECOND, "new")])
    return tmp_path


def states(root: Path) -> list[str]:
    selection = Selection(str(root))
    found = selection.table("availability", selection.days, ("scale_set_id", "start", "state"))
    return [row["state"] for row in sorted(found.to_pylist(), key=lambda row: str(row["scale_set_id"]))]


def test_the_latest_version_of_each_cell_is_current(root: Path) -> None:
    assert states(root) == ["new", "only"]


def test_a_version_without_rows_leaves_none_of_its_cell(root: Path) -> None:
    write(root, "revisions", "z", [("b", SECOND, "")])
    assert states(root) == ["new"]


def test_rows_that_no_revision_names_are_never_seen(root: Path) -> None:
    write(root, "availability", "z", [("a", datetime(2026, 6, 10, 12, tzinfo=UTC), "killed"), ("c", FIRST, "killed")])
    assert states(root) == ["new", "only"]


def test_exact_copies_count_once(root: Path) -> None:
    write(root, "availability", "z", [("a", SECOND, "new"), ("b", FIRST, "only")])
    write(root, "revisions", "z", [("a", SECOND, "new")])
    assert states(root) == ["new", "only"]


def test_a_folder_without_tables_has_no_rows(tmp_path: Path) -> None:
    assert Selection(str(tmp_path)).days == []
    assert len(Selection(str(tmp_path)).table("availability", range(20_000, 21_000), ("start", "state"))) == 0


def test_a_folder_that_has_lost_rows_of_a_version_is_refused_and_listed_again_before(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = root / "availability" / "day=2026-06-10" / "y.parquet"
    content, waited = lost.read_bytes(), list[float]()
    lost.unlink()
    monkeypatch.setattr("pipelines.record.selection.time.sleep", waited.append)
    with pytest.raises(RunError, match=r"2 rows of availability of day=2026-06-10 are required, .* removed"):
        states(root)
    assert waited == [0.5, 3.0]
    monkeypatch.setattr("pipelines.record.selection.time.sleep", lambda seconds: lost.write_bytes(content))
    assert states(root) == ["new", "only"]
