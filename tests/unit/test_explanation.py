"""What an explanation is made of: stretches, parts, reasons of limits, how an answer changed (contract: trueup explain)."""

from typing import Any

import pyarrow as pa
import pytest

from schemas.event import TIMESTAMP
from schemas.policy import Policy
from schemas.tables.attribution import ATTRIBUTIONS
from schemas.tables.availability import AVAILABILITY, CLASSES, RAW
from schemas.tables.revision import REVISIONS
from schemas.time import DAY, HOUR, MINUTE, SECOND
from transforms.core.explain.explanation import TOLD, covering, parts_of, spans_of, stretch_of
from transforms.core.explain.history import history
from transforms.core.explain.moment import OperationRow, nearest, state_at
from transforms.core.explain.reasons import Reason, reason_of

POLICY = Policy().model_dump()
KNOWN = 10 * DAY
NUMBERS = {"worst_state": "Unavailable", "verdict": "unexplained", "candidates": 0, "instance_id": "1", "scale_set_id": "a"}


def table(schema: pa.Schema, rows: list[dict[str, Any]]) -> pa.Table:
    columns = []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if pa.types.is_timestamp(field.type):
            columns.append(pa.array(values, pa.int64()).cast(TIMESTAMP))
        elif pa.types.is_dictionary(field.type):
            columns.append(pa.array(values, pa.string()).dictionary_encode().cast(field.type))
        else:
            columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def row(start: int, end: int | None, verdict: str = "unexplained", key: str | None = None, **more: Any) -> dict[str, Any]:
    named = (
        {} if key is None else {"operation_key": key, "verb": "restart", "initiator": "customer", "operation_start": start - 1}
    )
    seconds = {"excused_seconds": 0.0, "counted_seconds": 0.0} if end is not None else {}
    return {**NUMBERS, "start": start, "onset": start, "end": end, "verdict": verdict, **named, **seconds, **more}


def attributions(*rows: dict[str, Any]) -> pa.Table:
    return table(ATTRIBUTIONS, list(rows)).select(TOLD)


def bounds(*rows: dict[str, Any], known: int = KNOWN) -> list[tuple[int, int]]:
    spans = spans_of(attributions(*rows), known)
    return list(zip(spans.start.tolist(), spans.end.tolist(), strict=True))


def test_episodes_that_overlap_or_touch_are_one_stretch() -> None:
    assert bounds(row(10, 20), row(15, 30), row(30, 40)) == [(10, 40)]


def test_episodes_one_microsecond_apart_are_two() -> None:
    assert bounds(row(10, 20), row(21, 30)) == [(10, 20), (21, 30)]


def test_an_episode_within_another_does_not_end_the_stretch() -> None:
    assert bounds(row(10, 100), row(20, 30), row(50, 60), row(101, 110)) == [(10, 100), (101, 110)]


def test_what_one_operation_explains_is_one_stretch_with_what_lies_between() -> None:
    first, last = row(10, 20, "explained", "k"), {**row(50, 60, "explained", "k"), "operation_start": 9}
    assert bounds(first, last, row(30, 35), row(70, 80)) == [(10, 60), (70, 80)]


def test_another_start_or_verb_is_another_operation() -> None:
    one = row(10, 20, "explained", "k")
    assert bounds(one, row(50, 60, "explained", "k")) == [(10, 20), (50, 60)]
    assert bounds(one, {**row(50, 60, "explained", "k"), "operation_start": 9, "verb": "stop"}) == [(10, 20), (50, 60)]


@pytest.mark.parametrize("verdict", ["removed", "presumed_removed"])
def test_what_was_taken_away_is_trouble_until_the_limit(verdict: str) -> None:
    assert bounds(row(10, 100, verdict, "k", limit=30)) == [(10, 30)]
    assert bounds(row(10, None, verdict, "k", limit=30)) == [(10, 30)]
    assert bounds(row(10, 20, verdict, "k", limit=30)) == [(10, 20)]
    assert bounds(row(40, 100, verdict, "k", limit=30)) == []


def test_what_was_taken_away_while_available_is_no_trouble() -> None:
    assert bounds(row(10, 100, "removed", "k", limit=30, worst_state="Available")) == []


def test_what_is_open_ends_where_what_is_known_ends() -> None:
    spans = spans_of(attributions(row(10, None)), 500)
    assert (spans.end.tolist(), stretch_of(spans, 0).open) == ([500], True)
    assert not stretch_of(spans, 0).away


def shown(*rows: dict[str, Any], known: int = KNOWN) -> list[tuple[int, int, bool, bool]]:
    spans = spans_of(attributions(*rows), known)
    stretches = [stretch_of(spans, number) for number in range(len(spans.start))]
    return [(one.start, one.end, one.open, one.away) for one in stretches]


