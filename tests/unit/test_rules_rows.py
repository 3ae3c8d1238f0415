"""The rows of attributions (contract: Attributions): what they say, and how long ones are continued."""

from typing import Any

import pytest

from schemas.policy import parse_policy
from tests.support.build import at, degraded, down, fault, op, signal, spanning, unknown, up
from tests.support.judging import Judge
from tests.support.plain import first_T

DAY = 86400
WEEK = 7 * DAY
RESTART = spanning(1000, 1100, "restart", "1")


def test_a_row_names_the_operation_that_explains_it(judge: Judge) -> None:
    row = judge(up(0, "1"), RESTART, down(1010, "1"), up(2500, "1")).row()
    named = [row[name] for name in ("operation_key", "verb", "initiator", "operation_start", "operation_end", "limit")]
    assert named == ["k", "restart", "customer", 1000, 1100, 2000]
    assert (row["lag_seconds"], row["excused_seconds"], row["counted_seconds"]) == (10, 990, 500)


def test_a_row_of_an_unfinished_operation_has_no_end_of_it(judge: Judge) -> None:
    row = judge(up(0, "1"), op(1000, "restart", "started", "1"), down(1010, "1"), up(1500, "1")).row()
    assert (row["operation_end"], row["limit"]) == (None, 1000 + 1800 + 900)


@pytest.mark.parametrize("cause", [[], [fault(1010, "1")]])
def test_a_row_without_an_operation_names_none(judge: Judge, cause: Any) -> None:
    row = judge(up(0, "1"), down(1010, "1"), cause, up(1500, "1")).row()
    assert [row[name] for name in ("operation_key", "verb", "initiator", "operation_start", "operation_end")] == [None] * 5
    assert [row[name] for name in ("limit", "lag_seconds", "candidates", "counted_seconds")] == [None, None, 0, 490]


def test_an_onset_before_the_operation_has_a_negative_lag(judge: Judge) -> None:
    assert judge(up(0, "1"), RESTART, down(999.5, "1"), up(1500, "1")).row()["lag_seconds"] == -0.5


def test_seconds_are_unknown_while_the_row_is_open(judge: Judge) -> None:
    row = judge(up(0, "1"), down(1010, "1")).row()
    assert [row[name] for name in ("end", "excused_seconds", "counted_seconds")] == [None] * 3


def test_unknown_seconds_are_neither_excused_nor_counted(judge: Judge) -> None:
    row = judge(up(0, "1"), RESTART, down(1010, "1"), unknown(1500, "1"), down(2500, "1"), up(2600, "1")).row()
    assert (row["excused_seconds"], row["counted_seconds"]) == (490, 100)


@pytest.mark.parametrize("end", [None, 2000])
def test_a_removed_stretch_has_no_seconds(judge: Judge, end: int | None) -> None:
    row = judge(up(0, "1"), spanning(10, 20, "stop", "1"), down(30, "1"), [] if end is None else up(end, "1")).row()
    assert (row["end"], row["excused_seconds"], row["counted_seconds"], row["signal_event_id"]) == (end, 0, 0, None)


def test_a_stretch_that_begins_with_a_signal_names_none(judge: Judge) -> None:
    assert judge(unknown(10, "1"), spanning(10, 20, "stop", "1")).row()["signal_event_id"] is None


def test_the_worst_state_is_the_worst_in_the_row(judge: Judge) -> None:
    judged = judge(up(0, "1"), unknown(10, "1"), up(20, "1"), degraded(30, "1"), down(40, "1"), unknown(50, "1"))
    assert [row["worst_state"] for row in judged.rows("1")] == ["Unknown", "Unavailable"]


def test_the_worst_state_of_a_removed_stretch_may_be_available(judge: Judge) -> None:
    judged = judge(up(0, "1", "2"), spanning(10, 20, "stop", "1 2"), down(30, "2"))
    assert [judged.row(instance)["worst_state"] for instance in ("1", "2")] == ["Available", "Unavailable"]


def test_the_state_in_which_a_stretch_begins_belongs_to_it(judge: Judge) -> None:
    judged = judge(up(0, "1"), down(400, "1"), spanning(500, 520, "stop", "1"), unknown(510, "1"))
    assert judged.row("1", 1)["worst_state"] == "Unavailable"


def test_the_state_at_the_end_of_a_row_does_not_belong_to_it(judge: Judge) -> None:
    judged = judge(up(0, "1"), unknown(10, "1"), down(20, "1"))
    assert [row["worst_state"] for row in judged.rows("1")] == ["Unknown", "Unavailable"]


def test_the_signal_of_an_episode_is_the_smallest_that_carries_the_winning_state(judge: Judge) -> None:
    ids = [("d", "Degraded"), ("c", "Unavailable"), ("b", "Unavailable"), ("a", "Unknown")]
    assert judge(up(0, "1"), [signal(9, "1", state, event_id=name) for name, state in ids]).row()["signal_event_id"] == "b"


def test_a_signal_where_removed_time_ends_is_the_one_with_which_the_episode_begins(judge: Judge) -> None:
    back = spanning(50, 60, "start", "1")
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"), signal(50, "1", "Degraded", event_id="x"), back)
    assert judged.row("1", 1)["signal_event_id"] == "x"


