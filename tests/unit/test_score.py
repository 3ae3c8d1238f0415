"""The score's figures, by hand-made truths of some seconds (contract: trueup score)."""

from typing import Any

import numpy as np
import pytest

from schemas.tables.truth import TRUTHS
from tests.support.scoring import bounds_of, score_of, truth_of, verdicts_of, windows_of
from transforms.core.score.excusable import NOWHERE
from transforms.core.score.overlay import union

RESTART = ("restart", 100, 200, "1")
"""Verb, start, end, whom; settle is 900 s."""


def test_an_outage_that_is_counted_is_found() -> None:
    figures = score_of([(0, 100, "up", "Available"), (100, 160, "outage", "Unavailable")], [(100, 160, "counted")])
    assert (figures.outage, figures.found, figures.hidden_tellable) == (60, 60, 0)


@pytest.mark.parametrize("verdict", ["excused", "removed", None])
def test_a_hidden_outage_without_an_operation_is_one_that_a_rule_can_tell(verdict: str | None) -> None:
    said = [] if verdict is None else [(100, 160, verdict)]
    figures = score_of([(0, 100, "up", "Available"), (100, 160, "outage", "Unavailable")], said)
    assert (figures.outage, figures.found, figures.hidden_tellable) == (60, 0, 60)


def test_an_outage_that_begins_while_an_operation_has_the_instance_in_hand_cannot_be_told() -> None:
    truth = [(0, 150, "up", "Available"), (150, 160, "outage", "Unavailable")]
    figures = score_of(truth, [(150, 160, "excused")], [RESTART])
    assert (figures.hidden_tellable, figures.hidden_coincident, figures.hidden_overstayed) == (0, 10, 0)


def test_what_lies_beyond_the_bound_can_be_told() -> None:
    truth = [(0, 150, "up", "Available"), (150, 1200, "outage", "Unavailable")]
    figures = score_of(truth, [(150, 1200, "excused")], [RESTART])
    assert (figures.hidden_coincident, figures.hidden_tellable) == (950, 100)


def test_an_instance_that_does_not_come_back_overstays() -> None:
    truth = [(0, 110, "up", "Available"), (110, 180, "planned", "Unavailable"), (180, 500, "outage", "Unavailable")]
    figures = score_of(truth, [(110, 500, "excused")], [RESTART])
    assert (figures.hidden_overstayed, figures.hidden_coincident, figures.hidden_tellable) == (320, 0, 0)
    assert (figures.forgiven, figures.forgiven_rightly) == (390, 70)


def test_all_of_an_outage_that_follows_an_operation_overstays() -> None:
    truth = [(0, 80, "planned", "Unavailable"), (80, 90, "outage", "Unavailable"), (90, 95, "outage", "Degraded")]
    figures = score_of(truth, [(0, 95, "excused")], [("restart", 0, 50, "1")])
    assert (figures.hidden_overstayed, figures.hidden_coincident) == (15, 0)


def test_unknown_and_unreported_outages_are_neither_found_nor_hidden() -> None:
    truth = [(0, 10, "outage", None), (10, 30, "outage", "Available"), (30, 70, "outage", "Unknown")]
    figures = score_of(truth, [(30, 70, "counted")])
    assert (figures.outage, figures.unreported, figures.unknown) == (70, 30, 40)
    assert (figures.found, figures.hidden_tellable) == (0, 0)


def test_an_outage_in_removed_time_is_hidden_whatever_was_reported() -> None:
    truth = [(0, 10, "outage", "Unknown"), (10, 30, "outage", "Available")]
    assert score_of(truth, [(0, 30, "removed")]).hidden_tellable == 30


def test_trouble_of_an_operation_that_is_counted_is_false() -> None:
    truth = [(0, 40, "planned", "Degraded"), (40, 90, "gone", "Degraded"), (90, 100, "gone", "Unknown")]
    figures = score_of(truth, [(10, 100, "counted")])
    assert (figures.false_bad, figures.false_planned, figures.false_gone) == (80, 30, 50)
    assert (figures.raw_false_planned, figures.raw_false_gone) == (40, 50)
    assert figures.recall == 0.25


def test_precision_is_of_instances_that_are_there() -> None:
    truth = [(0, 30, "planned", "Unavailable"), (30, 40, "outage", "Unavailable"), (40, 1000, "gone", "Unavailable")]
    figures = score_of(truth, [(0, 1000, "removed")])
    assert (figures.precision, figures.forgiven) == (0.75, 40)


def test_ratios_of_nothing_are_none() -> None:
    figures = score_of([(0, 10, "planned", None)], [])
    assert (figures.precision, figures.recall) == (None, None)


def test_availability_of_the_fleet_is_a_ratio_of_sums_and_its_error_a_mean_over_sets() -> None:
    sums: dict[str, Any] = {"up": [90, 10], "out": [10, 0], "raw_up": [80, 5], "raw_bad": [20, 5]}
    figures = score_of([], [], times={**sums, "corrected_up": [90, 8], "corrected_bad": [10, 2]})
    assert figures.true_availability == 100 / 110
    assert figures.raw_availability == 85 / 110
    assert figures.corrected_availability == 98 / 110
    assert figures.raw_error == pytest.approx((0.1 + 0.5) / 2)
    assert figures.corrected_error == pytest.approx((0 + 0.2) / 2)


