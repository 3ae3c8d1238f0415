"""The conformance cases, row by row, through both evaluators.

`cases.json` is a copy, so that a plain clone has them: times in seconds from an epoch on the grid, a grid of 1 h, T = `until`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.policy import Policy
from schemas.time import DAY, SECOND
from tests.support.evaluators import EVALUATORS, evaluate

CASES = Path(__file__).with_name("cases.json")
SHARED = Path(__file__).parents[3] / "shared" / "conformance" / "cases.json"
EPOCH = 20_000 * DAY
TIMES = ("start", "end", "onset", "limit")


def _cases() -> list[dict[str, Any]]:
    return json.loads(CASES.read_text())


def _events(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**event, "time": EPOCH + event["time"] * SECOND} for event in case["events"]]


def _expected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def moved(name: str, value: Any) -> Any:
        return EPOCH + value * SECOND if name in TIMES and value is not None else value

    return [{name: moved(name, value) for name, value in row.items()} for row in rows]


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["start"], row["instance_id"] is not None, row["instance_id"] or ""))


def _assert_rows(actual: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    columns = list(expected[0]) if expected else []
    assert [{name: row[name] for name in columns} for row in actual] == expected


@pytest.mark.skipif(not SHARED.exists(), reason="the shared conformance cases are not here")
def test_copy_of_the_cases_is_that_of_the_shared_folder() -> None:
    same = CASES.read_bytes() == SHARED.read_bytes()
    assert same, "refresh the copy: cp ../shared/conformance/cases.json tests/conformance/"


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["name"])
def test_case_gives_the_rows_of_availability_and_attributions(case: dict[str, Any], evaluator: str) -> None:
    plain = evaluate(evaluator, _events(case), Policy(), EPOCH + case["until"] * SECOND)
    _assert_rows(plain.availability, _expected(case["availability"]))
    _assert_rows(_in_order(plain.attributions), _in_order(_expected(case["attributions"])))
