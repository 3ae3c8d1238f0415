"""Having been bad, the set itself turns well and mostly stays so (rules: Borne out)."""

from typing import Any

import pytest

from schemas.policy import parse_policy
from tests.support.build import Event, down, fallen, op, signal, spanning, up
from tests.support.judging import Judge

DAY = 86400
A = 15
"""The onset of every episode here."""
W = A + DAY
FAILED = [op(10, "delete", "started", "1"), op(11, "delete", "progress"), op(20, "delete", "failed")]
UPDATE = spanning(10, 20, "update")
NEEDS_IT = pytest.mark.parametrize(
    "operation",
    [UPDATE, FAILED, [op(10, "update", "started")], [op(10, "stop", "started")], spanning(10, 20, "scale_in")],
    ids=["an update", "a partial failure", "an unfinished update", "an unfinished stop", "a delete"],
)


def own(*told: tuple[float, str]) -> list[Event]:
    """Signals of the set itself: (second, initial of the state)."""
    states = {"A": "Available", "D": "Degraded", "N": "Unavailable", "U": "Unknown"}
    return [signal(second, None, states[state]) for second, state in told]


@NEEDS_IT
@pytest.mark.parametrize(
    ("signals", "verdict"),
    [
        (own((0, "A"), (16, "D"), (500, "A")), "presumed_removed"),
        (own((0, "A"), (16, "N"), (500, "A")), "presumed_removed"),
        (own((0, "A"), (16, "D"), (15000, "A")), "presumed_removed"),
        (own((0, "D"), (15.000001, "A")), "presumed_removed"),
        (own((0, "D"), (15, "A")), "overrun"),
        (own((0, "D"), (15.000001, "U"), (16, "A")), "presumed_removed"),
        (own((0, "D"), (15, "U"), (16, "A")), "overrun"),
        (own((0, "A"), (15, "D"), (16, "A")), "presumed_removed"),
        (own((0, "A"), (16, "D"), (17, "U"), (18, "A")), "presumed_removed"),
        (own((0, "U"), (16, "A")), "overrun"),
        (own((0, "A"), (16, "D"), (500, "A"), (501, "A")), "presumed_removed"),
        (own((0, "A")), "overrun"),
        (own((0, "A"), (16, "A")), "overrun"),
        (own((0, "A"), (16, "D")), "overrun"),
        (own((0, "A"), (16, "D"), (500, "U")), "overrun"),
        (own((0, "A"), (16, "D"), (500, "A"), (600, "D")), "overrun"),
        (own((0, "A"), (16, "D"), (500, "A"), (600, "U")), "overrun"),
        (own((0, "A"), (16, "D"), (500, "A"), (500, "U")), "overrun"),
    ],
    ids=[
        "recovered",
        "recovered from Unavailable",
        "recovered late",
        "recovered just after the onset",
        "recovered at the onset",
        "Unknown just after the onset",
        "Unknown at the onset",
        "bad at the onset",
        "recovered from Unknown",
        "was only Unknown",
        "repeated",
        "never bad",
        "a repeat",
        "stays bad",
        "turns Unknown",
        "bad again",
        "Unknown again",
        "a lost tie",
    ],
)
def test_having_been_bad_the_set_turns_to_available_after_the_onset(
    judge: Judge, operation: list[Event], signals: list[Event], verdict: str
) -> None:
    assert judge(fallen(signals, operation), until=18000).verdict() == verdict


@pytest.mark.parametrize("signals", [[], own((16, "D"), (500, "A"))], ids=["silent", "silent before"])
@pytest.mark.parametrize("operation", [UPDATE, FAILED], ids=["an update", "a partial failure"])
def test_a_set_that_does_not_report_itself_bears_nothing_out(judge: Judge, operation: list[Event], signals: list[Event]) -> None:
    assert judge(fallen(signals, operation), until=18000).verdict() == ("presumed_removed" if signals else "overrun")


def test_a_first_signal_is_no_turn(judge: Judge) -> None:
    assert judge(fallen(own((16, "A")), UPDATE), until=18000).verdict() == "overrun"


HALF = 415 + 43000
"""From the turn at 415 to w it is a microsecond less than twice as long as until here."""


@pytest.mark.parametrize(("again", "verdict"), [(HALF, "overrun"), (HALF + 0.000001, "presumed_removed")])
@pytest.mark.parametrize("state", ["D", "N", "U"])
def test_it_is_well_for_more_than_half_of_the_time_up_to_w(judge: Judge, state: str, again: Any, verdict: str) -> None:
    signals = own((0, "A"), (16, "D"), (415, "A"), (again, state))
    assert judge(fallen(signals, UPDATE), until=2 * DAY).verdict() == verdict