def test_a_set_of_which_one_side_knows_nothing_has_no_error() -> None:
    sums: dict[str, Any] = {"up": [90, 0], "out": [10, 0], "raw_up": [80, 5], "raw_bad": [20, 5]}
    figures = score_of([], [], times={**sums, "corrected_up": [0, 8], "corrected_bad": [0, 2]})
    assert (figures.raw_error, figures.corrected_error) == (pytest.approx(0.1), None)


def test_a_set_is_called_degraded_rightly_while_an_instance_is_out() -> None:
    truth = [
        (0, 10, "up", "Available"),
        (10, 20, "outage", "Degraded"),
        (20, 30, "outage", "Unavailable"),
        (30, 90, "planned", None),
    ]
    states = [(0, 15, 1), (15, 25, 3), (25, 40, 2), (50, 60, 1), (60, 70, 0)]
    figures = score_of(truth, [], states=states)
    assert (figures.sets_out, figures.sets_raw_found, figures.sets_corrected_found) == (20, 15, 15)
    assert (figures.sets_raw_false, figures.sets_corrected_false) == (10 + 10, 10)


def test_intervals_that_overlap_or_touch_are_one() -> None:
    numbers = [np.array(column) for column in ([1, 1, 1, 1, 1, 2], [0, 10, 20, 40, 60, 5], [30, 20, 40, 50, 70, 9])]
    assert [column.tolist() for column in union(*numbers)] == [[1, 1, 2], [0, 60, 5], [50, 70, 9], [1, 1, 1]]


DOWN = [(0, 1000, "up", "Available"), (1000, 9000, "outage", "Unavailable")]


@pytest.mark.parametrize(
    ("operations", "faults", "excused", "removed"),
    [
        pytest.param([], [], None, None, id="no operation"),
        pytest.param([("restart", 900, 950, "1")], [], 1850, None, id="until its limit"),
        pytest.param([("restart", 900, None, "1")], [], 900 + 1800 + 900, None, id="never closed: until its deadline"),
        pytest.param([("restart", 900, 950, "2")], [], None, None, id="of another instance"),
        pytest.param([("restart", 900, 950, "2 1")], [], 1850, None, id="of this one among others"),
        pytest.param([("restart", 900, 950, "*")], [], 1850, None, id="of all"),
        pytest.param([("restart", 900, 950, "")], [], 1850, None, id="of nobody in particular"),
        pytest.param([("upgrade", 900, 9000, "")], [], 4600, None, id="of nobody in particular: an hour at most"),
        pytest.param([("upgrade", 900, 90000, "1")], [], 90900, None, id="its own limit stands"),
        pytest.param([("restart", 50, 100, "1")], [], None, None, id="over at the onset"),
        pytest.param([("restart", 50, 100.000001, "1")], [], 1000.000001, None, id="not quite over"),
        pytest.param([("restart", 1120, 1130, "1")], [], 2030, None, id="clocks differ by two minutes"),
        pytest.param([("restart", 1120.000001, 1130, "1")], [], None, None, id="began later"),
        pytest.param([("restart", 900, 950, "1"), ("reimage", 1800, 3000, "1")], [], 3900, None, id="another follows"),
        pytest.param([("restart", 900, 950, "1"), ("reimage", 1850, 3000, "1")], [], 3900, None, id="another follows at once"),
        pytest.param([("restart", 900, 950, "1"), ("upgrade", 1800, 90000, "1")], [], 22600, None, id="for six hours at most"),
        pytest.param([("stop", 900, 950, "1"), ("stop", 3000, 3100, "1")], [], 1850, 2**62, id="taken away twice"),
        pytest.param([("restart", 900, 950, "1"), ("reimage", 1851, 3000, "1")], [], 1850, None, id="another comes too late"),
        pytest.param([("restart", 900, 950, "1"), ("reimage", 1800, 3000, "")], [], 1850, None, id="another may follow"),
        pytest.param([("scale_in", 900, 900, ""), ("update", 905, 1500, "")], [], 2400, 2**62, id="announced, carried out"),
        pytest.param([("stop", 900, 950, "1")], [], 1850, 2**62, id="taken away"),
        pytest.param([("stop", 900, 950, "1"), ("start", 3000, 3100, "1")], [], 1850, 3000, id="taken away, brought back"),
        pytest.param([("stop", 900, 950, "1"), ("start", 3000, 3100, "")], [], 1850, 2**62, id="perhaps brought back"),
        pytest.param([("maintenance", 900, None, "1", "platform")], [], None, None, id="does not excuse"),
        pytest.param([("evict", 900, 900, "1", "platform")], [], 1800, 2**62, id="always excuses"),
        pytest.param([("restart", 900, 950, "1")], [880], None, None, id="a fault just before"),
        pytest.param([("restart", 900, 950, "1")], [879.999999], 1850, None, id="a fault long before"),
        pytest.param([("stop", 900, 950, "1", "customer", True, "refused")], [], 1850, None, id="refused: takes nothing away"),
        pytest.param(
            [("restart", 900, 950, "1"), ("reimage", 1800, 3000, "1", "customer", True, "refused")],
            [],
            1850,
            None,
            id="refused: extends nothing",
        ),
        pytest.param(
            [("stop", 900, 950, "1"), ("start", 3000, 3100, "1", "customer", True, "late")],
            [],
            1850,
            2**62,
            id="a late end brings nothing back",
        ),
        pytest.param([("scale_out", 900, 950, "", "customer", True, "adds")], [], None, None, id="adds: it was there before"),
        pytest.param([("update", 900, 950, "1", "customer", True, "adds")], [], 1850, 2**62, id="named all the same"),
        pytest.param([("restart", 900, 950, "1")], [1120], None, None, id="a fault just after"),
        pytest.param([("restart", 900, 950, "1")], [1120.000001], 1120.000001, None, id="a later fault ends it"),
    ],
)
def test_an_outage_looks_like_an_operations_doing_until(
    operations: list[Any], faults: list[float], excused: float | None, removed: float | None
) -> None:
    found = bounds_of(truth_of(DOWN), windows_of(operations), faults)
    assert found.excused[1] == (NOWHERE if excused is None else round(excused * 1e6))
    assert found.removed[1] in ((NOWHERE,) if removed is None else (removed, round(removed * 1e6)))
    assert found.excused[0] == NOWHERE


