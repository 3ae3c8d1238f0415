"""Keys of a batch and what a bounded input says of itself."""

import pyarrow as pa
import pytest

from schemas.time import HOUR
from tests.support.build import at, signal, to_batch
from transforms.core.columns.groups import group_codes, split_by_group
from transforms.core.ledger.input_facts import FACTS, end_of_input, facts_of, merged_facts

SETS = [f"set-{number}" for number in range(20)]
EVENTS = to_batch([signal(number, "1", "Available", scale_set=SETS[number % 20], event_id=str(number)) for number in range(60)])
FAR = at(10**6)


def test_a_group_is_the_same_in_every_run() -> None:
    assert group_codes(pa.array(["a", "b", "c", "/subscriptions/s"]), 7).tolist() == [4, 4, 0, 5]


@pytest.mark.parametrize("groups", [None, 1, 2, 7])
def test_every_event_is_in_one_group_with_all_others_of_its_set(groups: int | None) -> None:
    parts = dict(split_by_group(EVENTS, groups))
    assert sum(map(len, parts.values())) == len(EVENTS)
    owners = [{key for key, rows in parts.items() if name in rows.column("scale_set_id").to_pylist()} for name in SETS]
    assert {len(found) for found in owners} == {1}
    assert len(parts) == {None: 20, 1: 1}.get(groups, len(parts))
    for rows in parts.values():
        numbers = [int(text) for text in rows.column("event_id").to_pylist()]
        assert numbers == sorted(numbers)


def test_a_batch_without_rows_has_no_groups() -> None:
    assert [list(split_by_group(EVENTS.slice(0, 0), groups)) for groups in (None, 1, 3)] == [[], [], []]


def test_facts_count_each_set_and_leave_out_what_lies_after_the_start_of_the_run() -> None:
    events = [signal(second, "1", "Available", scale_set=name) for second, name in ((5, "a"), (3, "a"), (9, "a"), (8, "b"))]
    assert facts_of(to_batch(events), at(8)).to_pylist() == [
        {"scale_set_id": "a", "first": at(3), "latest": at(5), "events": 3, "resumed": False, "came": at(3)},
        {"scale_set_id": "b", "first": at(8), "latest": at(8), "events": 1, "resumed": False, "came": at(8)},
    ]
    assert facts_of(to_batch(events), at(7)).column("latest").to_pylist() == [at(5), None]


def test_facts_of_pieces_are_those_of_the_whole() -> None:
    pieces = [facts_of(EVENTS.slice(start, 13), at(50)) for start in range(0, 60, 13)]
    assert merged_facts(pieces).to_pylist() == sorted(facts_of(EVENTS, at(50)).to_pylist(), key=lambda row: row["scale_set_id"])
    assert len(merged_facts([])) == 0


@pytest.mark.parametrize(
    ("latest", "until", "now", "expected"),
    [
        (at(10), None, FAR, at(3600)),
        (at(3600), None, FAR, at(7200)),
        (at(10), at(7200), FAR, at(7200)),
        (at(8000), at(3600), FAR, at(3 * 3600)),
        (at(10), None, at(3600), at(3600)),
        (at(10), None, at(3599), at(0)),
        (None, None, at(3700), at(3600)),
        (None, at(0), at(3700), at(3600)),
    ],
)
def test_the_end_of_a_bounded_input(latest: int | None, until: int | None, now: int, expected: int) -> None:
    row = {"scale_set_id": "a", "first": at(0), "latest": latest, "events": 1, "resumed": False, "came": at(0)}
    assert end_of_input(pa.RecordBatch.from_pylist([row], FACTS), until, now, HOUR) == expected
