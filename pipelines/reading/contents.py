"""What an output folder holds: until when, how much of what, and what its last runs said (contract: trueup status)."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import pyarrow.parquet as pq

from pipelines.failures import RunError
from pipelines.reading.report import held_in, known_period
from pipelines.record.folder import files, matching, read
from pipelines.record.selection import Selection
from pipelines.record.standing_files import run_started
from pipelines.record.tables import day_number
from schemas.tables.by_name import TABLES
from schemas.time import to_micros

LAST_RUNS: Final = 3
"""Runs that are told."""
MANY: Final = 10
"""Files of one table and day beyond which reading takes longer than it need."""


class TableSize(NamedTuple):
    """What the files of a table come to."""

    files: int
    bytes: int
    most: int
    """Files of the day that has most of them."""


class FinishedRun(NamedTuple):
    """What a run has left of its facts: when it began, in microseconds, and its summary in JSON."""

    started: int
    facts: dict[str, Any]


class Contents(NamedTuple):
    """What a folder holds. Times in microseconds, days counted since the epoch."""

    grid: str
    scale_sets: int
    known: tuple[int, int] | None
    """From when to when anything is published; None: nothing is."""
    unpublished: tuple[tuple[int, int], ...]
    """Days between these without any cell: the first one, and the one after the last."""
    runs: tuple[FinishedRun, ...]
    """The latest first."""
    rejects: Counter[str]
    """Rows by reason."""
    tables: dict[str, TableSize]
    newest: int | None
    """When the newest version of the latest two days was published, in microseconds; None: none ever was."""

    @property
    def compaction_due(self) -> bool:
        """Whether some day of a table has so many files that to read it takes longer than it need."""
        return any(size.most > MANY for size in self.tables.values())


def contents(root: str) -> Contents:
    """What a folder holds.

    Raises:
        RunError: trueup has not written it, or what lies in it is damaged.
    """
    grids = held_in(root, "_trueup/grid.json", "grid")
    if not grids:
        raise RunError(f"--data: a folder that trueup has written is required, got {root}.")
    selection = Selection(root)
    return Contents(
        grid=grids[0]["grid"],
        scale_sets=len(selection.scale_sets()),
        known=known_period(root, selection) if selection.first_cell() is not None else None,
        unpublished=tuple((before + 1, day) for before, day in pairwise(selection.days) if day > before + 1),
        runs=tuple(_last_runs(root)),
        rejects=_rejects(root),
        tables={table: _size(root, table) for table in TABLES},
        newest=newest_version(root),
    )


def newest_version(root: str) -> int | None:
    """When the newest version of the latest two days that a folder holds was published, by what its files say of themselves."""
    found = files(root, "revisions/day=*/*.parquet")
    latest = sorted({day_number(path) for path in found})[-2:]
    return max((_newest_in(path) for path in found if day_number(path) in latest), default=None)


def _newest_in(path: str) -> int:
    with read(path) as source:
        told = pq.ParquetFile(source).metadata
    at = told.schema.names.index("as_of")
    return max(to_micros(told.row_group(group).column(at).statistics.max) for group in range(told.num_row_groups))


def _last_runs(root: str) -> Iterator[FinishedRun]:
    for path in reversed(files(root, "_trueup/runs/*.json")[-LAST_RUNS:]):
        name = path.replace("\\", "/").rpartition("/")[2]
        for facts in held_in(root, f"_trueup/runs/{name}", "records", "until", "cells", "gaps"):
            yield FinishedRun(run_started(name), facts)


def _rejects(root: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in files(root, "rejects/day=*/*.parquet"):
        with read(path) as source:
            found.update(pq.ParquetFile(source).read(columns=["reason"])["reason"].to_pylist())
    return found


def _size(root: str, table: str) -> TableSize:
    found = matching(root, f"{table}/day=*/*.parquet")
    days = Counter(day_number(one.path) for one in found)
    return TableSize(len(found), sum(one.size for one in found), max(days.values(), default=0))
