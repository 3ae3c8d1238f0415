"""Outages of simulated machines: how they lie over operations, and how many there are."""

from itertools import pairwise

import pytest

from pipelines.simulate.fleet.fleet import draw_fleet, hosts_of
from pipelines.simulate.fleet.machines import OUTAGE, Spell, overlaid
from pipelines.simulate.given.settings import SimulationSettings
from pipelines.simulate.health.outages import ALONE, DURING_OPERATIONS, HOST, SET, SHARES, draw_host_outages, draw_outages
from pipelines.simulate.operations.workload import YEAR
from pipelines.simulate.simulation import history_of
from tests.support.simulated import START, machine, spell

RESTART = spell(100, 200, "planned", "restart")
DELETE = spell(100, 200, "planned", "delete", asked=90)
CRASH = "instance"


@pytest.mark.parametrize(
    ("spells", "outage", "expected"),
    [
        pytest.param([], (10, 20), [(10, 20, "outage")], id="alone"),
        pytest.param([RESTART], (10, 99), [(10, 99, "outage"), (100, 200, "planned")], id="before an operation"),
        pytest.param([RESTART], (10, 150), [(10, 100, "outage"), (100, 200, "outage")], id="repaired by an operation"),
        pytest.param([RESTART], (150, 180), [(100, 200, "planned")], id="within an operation it is not to be seen"),
        pytest.param([RESTART], (150, 250), [(100, 200, "planned"), (200, 250, "outage")], id="shows when the operation ends"),
        pytest.param([RESTART], (250, 260), [(100, 200, "planned"), (250, 260, "outage")], id="after it"),
        pytest.param([DELETE], (10, 150), [(10, 90, "outage"), (90, 200, "planned")], id="until it is to leave"),
        pytest.param([DELETE], (95, 150), [(100, 200, "planned")], id="what is to leave cannot fail"),
        pytest.param([DELETE], (150, 250), [(100, 200, "planned")], id="what leaves cannot fail"),
    ],
)
def test_an_outage_over_operations(
    spells: list[Spell], outage: tuple[float, float], expected: list[tuple[float, float, str]]
) -> None:
    found = overlaid(machine(*spells), [spell(*outage, OUTAGE, CRASH)])
    assert [((each.start - START) / 1e6, (each.end - START) / 1e6, each.truth) for each in found] == expected


def test_nothing_fails_that_is_not_there() -> None:
    assert overlaid(machine(gone=50), [spell(50, 60, OUTAGE, CRASH), spell(-4000, -3900, OUTAGE, CRASH)]) == []


def test_spells_never_overlap() -> None:
    outages = [spell(start, start + 70, OUTAGE, CRASH) for start in range(0, 400, 30)]
    found = overlaid(machine(RESTART, spell(300, 350, "planned", "upgrade")), outages)
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.fixture(scope="module")
def outages() -> tuple[list[Spell], float]:
    """Outages of a large fleet at 100 in a year, and for how many machine-years they were drawn."""
    settings = SimulationSettings(seed=5, scale_sets=150, outages_per_vm_year=100, spot_share=0)
    fleet = draw_fleet(settings)
    hosts = draw_host_outages(settings, fleet)
    found, years = [], 0.0
    for scale_set in fleet:
        history = history_of(scale_set, settings, hosts_of(fleet))
        for name, spells in draw_outages(history, settings, hosts).items():
            its = next(each for each in history.machines if each.name == name)
            there = max(its.born, settings.start), min(its.gone, settings.end)
            found += [each for each in spells if there[0] <= each.start < there[1]]
            years += (there[1] - there[0]) / YEAR
    return found, years


@pytest.mark.parametrize("kind", [ALONE, HOST, SET])
def test_outages_come_as_often_as_asked(outages: tuple[list[Spell], float], kind: str) -> None:
    found, years = outages
    # Machines that are off cannot fail alone, so those are fewer than asked for by the share of time that machines are off.
    assert len([each for each in found if each.cause == kind]) / years == pytest.approx(100 * SHARES[kind], rel=0.25)


def test_shares_of_outages_are_shares() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    assert 0 < DURING_OPERATIONS < 1
