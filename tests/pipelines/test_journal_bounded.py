"""The journal stays as long as what the ledger needs: events go when checkpoints cover them, and no kill loses any."""

import contextlib
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.stream import journal as journals
from pipelines.stream.journal import Checkpoint, Journal
from tests.support.build import signal, to_batch
from transforms.core.columns.groups import split_by_group

SETS = "abcd"
NAME = "projects/p/subscriptions/s"
Told = list[tuple[str, str]]
"""Events: scale set and id."""


class Killed(BaseException):
    """The process dies here."""


class Ledger:
    """A process: the journal, and a ledger whose standing of a key is the ids of all events that it knows."""

    def __init__(self, root: Path, groups: int | None = None) -> None:
        self.journal = Journal(str(root), NAME, "p", groups)
        self.keys = sorted(dict(split_by_group(to_batch([signal(0, "1", "Available", scale_set=one) for one in SETS]), groups)))
        self.known: dict[str, set[str]] = {key: set() for key in self.keys}
        for key, content in self.journal.standings().items():
            self.known[key] |= set(content.decode().split())
        for key, rows in split_by_group(self.journal.recalled(), groups):
            self.known[key] |= set(rows.column("event_id").to_pylist())
        self.taken = dict.fromkeys(self.keys, 0)
        self.waiting: Told = []
        self.under_way: Told = []

    def append(self, events: Told) -> None:
        """By scale set."""
        batch = to_batch([signal(0, "1", "Available", scale_set=name, event_id=id_) for name, id_ in events])
        self.journal.append([batch])
        own = split_by_group(batch, self.journal.groups)
        self.waiting += [(key, id_) for key, rows in own for id_ in rows.column("event_id").to_pylist()]

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
            key, id_ = self.under_way.pop()
            self.known[key].add(id_)
            self.taken[key] += 1

    def leave(self, keys: list[str]) -> None:
        self.journal.store({key: Checkpoint(self.taken[key], " ".join(sorted(self.known[key])).encode()) for key in keys})

    def rows(self) -> int:
        """How many batches the journal holds."""
        return int(self.journal._do("SELECT count(*) FROM events").fetchone()[0])

    def lacks(self, durable: set[str]) -> set[str]:
        return durable.difference(*self.known.values())


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each turn ends a part."""
    monkeypatch.setattr(journals, "_PART", 0.0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    its = Ledger(tmp_path)
    yield its
    its.journal.close()


class Always(random.Random):
    """Chooses the most."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return start - 1 if stop is None else stop - 1


def test_events_go_when_checkpoints_cover_those_of_all_keys(ledger: Ledger) -> None:
    ledger.append([("a", "1"), ("b", "2")])
    ledger.go_on()
    ledger.take(Always())
    ledger.go_on()
    ledger.leave(["a"])
    assert ledger.rows() == 1
    assert ledger.journal.recalled().column("event_id").to_pylist() == ["2"]
    ledger.leave(["b"])
    assert ledger.rows() == 0


def test_a_checkpoint_that_is_older_than_the_events_covers_none_of_them(ledger: Ledger) -> None:
    ledger.append([("a", "1")])
    ledger.go_on()
    ledger.leave(["a"])
    ledger.take(Always())
    ledger.go_on()
    assert ledger.rows() == 1
    ledger.leave(["a"])
    assert ledger.rows() == 0


def test_a_checkpoint_that_comes_before_it_is_known_that_all_is_taken_in_covers_then(ledger: Ledger) -> None:
    ledger.append([("a", "1")])
    ledger.go_on()
    ledger.take(Always())
    ledger.leave(["a"])
    assert ledger.rows() == 1
    ledger.go_on()
    assert ledger.rows() == 0


def test_what_goes_on_before_the_ledger_has_taken_in_the_rest_is_covered_with_it(ledger: Ledger) -> None:
    ledger.append([("a", "1")])
    ledger.go_on()
    ledger.append([("a", "2")])
    ledger.go_on()
    ledger.under_way.pop(0)
    ledger.take(Always())
    ledger.leave(["a"])
    assert ledger.rows() == 2, "one of the two was taken in, but not the first"
    ledger.go_on()
    ledger.leave(["a"])
    assert ledger.rows() == 2


def test_events_of_an_earlier_process_go_with_the_first_checkpoint(tmp_path: Path) -> None:
    for number in range(2):
        its = Ledger(tmp_path)
        its.append([("a", str(number)), ("b", f"b{number}")])
        its.journal.close()
    its = Ledger(tmp_path)
    its.leave(["a"])
    assert sorted(its.journal.recalled().column("event_id").to_pylist()) == ["b0", "b1"]
    its.leave(["b"])
    assert its.rows() == 0
    its.journal.close()


def test_the_last_checkpoint_of_a_key_counts_and_room_is_used_again(ledger: Ledger) -> None:
    for number in range(300):
        ledger.append([("a", str(number))])
        ledger.go_on()
        ledger.take(Always())
        ledger.go_on()
        ledger.journal.store({"a": Checkpoint(ledger.taken["a"], bytes([number % 256]) * 10_000)})
    assert ledger.journal.standings() == {"a": bytes([299 % 256]) * 10_000}
    ledger.journal.close()
    assert ledger.journal.path.stat().st_size < 150_000


class Deadly:
    """Makes the process die at the n-th statement from now, and keeps what is on disk then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 1 << 30
        for name in ("_do", "_do_many"):
            monkeypatch.setattr(Journal, name, self._counting(getattr(Journal, name)))

    def _counting(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def done(journal: Journal, *given: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                shutil.copytree(journal.root, self.kept)
                raise Killed
            return work(journal, *given)

        return done

    def within(self, root: Path, statements: int) -> Path:
        """The folder with which the next process begins."""
        self.kept, self.left = root.with_name(f"{root.name}+"), statements
        return self.kept


def live(its: Ledger, rng: random.Random, durable: set[str]) -> None:
    """One thing after the other; notes which events are on disk for sure."""
    for step in range(40):
        match rng.randrange(5):
            case 0 | 1:
                events = [(rng.choice(SETS), f"{rng.random()}-{step}") for _ in range(rng.randrange(1, 4))]
                its.append(events)
                durable.update(id_ for _, id_ in events)
            case 2:
                its.go_on()
            case 3:
                its.take(rng)
            case _:
                its.leave(rng.sample(its.keys, rng.randrange(1, len(its.keys) + 1)))


@pytest.mark.parametrize("groups", [None, 2])
@pytest.mark.parametrize("seed", range(25))
def test_wherever_it_is_killed_all_events_are_in_a_standing_or_recalled(
    tmp_path: Path, seed: int, groups: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, durable, deadly, root = random.Random(seed), set[str](), Deadly(monkeypatch), tmp_path / "0"
    for _ in range(8):
        following = deadly.within(root, rng.randrange(1, 150))
        its = None
        with contextlib.suppress(Killed):
            its = Ledger(root, groups)
            assert not its.lacks(durable)
            live(its, rng, durable)
        if its is not None:
            its.journal.close()
        if deadly.left > 0:
            deadly.left = 1 << 30
        else:
            root = following
    last = Ledger(root, groups)
    assert not last.lacks(durable)
    last.leave(last.keys)
    last.go_on()
    last.go_on()
    assert last.rows() == 0
    last.journal.close()
