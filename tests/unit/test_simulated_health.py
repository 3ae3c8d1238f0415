"""What the simulated platform reports of machines and of their set."""

from itertools import pairwise

import pytest

from pipelines.simulate.fleet.machines import OUTAGE, PLANNED, Spell
from pipelines.simulate.health.health import Health, Signal, logged_signals, report, report_set
from schemas.time import NEVER
from tests.support.simulated import END, START, at, history, machine, spell

BACK = ("restart", "reimage", "upgrade", "start")


def reported(*spells: Spell, seed: int = 0, gone: float | None = None) -> list[tuple[float, str]]:
    """States of a machine from START on, in seconds."""
    health = report(history(seed=seed), machine(*spells, gone=gone), [])
    return [((signal.time - START) / 1e6, signal.state) for signal in health.signals if signal.time >= START]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("cause", BACK)
def test_a_machine_that_comes_back_reports_available_where_its_spell_ends(cause: str, seed: int) -> None:
    found = reported(spell(100, 200, PLANNED, cause), seed=seed)
    assert found[-1] == (200, "Available")
    assert all(100 <= time <= 200 for time, _ in found)
    assert {state for _, state in found[:-1]} <= {"Degraded", "Unavailable"}


@pytest.mark.parametrize("seed", range(20))
def test_between_spells_that_touch_nothing_is_available(seed: int) -> None:
    found = reported(spell(100, 200, PLANNED, "upgrade"), spell(200, 900, OUTAGE, "overstay"), seed=seed)
    assert [time for time, state in found if state == "Available"] == [900]


@pytest.mark.parametrize("seed", range(20))
def test_a_machine_that_is_gone_reports_nothing_or_unknown(seed: int) -> None:
    found = reported(spell(100, 200, PLANNED, "delete", 95), seed=seed, gone=200)
    assert found[0] == (100, "Degraded")
    assert {state for time, state in found if time >= 200} <= {"Unknown"}


@pytest.mark.parametrize("seed", range(20))
def test_a_state_is_told_when_it_changes_and_not_again(seed: int) -> None:
    night = spell(100, 900, PLANNED, "off", 90), spell(900, 1000, PLANNED, "start"), spell(1000, 2000, OUTAGE, "overstay")
    states = [state for _, state in reported(*night, spell(3000, 3100, PLANNED, "delete", 2990), seed=seed, gone=3100)]
    assert all(one != other for one, other in pairwise(["Available", *states]))


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_reported_after_the_end(seed: int) -> None:
    found = reported(Spell(END - 1, NEVER, PLANNED, "off"), seed=seed)
    assert [time for time, _ in found] == [86399.999999]


def test_an_outage_is_annotated_near_its_beginning() -> None:
    health = [report(history(seed=seed), machine(), [spell(100, 5000, OUTAGE, "host")]) for seed in range(200)]
    times = [(notice.time - START) / 1e6 for each in health for notice in each.notices]
    assert len(times) / len(health) == pytest.approx(0.85, abs=0.1)
    assert sum(98 <= time <= 120 for time in times) / len(times) == pytest.approx(0.9, abs=0.07)
    assert all(98 <= time <= 1300 for time in times)


def told(*signals: tuple[float, str], gone: float | None = None) -> Health:
    states = [Signal(START - 1, "Available"), *(Signal(at(time), state) for time, state in signals)]
    spells = [] if gone is None else [spell(signals[0][0], gone, PLANNED, "delete")]
    return Health(machine(gone=gone), spells, states, [])


def aggregate(*machines: Health, seed: int = 0) -> list[tuple[int, str]]:
    return [(round((signal.time - START) / 1e6), signal.state) for signal in report_set(history(seed=seed), list(machines))[1:]]


def test_a_set_is_degraded_while_one_of_its_machines_is() -> None:
    found = aggregate(told((100, "Unavailable"), (200, "Available")), told())
    assert [state for _, state in found] == ["Degraded", "Available"]
    assert 100 < found[0][0] <= 113
    assert 200 < found[1][0] <= 213


def test_a_set_is_unavailable_where_all_of_its_machines_are() -> None:
    assert [state for _, state in aggregate(told((100, "Unavailable")), told((100, "Degraded")))] == ["Unavailable"]


def test_a_machine_that_is_gone_no_longer_makes_its_set_degraded() -> None:
    assert [state for _, state in aggregate(told((100, "Degraded"), gone=300), told())] == ["Degraded", "Available"]


def test_a_machine_that_is_unknown_does_not_make_its_set_degraded() -> None:
    assert aggregate(told((100, "Unknown")), told()) == []


def test_a_set_that_does_not_report_itself_says_nothing() -> None:
    assert report_set(history(reports_itself=False), [told((100, "Unavailable"))]) == []


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([(100, "Unavailable"), (135, "Available")], [(100, "Activated"), (135, "Resolved")]),
        ([(100, "Unavailable"), (134.999, "Available")], []),
        ([(100, "Unknown"), (500, "Available")], []),
        ([(100, "Unknown"), (500, "Unavailable")], [(500, "Activated"), (1400, "Updated")]),
        ([(100, "Unavailable"), (1001, "Available")], [(100, "Activated"), (1000, "Updated"), (1001, "Resolved")]),
        ([(100, "Unavailable"), (1000, "Available")], [(100, "Activated"), (1000, "Resolved")]),
    ],
)
def test_the_log_leaves_out_what_is_short_or_unknown_and_repeats_what_is_long(
    signals: list[tuple[float, str]], expected: list[tuple[float, str]]
) -> None:
    health = told(*signals)
    assert [((signal.time - START) / 1e6, name) for signal, name in logged_signals(health.signals, health.machine)] == expected


def test_the_log_does_not_repeat_what_is_said_of_a_machine_that_is_gone() -> None:
    health = told((100, "Unavailable"), gone=1000)
    assert [name for _, name in logged_signals(health.signals, health.machine)] == ["Activated"]
