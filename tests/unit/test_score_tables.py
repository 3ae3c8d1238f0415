"""Operations of the truth as the windows that a score is made of: late ends, refusals, what adds."""

from typing import Any

import pyarrow as pa
import pytest

from pipelines.score.tables import Codes, windows_of
from schemas.policy import Policy
from schemas.tables.truth import TRUE_OPERATIONS
from schemas.time import SECOND, from_micros
from transforms.core.score.excusable import OperationWindows

POLICY = Policy()
HOUR = 3600


def windows(*operations: dict[str, Any]) -> OperationWindows:
    """Windows of operations of one set, times in seconds."""
    same = {"scale_set_id": "a", "initiator": "customer", "target": "named", "instance_ids": ["1"], "outcome": "succeeded"}
    rows = [{**same, "opened": True, "accepted": True, **each} for each in operations]
    timed = [
        row | {name: None if row[name] is None else from_micros(row[name] * SECOND) for name in ("start", "end")} for row in rows
    ]
    return windows_of(pa.Table.from_pylist(timed, TRUE_OPERATIONS), POLICY, Codes(), Codes())


def seconds(values: Any) -> list[float]:
    return [value / SECOND for value in values]


def unnamed(verb: str, start: int, **more: Any) -> dict[str, Any]:
    return {"verb": verb, "start": start, "end": start + 9, "target": "unnamed", "instance_ids": [], **more}


def test_an_operation_is_a_window_until_it_has_settled() -> None:
    found = windows({"verb": "stop", "start": 100, "end": 200})
    assert (seconds(found.start), seconds(found.begin), seconds(found.limit)) == ([100], [100], [1100])
    assert (found.refused.tolist(), found.late.tolist(), found.adds.tolist()) == ([False], [False], [False])


def test_one_that_is_never_closed_until_its_deadline() -> None:
    assert seconds(windows({"verb": "stop", "start": 100, "end": None, "outcome": None}).limit) == [100 + HOUR + 900]


@pytest.mark.parametrize(("end", "parts"), [(100 + HOUR, 1), (101 + HOUR, 2)])
def test_a_late_end_is_a_window_of_its_own_that_asks_for_nothing_anew(end: int, parts: int) -> None:
    found = windows({"verb": "stop", "start": 100, "end": end})
    assert len(found.start) == parts
    if parts == 2:
        assert seconds(found.start) == [100, end]
        assert seconds(found.begin) == [100, end - 600]
        assert seconds(found.limit) == [100 + HOUR + 900, end + 900]
        assert found.late.tolist() == [False, True]
        assert found.names.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"end": 101}, True),
        ({"end": 220}, True),
        ({"end": 221}, False),
        ({"accepted": True}, False),
        ({"opened": False}, False),
        ({"outcome": "succeeded"}, False),
    ],
)
def test_what_fails_at_once_and_was_never_accepted_is_refused(more: dict[str, Any], refused: bool) -> None:
    given = {"verb": "stop", "start": 100, "end": 101, "outcome": "failed", "accepted": False, **more}
    found = windows(given)
    assert found.refused.tolist() == [refused]
    assert seconds(found.limit) == [given["end"] + (120 if refused else 900)]


@pytest.mark.parametrize(
    ("operations", "adds"),
    [
        ([unnamed("scale_out", 100)], [True]),
        ([unnamed("create", 100)], [True]),
        ([unnamed("update", 100)], [False]),
        ([{"verb": "create", "start": 100, "end": 109}], [False]),
        ([unnamed("scale_out", 100), unnamed("update", 220)], [True, True]),
        ([unnamed("scale_out", 100), unnamed("update", 221)], [True, False]),
        ([unnamed("scale_out", 100), unnamed("update", 110, initiator="platform")], [True, False]),
        ([unnamed("scale_out", 100), unnamed("update", 110), unnamed("scale_in", 120)], [True, False, False]),
        ([unnamed("scale_out", 100, scale_set_id="b"), unnamed("update", 110)], [True, False]),
        ([unnamed("scale_out", 100, end=101, outcome="failed", accepted=False), unnamed("update", 110)], [True, False]),
    ],
)
def test_what_adds_and_what_carries_it_out(operations: list[dict[str, Any]], adds: list[bool]) -> None:
    found = windows(*operations)
    assert sorted(found.adds.tolist()) == sorted(adds)
