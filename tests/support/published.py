"""A record that was published four times: whatever a query of `pipelines.views` asks for is in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from pipelines.record.store import Store
from schemas.event import TIMESTAMP
from schemas.policy import parse_policy
from schemas.tables.reject import REJECTS
from schemas.time import DAY, HOUR
from tests.support.build import EPOCH, Event, fault, op, signal, spanning, to_batch
from transforms.core.columns.arrow import no_rows
from transforms.core.evaluation.evaluate import Evaluation, evaluate
from transforms.core.ledger.changes import PUBLISHED, Publication, changed_cells, published_after

POLICY: Final = parse_policy('grid = "6h"')
_DAY: Final = DAY / 1e6
_HOUR: Final = HOUR / 1e6
QUIET: Final = [f"q{number:02}" for number in range(22)]
"""More scale sets than the worst ones that a query shows."""


class Issue(NamedTuple):
    """One publication."""

    now: int
    """When, in microseconds: the `as_of` of its versions."""
    evaluated: Evaluation
    """All rows as they stood then."""


class Published(NamedTuple):
    """A folder, and what was published in it."""

    root: Path
    issues: tuple[Issue, ...]
    """The first on a Monday, one each on the Wednesday and Thursday after it, the last two weeks later."""


def published(root: Path) -> Published:
    """Publishes a record, as a stream does and then a backfill: first cells, late ones, progress, and a set that is gone."""
    store, known, issues = Store(str(root)), no_rows(PUBLISHED), []
    store.open(POLICY)
    for name, now, T, changed, told in _publications():
        evaluated = evaluate(to_batch(told), POLICY, EPOCH + T)
        backfill, final = name == "backfill", EPOCH + 3 * DAY if name == "late" else None
        publication = Publication(POLICY.hash, POLICY.grid, EPOCH + now, None, EPOCH + T, backfill, final)
        changes = changed_cells(evaluated, known, publication).changes
        assert len(changes.revisions) >= changed
        store.publish([changes])
        known = published_after(known, changes.revisions, POLICY.grid)
        issues.append(Issue(EPOCH + now, evaluated))
    store.reject([_rejects()])
    return Published(root, tuple(issues))


def _publications() -> Iterator[tuple[str, int, int, int, list[Event]]]:
    """Name, when, T (both since EPOCH), at least how many cells change, and all events until then."""
    events = [event for part in (_troubled(), _presumed(), _by_itself(), _quiet()) for event in part]
    late = signal(_DAY + 20 * _HOUR, "3", "Unavailable", scale_set="b")
    gone = [event for event in events if event["scale_set_id"] != "gone"]
    yield "first", 3 * DAY + 6 * HOUR, 3 * DAY, 300, events
    yield "late", 5 * DAY + HOUR, 5 * DAY, 200, [*events, late]
    yield "progress", 6 * DAY + HOUR, 6 * DAY, 100, [*events, late]
    yield "backfill", 20 * DAY + HOUR, 20 * DAY, 1000, [*gone, late]


def _dip(start: float, end: float, instance: str | None, state: str = "Unavailable", scale_set: str = "a") -> list[Event]:
    return [signal(start, instance, state, scale_set=scale_set), signal(end, instance, "Available", scale_set=scale_set)]


def _troubled() -> Iterator[Event]:
    """Set a: an episode of every verdict, one of them in two rows, one still open; classes of every kind."""
    yield from [signal(0, name, "Available") for name in (None, "1", "2", "3", "4")]
    yield from [*spanning(3600, 3900, "restart", "1", key="r1"), *_dip(3610, 3910, "1")]
    yield from [*spanning(36_000, 36_300, "restart", "2", key="r2", by="autoscale"), *_dip(36_010, 45_000, "2")]
    yield from spanning(37_000, 37_300, "upgrade", "1 3", key="u")
    yield from [*_dip(37_010, 60_000, "1"), *_dip(37_020, 52_000, "3", "Degraded")]
    yield from [*_dip(36_020, 44_000, None, "Degraded"), *_dip(62_000, 63_000, None, "Degraded")]
    yield from [fault(70_000, "4"), *_dip(70_000, 71_000, "4", "Degraded")]
    yield from [*spanning(80_000, 80_300, "maintenance", "1", key="m", by="platform"), *_dip(80_010, 80_400, "1", "Degraded")]
    yield from [*_dip(84_000, 85_000, "2", "Unknown"), *_dip(85_500, 85_600, "2", "Unavailable")]
    yield from [signal(2 * _DAY, "3", "Unavailable"), *_dip(8 * _DAY, 12 * _DAY, "3", "Unknown")]
    yield from [*spanning(5 * _DAY, 5 * _DAY + 300, "deallocate", "4", key="d"), *_dip(5 * _DAY + 10, 6 * _DAY, "4")]
    yield signal(19 * _DAY, "2", "Unavailable")
    yield from [*spanning(19 * _DAY, 19 * _DAY + 100, "restart", "1", key="r3"), signal(19 * _DAY + 10, "1", "Unavailable")]


def _presumed() -> Iterator[Event]:
    """Set b: two that a scale-in took away without naming them, one of which turns out to be there; and ties."""
    yield from [signal(0, str(number), "Available", scale_set="b") for number in range(1, 6)]
    for number, day in (("3", 1), ("4", 2)):
        yield op(day * _DAY, "scale_in", "announced", key=f"s{number}", count=1, by="autoscale", scale_set="b")
        yield signal(day * _DAY + 30, number, "Unavailable", scale_set="b")
    yield from _dip(_DAY + 30, _DAY + 90, "5", scale_set="b")
    yield from spanning(50_000, 50_300, "restart", "1 2", key="r", scale_set="b")
    yield from [event for name in ("1", "2") for event in _dip(50_010, 60_000, name, scale_set="b")]
    yield from [*_dip(4.9 * _DAY, 5.5 * _DAY, "5", scale_set="b"), *_dip(10 * _DAY, 10 * _DAY + 900, "5", scale_set="b")]


def _by_itself() -> Iterator[Event]:
    """Set c has a state and no instances; set gone is no more when all is published once more."""
    yield from _dip(0, 1000, None, "Degraded", "c")
    yield from [signal(0, "1", "Available", scale_set="gone"), *_dip(7000, 9000, "1", scale_set="gone")]
    yield signal(0, "2", "Available", scale_set="gone")
    yield op(20_000, "scale_in", "announced", key="g", count=1, by="autoscale", scale_set="gone")
    yield signal(20_030, "2", "Unavailable", scale_set="gone")


def _quiet() -> Iterator[Event]:
    """Each away a little longer than the one before; the first one not at all."""
    for number, name in enumerate(QUIET):
        yield signal(0, "1", "Available", scale_set=name)
        yield from _dip(50_000, 50_000 + 60 * number, "1", scale_set=name) if number else ()


def _rejects() -> pa.RecordBatch:
    told = [
        ("late", 2, "b"),
        ("bad_time", 1, "x"),
        ("late", 1, "a"),
        ("not_json", 3, "n"),
        ("late", 3, "c"),
        ("bad_time", 0, "y"),
    ]
    rows: list[dict[str, Any]] = [
        {"source": "f", "location": f"{place}", "arrived": EPOCH + day * DAY, "reason": reason, "detail": detail}
        for place, (reason, day, detail) in enumerate(told)
    ]
    arrays = [pa.array([row.get(field.name) for row in rows]) for field in REJECTS]
    columns = [a.cast(TIMESTAMP) if f.name == "arrived" else a.cast(f.type) for a, f in zip(arrays, REJECTS, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=REJECTS)