@pytest.mark.parametrize(("again", "verdict"), [(44415, "overrun"), (44415.000001, "presumed_removed")])
def test_the_times_in_which_it_is_well_add_up(judge: Judge, again: float, verdict: str) -> None:
    signals = own((0, "A"), (16, "D"), (415, "A"), (1415, "D"), (2415, "A"), (again, "N"))
    assert judge(fallen(signals, UPDATE), until=2 * DAY).verdict() == verdict


@pytest.mark.parametrize(("turn", "verdict"), [(W - 900, "presumed_removed"), (W - 899.999999, "overrun")])
def test_it_is_well_for_settle_at_least(judge: Judge, turn: Any, verdict: str) -> None:
    assert judge(fallen(own((0, "A"), (16, "D"), (turn, "A")), UPDATE), until=2 * DAY).verdict() == verdict


@pytest.mark.parametrize(("turn", "verdict"), [(W - 0.000001, "presumed_removed"), (W, "overrun")])
def test_it_turns_before_w(judge: Judge, turn: Any, verdict: str) -> None:
    signals = own((0, "A"), (16, "D"), (turn, "A"))
    assert judge(fallen(signals, UPDATE), until=2 * DAY, policy=parse_policy('settle = "0s"')).verdict() == verdict


def test_it_is_measured_from_the_first_turn(judge: Judge) -> None:
    signals = own((0, "A"), (16, "D"), (500, "A"), (600, "D"), (80000, "A"))
    assert judge(fallen(signals, UPDATE), until=2 * DAY).verdict() == "overrun"


def test_a_turn_before_it_was_bad_is_not_the_first(judge: Judge) -> None:
    signals = own((0, "A"), (10, "U"), (16, "A"), (17, "D"), (80000, "A"))
    assert judge(fallen(signals, UPDATE), until=2 * DAY).verdict() == "presumed_removed"


def test_it_is_measured_up_to_what_makes_anew(judge: Judge) -> None:
    signals, made = own((0, "A"), (16, "D"), (2000, "A"), (3000, "D")), op(3999, "update", "started", "1", key="m")
    assert judge(fallen(signals, UPDATE, [made]), until=2 * DAY).verdict() == "presumed_removed"
    made = op(4000, "update", "started", "1", key="m")
    assert judge(fallen(signals, UPDATE, [made]), until=2 * DAY).verdict() == "overrun"


@pytest.mark.parametrize(("again", "verdict"), [(HALF, "overrun"), (HALF + 0.000001, "presumed_removed")])
def test_after_t_it_is_as_it_was_last(judge: Judge, again: Any, verdict: str) -> None:
    signals = own((0, "A"), (16, "D"), (415, "A"), (again, "D"))
    assert judge(fallen(signals, UPDATE), until=13 * 3600).verdict() == verdict
    assert judge(fallen(signals, UPDATE), until=12 * 3600).verdict() == "presumed_removed"


FORGOTTEN = 1000
DELETED = spanning(FORGOTTEN - 7 * DAY - 920, FORGOTTEN - 7 * DAY - 900, "delete", everything=True, key="all")
"""What was all of the set then: its own H is forgotten at second 1000, and no instance is touched."""


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("D", [(2000, "A")], "overrun"),
        ("D", [(2000, "U"), (2001, "A")], "presumed_removed"),
        ("A", [(2000, "U"), (2001, "A")], "overrun"),
        ("A", [(2000, "D"), (2001, "A")], "presumed_removed"),
        ("D", [], "overrun"),
    ],
    ids=["a first signal", "bad before", "never bad", "bad anew", "says no more"],
)
def test_a_set_that_was_forgotten_begins_anew_but_was_bad(judge: Judge, before: str, after: Any, verdict: str) -> None:
    signals = own((-8 * DAY, "A"), (-100, before), *after)
    assert judge(DELETED, fallen(signals, UPDATE), until=18000).verdict() == verdict


RECOVERED = own((0, "A"), (16, "D"), (500, "A"))


