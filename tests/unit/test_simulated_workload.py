"""When things happen in a simulated fleet: rates come out as asked, and days look like days."""

import dataclasses
from collections import Counter
from typing import Any

import pytest

from pipelines.simulate.fleet.fleet import BATCH, KINDS, OFFICE, STEADY, WEB, draw_fleet
from pipelines.simulate.fleet.history import History
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.given.lifetimes import END_TOGETHER, draw_arrivals, draw_batch, draw_lifetime
from pipelines.simulate.given.settings import SimulationSettings
from pipelines.simulate.operations.workload import run_life
from schemas.time import DAY, HOUR, MINUTE, NEVER
from tests.support.simulated import scale_set

MONDAY = SimulationSettings().start
WEEK = SimulationSettings(upgrades_per_week=0, refusals_per_week=0)


def lived(settings: SimulationSettings = WEEK, seed: int = 0, **fields: Any) -> History:
    made = History(scale_set(**fields), settings.start, settings.end, Draws("test", seed), 2, settings)
    run_life(made)
    return made


def verbs(made: History) -> Counter[str]:
    return Counter(each.verb for each in made.operations if each.succeeded and each.carrier != "annotation")


def test_a_fleet_has_the_shares_that_were_asked_for() -> None:
    fleet = draw_fleet(SimulationSettings(scale_sets=2000, flexible_share=0.4, spot_share=0.25))
    assert sum(each.flexible for each in fleet) / 2000 == pytest.approx(0.4, abs=0.04)
    scaling = [each for each in fleet if each.kind in (WEB, BATCH)]
    assert sum(each.spot for each in scaling) / len(scaling) == pytest.approx(0.25, abs=0.04)
    assert not any(each.spot for each in fleet if each.kind in (OFFICE, STEADY))
    assert {each.kind for each in fleet} == set(KINDS)


@pytest.mark.parametrize("share", [0, 1])
def test_a_share_of_nothing_and_of_all(share: int) -> None:
    fleet = draw_fleet(SimulationSettings(scale_sets=50, flexible_share=share, spot_share=share))
    assert {each.flexible for each in fleet} == {bool(share)}


def test_a_scale_set_is_the_same_in_a_larger_fleet() -> None:
    small, large = (draw_fleet(SimulationSettings(scale_sets=number)) for number in (3, 30))
    assert large[:3] == small


def test_upgrades_come_as_often_as_asked() -> None:
    settings = dataclasses.replace(WEEK, upgrades_per_week=5)
    found = [verbs(lived(settings, seed))["upgrade"] for seed in range(40)]
    assert sum(found) / 40 == pytest.approx(5, rel=0.2)
    assert verbs(lived())["upgrade"] == 0


def test_a_set_of_the_web_follows_the_day() -> None:
    made = lived(kind=WEB, size=20, peak=14.0)
    day, night = (len(made.present(MONDAY + DAY + hour * HOUR)) for hour in (14, 2))
    assert verbs(made)["scale_in"] > 3
    assert verbs(made)["scale_out"] > 3
    assert {each.initiator for each in made.operations if each.verb in ("scale_in", "scale_out")} == {"autoscale"}
    assert 0 < night < day < 30


def test_an_office_is_off_at_night_and_on_weekends() -> None:
    made = lived(kind=OFFICE, size=6, seed=3)
    stays = [machine for machine in made.machines if machine.gone == NEVER]
    off = [[spell for spell in machine.spells if spell.cause == "off"] for machine in stays]
    assert all(len(spells) == 5 for spells in off)
    assert all(spells[-1].end == NEVER and spells[-1].start < MONDAY + 5 * DAY for spells in off)
    assert all(9 * HOUR < spell.end - spell.start < 13 * HOUR for spells in off for spell in spells[:-1])


def test_a_batch_is_created_together_and_deleted() -> None:
    made = lived(kind=BATCH, size=3)
    born = [machine for machine in made.machines if machine.born >= MONDAY]
    assert verbs(made)["update"] == pytest.approx(8 * 7, rel=0.5)
    assert len(born) > 50
    assert sum(machine.gone < NEVER for machine in born) > 0.8 * len(born)


def test_spot_machines_are_evicted() -> None:
    made = lived(kind=WEB, size=30, spot=True)
    assert any(each.verb == "evict" for each in made.operations)
    assert not any(each.verb == "evict" for each in lived(kind=WEB, size=30).operations)


def test_a_steady_set_is_left_alone_but_for_repairs() -> None:
    assert set(verbs(lived(size=8, seed=1))) <= {"restart", "reimage", "redeploy", "update", "delete"}


def test_nothing_happens_to_a_deleted_set() -> None:
    made = next(made for made in (lived(seed=seed, kind=WEB, size=10) for seed in range(200)) if made.deleted != NEVER)
    assert max(each.start for each in made.operations) <= made.deleted
    assert made.present(made.deleted + MINUTE) == []


def test_lifetimes_and_batches_are_drawn_from_the_quantiles() -> None:
    draws = Draws("test")
    lives = sorted(draw_lifetime(draws) for _ in range(4000))
    assert lives[2000] / MINUTE == pytest.approx(24, rel=0.15)
    assert min(lives) >= 2 * MINUTE
    batches = [draw_batch(draws, 30) for _ in range(4000)]
    assert sum(len(batch) == 1 for batch in batches) / 4000 == pytest.approx(0.572, abs=0.03)
    assert max(map(len, batches)) == 30
    several = [batch for batch in batches if len(batch) > 1]
    assert sum(len(set(batch)) == 1 for batch in several) / len(several) == pytest.approx(END_TOGETHER, abs=0.05)
    assert sum(draw_arrivals(draws) for _ in range(4000)) / 4000 == pytest.approx(1, abs=0.05)


def test_draws_are_the_same_for_the_same_name_and_others_for_another() -> None:
    one, same, other = Draws(1, "a"), Draws(1, "a"), Draws(1, "b")
    first = [(each.span(0, 100), each.guid(), each.chance(0.5)) for each in (one, same, other)]
    assert first[0] == first[1]
    assert first[0][:2] != first[2][:2]


def test_spans_are_whole_milliseconds() -> None:
    draws = Draws("test")
    assert all(draws.span(0, 100) % 1000 == 0 and draws.lognormal(10, 1, 1, 99) % 1000 == 0 for _ in range(200))
    assert all(moment % 1000 == 0 for moment in draws.moments(100, 0, 10**9))
    assert draws.moments(100, 5, 5) == []
