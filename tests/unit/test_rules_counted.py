"""An operation takes away no more than it says (rules: Counted)."""

from typing import Any

import pytest

from tests.support.build import down, fallen, op, spanning, unknown, up
from tests.support.judging import Judge

L = 20 + 900
"""The limit of an operation that ends at 20."""


@pytest.mark.parametrize(
    ("count", "verdicts"),
    [
        (None, ["presumed_removed", "presumed_removed", "presumed_removed"]),
        (3, ["presumed_removed", "presumed_removed", "presumed_removed"]),
        (2, ["presumed_removed", "overrun", "presumed_removed"]),
        (1, ["overrun", "overrun", "presumed_removed"]),
        (0, ["overrun", "overrun", "overrun"]),
    ],
)
def test_the_count_goes_by_onset_then_instance(judge: Judge, count: int | None, verdicts: list[str]) -> None:
    fallen = [*up(0, "1", "10", "2"), *down(16, "1", "10"), *down(15, "2")]
    judged = judge(fallen, spanning(10, 20, "scale_in", count=count))
    assert [judged.verdict(instance) for instance in ("1", "10", "2")] == verdicts


def test_the_largest_count_of_its_records_counts(judge: Judge) -> None:
    records = [op(10, "scale_in", "started", count=2), op(20, "scale_in", "succeeded", count=1), op(21, "scale_in", "failed")]
    judged = judge(up(0, "1", "2"), down(15, "1", "2"), records)
    assert [judged.verdict(instance) for instance in ("1", "2")] == ["presumed_removed"] * 2


@pytest.mark.parametrize(
    ("start", "verdict"),
    [
        (-110, "overrun"),
        (-110.000001, "presumed_removed"),
        (L, "overrun"),
        (L + 0.000001, "presumed_removed"),
    ],
)
def test_what_definite_operations_begin_to_remove_is_taken_from_the_count(judge: Judge, start: Any, verdict: str) -> None:
    removal = spanning(start, start + 1, "delete", "2", key="s")
    judged = judge(up(-500, "1", "2"), down(15, "1"), spanning(10, 20, "scale_in", count=1), removal)
    assert judged.verdict() == verdict


def test_removed_time_begins_with_the_first_signal(judge: Judge) -> None:
    removal = spanning(-500, -400, "delete", "2", key="s")
    judged = judge(up(-500, "1"), unknown(12, "2"), down(15, "1"), spanning(10, 20, "scale_in", count=1), removal)
    assert judged.verdict() == "overrun"


def test_an_instance_is_taken_from_the_count_once(judge: Judge) -> None:
    removals = [*spanning(11, 12, "scale_in", "2", key="s"), *spanning(13, 14, "delete", "2", key="d")]
    judged = judge(up(0, "1", "2"), down(15, "1"), spanning(10, 20, "scale_in", count=2), removals)
    assert judged.verdict() == "presumed_removed"


@pytest.mark.parametrize(
    ("verb", "verdict"), [("stop", "presumed_removed"), ("evict", "presumed_removed"), ("delete", "overrun")]
)
def test_only_what_leaves_nothing_behind_is_taken_from_the_count(judge: Judge, verb: str, verdict: str) -> None:
    removal = spanning(11, 12, verb, "2", key="s")
    assert judge(up(0, "1", "2"), down(15, "1"), spanning(10, 20, "scale_in", count=1), removal).verdict() == verdict


def test_what_begins_to_be_deleted_while_it_is_stopped_is_taken_from_the_count(judge: Judge) -> None:
    removals = [*spanning(-400, -300, "stop", "2", key="s"), *spanning(11, 12, "delete", "2", key="d")]
    judged = judge(up(-500, "1", "2"), down(15, "1"), spanning(10, 20, "scale_in", count=1), removals)
    assert (judged.verdicts("2"), judged.verdict()) == ([(-400, 912, "removed")], "overrun")


def test_a_removal_whose_begin_was_not_seen_is_measured_from_the_begin_of_the_counted_one(judge: Judge) -> None:
    removal = spanning(-600, -590, "delete", "2", key="s")
    judged = judge(up(-900, "1", "2"), down(15, "1"), op(20, "scale_in", "succeeded", count=1), removal)
    assert judged.verdict() == "overrun"


def test_an_operation_with_names_uses_up_its_own_count(judge: Judge) -> None:
    judged = judge(fallen([op(10, "delete", "started", "1 2", count=1)], up(0, "2"), down(16, "2")), until=10800)
    assert [judged.verdict("1"), judged.verdict("2")] == ["presumed_removed", "overrun"]


def test_one_refused_can_let_a_later_episode_of_the_same_instance_begin(judge: Judge) -> None:
    # Were 2 presumed removed at its first fall, its second one would lie in that time.
    falls = [*up(0, "1", "2"), *down(15, "1"), *unknown(16, "2"), *down(L + 5, "2")]
    judged = judge(falls, spanning(10, 20, "scale_in", count=1))
    assert judged.verdicts("2") == [(16, L + 5, "overrun"), (L + 5, None, "unexplained")]


def test_what_is_explained_uses_up_no_count(judge: Judge) -> None:
    falls = [*up(0, "1", "2"), *down(12, "1"), *down(15, "2"), *up(30, "1")]
    judged = judge(falls, spanning(10, 20, "scale_in", count=1))
    assert [judged.verdict("1"), judged.verdict("2")] == ["explained", "presumed_removed"]


def test_what_spoke_uses_up_no_count(judge: Judge) -> None:
    falls = [*up(0, "1", "2"), *down(12, "1"), *down(15, "2"), *down(2500, "1")]
    judged = judge(falls, spanning(10, 20, "scale_in", count=1))
    assert [judged.verdict("1"), judged.verdict("2")] == ["overrun", "presumed_removed"]


def test_the_set_itself_is_no_instance_that_is_removed(judge: Judge) -> None:
    # The set has reported before all of it is deleted, 1 has not.
    deleted = op(5, "delete", "announced", everything=True, key="all")
    judged = judge(up(0, None), deleted, up(7, "1"), down(15, "1"), op(10, "delete", "started", "1", count=1), until=10800)
    assert (judged.row(None)["start"], judged.verdict(None)) == (5, "removed")
    assert judged.verdict() == "presumed_removed"
