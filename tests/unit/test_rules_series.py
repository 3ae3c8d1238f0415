"""The series (rules: Counts, State, Reported state of a set, Rows)."""

from typing import Any

import pytest

from schemas.policy import parse_policy
from tests.support.build import degraded, down, fault, op, signal, spanning, unknown, up
from tests.support.judging import Judge

DAY = 86400
COUNTS = ("raw_available", "raw_degraded", "raw_unavailable", "raw_unknown")
CLASSES = ("up", "degraded", "unavailable", "overrun", "excused", "unknown", "removed")

STOPPED = spanning(10, 20, "stop", "8")
EXCUSED = [*spanning(900, 3600, "restart", "9"), *down(1000, "9")]


def test_the_series_begins_with_the_first_signal(judge: Judge) -> None:
    judged = judge(fault(10, "1"), op(20, "stop", "started", "1"), unknown(30, "1"))
    assert judged.availability[0]["start"] == 30


def test_a_set_without_signals_has_no_series(judge: Judge) -> None:
    judged = judge(fault(10, "1"), op(20, "stop", "started", "1"))
    assert (judged.availability, len(judged.operations)) == ([], 1)


def test_instances_are_counted_by_reported_state_and_by_class(judge: Judge) -> None:
    judged = judge(up(0, "1", "8", "9"), degraded(0, "2"), down(0, "3"), unknown(0, "4"), STOPPED, EXCUSED, until=7200)
    row, later = judged.at(2000), judged.at(5000)
    assert [row[name] for name in COUNTS] == [2, 1, 2, 1]
    assert [row[name] for name in CLASSES] == [1, 1, 1, 0, 1, 1, 1]
    assert [later[name] for name in CLASSES] == [1, 1, 1, 1, 0, 1, 1]


def test_absent_instances_are_not_counted(judge: Judge) -> None:
    judged = judge(up(0, "1", "2"), spanning(10, 20, "delete", "2"))
    assert [judged.at(2000)[name] for name in ("raw_available", "up", "removed")] == [1, 1, 0]


def test_removed_goes_before_any_state(judge: Judge) -> None:
    judged = judge(up(0, "1", "8"), STOPPED, down(500, "8"), unknown(600, "8"))
    assert [judged.at(t)["removed"] for t in (400, 550, 650)] == [1, 1, 1]
    assert judged.at(550)["raw_unavailable"] == 1


def test_unknown_goes_before_what_an_episode_says(judge: Judge) -> None:
    judged = judge(down(0, "1"), unknown(10, "1"))
    assert (judged.spans("unavailable"), judged.spans("unknown")) == ([(0, 10)], [(10, 3600)])


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ("Available", "Available"),
        ("Available Unavailable", "Degraded"),
        ("Available Degraded", "Degraded"),
        ("Degraded", "Degraded"),
        ("Degraded Unavailable", "Degraded"),
        ("Unavailable", "Unavailable"),
        ("Unavailable Unknown", "Unavailable"),
        ("Unknown", "Unknown"),
        ("Available Unknown", "Available"),
        ("removed", "Idle"),
        ("removed Unknown", "Unknown"),
        ("removed Available", "Available"),
        ("removed Unavailable", "Unavailable"),
        ("excused", "Planned"),
        ("excused removed", "Planned"),
        ("excused Unknown", "Planned"),
        ("excused Available", "Available"),
        ("excused Unavailable", "Unavailable"),
        ("excused Degraded", "Degraded"),
        ("excused-degraded Unavailable", "Unavailable"),
    ],
)
def test_state_with_instances_present(judge: Judge, states: str, state: str) -> None:
    events = []
    for number, name in enumerate(states.split()):
        if name == "removed":
            events += [*up(0, "8"), *STOPPED]
        elif name.startswith("excused"):
            events += [*up(0, "9"), *EXCUSED[:2], *(degraded if "degraded" in name else down)(1000, "9")]
        else:
            events.append(signal(100, str(number), name))
    assert judge(events).at(2000)["state"] == state


def test_an_overrun_is_bad(judge: Judge) -> None:
    judged = judge(up(0, "9"), EXCUSED, until=7200)
    assert judged.spans("state", "Unavailable") == [(4500, 7200)]
    assert judged.spans("state", "Planned") == [(1000, 4500)]