@pytest.mark.parametrize("verdict", ["removed", "presumed_removed"])
def test_what_was_taken_away_is_shown_until_it_is_back(verdict: str) -> None:
    assert shown(row(10, 100, verdict, "k", limit=30)) == [(10, 100, False, False)]
    assert shown(row(10, None, verdict, "k", limit=30), known=500) == [(10, 500, True, True)]


def test_what_happens_while_something_is_away_is_a_stretch_of_its_own() -> None:
    away = row(10, 100, "removed", "k", limit=30)
    assert shown(away, row(50, 60, instance_id="2")) == [(10, 100, False, False), (50, 60, False, False)]
    assert shown(away, row(20, None, instance_id="2"), known=90) == [(10, 90, True, False)]


def test_what_is_away_for_long_is_shown_with_the_rows_that_continue_it() -> None:
    away = row(10, 100, "removed", "k", limit=30)
    again = {**row(100, 170, "removed", "k", limit=30, worst_state="Available"), "operation_start": 9, "onset": 10}
    other = row(40, 50, "removed", "l", limit=45, instance_id="2")
    assert shown(away, again, other) == [(10, 170, False, False), (40, 50, False, False)]
    assert shown(away, {**again, "end": None}, known=500) == [(10, 500, True, True)]


def test_of_nothing_there_is_no_stretch() -> None:
    nothing = ATTRIBUTIONS.empty_table().select(TOLD)
    assert len(spans_of(nothing, KNOWN).start) == 0
    assert parts_of(nothing) == ()


def test_a_moment_is_covered_from_the_start_on_and_not_at_the_end() -> None:
    rows = attributions(row(10, 20), row(20, None, instance_id="2"))
    assert [covering(rows, at)["instance_id"].to_pylist() for at in (9, 10, 19, 20, KNOWN)] == [[], ["1"], ["1"], ["2"], ["2"]]


def test_parts_are_told_together_by_verdict_and_operation() -> None:
    rows = [
        row(10, 20, "explained", "k", instance_id="1", limit=90, lag_seconds=1.0, candidates=1, signal_event_id="s1"),
        {**row(12, 30, "explained", "k", instance_id="2", limit=95, lag_seconds=3.0, candidates=2), "operation_start": 9},
        row(11, None, "explained", "l", instance_id="3", limit=90, lag_seconds=1.0, candidates=1),
        row(11, 20, instance_id=None),
        row(11, 20, "fault", instance_id="4", counted_seconds=9.0),
    ]
    fault, both, other, own = parts_of(attributions(*rows))
    assert (fault.verdict, fault.counted, fault.cause) == ("fault", 9.0, None)
    assert (both.instances, both.onset, both.end, both.limit) == (("1", "2"), (10, 12), (20, 30), (90, 95))
    assert (both.lag, both.candidates, both.signals, both.open) == ((1.0, 3.0), (1, 2), ("s1",), 0)
    assert (other.instances, other.open, other.end) == (("3",), 1, None)
    assert (own.own, own.instances) == (True, ())


def explained(**more: Any) -> Any:
    start = 100 * HOUR
    given = {"operation_end": start + MINUTE, "limit": start + 16 * MINUTE, "verdict": "overrun", **more}
    (part,) = parts_of(attributions({**row(start + SECOND, start + DAY, key="k", **given), "operation_start": start}))
    return part


@pytest.mark.parametrize(
    ("limit", "ended", "reason"),
    [
        (16 * MINUTE, True, Reason.OWN),
        (16 * MINUTE + 1, True, Reason.EXTENDED),
        (16 * MINUTE - 1, True, Reason.FAULT),
        (45 * MINUTE, False, Reason.DEADLINE),
        (HOUR + SECOND, True, Reason.POSSIBLE),
        (6 * HOUR + SECOND, True, Reason.LONGEST),
        (6 * HOUR + SECOND - 1, True, Reason.EXTENDED),
    ],
)
def test_what_set_a_limit_is_told_from_the_row(limit: int, ended: bool, reason: Reason) -> None:
    start = 100 * HOUR
    given = {"limit": start + limit} | ({} if ended else {"operation_end": None})
    assert reason_of(explained(**given), POLICY) == reason


