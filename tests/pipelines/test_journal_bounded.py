"""The journal stays as long as what the ledger needs: segments go when standings hold their events, and no kill loses any."""

import contextlib
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.stream import journal as journals
from pipelines.stream.checkpoints import Checkpoint
from pipelines.stream.journal import Journal
from tests.support.build import signal, to_batch

SETS = "abc"
NAME = "projects/p/subscriptions/s"


class Killed(BaseException):
    """The process dies here."""


class Ledger:
    """A process: the journal, and a ledger whose standing of a set is the ids of all events that it knows."""

    def __init__(self, root: Path) -> None:
        self.journal = Journal(str(root), NAME)
        self.journal.open(frozenset(), "p")
        self.known: dict[str, set[str]] = {name: set() for name in SETS}
        for name, content in self.journal.standings():
            self.known[name] |= set(content.decode().split())
        for row in self.journal.recalled().to_pylist():
            self.known[row["scale_set_id"]].add(row["event_id"])
        self.taken = dict.fromkeys(SETS, 0)
        self.waiting: list[tuple[str, str]] = []
        self.under_way: list[tuple[str, str]] = []

    def append(self, events: list[tuple[str, str]]) -> None:
        self.journal.append([to_batch([signal(0, "1", "Available", scale_set=name, event_id=id_) for name, id_ in events])])
        self.waiting += events

    def go_on(self) -> None:
        if not self.under_way:
            self.journal.settle()
        self.under_way += self.waiting
        self.waiting = []
        self.journal.turn()

    def take(self, rng: random.Random) -> None:
        """Some of what is under way, in any order."""
        rng.shuffle(self.under_way)
        for _ in range(rng.randrange(len(self.under_way) + 1)):
            name, id_ = self.under_way.pop()
            self.known[name].add(id_)
            self.taken[name] += 1

    def leave(self, names: list[str]) -> None:
        standings = {name: Checkpoint(self.taken[name], " ".join(sorted(self.known[name])).encode()) for name in names}
        self.journal.store(standings)

    def segments(self) -> int:
        return len(list(self.journal.folder.glob("*.events")))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each turn begins another segment, and no superseded standing is spared."""
    monkeypatch.setattr(journals, "_SEGMENT", 1)
    monkeypatch.setattr("pipelines.stream.checkpoints._SPARE", 0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    its = Ledger(tmp_path)
    yield its
    its.journal.close()


def test_a_segment_goes_when_standings_hold_the_events_of_all_its_sets(ledger: Ledger) -> None:
    ledger.append([("a", "1"), ("b", "2")])
    ledger.go_on()
    ledger.take(Always())
    ledger.go_on()
    ledger.leave(["a"])
    assert ledger.segments() == 2
    ledger.leave(["b"])
    assert ledger.segments() == 1


def test_a_standing_that_is_older_than_the_events_holds_none_of_them(ledger: Ledger) -> None:
    ledger.append([("a", "1")])
    ledger.go_on()
    ledger.leave(["a"])
    ledger.take(Always())
    ledger.go_on()
    assert ledger.segments() == 2
    ledger.leave(["a"])
    assert ledger.segments() == 1


def test_nothing_goes_before_the_ledger_has_taken_in_all_that_went_on(ledger: Ledger) -> None:
    ledger.append([("a", "1")])
    ledger.go_on()
    ledger.taken["a"] = 1
    ledger.leave(["a"])
    assert ledger.segments() == 2


def test_the_last_standing_of_a_set_counts_and_an_empty_one_is_none(ledger: Ledger) -> None:
    for content in (b"x", b"y", b""):
        ledger.journal.store({"a": Checkpoint(0, content), "b": Checkpoint(0, content or b"z")})
    assert dict(ledger.journal.standings()) == {"b": b"z"}
    assert ledger.journal.sets() == 1


def test_superseded_standings_take_no_room(ledger: Ledger) -> None:
    for number in range(50):
        ledger.journal.store({"a": Checkpoint(0, bytes([number]) * 1000)})
    assert (ledger.journal.folder / "standings").stat().st_size < 3000


@pytest.mark.parametrize("left", [1, 30, 900])
def test_a_standing_that_was_cut_off_leaves_the_one_before(tmp_path: Path, left: int) -> None:
    its = Ledger(tmp_path)
    its.journal.store({"a": Checkpoint(0, b"x" * 900)})
    its.journal.close()
    path = its.journal.folder / "standings"
    path.write_bytes(path.read_bytes() + path.read_bytes()[:left])
    again = Ledger(tmp_path)
    assert dict(again.journal.standings()) == {"a": b"x" * 900}
    again.journal.close()


class Always(random.Random):
    """Chooses the most."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return start - 1 if stop is None else stop - 1


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the process die at the n-th thing from now that it does to a file."""
    left = [1 << 30]

    def counting(work: Any, before: bool) -> Any:
        def done(*given: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] == 0 and before:
                raise Killed
            result = work(*given, **more)
            if left[0] == 0:
                raise Killed
            return result

        return done

    monkeypatch.setattr(os, "fsync", counting(lambda _: None, before=False))
    monkeypatch.setattr(os, "replace", counting(os.replace, before=True))
    monkeypatch.setattr(Path, "unlink", counting(Path.unlink, before=True))
    return lambda number: left.__setitem__(0, number)


def live(its: Ledger, rng: random.Random, durable: dict[str, set[str]]) -> None:
    """One thing after the other; notes which events are on disk for sure."""
    for step in range(40):
        match rng.randrange(5):
            case 0 | 1:
                events = [(rng.choice(SETS), f"{rng.random()}-{step}") for _ in range(rng.randrange(1, 4))]
                its.append(events)
                for name, id_ in events:
                    durable[name].add(id_)
            case 2:
                its.go_on()
            case 3:
                its.take(rng)
            case _:
                its.leave(rng.sample(SETS, rng.randrange(1, 4)))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("seed", range(25))
def test_wherever_it_is_killed_all_events_are_in_a_standing_or_recalled(
    tmp_path: Path, seed: int, deadly: Callable[[int], None]
) -> None:
    rng, durable = random.Random(seed), {name: set[str]() for name in SETS}
    for _ in range(8):
        deadly(rng.randrange(1, 60))
        with contextlib.suppress(Killed):
            its = Ledger(tmp_path)
            assert {name: durable[name] - its.known[name] for name in SETS} == {name: set() for name in SETS}
            live(its, rng, durable)
        deadly(1 << 30)
        opened = journals._OPEN.pop(str(Journal(str(tmp_path), NAME).folder), None)
        if opened is not None:
            opened.close()
    last = Ledger(tmp_path)
    assert {name: durable[name] - last.known[name] for name in SETS} == {name: set() for name in SETS}
    last.leave(list(SETS))
    last.go_on()
    assert last.segments() == 1
    last.journal.close()