@pytest.mark.parametrize(
    ("own", "state"),
    [
        (up(0, None), "Available"),
        (degraded(0, None), "Degraded"),
        (down(0, None), "Unavailable"),
        (unknown(0, None), "Unknown"),
        ([*spanning(0, 3000, "upgrade"), *degraded(100, None)], "Available"),
        ([*spanning(0, 3000, "upgrade"), *down(100, None)], "Planned"),
        ([*spanning(0, 3000, "upgrade"), *unknown(100, None)], "Unknown"),
        ([*spanning(0, 500, "upgrade"), *degraded(100, None)], "Degraded"),
        ([*spanning(0, 500, "upgrade"), *down(100, None)], "Unavailable"),
        ([*up(0, None), *spanning(1500, 1600, "delete", everything=True)], "Idle"),
        ([*up(0, None), *spanning(10, 20, "delete", everything=True)], "Idle"),
        (up(2001, None), None),
    ],
)
def test_state_of_a_set_that_only_reports_for_itself(judge: Judge, own: Any, state: str | None) -> None:
    rows = [row for row in judge(own).availability if row["start"] <= 2000 < row["end"]]
    assert [row["state"] for row in rows] == ([] if state is None else [state])


def test_once_an_instance_has_reported_what_the_set_says_counts_no_longer(judge: Judge) -> None:
    judged = judge(up(0, None), up(100, "1"), spanning(200, 300, "delete", "1"), until=9 * DAY)
    assert judged.spans("state", "Available") == [(0, 200)]
    assert judged.spans("state", "Idle") == [(200, 9 * DAY)]


def test_a_set_that_was_forgotten_is_idle(judge: Judge) -> None:
    judged = judge(up(0, None), spanning(10, 20, "delete", everything=True), until=9 * DAY)
    assert judged.spans("state", "Idle") == [(10, 9 * DAY)]


@pytest.mark.parametrize(
    ("states", "reported"),
    [
        ("Available", "Available"),
        ("Available Unavailable", "Degraded"),
        ("Degraded Unavailable", "Degraded"),
        ("Unavailable", "Unavailable"),
        ("Unavailable Unknown", "Unavailable"),
        ("Available Unknown", "Available"),
        ("Unknown", "Unknown"),
    ],
)
def test_reported_state_without_the_set_is_that_of_its_instances(judge: Judge, states: str, reported: str) -> None:
    events = [signal(0, str(number), state) for number, state in enumerate(states.split())]
    assert judge(events).at(10)["reported_state"] == reported


def test_nothing_reported_is_excused_or_removed(judge: Judge) -> None:
    judged = judge(up(0, "8", "9"), STOPPED, EXCUSED)
    assert judged.spans("reported_state", "Available") == [(0, 1000)]
    assert judged.spans("reported_state", "Degraded") == [(1000, 3600)]


def test_the_own_state_is_reported_whatever_its_instances_say(judge: Judge) -> None:
    judged = judge(down(0, "1"), up(5, None))
    assert (judged.spans("reported_state", "Unavailable"), judged.spans("reported_state", "Available")) == (
        [(0, 5)],
        [(5, 3600)],
    )


def test_nothing_is_reported_where_no_instance_is_present(judge: Judge) -> None:
    assert judge(up(0, "1"), spanning(10, 20, "delete", "1")).spans("reported_state", None) == [(920, 3600)]


def test_rows_are_maximal(judge: Judge) -> None:
    judged = judge(up(0, "1", "2"), unknown(10, "1"), unknown(20, "2"), up(20, "1"), degraded(30, "3"), degraded(40, "3"))
    assert [row["start"] for row in judged.availability] == [0, 10, 30]


def test_rows_are_cut_at_every_multiple_of_the_grid(judge: Judge) -> None:
    judged = judge(up(10, "1"), until=10800)
    assert [(r["start"], r["end"], r["cell"]) for r in judged.availability] == [
        (10, 3600, 0),
        (3600, 7200, 3600),
        (7200, 10800, 7200),
    ]
    assert len(judge(up(10, "1"), policy=parse_policy('grid = "15m"')).availability) == 4


def test_every_row_has_the_cell_in_which_it_starts(judge: Judge) -> None:
    judged = judge(up(10, "1"), down(3600, "1"), up(3700, "1"), spanning(3599.999999, 4000, "stop", "2"), until=10800)
    assert [row["cell"] for row in judged.attributions + judged.operations] == [3600, 0]
