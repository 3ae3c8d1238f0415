"""Which rows of a record are wrong, and for how long (contract: trueup score)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.scoring import bounds_of, score_of, truth_of, verdicts_of, windows_of
from transforms.core.score.blame import BAD, COUNTED, EXCUSED, NONE, OUTAGE, OVERSTAYED, REMOVED, WRONGS, wrong
from transforms.core.score.excusable import REPORTED
from transforms.core.score.score import wrong_rows

RESTART = ("restart", 100, 200, "1")


def blamed(truth: Sequence[Any], verdicts: Sequence[Any], operations: Sequence[Any] = ()) -> dict[tuple[int, str], float]:
    """Seconds by row and what is wrong with it."""
    own = truth_of(truth)
    found = wrong_rows(own, bounds_of(own, windows_of(operations)), verdicts_of(verdicts), len(verdicts))
    assert found.shape == (len(verdicts), len(WRONGS))
    return {(int(row), WRONGS[kind]): found[row, kind] / 1e6 for row, kind in np.argwhere(found)}


def test_each_row_has_its_own_share() -> None:
    truth = [(0, 40, "planned", "Degraded"), (40, 90, "gone", "Unavailable"), (90, 100, "gone", "Unknown")]
    assert blamed(truth, [(10, 30, "counted"), (30, 100, "counted")]) == {
        (0, "false_planned"): 20,
        (1, "false_planned"): 10,
        (1, "false_gone"): 50,
    }  # fmt: skip


def test_what_is_right_is_nobodys_fault() -> None:
    truth = [(0, 100, "up", "Available"), (100, 160, "outage", "Unavailable"), (160, 200, "planned", "Unavailable")]
    assert blamed(truth, [(100, 160, "counted"), (160, 200, "excused")]) == {}


def test_what_is_hidden_is_told_by_why() -> None:
    truth = [(0, 150, "up", "Available"), (150, 1200, "outage", "Unavailable")]
    assert blamed(truth, [(150, 1200, "excused")], [RESTART]) == {(0, "hidden_coincident"): 950, (0, "hidden_tellable"): 100}
    truth = [(0, 110, "up", "Available"), (110, 180, "planned", "Unavailable"), (180, 500, "outage", "Unavailable")]
    assert blamed(truth, [(110, 500, "excused")], [RESTART]) == {(0, "hidden_overstayed"): 320}


def test_where_nothing_is_said_the_row_before_is_to_blame_and_none_if_there_is_none() -> None:
    truth = [(0, 10, "outage", "Degraded"), (10, 20, "outage", "Unavailable"), (20, 90, "outage", "Degraded")]
    assert blamed(truth, [(10, 12, "counted"), (30, 40, "counted")]) == {
        (0, "hidden_tellable"): 18,
        (1, "hidden_tellable"): 50,
    }


def test_rows_of_other_instances_are_not_to_blame() -> None:
    own = truth_of([(0, 10, "gone", "Degraded")], 1)
    found = wrong_rows(own, bounds_of(own, windows_of([])), verdicts_of([(0, 10, "counted")], 2), 1)
    assert not found.any()


@pytest.mark.parametrize("state", range(len(REPORTED) + 1))
def test_an_instance_that_is_out_and_taken_for_removed_is_hidden_whatever_is_reported(state: int) -> None:
    assert wrong(REMOVED, OUTAGE, 0, state) == "hidden_tellable"
    assert wrong(REMOVED, OVERSTAYED, 2, state) == "hidden_overstayed"
    assert wrong(NONE, OUTAGE, 1, state) == ("hidden_coincident" if state in BAD else "right")
    assert wrong(EXCUSED, OUTAGE, 2, state) == ("hidden_tellable" if state in BAD else "right")
    assert wrong(COUNTED, OUTAGE, 3, state) == "right"


def test_rows_and_figures_agree() -> None:
    truth = [
        (0, 50, "up", "Available"), (50, 70, "outage", "Unavailable"), (110, 180, "planned", "Unavailable"),
        (180, 500, "outage", "Unavailable"), (500, 600, "gone", "Degraded"),
    ]  # fmt: skip
    said = [(50, 60, "excused"), (110, 150, "excused"), (150, 170, "counted"), (170, 520, "removed"), (520, 600, "counted")]
    figures, rows = score_of(truth, said, [RESTART]), blamed(truth, said, [RESTART])
    for name in WRONGS[2:]:
        assert getattr(figures, name) == sum(length for (_, wrong), length in rows.items() if wrong == name)
    assert len(rows) == 4
