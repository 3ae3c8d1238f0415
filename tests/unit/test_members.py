"""The rows of some scale sets of a table (steps: Ledger)."""

import pyarrow as pa

from transforms.core.columns.members import rows_among
from transforms.core.ledger.changes import PUBLISHED


def published(*scale_sets: str) -> pa.RecordBatch:
    rows = [{"scale_set_id": name, "cell": 0, "as_of": 0, "revision": 0, "rows": 1, "digest": 0} for name in scale_sets]
    return pa.RecordBatch.from_pylist(rows, schema=PUBLISHED)


def test_rows_that_are_all_wanted_know_no_other_scale_set() -> None:
    part = published("a", "b").slice(0, 1)
    assert part.column("scale_set_id").dictionary.to_pylist() == ["a", "b"]
    found = rows_among(part, pa.array(["a"]))
    assert found.column("scale_set_id").dictionary.to_pylist() == ["a"]
    found = rows_among(part, pa.array(["a", "b"]))
    assert found.column("scale_set_id").dictionary.to_pylist() == ["a"]


def test_a_table_of_those_alone_is_not_made_anew() -> None:
    table = published("a", "b")
    assert rows_among(table, pa.array(["b", "a", "c"])) is table
    assert rows_among(table, pa.array(["b"])).column("scale_set_id").to_pylist() == ["b"]
