"""Which cells get a version, and which (rules: Cells; contract: Equal cells)."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.policy import Policy
from schemas.time import HOUR
from tests.support.build import at, signal, to_batch
from transforms.core.columns.arrow import no_rows
from transforms.core.evaluation.evaluate import Evaluation, evaluate
from transforms.core.ledger.changes import PUBLISHED, Comparison, Publication, changed_cells, published_after
from transforms.core.ledger.digests import EMPTY, from_text, to_text

POLICY = Policy()
END = at(4 * 3600)
NOW = at(10 * 3600)
ALL = Publication(POLICY.hash, HOUR, NOW, None, END, backfill=True, final=None)
NOTHING = no_rows(PUBLISHED)


def evaluated(*more: dict[str, Any], T: int = END) -> Evaluation:
    """Two scale sets with four hours each."""
    events = [signal(0, "1", "Available", scale_set=name, event_id="e") for name in "ab"]
    return evaluate(to_batch([*events, *more]), POLICY, T)


def known_of(compared: Comparison) -> pa.RecordBatch:
    return published_after(NOTHING, compared.changes.revisions, HOUR)


def cells_of(compared: Comparison) -> list[tuple[str, int]]:
    rows = compared.changes.revisions
    hours = (rows.column("cell").cast(pa.int64()).to_numpy() - at(0)) // HOUR
    return list(zip(rows.column("scale_set_id").to_pylist(), hours.tolist(), strict=True))


def test_where_nothing_is_known_every_cell_is_new() -> None:
    compared = changed_cells(evaluated(), NOTHING, ALL)
    assert cells_of(compared) == [(name, hour) for name in "ab" for hour in range(4)]
    revisions = compared.changes.revisions.to_pylist()
    assert {(row["revision"], row["cause"], row["policy"]) for row in revisions} == {(0, "backfill", POLICY.hash)}
    assert {row["as_of"].timestamp() * 1e6 for row in revisions} == {NOW}
    assert compared.unchanged == 0


def test_what_is_known_and_equal_is_not_published_again() -> None:
    first = changed_cells(evaluated(), NOTHING, ALL)
    again = changed_cells(evaluated(), known_of(first), ALL)
    assert (cells_of(again), again.unchanged) == ([], 8)
    assert {len(table) for table in again.changes} == {0}


def test_of_known_cells_only_the_changed_are_published_with_their_rows() -> None:
    first = changed_cells(evaluated(), NOTHING, ALL)
    dip = [signal(7_300, "1", "Degraded", scale_set="b"), signal(7_310, "1", "Available", scale_set="b")]
    again = changed_cells(evaluated(*dip), known_of(first), ALL._replace(now=NOW + 5))
    assert (cells_of(again), again.unchanged) == ([("b", 2)], 7)
    assert {(row["scale_set_id"], row["cell"].timestamp() * 1e6) for row in again.changes.availability.to_pylist()} == {
        ("b", at(7_200))
    }
    assert len(again.changes.availability) == 3
    assert len(again.changes.attributions) == 1
    (revision,) = again.changes.revisions.to_pylist()
    assert (revision["revision"], revision["availability_rows"], revision["attribution_rows"]) == (1, 3, 1)


@pytest.mark.parametrize(("later", "expected"), [(0, NOW + 1), (-7, NOW + 1), (1, NOW + 1), (2, NOW + 2)])
def test_a_version_is_later_than_the_one_before_it_by_a_microsecond_at_least(later: int, expected: int) -> None:
    first = changed_cells(evaluated(), NOTHING, ALL)
    dip = [signal(7_300, "1", "Degraded", scale_set="b"), signal(7_310, "1", "Available", scale_set="b")]
    again = changed_cells(evaluated(*dip), known_of(first), ALL._replace(now=NOW + later))
    assert again.changes.revisions.column("as_of").cast(pa.int64()).to_pylist() == [expected]
    assert set(again.changes.availability.column("as_of").cast(pa.int64()).to_pylist()) == {expected}


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [(None, END, 4), (at(3600), END, 3), (None, at(3600), 1), (at(3600), at(2 * 3600), 1), (at(3600) + 1, at(7_200), 0)],
)
def test_since_and_until_choose_cells(since: int | None, until: int, hours: int) -> None:
    compared = changed_cells(evaluated(), NOTHING, ALL._replace(since=since, until=until))
    assert len(cells_of(compared)) == 2 * hours


def test_a_cell_that_had_rows_and_has_none_gets_an_empty_version_once() -> None:
    first = changed_cells(evaluated(), NOTHING, ALL)
    shorter = evaluated(T=at(3 * 3600))
    again = changed_cells(shorter, known_of(first), ALL)
    assert cells_of(again) == [("a", 3), ("b", 3)]
    rows = again.changes.revisions.to_pylist()
    assert {(row["availability_rows"], row["revision"], row["digest"]) for row in rows} == {(0, 1, "0" * 16)}
    known = published_after(known_of(first), again.changes.revisions, HOUR)
    assert cells_of(changed_cells(shorter, known, ALL)) == []
    assert cells_of(changed_cells(evaluated(), known, ALL)) == [("a", 3), ("b", 3)]


def test_known_cells_outside_the_publication_are_left_as_they_are() -> None:
    known = known_of(changed_cells(evaluated(), NOTHING, ALL))
    assert cells_of(changed_cells(evaluated(T=at(3 * 3600)), known, ALL._replace(until=at(3 * 3600)))) == []


def test_empty_versions_stand_among_the_others_in_order() -> None:
    known = known_of(changed_cells(evaluated(), NOTHING, ALL))
    later = evaluate(to_batch([signal(3 * 3600, "2", "Unknown", scale_set=name) for name in "ab"]), POLICY, END)
    assert cells_of(changed_cells(later, known, ALL)) == [(name, hour) for name in "ab" for hour in range(4)]


def test_known_scale_sets_that_are_not_evaluated_do_not_meet_others() -> None:
    known = known_of(changed_cells(evaluated(), NOTHING, ALL))
    only_b = evaluate(to_batch([signal(0, "1", "Available", scale_set="b", event_id="e")]), POLICY, END)
    compared = changed_cells(only_b, known, ALL)
    assert cells_of(compared) == [("a", hour) for hour in range(4)]
    assert compared.unchanged == 4


@pytest.mark.parametrize(
    ("final", "causes"),
    [(None, {2: "progress"}), (at(7_200), {2: "progress"}), (at(7_201), {2: "late"}), (END, {2: "late"})],
)
def test_a_stream_says_why_it_publishes(final: int | None, causes: dict[int, str]) -> None:
    stream = ALL._replace(backfill=False)
    first = changed_cells(evaluated(), NOTHING, stream)
    assert set(first.changes.revisions.column("cause").to_pylist()) == {"first"}
    dip = [signal(7_300, "1", "Degraded", scale_set="b"), signal(7_310, "1", "Available", scale_set="b")]
    again = changed_cells(evaluated(*dip), known_of(first), stream._replace(final=final))
    assert (
        dict(zip([hour for _, hour in cells_of(again)], again.changes.revisions.column("cause").to_pylist(), strict=True))
        == causes
    )


def test_known_after_a_publication_holds_each_cell_once() -> None:
    first = changed_cells(evaluated(), NOTHING, ALL)
    dip = [signal(7_300, "1", "Degraded", scale_set="b"), signal(7_310, "1", "Available", scale_set="b")]
    again = changed_cells(evaluated(*dip), known_of(first), ALL)
    known = published_after(known_of(first), again.changes.revisions, HOUR)
    assert len(known) == 8
    assert sorted(known.column("revision").to_pylist()) == [0] * 7 + [1]
    assert changed_cells(evaluated(*dip), known, ALL).unchanged == 8


def test_digests_are_the_same_as_text_and_as_numbers() -> None:
    digests = np.array([0, 1, 2**64 - 1, 0x0123456789ABCDEF], np.uint64)
    texts = to_text(digests)
    assert texts.to_pylist() == ["0" * 16, "0" * 15 + "1", "f" * 16, "0123456789abcdef"]
    assert from_text(texts).tolist() == digests.tolist()
    assert from_text(texts.slice(1, 2)).tolist() == digests[1:3].tolist()
    assert from_text(texts.slice(0, 0)).tolist() == []
    assert to_text(np.array([EMPTY])).to_pylist() == ["0" * 16]
