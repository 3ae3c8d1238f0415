"""Limits on every dimension of an input: just below, a record is read; just above, it costs one row (contract: Limits).

Lines and records of 1 MiB, levels, times and damaged files have theirs in test_decode_rejects, _long, _csv, _times and _files.
"""

import gzip
import json
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.fixtures.decoding import SETTINGS, decode, one, rejected, rows
from tests.fixtures.forms import table_of
from tests.fixtures.native import INSTANCE, OPERATIONS, line, operation, rest, signal
from transforms import counters
from transforms.core.decode import Counts, decode_text
from transforms.core.decode.blocks import MOST_TEXTS, decode_blocks, decode_pieces
from transforms.core.decode.splitting.csv_text import csv_texts
from transforms.core.decode.terms.settings import MOST
from transforms.core.decode.terms.text import DEEPEST, ORDINARY
from transforms.files.shards import plan_shards, read_shard


def reasons(decoded: Any) -> list[str]:
    return list(decoded.rejects["reason"].to_pylist())


def of_one_column(name: int, field: int) -> tuple[Any, Any]:
    """A row whose one column has so long a name, and a field so long, in a table and in CSV; in JSON both have quotes."""
    table = line({"columns": [{"name": "n" * (name - 3)}], "rows": [["f" * (field - 2)]]})
    text = b"n" * name + b"\n" + b"f" * field + b"\n"
    return decode_text(table, "f", SETTINGS), next(decode_pieces(csv_texts([text]), "f", SETTINGS))


def test_the_names_of_columns_may_be_32_times_as_long_as_the_fields_of_a_row() -> None:
    """Each row repeats them: a table of 2 MB would be one of 2 GB."""
    for decoded in of_one_column(32 * 11, 10):
        assert (reasons(decoded), decoded.counts.ignored["no_format"]) == ([], 1)
    for decoded in of_one_column(32 * 11 + 1, 10):
        assert reasons(decoded) == ["too_large"]


def test_a_hostile_name_of_a_column_costs_its_rows_and_no_memory() -> None:
    names = [{"name": "x" * 2_000_000}, {"name": "b"}]
    decoded = decode_text(line({"columns": names, "rows": [[1, 2]] * 1_000}), "f", SETTINGS)
    assert Counter(reasons(decoded)) == {"too_large": 1_000}


def test_a_row_of_empty_fields_is_none_the_larger() -> None:
    decoded = decode_text(line(table_of([rest() | {"properties": None, "claims": None}])), "f", SETTINGS)
    assert (decoded.events.num_rows, reasons(decoded)) == (1, [])


@pytest.mark.parametrize("size", [ORDINARY, ORDINARY + 1], ids=["ordinary", "longer"])
def test_a_record_that_is_longer_than_ordinary_ones_says_the_same(size: int) -> None:
    text = line(rest(note=""))
    padded = text.replace(b'"note": ""', b'"note": "' + b"x" * (size - len(text)) + b'"')
    assert len(padded) == size
    assert one(padded) == one(rest())


def test_no_name_or_body_of_a_long_record_is_remembered() -> None:
    from transforms.core.decode.fast_path.columns import _targets_in

    before = _targets_in.cache_info().currsize
    ids = [str(number).rjust(40, "0") for number in range(1_000)]
    event = one(rest(OPERATIONS + "restart/action", properties={"requestbody": json.dumps({"instanceIds": ids})}))
    assert len(event["instance_ids"]) == 1_000
    assert _targets_in.cache_info().currsize == before


@pytest.mark.parametrize("around", [lambda inner: {"value": inner}, lambda inner: [{"records": inner}]], ids=["object", "array"])
@pytest.mark.parametrize("end", [b"", b" x"], ids=["whole", "broken"])
@pytest.mark.parametrize("levels", [DEEPEST, 5 * DEEPEST, 40 * DEEPEST])
def test_what_nests_without_end_is_one_record(around: Any, end: bytes, levels: int) -> None:
    before, after = line(around(5)).split(b"5")
    decoded = decode_text(before * levels + b"5" + after * (0 if end else levels) + end, "f", SETTINGS)
    assert (decoded.counts.records, decoded.events.num_rows) == (1, 0)
    assert len(reasons(decoded)) == (levels > DEEPEST or bool(end))