def test_what_adds_may_touch_an_instance_that_was_never_available() -> None:
    windows = windows_of([("scale_out", 900, 950, "", "customer", True, "adds")])
    new = truth_of([(1000, 9000, "outage", "Unavailable")])
    assert bounds_of(new, windows).excused[0] == 1850e6
    before = truth_of([(0, 500, "up", "Available"), (500, 1000, "planned", None), *DOWN[1:]])
    assert bounds_of(before, windows).excused[2] == NOWHERE
    other = truth_of([(0, 500, "up", "Available")], instance=0)
    both = type(new)(*(np.concatenate(columns) for columns in zip(other, new, strict=True)))
    assert bounds_of(both, windows).excused[1] == 1850e6


def test_an_operation_without_a_beginning_began_ten_minutes_earlier() -> None:
    windows = windows_of([("restart", 1700, 1700, "1", "customer", False)])
    assert bounds_of(truth_of(DOWN), windows).excused[1] == 2600e6
    assert bounds_of(truth_of([(0, 979, "up", "Available"), (979, 3000, "outage", "Degraded")]), windows).excused[1] == NOWHERE


def test_a_worse_report_is_no_new_onset_but_one_after_unknown_is() -> None:
    rows = [(0, 300, "outage", "Degraded"), (300, 400, "outage", "Unavailable")]
    assert bounds_of(truth_of(rows), windows_of([("restart", 290, 350, "1")])).excused[1] == NOWHERE
    rows = [(0, 300, "outage", "Unknown"), (300, 400, "outage", "Unavailable")]
    assert bounds_of(truth_of(rows), windows_of([("restart", 290, 350, "1")])).excused[1] == 1250e6


def test_a_later_operation_on_what_an_operation_took_down_counts() -> None:
    rows = [
        (0, 5000, "planned", "Unavailable"),
        (5000, 5100, "planned", "Unavailable", "start"),
        (5100, 7000, "outage", "Unavailable"),
    ]
    found = bounds_of(truth_of(rows), windows_of([("stop", 0, 10, "1"), ("start", 4990, 5100, "1")]))
    assert found.excused.tolist() == [910e6, 6000e6, 6000e6]
    assert found.removed.tolist() == [4990e6] * 3


def test_a_late_end_is_no_moment_at_which_what_was_taken_down_is_brought_back() -> None:
    rows = [(0, 5000, "planned", "Unavailable"), (5000, 5100, "planned", "Unavailable", "start")]
    stop, start = ("stop", 0, 10, "1"), ("start", 1000, 1100, "1")
    assert bounds_of(truth_of(rows), windows_of([stop, start])).excused[1] == 2000e6
    assert bounds_of(truth_of(rows), windows_of([stop, (*start, "customer", True, "late")])).excused[1] == 910e6


def test_other_sets_operations_touch_nothing() -> None:
    windows = windows_of([("restart", 900, 950, "*")])
    assert bounds_of(truth_of(DOWN), windows._replace(set=windows.set + 1)).excused[1] == NOWHERE


def test_every_truth_and_verdict_has_a_code() -> None:
    truth = truth_of([(n, n + 1, name, None) for n, name in enumerate(TRUTHS)])
    assert truth.truth.tolist() == list(range(len(TRUTHS)))
    assert np.unique(verdicts_of([(0, 1, name) for name in ("excused", "removed", "counted")]).verdict).size == 3
