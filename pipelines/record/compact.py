"""Compaction: many small files of a day into one, while others read and write (contract: trueup compact).

New files are written first, then the old ones are removed, those of `revisions` before those of the rows. Wherever it is cut
off, a reader finds each row at least once, and exact copies count once; a version that goes is invisible before its rows go.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.record.folder import matching, put, read, remove
from pipelines.record.superseded import VERSION, kept_versions, without_copies
from pipelines.record.tables import Rows, day_number, parquet, plan_files
from schemas.tables.by_name import ROWS
from schemas.time import DAY, SECOND
from transforms.core.columns.arrow import one_batch

_VERSION: Final = list(VERSION)
_TIME: Final = {**dict.fromkeys(ROWS, "start"), "revisions": "cell", "rejects": "arrived"}
_ORDER: Final = {**{table: ["scale_set_id", time, "as_of"] for table, time in _TIME.items()}, "rejects": ["source", "arrived"]}


class File(NamedTuple):
    """One file as it was listed; `changed` in microseconds."""

    path: str
    changed: int


class Remainder(NamedTuple):
    """What remains of some files: the rows to keep, the files that they replace, and how many rows are dropped."""

    rows: pa.Table
    replaced: list[str]
    dropped: int


@dataclass
class CompactionResult:
    """Counts of what a compaction did."""

    files_before: int = 0
    files_written: int = 0
    files_removed: int = 0
    versions_removed: int = 0
    """Versions that were superseded longer ago than is kept."""
    rows_removed: int = 0
    """Rows of such versions, of versions that were never published, and copies."""


@dataclass
class Compaction:
    """One compaction of a folder, in two steps. Times in microseconds."""

    root: str
    now: int
    keep: int
    """Versions superseded within this time before now stay."""
    before: int | None = None
    """Days from this one on, counted since the epoch, are left alone; None: none is."""
    done: CompactionResult = field(default_factory=CompactionResult)
    _old: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def write(self) -> Iterator[str]:
        """Writes the new files; gives the path of each when it is there."""
        # Listed before `revisions` is read: a row whose version is published by then is never taken for one that is not.
        listed = {table: self._by_day(table) for table in _TIME}
        self.done.files_before = sum(len(files) for days in listed.values() for files in days.values())
        for day in sorted({day for days in listed.values() for day in days}):
            yield from self._write_day(day, {table: days.get(day, []) for table, days in listed.items()})

    def remove(self) -> Iterator[str]:
        """Removes what the new files replace, and what nobody will ever see; gives the path of each when it is gone."""
        unfinished = [file.path for file in _files(self.root, "_trueup/unfinished/*") if self._is_old(file)]
        for paths in (self._old["revisions"], *(self._old[table] for table in (*ROWS, "rejects")), unfinished):
            for path in paths:
                remove(path)
                self.done.files_removed += 1
                yield path

    def _write_day(self, day: int, files: Mapping[str, list[File]]) -> Iterator[str]:
        revisions = _read(files["revisions"])
        kept = None if revisions is None else _kept(revisions, self.now - self.keep)
        for table in ROWS:
            yield from self._replace(table, day, files[table], lambda found: self._remainder_of_rows(found, revisions, kept))
        yield from self._replace("revisions", day, files["revisions"], lambda found: self._remainder_of_revisions(found, kept))
        yield from self._replace("rejects", day, files["rejects"], _remainder_of_rejects)

    def _replace(self, table: str, day: int, files: list[File], remainder_of: Callable[[list[File]], Remainder]) -> Iterator[str]:
        if not files:
            return
        left = remainder_of(files)
        if len(left.replaced) < 2 and not left.dropped:
            return
        self.done.rows_removed += left.dropped
        self._old[table] += left.replaced
        if len(left.rows):
            path = _write(self.root, table, left.rows)
            self.done.files_written += 1
            yield path

    def _remainder_of_rows(self, files: list[File], revisions: pa.Table | None, kept: pa.Table | None) -> Remainder:
        """A young file with a version that is not published is left alone: a run may be about to publish it."""
        tables, replaced = [], []
        for file in files:
            rows = _content(file)
            if not self._is_old(file) and (revisions is None or _count_outside(rows, revisions)):
                continue
            tables.append(rows)
            replaced.append(file.path)
        if not tables:
            return Remainder(pa.table({}), [], 0)
        found = pa.concat_tables(tables)
        rows = without_copies(_inside(found, kept)) if kept is not None else found.slice(0, 0)
        return Remainder(rows, replaced, len(found) - len(rows))

    def _remainder_of_revisions(self, files: list[File], kept: pa.Table | None) -> Remainder:
        found = pa.concat_tables([_content(file) for file in files])
        rows = without_copies(found)
        staying = rows if kept is None else _inside(rows, kept)
        self.done.versions_removed += len(rows) - len(staying)
        return Remainder(staying, [file.path for file in files], len(found) - len(staying))

    def _by_day(self, table: str) -> dict[int, list[File]]:
        days: dict[int, list[File]] = defaultdict(list)
        for file in _files(self.root, f"{table}/day=*/*.parquet"):
            if self.before is None or day_number(file.path) < self.before:
                days[day_number(file.path)].append(file)
        return days

    def _is_old(self, file: File) -> bool:
        return file.changed <= self.now - DAY


def compact(root: str, now: int, keep: int, grace: float, before: int | None = None) -> CompactionResult:
    """Compacts a folder.

    Args:
        root: the folder of the tables.
        now: the present, in microseconds.
        keep: versions superseded within this time stay; microseconds.
        grace: seconds for which the old files stay beside the new ones, for readers that have listed them.
        before: days from this one on, counted since the epoch, are left alone; None: none is.
    """
    compaction = Compaction(root, now, keep, before)
    written = list(compaction.write())
    if written:
        time.sleep(grace)
    for _ in compaction.remove():
        pass
    return compaction.done


def _remainder_of_rejects(files: list[File]) -> Remainder:
    found = pa.concat_tables([_content(file) for file in files])
    rows = without_copies(found)
    return Remainder(rows, [file.path for file in files], len(found) - len(rows))


def _kept(revisions: pa.Table, since: int) -> pa.Table:
    """VERSION of those that are not superseded, or were so after a moment."""
    versions = revisions.select(_VERSION).set_column(0, "scale_set_id", revisions["scale_set_id"].dictionary_encode())
    kept = kept_versions(one_batch(versions.to_batches(), versions.schema), since)
    return pa.Table.from_batches([kept]).cast(revisions.select(_VERSION).schema)


def _inside(rows: pa.Table, versions: pa.Table) -> pa.Table:
    numbered = rows.select(_VERSION).append_column("row", pa.array(np.arange(len(rows))))
    found = numbered.join(versions.select(_VERSION), _VERSION, join_type="left semi")["row"]
    return rows if len(found) == len(rows) else rows.take(found)


def _count_outside(rows: pa.Table, versions: pa.Table) -> int:
    return len(rows) - len(_inside(rows, versions.select(_VERSION).group_by(_VERSION).aggregate([])))


def _write(root: str, table: str, rows: pa.Table) -> str:
    in_order = rows.sort_by([(name, "ascending") for name in _ORDER[table]]).combine_chunks()
    (piece,) = plan_files(Rows(table, in_order.to_batches()[:1], _TIME[table]))
    put(root, piece.path, parquet(piece.rows()))
    return piece.path


def _files(root: str, pattern: str) -> list[File]:
    return sorted(File(one.path, int(one.changed * SECOND)) for one in matching(root, pattern))


def _read(files: list[File]) -> pa.Table | None:
    return pa.concat_tables([_content(file) for file in files]) if files else None


def _content(file: File) -> pa.Table:
    with read(file.path) as source:
        return pq.ParquetFile(source).read()
