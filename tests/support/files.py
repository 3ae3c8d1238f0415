"""Input files of events, runs of the command line over them, and the tables that they leave."""

import contextlib
import functools
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.record.selection import Selection
from runners.cli import run
from schemas.tables.by_name import ROWS
from schemas.time import DAY, format_time
from tests.support import build
from tests.support.build import Event, rows

TABLES = tuple(ROWS)

PAST = 1_110 * DAY
"""How far files lie before the timelines of other tests: an event of the future would be rejected."""


def at(seconds: float) -> int:
    """Microseconds of a second, counted from a midnight that is past."""
    return build.at(seconds) - PAST


def signal(*given: Any, **more: Any) -> Event:
    """A HealthSignal of the past."""
    return _past(build.signal(*given, **more))


def spanning(*given: Any, **more: Any) -> list[Event]:
    """Both records of an operation of the past."""
    return [_past(event) for event in build.spanning(*given, **more)]


def _past(event: Event) -> Event:
    return {**event, "time": event["time"] - PAST}


class Finished(NamedTuple):
    """What a command said and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


def trueup(*arguments: object) -> Finished:
    """Runs a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run([str(argument) for argument in arguments])
    return Finished(status, out.getvalue(), err.getvalue())


def write_events(path: Path, events: Iterable[Event], extra: Sequence[str] = ()) -> Path:
    """Canonical JSON lines, and more lines as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({**event, "time": format_time(event["time"])}) for event in events]
    path.write_text("".join(f"{line}\n" for line in [*lines, *extra]))
    return path


def table(folder: Path, name: str) -> pa.Table:
    """All rows of a table, as any engine would read them by a glob."""
    paths = sorted((folder / name).glob("day=*/*.parquet"))
    return pa.concat_tables([pq.read_table(path, partitioning=None) for path in paths]) if paths else pa.table({})


def current_rows(folder: Path, name: str) -> pa.Table:
    """The current rows of a table, as the product reads them, texts plain, by scale set and start."""
    selection = Selection(str(folder))
    rows = selection.table(name, selection.days, ROWS[name].names)
    plain = [field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in rows.schema]
    return rows.cast(pa.schema(plain)).sort_by([("scale_set_id", "ascending"), ("start", "ascending")])


def current(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The current rows of each table (contract: Current rows)."""
    latest: dict[tuple[str, Any], Any] = {}
    for row in table(folder, "revisions").to_pylist():
        key = row["scale_set_id"], row["cell"]
        latest[key] = max(row["as_of"], latest.get(key, row["as_of"]))
    return {name: sorted(_current_rows(table(folder, name), latest), key=repr) for name in TABLES}


def _current_rows(found: pa.Table, latest: dict[tuple[str, Any], Any]) -> list[dict[str, Any]]:
    if not len(found):
        return []
    versions = found.select(["scale_set_id", "cell", "as_of"]).to_pylist()
    return [
        row
        for row, its in zip(rows(found), versions, strict=True)
        if its["as_of"] == latest.get((its["scale_set_id"], its["cell"]))
    ]


def names(folder: Path, *tables: str) -> set[str]:
    """The files of some tables."""
    return {str(path.relative_to(folder)) for name in tables for path in (folder / name).rglob("*") if path.is_file()}


@functools.cache
def two_days(scale_sets: str = "ab") -> tuple[Event, ...]:
    """Two days of some scale sets: a restart, a scale-in, an outage over midnight, and a set that says little."""
    day = 24 * 3600
    events = []
    for number, name in enumerate(scale_sets):
        shift = 100 * number
        events += [signal(shift, i, "Available", scale_set=name) for i in (None, "1", "2")]
        events += spanning(5_000 + shift, 5_300 + shift, "restart", "1", key="r", scale_set=name)
        events += [
            signal(5_010 + shift, "1", "Unavailable", scale_set=name),
            signal(5_290 + shift, "1", "Available", scale_set=name),
        ]
        events += spanning(40_000 + shift, 40_100 + shift, "delete", "2", key="d", scale_set=name)
        events += [signal(40_010 + shift, "2", "Degraded", scale_set=name)]
        events += [
            signal(day - 600, "1", "Unavailable", scale_set=name),
            signal(day + 900 + shift, "1", "Available", scale_set=name),
        ]
        events += [signal(2 * day - 3_700 - 7_200 * (number // 2), "1", "Available", scale_set=name)]
    return tuple(events)
