"""What a stream does with what it is given of the run before it."""

from schemas.policy import Policy
from schemas.time import HOUR, MINUTE
from tests.support.build import at, signal, up
from tests.support.keeping import Disk, Ledger

NOW = at(48 * 3600)


def of_a_backfill(hours: int) -> Disk:
    """What a backfill leaves that knows a set to be up since 0, and that it has been so for some hours."""
    disk = Disk()
    disk.backfill(up(0, None, "1", "2"), Policy(), at(3600 * hours))
    return disk


def test_what_is_recalled_and_has_not_changed_publishes_nothing() -> None:
    disk = of_a_backfill(5)
    before = len(disk.changes)
    for _ in range(2):
        Ledger(Policy(), NOW, disk).flush()
    assert len(disk.changes) == before


def test_what_is_settled_before_a_recall_is_late_after_it() -> None:
    ledger = Ledger(Policy(), NOW, of_a_backfill(5))
    closed = at(5 * 3600) - HOUR - Policy().lateness
    just_late, just_in_time = ([signal(0, "1", "Unavailable") | {"time": closed + micros}] for micros in (-1, 0))
    ledger.take(just_late)
    assert [row["location"] for row in ledger.rejects] == [just_late[0]["event_id"]]
    ledger.take(just_in_time)
    assert len(ledger.rejects) == 1


def test_grid_ends_go_on_where_they_had_come_to() -> None:
    disk = of_a_backfill(5)
    ledger = Ledger(Policy(), NOW, disk)
    ledger.advance(at(7 * 3600) + MINUTE)
    ledger.flush()
    cells = sorted({row["cell"] for row in disk.current()["availability"]})
    assert cells == [at(3600 * hour) for hour in range(7)]
    assert {row["revision"] for changes in disk.changes for row in changes.revisions.to_pylist()} == {0}


def test_a_set_that_is_recalled_twice_is_as_it_was() -> None:
    disk = of_a_backfill(5)
    first = Ledger(Policy(), NOW, disk)
    first.take([signal(5 * 3600 + 10, "1", "Unavailable"), signal(5 * 3600 + 900, "1", "Available")])
    first.advance(at(6 * 3600))
    first.flush()
    before = disk.current()
    second = Ledger(Policy(), NOW, disk)
    second.advance(at(6 * 3600))
    second.flush()
    assert disk.current() == before
    assert [row["verdict"] for row in before["attributions"]] == ["unexplained"]
