"""Selected current rows: of some scale sets and days, read without opening what cannot hold any (contract: Current rows).

`revisions` is read first: it says on which days a table has rows of the wanted scale sets at all. Of those days' files only row
groups are opened whose statistics admit one of the sets, and of these only the columns asked for.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from functools import cache, cached_property, lru_cache, partial
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.failures import RunError
from pipelines.record.folder import files, threads_for
from pipelines.record.row_groups import Ids, ReadVolume, read_row_groups
from pipelines.record.superseded import VERSION, kept_versions, without_copies
from pipelines.record.tables import day_name, day_number
from schemas.tables.by_name import ROWS, VERSIONED
from schemas.time import DAY, floor_to
from transforms.core.columns.arrow import Ints, micros, no_rows, one_batch
from transforms.core.columns.kernel import Bools
from transforms.core.columns.members import places_of
from transforms.core.columns.versions import Versions
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.ledger.changes import ROWS as COUNTS
from transforms.core.ledger.digests import from_text
from transforms.side_by_side import side_by_side

_COUNT: Final = dict(zip(ROWS, COUNTS, strict=True))
"""The column of `revisions` that counts the rows of a table."""
_REVISION: Final = (*VERSION, *COUNTS, "policy")
_PUBLISHED: Final = (*VERSION, "revision", *COUNTS, "digest")
_THREADS: Final = 2
_PAUSES: Final = (0.5, 3.0)
"""Seconds before files are listed again because rows are missing; after the last of them they are not there."""
_LAST: Final = 2**30 * DAY
"""Later than any cell."""
_NONE: Final = -(2**63)
"""The as_of of a cell that has no version."""
_Found = TypeVar("_Found")
_Rows = TypeVar("_Rows", pa.Table, pa.RecordBatch)
_Matcher = Callable[[pa.StringArray], pa.BooleanArray]
"""Which of some ids are wanted."""


class MissingRowsError(RunError):
    """A version is published, and rows of it are in none of the files that are listed."""


class Selection:
    """The current rows of some scale sets of a folder, as it stands when it is first asked."""

    def __init__(
        self,
        root: str,
        globs: Sequence[str] = (),
        ids: Collection[str] | pa.StringArray | None = None,
        within: range | None = None,
    ) -> None:
        """Selects.

        Args:
            root: the folder of the tables.
            globs: case-insensitive patterns of a scale set's id or of its name; none: all.
            ids: exact ids of scale sets, instead of patterns.
            within: days, counted since the epoch, of which alone files are listed; None: all.
        """
        self._root, self._within = root, within
        self.globs = tuple(globs)
        self._wanted, self._ids = _matcher(globs), None
        if ids is not None:
            names = ids if isinstance(ids, pa.Array) else pa.array(list(ids), pa.string())
            self._wanted, self._ids = partial(pc.is_in, value_set=names), _ascending(names)
        self._versions: dict[int, pa.RecordBatch | None] = {}
        self.opened: dict[str, list[ReadVolume]] = defaultdict(list)
        """By table; what `every_version` opens has a name of its own, "all" and the table."""

    def narrowed(self, ids: Collection[str]) -> "Selection":
        """The same of some scale sets, by their exact ids; what is known of their versions is not read again."""
        narrow = Selection(self._root, ids=ids, within=self._within)
        narrow.opened = self.opened
        for day, versions in self._versions.items():
            own = None if versions is None else narrow._own(versions)
            narrow._versions[day] = own if own is not None and len(own) else None
        return narrow

    def of_wanted(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """What is told of the wanted scale sets."""
        wanted = self._wanted(pa.array(list(sizes), pa.string())).to_pylist()
        return {name: size for (name, size), one in zip(sizes.items(), wanted, strict=True) if one}

    @cached_property
    def days(self) -> list[int]:
        """The days, counted since the epoch, on which anything has been published."""
        return sorted(self.files("revisions"))

    def first_cell(self) -> int | None:
        """Where the first cell with a series begins, in microseconds; None if no scale set is like those wanted."""
        return next((min(cells) for day in self.days if (cells := self._cells(day))), None)

    def last_cell(self) -> int | None:
        """Where the last one begins."""
        return next((max(cells) for day in reversed(self.days) if (cells := self._cells(day))), None)

    def versions(self, day: int) -> pa.RecordBatch | None:
        """The current version of each cell of a day, of the wanted scale sets; None if there is none."""
        if day not in self._versions:
            self._versions[day] = self.revisions(day, _REVISION)
        return self._versions[day]

    def versions_of(self, days: Iterable[int]) -> list[pa.RecordBatch]:
        """The same of several days, a batch a day that has any."""
        with ThreadPoolExecutor(threads_for(self._root, _THREADS)) as pool:
            found = pool.map(self.versions, sorted(set(self.days).intersection(days)))
            return [versions for versions in found if versions is not None]

    def revisions(self, day: int, columns: Sequence[str]) -> pa.RecordBatch | None:
        """The same, with other columns of REVISIONS, VERSION among them; they are read anew each time."""
        return self._again("revisions", day, lambda paths: self._latest(paths, columns))

    def table(self, name: str, days: Iterable[int], columns: Sequence[str], apart: Sequence[str] = ()) -> pa.Table:
        """Current rows of some days: see `rows`."""
        return _joined(name, self.rows(name, days, columns, apart=apart), columns)

    def rows(
        self,
        table: str,
        days: Iterable[int],
        columns: Sequence[str],
        then: Callable[[pa.Table], _Found] = lambda rows: rows,
        apart: Sequence[str] = (),
    ) -> Iterator[_Found]:
        """Current rows, a table a day that has any; no more than the next few are read before they are asked for.

        Args:
            table: availability, attributions or operations.
            days: counted since the epoch.
            columns: those wanted; `start` and, where a scale set can have several at once, what tells them apart among them.
            then: what is made of a day's rows at once, so that they need not all be held.
            apart: more columns that tell rows apart, which are read only where there are copies.
        """
        self.versions_of(days)  # before the files are listed: what is published has its rows on disk
        held = [day for day in sorted(set(self.days).intersection(days)) if self._count(table, day)]

        def made(day: int) -> list[_Found]:
            rows = self._again(table, day, lambda paths: self._read(table, day, paths, columns, apart))
            return [then(rows)] if rows is not None and len(rows) else []

        for found in side_by_side(made, held, threads_for(self._root, _THREADS)):
            yield from found

    def every_version(self, table: str, days: Iterable[int], columns: Sequence[str]) -> pa.Table:
        """Rows of every version, exact copies too, with what names the version."""
        names = list(dict.fromkeys([*VERSION, *columns]))

        def reads(paths: list[str]) -> pa.Table:
            found = [self._own(rows) for rows in self._groups(table, paths, names, self._ids, f"all {table}")]
            return _joined(table, found, names)

        return _joined(table, [self._again(table, day, reads) for day in days], names)

    def scale_sets(self) -> list[str]:
        """The ids of all scale sets of which anything was ever published, wanted or not, ascending."""
        with ThreadPoolExecutor(threads_for(self._root, _THREADS)) as pool:
            found = pool.map(lambda day: self._again("revisions", day, self._ids_in), self.days)
            return sorted(pc.unique(pa.chunked_array([ids for held in found for ids in held], pa.string())).to_pylist())

    def _cells(self, day: int) -> list[int]:
        versions = self.versions(day)
        if versions is None:
            return []
        cells: list[int] = micros(versions.filter(pc.greater(versions.column("availability_rows"), 0)), "cell").tolist()
        return cells

    def _count(self, table: str, day: int) -> int:
        versions = self.versions(day)
        return 0 if versions is None else pc.sum(versions.column(_COUNT[table])).as_py() or 0

    @lru_cache(maxsize=8)  # noqa: B019 - a selection lives as long as a report
    def files(self, table: str) -> dict[int, list[str]]:
        """The files of a table, by day.

        Raises:
            RunError: one lies in a folder of no day.
        """
        days: dict[int, list[str]] = defaultdict(list)
        folders = ["day=*"] if self._within is None else [day_name(day) for day in self._within]
        for path in (path for folder in folders for path in files(self._root, f"{table}/{folder}/*.parquet")):
            try:
                days[day_number(path)].append(path)
            except ValueError:
                raise RunError(f"{path}: a folder named like day=2026-01-31 is required for each file.") from None
        return days

    def _again(self, table: str, day: int, reads: Callable[[list[str]], _Found]) -> _Found:
        """Reads the files of a day; lists them again if one has gone, as when others compact, or the list was behind."""
        paths = self.files(table).get(day, [])
        for pause in _PAUSES:
            try:
                return reads(paths)
            except FileNotFoundError:
                pass
            except MissingRowsError:
                time.sleep(pause)
            paths = files(self._root, f"{table}/{day_name(day)}/*.parquet")
        return reads(paths)

    @cached_property
    def _named(self) -> Ids | None:
        """The ids of those wanted, ascending; None: of all. Of patterns they are looked up first, which reads one column more: of
        the others then only row groups that may hold one of them."""
        if not self.globs:
            return self._ids
        known = pa.array(self.scale_sets(), pa.string())
        return _ascending(known.filter(self._wanted(known)))

    def _latest(self, paths: list[str], columns: Sequence[str]) -> pa.RecordBatch | None:
        kept = [own for rows in self._groups("revisions", paths, columns, self._named) if len(own := self._own(rows))]
        if not kept:
            return None
        joined = pa.concat_tables(kept)
        return kept_versions(one_batch(joined.to_batches(), joined.schema))

    def _read(self, table: str, day: int, paths: list[str], columns: Sequence[str], apart: Sequence[str]) -> pa.Table | None:
        versions = self.versions(day)
        assert versions is not None  # the day is among those that have rows
        current = _Current(versions)
        names = list(dict.fromkeys([*VERSION, *columns]))
        found = [own for rows in self._groups(table, paths, names, _ascending(current.ids)) if len(own := current.of(rows))]
        count = self._count(table, day)
        rows = pa.concat_tables(found) if found else None
        if rows is not None and len(rows) > count:
            if apart:
                return self._read(table, day, paths, [*columns, *apart], ())
            rows = without_copies(rows)
        if count > (0 if rows is None else len(rows)):
            told = f"{count:,} rows of {table} of {day_name(day)} are required, which are published"
            raise MissingRowsError(f"{self._root}: {told}; files with some of them were removed, or the list of files is behind.")
        return None if rows is None else rows.select(list(columns))

    def _groups(
        self, table: str, paths: Iterable[str], columns: Sequence[str], ids: Ids | None, name: str = ""
    ) -> Iterator[pa.Table]:
        """The rows of each file that may be of some scale sets."""
        for path in paths:
            rows, volume = read_row_groups(path, columns, ids)
            self.opened[name or table].append(volume)
            yield rows

    def _ids_in(self, paths: list[str]) -> list[pa.StringArray]:
        """All ids of some files of `revisions`."""
        found = self._groups("revisions", paths, ["scale_set_id"], None, "ids of revisions")
        return [chunk.dictionary.cast(pa.string()) for rows in found for chunk in rows.column(0).chunks]

    def _own(self, rows: _Rows) -> _Rows:
        """Those of some rows, a table or a batch, that are of wanted scale sets."""
        ids = rows.column("scale_set_id")
        chunks = ids.chunks if isinstance(ids, pa.ChunkedArray) else [ids]
        own = pa.chunked_array([self._wanted(ids.dictionary).take(ids.indices) for ids in chunks], pa.bool_())
        return rows if pc.all(own).as_py() else rows.filter(own)


class _Current:
    """Tells current rows of a day from others."""

    def __init__(self, versions: pa.RecordBatch) -> None:
        column = versions.column("scale_set_id")
        used = column.dictionary.take(pc.unique(column.indices))
        self.ids = used.take(pc.sort_indices(used)).cast(pa.string())
        cell = micros(versions, "cell")
        cells = np.unique(cell)
        self._versions = Versions(cells, np.full((len(self.ids), len(cells)), _NONE))
        place = pc.index_in(column.dictionary, self.ids).fill_null(-1).to_numpy()[column.indices.to_numpy()]
        self._versions.as_of[place, np.searchsorted(cells, cell)] = micros(versions, "as_of")

    def of(self, rows: pa.Table) -> pa.Table:
        """Those of some rows that are current."""
        if not len(rows):
            return rows
        batches = rows.select(VERSION).to_batches()
        known = pa.chunked_array([batch.column(0).dictionary for batch in batches])
        places = pc.index_in(known, self.ids).fill_null(-1).to_numpy().astype(np.int64)
        ends = np.cumsum([len(batch.column(0).dictionary) for batch in batches])
        kept = [self._kept(batch, place) for batch, place in zip(batches, np.split(places, ends[:-1]), strict=True)]
        return rows if all(one.all() for one in kept) else rows.filter(pa.array(np.concatenate(kept)))

    def _kept(self, batch: pa.RecordBatch, places: Ints) -> Bools:
        return self._versions.hold(batch.column(0).indices.to_numpy(), places, micros(batch, "cell"), micros(batch, "as_of"))


def current_versions(root: str, sets: pa.StringArray, since: int | None, until: int) -> pa.RecordBatch:
    """PUBLISHED: the current version of each cell in [since, until), in microseconds, of some scale sets.

    Args:
        root: the folder of the tables.
        sets: ids of scale sets, each once.
        since: None for all that is older than `until`.
        until: end of the last cell.
    """
    selection = Selection(root, ids=sets)
    first = -(2**31) if since is None else since // DAY
    days = [day for day in selection.days if first <= day <= until // DAY]
    with ThreadPoolExecutor(threads_for(root, _THREADS)) as pool:
        found = pool.map(lambda day: selection.revisions(day, _PUBLISHED), days)
        return one_batch([_published(rows, since, until) for rows in found if rows is not None], PUBLISHED)


def current_versions_from(root: str, sets: pa.StringArray, cells: Ints) -> pa.RecordBatch:
    """PUBLISHED: the current version of each cell of some scale sets, of each from a cell of its own on.

    Args:
        root: the folder of the tables.
        sets: ids of scale sets, each once.
        cells: where the first cell of each begins, in microseconds.
    """
    if not len(sets):
        return no_rows(PUBLISHED)
    known = current_versions(root, sets, floor_to(int(cells.min()), DAY), _LAST)
    return known.filter(pa.array(micros(known, "cell") >= cells[places_of(known.column("scale_set_id"), sets)]))


def _published(revisions: pa.RecordBatch, since: int | None, until: int) -> pa.RecordBatch:
    cell = micros(revisions, "cell")
    asked = (cell < until) & (cell >= (cell if since is None else since))
    rows = revisions if asked.all() else revisions.filter(pa.array(asked))
    total = sum(rows.column(name).to_numpy() for name in COUNTS)
    digest = pa.array(from_text(rows.column("digest")))
    columns = [*(rows.column(name) for name in (*VERSION, "revision")), pa.array(total), digest]
    return pa.RecordBatch.from_arrays(columns, schema=PUBLISHED)


def _joined(table: str, parts: Iterable[pa.Table], columns: Sequence[str]) -> pa.Table:
    """The rows of some parts as one table, with one dictionary a column."""
    rows = [part for part in parts if len(part)]
    if not rows:
        return pa.schema([VERSIONED[table].field(name) for name in columns]).empty_table()
    return pa.concat_tables(rows, promote_options="permissive").unify_dictionaries()


def _ascending(ids: pa.StringArray) -> Ids:
    return np.sort(np.array(ids.to_pylist(), object))


def _matcher(globs: Sequence[str]) -> _Matcher:
    folded = [glob.casefold() for glob in globs]

    @cache
    def matches(scale_set_id: str) -> bool:
        id_ = scale_set_id.casefold()
        return not folded or any(fnmatchcase(id_, glob) or fnmatchcase(id_.rpartition("/")[2], glob) for glob in folded)

    return lambda ids: pa.array([matches(one) for one in ids.to_pylist()], pa.bool_())
