"""Alarms: bad times of a series, and what is said of them."""

from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import TIMESTAMP
from transforms.core.alarms.bad_times import bad_rows, bad_times, series_ends
from transforms.core.alarms.decisions import Alarm, AlarmKey, Said, due_alarms, keyed

KEY = AlarmKey("a", "Degraded", 100)
BEGUN = next(due_alarms({KEY: None}, {}, 0, 160, 60)).said

Row = tuple[str, int, int, str]


def _series(rows: list[Row]) -> pa.Table:
    ids, starts, ends, states = zip(*rows, strict=True) if rows else ((), (), (), ())
    columns = {
        "scale_set_id": pa.array(ids, pa.string()).dictionary_encode(),
        "start": pa.array(starts, pa.int64()).cast(TIMESTAMP),
        "end": pa.array(ends, pa.int64()).cast(TIMESTAMP),
        "state": pa.array(states, pa.string()).dictionary_encode(),
    }
    return pa.table(columns)


def _times(rows: list[Row]) -> list[tuple[Any, ...]]:
    series = _series(rows)
    found = bad_times(bad_rows(series, "state"), series_ends(series))
    plain = [found.column(name) for name in ("scale_set_id", "state")]
    plain += [found.column(name).cast(pa.int64()) for name in ("start", "end")]
    return list(zip(*(column.to_pylist() for column in (*plain, found.column("goes_on"))), strict=True))


def test_rows_that_meet_are_one_time_whatever_cell_or_count_parts_them() -> None:
    rows = [("a", 0, 10, "Available"), ("a", 10, 20, "Degraded"), ("a", 20, 30, "Degraded"), ("a", 30, 40, "Planned")]
    assert _times(rows) == [("a", "Degraded", 10, 30, False)]


def test_another_state_and_another_set_are_times_of_their_own() -> None:
    rows = [("a", 0, 10, "Degraded"), ("a", 10, 20, "Unavailable"), ("b", 20, 30, "Unavailable")]
    assert _times(rows) == [
        ("a", "Degraded", 0, 10, False),
        ("a", "Unavailable", 10, 20, True),
        ("b", "Unavailable", 20, 30, True),
    ]


@given(st.data())
def test_times_are_those_that_a_loop_finds(data: st.DataObject) -> None:
    rows: list[Row] = []
    for name in ("a", "b"):
        edges = sorted(data.draw(st.sets(st.integers(0, 30))))
        states = st.sampled_from(["Available", "Degraded", "Unavailable", "Idle"])
        cut = data.draw(st.sets(st.integers(0, 30)))
        rows += [(name, x, y, data.draw(states)) for x, y in pairwise(edges) if x not in cut]
    wanted: list[list[Any]] = []
    for name, start, end, state in rows:
        if state not in ("Degraded", "Unavailable"):
            continue
        if wanted and wanted[-1][:2] == [name, state] and wanted[-1][3] == start:
            wanted[-1][3] = end
        else:
            wanted.append([name, state, start, end])
    last = {name: end for name, _, end, _ in rows}
    shuffled = data.draw(st.permutations(rows))
    assert _times(shuffled) == [(*each, last[each[0]] == each[3]) for each in wanted]


@pytest.mark.parametrize(
    ("end", "now", "sayings"),
    [
        (None, 159, []),
        (None, 160, ["begun"]),
        (159, 500, []),
        (160, 500, ["begun", "ended"]),
    ],
)
def test_an_alarm_begins_when_the_time_has_lasted_long_enough(end: int | None, now: int, sayings: list[str]) -> None:
    assert [alarm.said.saying for alarm in due_alarms({KEY: end}, {}, 0, now, 60)] == sayings


def test_what_had_ended_before_the_first_look_is_past() -> None:
    assert not list(due_alarms({KEY: 200}, {}, 200, 500, 60))
    assert [alarm.said.saying for alarm in due_alarms({KEY: 201}, {}, 200, 500, 60)] == ["begun", "ended"]


def test_an_end_is_said_once_and_again_if_it_moves() -> None:
    (ended,) = due_alarms({KEY: 130}, {KEY: BEGUN}, 0, 500, 60)
    assert ended.said == Said("ended", 130, 0, BEGUN.first)
    assert not list(due_alarms({KEY: 130}, {KEY: ended.said}, 0, 500, 60))
    (moved,) = due_alarms({KEY: 140}, {KEY: ended.said}, 0, 500, 60)
    assert moved.said.end == 140
    assert moved.id != ended.id


def test_what_has_ended_may_go_on_after_all() -> None:
    ended = Said("ended", 130, 0, BEGUN.first)
    (on,) = due_alarms({KEY: None}, {KEY: ended}, 0, 500, 60)
    assert on.said == Said("goes_on", None, 1, BEGUN.first)
    (again,) = due_alarms({KEY: 130}, {KEY: on.said}, 0, 500, 60)
    assert again.id != Alarm(KEY, ended).id


def test_what_the_record_has_no_more_is_withdrawn_once_and_may_come_again_under_another_id() -> None:
    (withdrawn,) = due_alarms({}, {KEY: BEGUN}, 0, 500, 60)
    assert withdrawn.said == Said("withdrawn", None, 1, BEGUN.first)
    assert not list(due_alarms({}, {KEY: withdrawn.said}, 0, 500, 60))
    (again,) = due_alarms({KEY: None}, {KEY: withdrawn.said}, 0, 500, 60)
    assert again.said.saying == "begun"
    assert again.id == again.said.first != BEGUN.first


def test_alarms_come_in_the_order_in_which_they_happened() -> None:
    found = {AlarmKey("b", "Degraded", 100): 300, AlarmKey("a", "Degraded", 200): None}
    assert [alarm.moment for alarm in due_alarms(found, {}, 0, 900, 60)] == [100, 200, 300]


def test_a_series_may_reach_beyond_the_present() -> None:
    series = _series([("a", 0, 50, "Available"), ("a", 50, 90, "Degraded"), ("a", 90, 99, "Unavailable")])
    times = bad_times(bad_rows(series, "state"), series_ends(series))
    assert keyed(times, 80) == {AlarmKey("a", "Degraded", 50): None}
    assert keyed(times, 95) == {AlarmKey("a", "Degraded", 50): 90, AlarmKey("a", "Unavailable", 90): None}


_ENDS = st.none() | st.integers(170, 190)


@given(st.lists(st.dictionaries(st.sampled_from([KEY, AlarmKey("b", "Unavailable", 40)]), _ENDS), max_size=6))
def test_whoever_reads_the_messages_knows_the_record(looks: list[dict[AlarmKey, int | None]]) -> None:
    said: dict[AlarmKey, Said] = {}
    heard: dict[AlarmKey, int | None] = {}
    ids: list[str] = []
    for found in looks:
        for alarm in due_alarms(found, said, 0, 500, 60):
            said[alarm.key] = alarm.said
            ids.append(alarm.id)
            if alarm.said.saying == "withdrawn":
                del heard[alarm.key]
            else:
                heard[alarm.key] = alarm.said.end
        assert heard == found
        assert not list(due_alarms(found, said, 0, 500, 60))
    assert len(ids) == len(set(ids))
