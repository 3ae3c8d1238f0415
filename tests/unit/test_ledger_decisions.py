"""What is late, until when things are known, and when the ledger looks again (rules: T, Late)."""

import numpy as np
import pyarrow as pa
import pytest

from schemas.time import HOUR
from tests.support.build import at, op, signal, to_batch
from transforms.core.columns.arrow import no_rows
from transforms.core.evaluation.resumed import NO_MARKS
from transforms.core.ledger.decisions import ends_in_stream, is_late, late_rejects
from transforms.core.ledger.grid_ends import (
    GRID_ENDS,
    NOT_YET,
    due_by,
    fired_of,
    grid_end_of_timer,
    next_due,
    with_fired,
    with_first,
)

FIRED = at(3 * 3600)
NAMES = pa.array(["a", "b"])


@pytest.mark.parametrize(
    ("latest", "fired", "expected"),
    [
        (at(10), None, at(3600)),
        (at(3600), None, at(7200)),
        (at(10), at(7200), at(7200)),
        (at(7200), at(7200), at(3 * 3600)),
    ],
)
def test_known_until_the_later_of_the_last_timer_and_the_first_multiple_after_the_latest_event(
    latest: int, fired: int | None, expected: int
) -> None:
    events = to_batch([{**signal(0, "1", "Degraded", scale_set="b"), "time": latest}])
    moments = np.array([0, NOT_YET if fired is None else fired])
    assert ends_in_stream(NAMES, events, NO_MARKS, moments, HOUR).moments.tolist() == [0, expected]


@pytest.mark.parametrize(
    ("fired", "now", "expected"),
    [
        (None, at(0), at(3600)),
        (at(7200), at(7200), at(3 * 3600)),
        (at(7200), at(7200) - 1, None),
        (None, at(0) - 1, None),
    ],
)
def test_the_next_grid_end_lies_no_later_than_the_present_and_one_interval(
    fired: int | None, now: int, expected: int | None
) -> None:
    grid_ends = with_first(no_rows(GRID_ENDS), NAMES[:1], np.array([at(10)]), HOUR)
    if fired is not None:
        grid_ends = with_fired(grid_ends, NAMES[:1], fired, HOUR)
    assert next_due(grid_ends, HOUR, now) == expected


def test_of_several_scale_sets_that_is_due_of_which_none_has_fired_and_the_earliest_event_was_before() -> None:
    grid_ends = with_fired(no_rows(GRID_ENDS), NAMES[:1], at(7200), HOUR)
    grid_ends = with_first(grid_ends, NAMES, np.array([at(10), at(3_700)]), HOUR)
    grid_ends = with_first(grid_ends, NAMES, np.array([at(10), at(3_600)]), HOUR)
    assert fired_of(grid_ends, pa.array(["b", "c", "a"])).tolist() == [NOT_YET, NOT_YET, at(7200)]
    assert due_by(grid_ends, at(7200) - 1).to_pylist() == []
    assert due_by(grid_ends, at(7200)).to_pylist() == ["b"]
    assert next_due(grid_ends, HOUR, FIRED) == at(7200)
    assert next_due(with_fired(grid_ends, NAMES[1:], FIRED, HOUR), HOUR, FIRED) == FIRED


@pytest.mark.parametrize("early", [0, 1, 999])
def test_a_timer_stands_for_its_grid_end_although_milliseconds_are_cut(early: int) -> None:
    assert grid_end_of_timer(at(3600) - early, HOUR) == at(3600)


@pytest.mark.parametrize(("before", "late"), [(HOUR, False), (HOUR + 1, True)])
def test_late_is_more_than_the_lateness_before_the_last_grid_end_that_fired(before: int, late: bool) -> None:
    event = {**signal(0, "1", "Degraded"), "time": FIRED - before}
    assert is_late(to_batch([event]), to_batch([]), np.array([FIRED]), HOUR).tolist() == [late]
    assert is_late(to_batch([event]), to_batch([]), np.array([NOT_YET]), HOUR).tolist() == [False]


def test_a_copy_of_an_accepted_event_is_not_late_and_one_that_differs_in_identity_is() -> None:
    event = signal(0, "1", "Degraded", event_id="e")
    others = [{**event, "time": at(1)}, {**event, "event_id": "f"}, {**op(0, "delete", "started", event_id="e")}]
    late = is_late(to_batch([{**event, "state": "Available"}, *others]), to_batch([event]), np.full(4, FIRED), HOUR)
    assert late.tolist() == [False, True, True, True]


def test_a_late_record_is_one_reject_that_says_what_was_required() -> None:
    batch = to_batch([signal(0, "1", "Degraded", event_id="e"), signal(0, "1", "Degraded", event_id="e#annotation")])
    second = batch.schema.get_field_index("second")
    batch = batch.set_column(second, batch.schema.field(second), pa.array([False, True]))
    (reject,) = late_rejects(batch, "subscription", ["a later one"] * 2, at(5)).to_pylist()
    assert (reject["source"], reject["location"], reject["reason"], reject["payload"]) == ("subscription", "e", "late", None)
    assert reject["arrived"].timestamp() * 1e6 == at(5)
    assert reject["detail"] == "time: a later one is required, got 2027-01-15T00:00:00Z."