def test_envelopes_may_nest_64_deep() -> None:
    def nested(levels: int) -> bytes:
        return b'{"value":[' * levels + line(signal()) + b"]}" * levels

    assert one(nested(DEEPEST)) == one(signal())
    assert rejected(nested(DEEPEST + 1))[0] == "too_deep"


def test_ids_of_a_kilobyte_are_ids() -> None:
    name = "x" * 1_024
    event = one(operation(scale_set_id=name, event_id=name, operation_key=name, instance_ids=[name]))
    assert (event["scale_set_id"], event["instance_ids"]) == (name, [name])
    assert one(signal(instance_id=name))["instance_id"] == name


def test_an_operation_may_name_as_many_instances_as_its_record_holds() -> None:
    ids = [str(number) for number in range(100_000)]
    assert len(one(operation(instance_ids=ids))["instance_ids"]) == 100_000
    assert rejected(operation(instance_ids=ids * 2))[0] == "too_large"


@pytest.mark.parametrize("number", [MOST_TEXTS, MOST_TEXTS + 1])
def test_records_of_one_array_are_decoded_some_at_a_time_and_keep_their_numbers(number: int) -> None:
    text = b"[" + b",".join([b"5"] * number) + b"]"
    pieces = list(decode_blocks(lambda: iter([text]), "f", SETTINGS))
    assert [len(piece.rejects) for piece in pieces] == [MOST_TEXTS, number - MOST_TEXTS][: len(pieces)]
    assert pieces[-1].rejects["location"].to_pylist()[-1] == f"record {number}"
    lines = decode_blocks(lambda: iter([b"{}\n" + b"5\n" * number]), "f", SETTINGS)
    assert sum(len(piece.rejects) for piece in lines) == number


def test_so_many_kinds_of_ignored_records_are_told_apart_whatever_is_added_up_first() -> None:
    def counts(numbers: range) -> Counts:
        return Counts(ignored=Counter({f"operation:{number:05}": 1 for number in numbers}))

    parts = [counts(range(0, MOST)), counts(range(500, MOST + 500)), counts(range(MOST, MOST + 1))]
    found = {tuple(sorted((a + b + c).ignored.items())) for a, b, c in permutations(parts)}
    assert len(found) == 1
    ignored = Counter(dict(found.pop()))
    assert (ignored.total(), ignored["others"], len(ignored)) == (2 * MOST + 1, 501, MOST + 1)
    assert counts(range(MOST)) + Counts() == counts(range(MOST))


def test_a_process_has_so_many_counters_and_counts_others_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "LIVE", Counter({f"ignored/{number}": 1 for number in range(counters.MOST)}))
    for name in ("ignored/0", "ignored/new", "ignored/newer", "used"):
        counters.count(name)
    assert (counters.LIVE["ignored/0"], counters.LIVE["ignored/others"], counters.LIVE["used"]) == (2, 2, 1)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.json.zst", "a.csv.gz"])
@pytest.mark.parametrize("head", [b'{"a": "', b" ", b'[{"a":"'], ids=["record", "blanks", "array"])
def test_a_small_file_that_unpacks_to_forty_megabytes_costs_one_row_at_most(tmp_path: Path, name: str, head: bytes) -> None:
    text = head + head[-1:].replace(b'"', b"x") * (40 << 20)
    packed = gzip.compress(text, 1) if name.endswith("gz") else pa.compress(text, "zstd", asbytes=True)
    (tmp_path / name).write_bytes(packed)
    (shard,) = plan_shards([str(tmp_path)]).shards
    found = list(read_shard(shard, SETTINGS))
    assert sum(piece.rejects.num_rows for piece in found) <= 1
    assert sum(piece.counts.records for piece in found) <= 1


def test_a_record_of_another_resource_costs_no_more_for_what_it_says() -> None:
    decoded = decode(rest("x" * 100_000), rest(resourceId=INSTANCE + "/" + "y" * 100_000), rest(status="z" * 100_000))
    assert (decoded.counts.ignored.total(), reasons(decoded), rows(decoded)) == (2, ["bad_value"], [])
    assert len(decoded.rejects["detail"][0].as_py()) < 200
