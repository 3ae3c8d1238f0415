"""A simulated set whose own health flaps, whatever its machines do."""

from itertools import pairwise
from pathlib import Path

import pytest

from pipelines.simulate.given.draws import Draws
from pipelines.simulate.given.settings import SimulationSettings
from pipelines.simulate.health.flapping import draw_flaps, with_flaps
from pipelines.simulate.health.health import Signal
from pipelines.simulate.simulation import simulate
from schemas.time import DAY, MINUTE
from tests.support.simulated import START


def test_a_set_flaps_in_bouts_that_do_not_overlap_and_end_before_the_end() -> None:
    flaps = [draw_flaps(Draws("test", seed), START, START + 10 * DAY) for seed in range(20)]
    for each in flaps:
        assert all(START <= start < end < START + 10 * DAY for start, end in each)
        assert all(one[1] < other[0] for one, other in pairwise(each))
    lengths = sorted(end - start for each in flaps for start, end in each)
    assert MINUTE < lengths[len(lengths) // 2] < 5 * MINUTE
    assert 50 < len(lengths) / 20 < 300


@pytest.mark.parametrize(
    ("signals", "flaps", "expected"),
    [
        pytest.param("A0", [(2, 3), (5, 6)], "A0 D2 A3 D5 A6", id="of a set that is well"),
        pytest.param("A0 U4 A8", [(2, 5), (6, 7)], "A0 D2 U4 A8", id="what is worse stays"),
        pytest.param("A0 D4 A8", [(6, 10)], "A0 D4 A10", id="it goes on where a machine comes back"),
        pytest.param("A3", [(1, 2)], "A3", id="not before the first word"),
        pytest.param("A0 D4", [], "A0 D4", id="none"),
    ],
)
def test_flaps_are_laid_over_what_the_set_says(signals: str, flaps: list[tuple[int, int]], expected: str) -> None:
    states = {"A": "Available", "D": "Degraded", "U": "Unavailable"}
    told = [Signal(int(each[1:]), states[each[0]]) for each in signals.split()]
    assert " ".join(f"{each.state[0]}{each.time}" for each in with_flaps(told, flaps)) == expected


def test_a_set_flaps_only_if_asked_and_its_machines_know_nothing_of_it(tmp_path: Path) -> None:
    told, truths = [], []
    for share in (0, 1):
        settings = SimulationSettings(days=3, scale_sets=2, flapping_share=share)
        output, scratch = tmp_path / f"fleet{share}", tmp_path / f"scratch{share}"
        scratch.mkdir()
        simulate(settings, str(output), str(scratch))
        text = "".join(path.read_text() for path in (output / "events" / "eventgrid").rglob("*.jsonl"))
        told.append(text.count('"targetResourceType":"Microsoft.Compute/virtualMachineScaleSets"'))
        truths.append((output / "truth" / "instances.parquet").read_bytes())
    assert told[1] > told[0] + 30
    assert truths[0] == truths[1]