def test_the_nearest_operations_are_those_on_the_instance() -> None:
    def operation(key: str, start: int, limit: int, target: str = "named", *named: str) -> OperationRow:
        return OperationRow(key, "restart", "customer", "succeeded", target, named, start, limit, limit, True)

    (part,) = parts_of(attributions(row(10 * HOUR, 11 * HOUR)))
    told = [
        operation("early", HOUR, 2 * HOUR, "all"),
        operation("before", 3 * HOUR, 10 * HOUR, "named", "1", "2"),
        operation("other", 4 * HOUR, 10 * HOUR, "named", "2"),
        operation("at skew", 10 * HOUR + 2 * MINUTE, 12 * HOUR, "named", "1"),
        operation("after", 10 * HOUR + 2 * MINUTE + 1, 12 * HOUR, "unnamed"),
        operation("far", -20 * HOUR, -19 * HOUR, "all"),
    ]
    near = nearest(told, part, 2 * MINUTE)
    assert near.before is not None
    assert near.after is not None
    assert (near.before.key, near.after.key) == ("before", "after")
    assert nearest([told[2], told[5]], part, 2 * MINUTE) == (None, None)


def series(*spans: tuple[int, int, str], **more: Any) -> pa.Table:
    counts = {**dict.fromkeys((*RAW, *CLASSES), 0), "raw_available": 1, "up": 1}
    return table(AVAILABILITY, [{"start": s, "end": e, "reported_state": r, "state": r, **counts, **more} for s, e, r in spans])


def test_a_reported_state_lasts_over_the_cuts_of_the_grid() -> None:
    told = series((0, 10, "Degraded"), (10, 20, "Available"), (20, 30, "Available"), (30, 40, "Degraded"), (50, 60, "Degraded"))
    assert [(state_at(told, at).since, state_at(told, at).until) for at in (10, 29, 35, 50)] == [
        (10, 30),
        (10, 30),
        (30, 40),
        (50, 60),
    ]


CELL = 100 * HOUR


def version(as_of: int, cause: str, revision: int, cell: int = CELL) -> dict[str, Any]:
    return {"scale_set_id": "a", "cell": cell, "as_of": as_of, "cause": cause, "revision": revision, "availability_rows": 1}


def told(versions: list[dict[str, Any]], rows: list[dict[str, Any]], states: dict[int, str], at: int) -> Any:
    found = [series((CELL, CELL + HOUR, state), cell=CELL, as_of=as_of) for as_of, state in states.items()]
    return history(table(REVISIONS, versions), pa.concat_tables(found), table(ATTRIBUTIONS, rows), CELL, at)


def test_an_answer_changes_as_an_episode_ends_and_as_a_late_record_comes() -> None:
    at = CELL + 10 * MINUTE
    begin, end = CELL + 5 * MINUTE, CELL + 20 * MINUTE
    versions = [version(1, "first", 0), version(2, "progress", 1), version(3, "progress", 2), version(4, "late", 3)]
    rows = [
        {**row(begin, None), "cell": CELL, "as_of": 1},
        {**row(begin, end), "cell": CELL, "as_of": 2},
        {**row(begin, end), "cell": CELL, "as_of": 3},
        {**row(begin, end, "explained", "k", limit=end), "cell": CELL, "as_of": 4},
    ]
    first, ended, late = told(versions, rows, dict.fromkeys((1, 2, 3), "Unavailable") | {4: "Planned"}, at)
    assert (first.causes, first.changes[0].before, first.changes[0].after.end) == (("first",), None, None)
    assert (ended.causes, ended.changes[0].after.end, ended.same) == (("progress",), end, 1)
    assert (late.causes, late.changes[0].before.verdict, late.changes[0].after.verdict) == (("late",), "unexplained", "explained")
    assert (late.states, late.revision, late.changes[0].instances) == (("Planned", "Planned"), 3, ("1",))


def test_what_an_older_cell_tells_counts_and_what_covers_another_moment_does_not() -> None:
    before = CELL - HOUR
    versions = [version(1, "first", 0, before), version(2, "first", 0), version(5, "late", 1, before)]
    rows = [
        {**row(before + MINUTE, None), "cell": before, "as_of": 1},
        {**row(before + MINUTE, CELL + MINUTE), "cell": before, "as_of": 5},
    ]
    early = told(versions, rows, {2: "Unavailable"}, CELL + 30 * SECOND)
    assert [(one.as_of, one.revision) for one in early] == [(2, 0), (5, 0)]
    assert early[1].changes[0].after.end == CELL + MINUTE
    later = told(versions, rows, {2: "Unavailable"}, CELL + 2 * MINUTE)
    assert [one.changes[0].after for one in later if one.changes] == [early[0].changes[0].after, None]


def test_copies_of_a_version_change_nothing() -> None:
    versions = [version(1, "first", 0)] * 2
    rows = [{**row(CELL, None), "cell": CELL, "as_of": 1}] * 2
    assert [(one.as_of, one.same) for one in told(versions, rows, {1: "Unavailable"}, CELL)] == [(1, 0)]
