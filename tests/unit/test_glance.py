"""A glance at an input tells whether for more than a day nothing at all happens in it, in bounded memory."""

import random
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.tables.reject import REJECTS
from schemas.time import DAY, HOUR
from tests.support.build import at, fault, signal, spanning, to_batch
from transforms.core.columns.arrow import no_rows
from transforms.core.decode import Counts, DecodeResult
from transforms.core.decode.glance import Glance, as_bytes, from_bytes, gaps, glance_of

NOW = at(400 * 86_400)


def piece(times: Iterable[float], format_: str = "eventgrid") -> DecodeResult:
    """A piece of an input with signals at some days, counted from the first one."""
    events = to_batch([signal(86_400 * time, "1", "Available") for time in times])
    return DecodeResult(events, no_rows(REJECTS), Counts(decoded=Counter({(format_, "signal"): len(events)})))


def glance(*pieces: DecodeResult) -> Glance:
    return sum((glance_of(each, NOW) for each in pieces), Glance())


def found(*pieces: DecodeResult, before: float | None = None) -> list[tuple[float, float]]:
    told = gaps(glance(*pieces), None if before is None else at(86_400 * before))
    return [((begin - at(0)) / DAY, (end - at(0)) / DAY) for begin, end in told]


def test_a_gap_is_longer_than_a_day() -> None:
    assert found(piece([0, 1])) == []
    assert len(found(piece([0, 1 + 1 / DAY]))) == 1
    assert found(piece([0.9, 2, 2.1, 3.5])) == [(0.9, 2), (2.1, 3.5)]


def test_a_snapshot_of_the_first_day_beside_files_of_later_days_is_one() -> None:
    assert found(piece([0, 0], "resourcegraph"), piece([5, 5.5, 6.4])) == [(0, 5)]
    assert found(piece([0, 0]), piece([5, 5.5, 6.4])) == [(0, 5)]


def test_a_snapshot_tells_of_the_moment_at_which_it_was_taken_however_long_ago_states_began() -> None:
    files = piece([5 + k / 2 for k in range(10)])
    assert found(piece([-90, -40, -2, 8], "resourcegraph"), files) == []
    assert found(piece([-90, -40, 1], "resourcegraph"), files) == [(1, 5)]
    assert found(piece([-90, 1], "resourcegraph"), piece([3]), files) == [(1, 3), (3, 5)]


def test_a_run_that_goes_on_looks_from_what_was_known_on() -> None:
    assert found(piece([0, 5.5, 6]), before=5) == []
    assert found(piece([0, 6.5]), before=5) == [(5, 6.5)]
    assert found(piece([0, 4]), before=5) == []
    assert found(before=5) == []


def test_of_no_event_and_of_one_there_is_no_gap() -> None:
    assert found() == found(piece([])) == found(piece([3])) == []


def test_what_lies_after_the_start_of_the_run_makes_none() -> None:
    assert found(piece([399, 400.9])) == []


def test_events_are_counted_by_kind() -> None:
    events = to_batch([signal(0, "1", "Available"), fault(5, "1"), *spanning(1, 2, "restart", "1")])
    told = glance_of(DecodeResult(events, no_rows(REJECTS), Counts()), NOW)
    assert told.events == {"signal": 1, "fault": 1, "operation": 2}


@given(st.lists(st.integers(0, 60), max_size=60), st.integers(1, 4), st.randoms(use_true_random=False))
def test_any_split_finds_the_gaps_of_the_sorted_times(hours: list[int], parts: int, random_: random.Random) -> None:
    times = [hour * 3 * HOUR / DAY for hour in hours]
    pieces = [piece(times[place::parts]) for place in range(parts)]
    random_.shuffle(pieces)
    ordered = sorted(set(times))
    expected = [pair for pair in pairwise(ordered) if pair[1] - pair[0] > 1]
    assert found(*pieces) == expected
    assert len(glance(*pieces).days) <= 8


def test_it_is_the_same_after_a_journey() -> None:
    told = glance_of(piece([0, 0.1, 3]), NOW)
    told.unread.note({"\x00é": 1})
    told += Glance(told.unread.of_file("name\udcff"), begin=5)
    assert from_bytes(as_bytes(told)) == told
    assert from_bytes(as_bytes(Glance())) == Glance()


def test_memory_is_two_moments_a_day() -> None:
    day = to_batch([signal(second, "1", "Available") for second in range(0, 86_400, 60)])
    told = glance_of(DecodeResult(day, no_rows(REJECTS), Counts()), NOW)
    assert list(told.days.values()) == [(at(0), at(86_340))]