@pytest.mark.parametrize(("until", "ends"), [(WEEK, [None]), (WEEK + 3600, [WEEK + 3600]), (8 * DAY, [WEEK + 3600, None])])
def test_a_long_row_is_continued_at_the_first_multiple_after_max_open(judge: Judge, until: Any, ends: Any) -> None:
    rows = judge(up(0, "1"), down(10, "1"), until=until).rows("1")
    assert [row["end"] for row in rows] == ends
    assert [row["start"] for row in rows] == [10, WEEK + 3600][: len(ends)]


def test_a_row_that_starts_on_the_grid_is_continued_after_max_open_exactly(judge: Judge) -> None:
    rows = judge(up(0, "1"), down(3600, "1"), until=9 * DAY).rows("1")
    assert [row["start"] for row in rows] == [3600, 3600 + WEEK]


@pytest.mark.parametrize(("end", "rows"), [(WEEK + 3600, 1), (WEEK + 3600.000001, 2)])
def test_a_row_that_ends_there_is_not_continued(judge: Judge, end: Any, rows: int) -> None:
    assert len(judge(up(0, "1"), down(10, "1"), up(end, "1"), until=9 * DAY).rows("1")) == rows


def test_a_continued_row_has_its_own_start_end_state_and_seconds(judge: Judge) -> None:
    cut = WEEK + 3600
    judged = judge(
        up(0, "1"), RESTART, down(1010, "1"), degraded(cut - 5, "1"), unknown(cut + 60, "1"), up(8 * DAY, "1"), until=9 * DAY
    )
    first, second = judged.rows("1")
    assert (first["onset"], second["onset"]) == (1010, 1010)
    assert (first["worst_state"], second["worst_state"]) == ("Unavailable", "Degraded")
    assert (first["excused_seconds"], first["counted_seconds"]) == (990, cut - 2000)
    assert (second["excused_seconds"], second["counted_seconds"]) == (0, 60)
    assert first["signal_event_id"] is not None
    assert second["signal_event_id"] is None
    own = ("start", "end", "cell", "worst_state", "excused_seconds", "counted_seconds", "signal_event_id")
    assert {k: v for k, v in first.items() if k not in own} == {k: v for k, v in second.items() if k not in own}


def test_a_row_is_continued_again_and_again(judge: Judge) -> None:
    rows = judge(up(0, "1"), down(10, "1"), until=25 * DAY).rows("1")
    assert [row["start"] for row in rows] == [10, *(WEEK * k + 3600 for k in (1, 2, 3))]


def test_a_removed_stretch_is_continued_too(judge: Judge) -> None:
    rows = judge(up(0, "1"), spanning(10, 20, "stop", "1"), until=9 * DAY).rows("1")
    assert [(row["start"], row["onset"], row["end"]) for row in rows] == [(10, 10, WEEK + 3600), (WEEK + 3600, 10, None)]


@pytest.mark.parametrize(("again", "candidates"), [(WEEK + 3599.999999, [2, 2]), (WEEK + 3600, [1, 2])])
def test_a_row_of_a_removed_stretch_counts_the_operations_that_begin_to_remove_before_its_end(
    judge: Judge, again: Any, candidates: list[int]
) -> None:
    both = [*spanning(10, 20, "stop", "1"), *spanning(again, again + 9, "deallocate", "1", key="l")]
    assert [row["candidates"] for row in judge(up(0, "1"), both, until=9 * DAY).rows("1")] == candidates


def test_no_row_starts_at_t(judge: Judge) -> None:
    assert len(judge(up(0, "1"), down(10, "1"), until=WEEK + 3600).rows("1")) == 1


def test_where_the_grid_is_coarse_a_row_is_continued_later(judge: Judge) -> None:
    rows = judge(up(0, "1"), down(10, "1"), until=9 * DAY, policy=parse_policy('grid = "1d"')).rows("1")
    assert [row["start"] for row in rows] == [10, 8 * DAY]


@pytest.mark.parametrize(("limit", "end"), [(3600, 3600), (3600.000001, None)])
def test_an_end_that_is_known_at_t_is_written(judge: Judge, limit: float, end: int | None) -> None:
    # The stretch ends at the limit of the delete, from where on the instance is absent.
    assert judge(up(0, "1"), spanning(10, limit - 900, "delete", "1")).row()["end"] == end


@pytest.mark.parametrize(
    ("times", "until", "now", "T"),
    [
        ([10, 3599.999999], None, 9000, 3600),
        ([3600], None, 9000, 7200),
        ([10], 7200, 9000, 7200),
        ([7300], 3600, 20000, 10800),
        ([7300], None, 9000, 7200),
        ([10], 10800, 9000, 7200),
        ([10, 9000.000001], None, 9000, 3600),
        ([10, 9000], None, 9000, 7200),
        ([], 3600, 9000, 3600),
    ],
)
def test_t_is_after_the_latest_event_and_not_before_until_but_never_later_than_now(
    times: Any, until: int | None, now: int, T: int
) -> None:
    events = [signal(time, "1", "Available") for time in times]
    assert first_T(events, 3_600_000_000, None if until is None else at(until), now=at(now)) == at(T)