@pytest.mark.parametrize(
    ("operation", "signals", "verdict"),
    [
        (spanning(10, 20, "scale_in"), own((0, "A")), "overrun"),
        (spanning(10, 20, "scale_in"), RECOVERED, "presumed_removed"),
        (spanning(10, 20, "scale_in"), [], "presumed_removed"),
        (spanning(10, 20, "scale_in"), own((15, "A")), "overrun"),
        (spanning(10, 20, "scale_in"), own((15.000001, "A")), "presumed_removed"),
        (spanning(10, 20, "scale_in"), own((0, "U")), "overrun"),
        (spanning(10, 20, "scale_in", count=1), own((0, "A")), "presumed_removed"),
        (spanning(10, 20, "stop"), own((0, "A")), "presumed_removed"),
        ([op(10, "scale_in", "started")], own((0, "A")), "overrun"),
        ([op(10, "scale_in", "started")], [], "overrun"),
        ([op(10, "scale_in", "started")], RECOVERED, "presumed_removed"),
        ([op(10, "scale_in", "started", count=1)], own((0, "A")), "overrun"),
        ([op(10, "stop", "started")], [], "overrun"),
        ([op(10, "update", "started")], [], "overrun"),
        ([op(10, "delete", "started", "1")], own((0, "A")), "presumed_removed"),
        ([op(10, "stop", "started", "1")], own((0, "D")), "presumed_removed"),
    ],
    ids=[
        "an H",
        "an H that recovered",
        "no H",
        "an H at the onset",
        "an H just after",
        "Unknown",
        "a count",
        "something is left",
        "unfinished",
        "unfinished, no H",
        "unfinished, recovered",
        "unfinished with a count",
        "an unfinished stop, no H",
        "an unfinished update, no H",
        "unfinished and named",
        "an unfinished stop of it",
    ],
)
def test_only_some_kinds_must_be_borne_out(judge: Judge, operation: list[Event], signals: list[Event], verdict: str) -> None:
    assert judge(fallen(signals, operation), until=10800).verdict() == verdict


RESTART = spanning(-300, -200, "restart", key="r")
SPELL = [*down(-250, "1"), *up(-240, "1")]


@pytest.mark.parametrize(
    ("restart", "spell", "verdict"),
    [
        (RESTART, SPELL, "overrun"),
        (RESTART, [], "presumed_removed"),
        (RESTART, up(-240, "1"), "presumed_removed"),
        (spanning(-300, -200, "restart", "1", key="r"), SPELL, "overrun"),
        (spanning(-300, 15, "restart", key="r"), SPELL, "overrun"),
        (spanning(-300, 15.000001, "restart", key="r"), SPELL, "presumed_removed"),
        (spanning(-300, -200, "restart", key="r", by="platform"), SPELL, "overrun"),
        (spanning(-300, -299, "restart", key="r", outcome="failed"), SPELL, "presumed_removed"),
        (spanning(-300, -200, "restart", "2", key="r"), SPELL, "presumed_removed"),
    ],
    ids=["came back", "never fell", "a repeat", "named", "ended", "at work", "not excused", "no candidate", "of another"],
)
def test_a_count_is_not_enough_if_it_has_come_back_from_a_candidate(judge: Judge, restart: Any, spell: Any, verdict: str) -> None:
    told = [*up(-900, "1"), *spell, *down(A, "1"), *own((-900, "A")), *restart, *spanning(10, 20, "scale_in", count=1)]
    assert judge(told, until=10800).verdict("1", -1) == verdict
    assert judge(told, own((16, "D"), (500, "A")), until=10800).verdict("1", -1) == "presumed_removed"


def test_what_it_has_come_back_from_does_not_matter_where_something_is_left(judge: Judge) -> None:
    told = [*up(-900, "1"), *SPELL, *down(A, "1"), *own((-900, "A"))]
    assert judge(told, RESTART, spanning(10, 20, "stop", count=1), until=10800).verdict("1", -1) == "presumed_removed"


@pytest.mark.parametrize(("well", "verdict"), [(20000, "overrun"), (13000, "presumed_removed")])
def test_a_set_that_is_forgotten_is_well_no_more(judge: Judge, well: int, verdict: str) -> None:
    """Deleted at 0 and, just when that is heard of once more, again: absent without a break, and forgotten after seven days."""
    forgotten = 7 * DAY
    onset = forgotten - 50000
    again = onset + well
    told = [*spanning(-1000, -900, "delete", everything=True, key="first"), *own((-2000, "A"), (onset, "D"), (again, "A"))]
    told += [*spanning(again - 910, again - 900, "delete", everything=True, key="second")]
    told += [*up(onset - 50000, "1"), *down(onset, "1"), *spanning(onset - 10, onset + 10, "scale_in", key="in")]
    assert judge(told, until=9 * DAY).verdict() == verdict
