"""What makes a simulated fleet hard to judge: what is refused, not named, told late or not at all, and what nobody asked for."""

import dataclasses
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from pipelines.simulate.fleet.fleet import OFFICE, WEB, draw_fleet
from pipelines.simulate.fleet.history import History, Operation
from pipelines.simulate.fleet.machines import CREATE, DELETE, OUTAGE
from pipelines.simulate.given.settings import SimulationSettings
from pipelines.simulate.health.health import AVAILABLE, report
from pipelines.simulate.operations import effects as operations
from pipelines.simulate.operations.agenda import Agenda
from pipelines.simulate.operations.refusals import Request, make_refused_requests, refuse
from pipelines.simulate.operations.workload import run_life
from schemas.time import DAY, HOUR, MINUTE, NEVER, SECOND
from tests.support.simulated import END, START, at, decoded, history, placed

SEEDS = range(8)


def with_rates(made: History, **rates: Any) -> History:
    made.settings = dataclasses.replace(made.settings, **rates)
    return made


def phases(made: History) -> Counter[tuple[str, str]]:
    found = decoded(made, placed(made))[0]
    return Counter((event["phase"], event["target"]) for event in found if event["kind"] == "operation")


@pytest.mark.parametrize("verb", ["deallocate", "stop"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_nameless_set_is_stopped_and_started_as_a_whole_and_no_record_says_whom(verb: str, seed: int) -> None:
    made = history(seed=seed, nameless=True)
    operations.stop(made, at(100), made.idle(at(100)), everything=True, verb=verb)
    assert made.idle(at(5000)) == []
    operations.start(made, at(9000), made.off(), everything=True)
    assert made.off() == []
    assert [(each.verb, each.target, each.carrier) for each in made.operations] == [
        (verb, "unnamed", "administrative"),
        ("start", "unnamed", "administrative"),
    ]
    assert {target for _, target in phases(made)} == {"unnamed"}


def test_a_set_that_is_not_nameless_says_whom() -> None:
    made = history()
    operations.stop(made, at(100), made.idle(at(100)), everything=True)
    assert {target for _, target in phases(made)} == {"all", "named"}


def asked(seed: int, **fields: Any) -> tuple[History, list[Operation]]:
    """A history in which something was asked for in vain, and what was refused of it."""
    made, agenda = history(seed=seed, **fields), Agenda()
    agenda.add(at(100), lambda time: make_refused_requests(agenda, made, time))
    agenda.work(END)
    return made, [each for each in made.operations if not each.succeeded]


@pytest.mark.parametrize("flexible", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_what_is_refused_fails_within_a_second_and_is_never_accepted(seed: int, flexible: bool) -> None:
    made, refused = asked(seed, kind=WEB, flexible=flexible)
    assert 1 <= len(refused) <= 6
    for each in refused:
        assert each.end is not None
        assert 0 < each.end - each.start <= SECOND
    assert not any(each.accepted for each in refused)
    assert all(abs(after.start - before.start) < 2 * MINUTE for before, after in pairwise(refused))
    assert len({(each.verb, each.native, each.names, each.machine) for each in refused if not each.masked}) <= 1
    alone = [each for each in made.operations if not each.succeeded and each.opened]
    made.operations[:] = alone
    assert {phase for phase, _ in phases(made)} == {"started", "failed"}


def test_what_is_refused_is_not_accepted_either_where_its_end_is_lost() -> None:
    made = with_rates(history(), lost_end_share=1)
    refuse(made, at(100), Request("update", "write", (), lambda time: None))
    assert phases(made) == {("started", "unnamed"): 1}


def test_what_is_refused_touches_nothing_and_is_mostly_granted_in_the_end() -> None:
    granted = []
    for seed in range(100):
        made, refused = asked(seed, kind=WEB)
        done = [each for each in made.operations if each.succeeded]
        granted.append(bool(done))
        assert {each.verb for each in done} <= {each.verb for each in refused}
        last = max(each.start for each in refused)
        assert all(spell.start > last - 30 * SECOND for machine in made.machines for spell in machine.spells)
    assert sum(granted) / 100 == pytest.approx(0.7, abs=0.15)
    assert {each.verb for seed in range(100) for each in asked(seed, kind=WEB)[1]} == {
        "update", "upgrade", "restart", "reimage", "delete"
    }  # fmt: skip


def test_nobody_asks_a_deleted_set_again() -> None:
    made, agenda = history(), Agenda()
    agenda.add(at(100), lambda time: make_refused_requests(agenda, made, time))
    agenda.add(at(101), lambda time: operations.delete_set(made, time))
    agenda.work(END)
    assert len([each for each in made.operations if not each.succeeded]) == 1


def test_a_late_end_comes_after_the_deadline_and_names_nobody() -> None:
    made = with_rates(history(), late_end_share=1)
    operations.scale_in(made, at(100), made.machines[:2], "customer")
    (told,) = made.operations
    assert told.end is not None
    assert told.late
    assert HOUR < told.end - told.start < 5 * HOUR
    assert made.machines[0].gone < at(1000)
    assert phases(made)["succeeded", "unnamed"] == 1
    assert phases(made)["started", told.target] == 1


def test_an_upgrade_may_take_six_hours_before_its_end_is_late() -> None:
    made = with_rates(history(), late_end_share=1)
    operations.upgrade(made, at(100))
    assert made.operations[0].end is not None
    assert made.operations[0].end - made.operations[0].start > 6 * HOUR


@pytest.mark.parametrize(("lost", "late"), [(0, 0), (0.3, 0), (0, 0.3), (0.2, 0.2)])
def test_so_many_ends_are_lost_and_so_many_late(lost: float, late: float) -> None:
    made = with_rates(history(), lost_end_share=lost, late_end_share=late)
    for _ in range(2000):
        operations.update_nothing(made, at(100))
    assert sum(each.end is None for each in made.operations) / 2000 == pytest.approx(lost, abs=0.04)
    assert sum(each.late for each in made.operations) / 2000 == pytest.approx(late, abs=0.04)


def test_maintenance_is_felt_half_of_the_time_and_its_end_is_never_told() -> None:
    made = history(machines=400)
    for machine in made.machines:
        operations.maintain(made, at(100), machine)
    assert {(each.verb, each.initiator, each.end) for each in made.operations} == {("maintenance", "platform", None)}
    felt = [machine for machine in made.machines if machine.spells]
    assert len(felt) / 400 == pytest.approx(0.5, abs=0.1)
    assert {spell.truth for machine in felt for spell in machine.spells} == {OUTAGE}
    natives = {bool(m.spells): {each.native for each in made.operations if each.machine == m.name} for m in made.machines}
    assert natives[False] == {"VirtualMachinePlannedFreezeStarted"}
    assert "VirtualMachinePlannedFreezeStarted" not in natives[True]


@pytest.mark.parametrize("seed", SEEDS)
def test_machines_beyond_what_was_asked_for_vanish_within_minutes_and_no_record_tells(seed: int) -> None:
    made = history(seed=seed, overprovisions=True)
    wanted = operations.create(made, at(100), 10, "autoscale")
    extra = [machine for machine in made.machines if machine.surplus]
    assert (len(wanted), len(extra)) == (10, 2)
    assert not set(map(id, wanted)) & set(map(id, extra))
    ready = max(machine.spells[0].end for machine in wanted)
    for machine in extra:
        assert [spell.cause for spell in machine.spells] == [CREATE, DELETE]
        assert ready < machine.gone < ready + 5 * MINUTE
        assert not any(machine.name in each.names for each in made.operations)
        assert machine not in made.idle(machine.gone - 1)
        assert machine not in made.present(machine.gone - 1)
    assert made.operations[0].capacity == (4, 14)


def test_a_set_that_does_not_overprovision_gets_what_was_asked_for() -> None:
    made = history()
    operations.create(made, at(100), 10, "autoscale")
    assert not any(machine.surplus for machine in made.machines)


def test_of_half_of_the_machines_that_nobody_asked_for_nothing_is_told() -> None:
    made = history(overprovisions=True)
    operations.create(made, at(100), 1000, "customer")
    told = [bool(report(made, machine, []).signals) for machine in made.machines if machine.surplus]
    assert sum(told) / len(told) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_so_many_vanish_with_available_as_their_last_word(share: float) -> None:
    made = with_rates(history(machines=300), silent_share=share)
    operations.scale_in(made, at(100), made.machines, "customer")
    told = [report(made, machine, []) for machine in made.machines]
    silent = [health for health in told if [signal.state for signal in health.signals] == [AVAILABLE]]
    assert len(silent) / 300 == pytest.approx(share, abs=0.1)
    assert all(machine.gone < NEVER for machine in made.machines)


def test_an_operation_is_worked_on_a_busy_set_every_few_minutes() -> None:
    settings = SimulationSettings(days=2, refusals_per_week=0, upgrades_per_week=0)
    made = with_rates(history(busy=True), **dataclasses.asdict(settings))
    made.end = START + 2 * DAY
    run_life(made)
    starts = sorted(each.start for each in made.operations if each.carrier == "administrative")
    assert len(starts) / 2 == pytest.approx(360, rel=0.15)
    assert {"update", "restart"} < {each.verb for each in made.operations}


def test_a_set_is_refused_as_often_as_asked_and_a_busy_one_ten_times_as_often() -> None:
    found = {False: 0, True: 0}
    for seed in range(20):
        made = with_rates(history(busy=seed % 2 == 0, seed=seed), refusals_per_week=14)
        made.end = START + 7 * DAY
        run_life(made)
        found[seed % 2 == 0] += len([each for each in made.operations if not each.accepted])
    assert found[False] / 10 == pytest.approx(14 * 3.5, rel=0.3)
    assert found[True] / 10 == pytest.approx(140 * 3.5, rel=0.2)


def test_only_uniform_offices_are_nameless() -> None:
    fleet = draw_fleet(SimulationSettings(scale_sets=1000, nameless_share=0.5, overprovisioned_share=0.5))
    offices = [each for each in fleet if each.kind == OFFICE and not each.flexible]
    assert sum(each.nameless for each in offices) / len(offices) == pytest.approx(0.5, abs=0.15)
    assert all(each.kind == OFFICE and not each.flexible for each in fleet if each.nameless)
    assert not any(each.flexible for each in fleet if each.overprovisions)
