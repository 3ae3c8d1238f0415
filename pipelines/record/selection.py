"""Selected current rows: of some scale sets and days, read without opening what cannot hold any (contract: Current rows).

`revisions` is read first: it says on which days a table has rows of the wanted scale sets at all. Of those days' files only row
groups are opened whose statistics admit one of the sets, and of these only the columns asked for.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from functools import cache, cached_property, lru_cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.failures import RunError
from pipelines.record.compact import without_copies
from pipelines.record.folder import files, read
from pipelines.record.tables import day_name, day_number
from pipelines.record.versions import latest
from schemas.time import DAY
from transforms.core.columns.arrow import Ints, micros, one_batch
from transforms.core.ledger.changes import ROWS

_VERSION: Final = ["scale_set_id", "cell", "as_of"]
_REVISION: Final = [*_VERSION, *ROWS, "policy"]
_DICTIONARIES: Final = ("scale_set_id", "reported_state", "state", "instance_id", "verb", "verdict", "worst_state", "initiator")
_COUNT: Final = dict(zip(("availability", "attributions", "operations"), ROWS, strict=True))
"""The column of `revisions` that counts the rows of a table."""
_THREADS: Final = 2
_TRIES: Final = 3


class ReadVolume(NamedTuple):
    """How much of the files of a table was read, for measurements."""

    row_groups: int
    of_row_groups: int
    bytes: int


class Selection:
    """The current rows of some scale sets of a folder, as it stands when it is first asked."""

    def __init__(self, root: str, globs: Sequence[str] = (), only: str | None = None) -> None:
        """Selects.

        Args:
            root: the folder of the tables.
            globs: case-insensitive patterns of a scale set's id or of its name; none: all.
            only: the id of the one scale set that is wanted, instead of patterns.
        """
        self._root = root
        self.globs = tuple(globs)
        self._wanted = _matcher(globs) if only is None else only.__eq__
        self._ids = None if only is None else pa.array([only])
        self._versions: dict[int, pa.RecordBatch | None] = {}
        self.opened: dict[str, list[ReadVolume]] = defaultdict(list)
        """By table; what `all_rows` opens has a name of its own, "all" and the table."""

    def narrowed(self, ids: Collection[str]) -> "Selection":
        """The same of some scale sets, by their exact ids; what is known of their versions is not read again."""
        narrow, names = Selection(self._root), pa.array(sorted(ids), pa.string())
        narrow._wanted, narrow.opened = frozenset(ids).__contains__, self.opened
        for day, versions in self._versions.items():
            narrow._versions[day] = None if versions is None else _of(versions, names)
        return narrow

    def of_wanted(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """What is told of the wanted scale sets."""
        return {scale_set_id: size for scale_set_id, size in sizes.items() if self._wanted(scale_set_id)}

    @cached_property
    def days(self) -> list[int]:
        """The days, counted since the epoch, on which anything has been published."""
        return sorted(self._files("revisions"))

    def first_cell(self) -> int | None:
        """Where the first cell with a series begins, in microseconds; None if no scale set is like those wanted."""
        return next((min(cells) for day in self.days if (cells := self._cells(day))), None)

    def last_cell(self) -> int | None:
        """Where the last one begins."""
        return next((max(cells) for day in reversed(self.days) if (cells := self._cells(day))), None)

    def versions(self, day: int) -> pa.RecordBatch | None:
        """The current version of each cell of a day, of the wanted scale sets; None if there is none."""
        if day not in self._versions:
            self._versions[day] = self._again("revisions", day, lambda paths: self._latest(paths))
        return self._versions[day]

    def rows(
        self, table: str, days: Iterable[int], columns: Sequence[str], then: Callable[[pa.Table], pa.Table] = lambda rows: rows
    ) -> list[pa.Table]:
        """Current rows, a table a day that has any.

        Args:
            table: availability, attributions or operations.
            days: counted since the epoch.
            columns: those wanted; `start` and, where a scale set can have several at once, what tells them apart among them.
            then: what is made of a day's rows at once, so that they need not all be held.
        """
        with ThreadPoolExecutor(_THREADS) as pool:
            wanted = sorted(set(self.days).intersection(days))
            list(pool.map(self.versions, wanted))  # before the files are listed: what is published has its rows on disk
            held = [day for day in wanted if self._count(table, day)]
            found = pool.map(lambda day: self._again(table, day, lambda paths: self._read(table, day, paths, columns)), held)
            return [then(rows) for rows in found if rows is not None and len(rows)]

    def all_rows(self, table: str, days: Iterable[int], columns: Sequence[str]) -> list[pa.Table]:
        """Rows of every version, exact copies too, with what names the version; a table a day that has any."""
        names = list(dict.fromkeys([*_VERSION, *columns]))

        def reads(paths: list[str]) -> pa.Table | None:
            found = [rows for path in paths for rows in self._groups(f"all {table}", path, names, self._ids)]
            return pa.concat_tables([rows.filter(pa.array(self._asked(rows))) for rows in found]) if found else None

        found = [self._again(table, day, reads) for day in days]
        return [rows for rows in found if rows is not None and len(rows)]

    def scale_sets(self) -> list[str]:
        """The ids of all scale sets of which anything was ever published, wanted or not, ascending."""
        paths = [path for paths in self._files("revisions").values() for path in paths]
        with ThreadPoolExecutor(_THREADS) as pool:
            return sorted(set().union(*pool.map(_ids, paths)))

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
    def _files(self, table: str) -> dict[int, list[str]]:
        days: dict[int, list[str]] = defaultdict(list)
        for path in files(self._root, f"{table}/day=*/*.parquet"):
            try:
                days[day_number(path)].append(path)
            except ValueError:
                raise RunError(f"{path}: a folder named like day=2026-01-31 is required for each file.") from None
        return days

    def _again(self, table: str, day: int, reads: Callable[[list[str]], pa.Table | None]) -> pa.Table | None:
        """Reads the files of a day; lists them again if one has gone, as when others compact."""
        paths = self._files(table).get(day, [])
        for _ in range(_TRIES - 1):
            try:
                return reads(paths)
            except FileNotFoundError:
                paths = files(self._root, f"{table}/{day_name(day)}/*.parquet")
        return reads(paths)

    def _latest(self, paths: list[str]) -> pa.RecordBatch | None:
        tables = [rows for path in paths for rows in self._groups("revisions", path, _REVISION, None)]
        kept = [rows.filter(pa.array(self._asked(rows))) for rows in tables]
        kept = [rows for rows in kept if len(rows)]
        if not kept:
            return None
        joined = pa.concat_tables(kept)
        return latest(one_batch(joined.to_batches(), joined.schema))

    def _asked(self, rows: pa.Table) -> np.ndarray:
        columns = [(batch.column("scale_set_id").dictionary, batch.column("scale_set_id").indices) for batch in rows.to_batches()]
        return np.concatenate(
            [np.array([self._wanted(one) for one in ids.to_pylist()], np.bool_)[codes] for ids, codes in columns]
        )

    def _read(self, table: str, day: int, paths: list[str], columns: Sequence[str]) -> pa.Table | None:
        versions = self.versions(day)
        assert versions is not None  # the day is among those that have rows
        current = _Current(versions, day)
        names = list(dict.fromkeys([*_VERSION, *columns]))
        read_ = [current.of(rows) for path in paths for rows in self._groups(table, path, names, current.ids)]
        found = [rows for rows in read_ if len(rows)]
        if not found:
            return None
        rows = pa.concat_tables(found)
        whole = len(rows) <= self._count(table, day)
        return (rows if whole else without_copies(rows)).select(list(columns))

    def _groups(self, table: str, path: str, columns: list[str], ids: pa.StringArray | None) -> Iterator[pa.Table]:
        """The row groups of a file that may hold one of some scale sets (ascending)."""
        with read(path) as source:
            file = _opened(path, source, columns)
            wanted = [
                group for group in range(file.num_row_groups) if ids is None or _may_hold(file.metadata.row_group(group), ids)
            ]
            self.opened[table].append(ReadVolume(len(wanted), file.num_row_groups, _size(file, wanted, columns)))
            if wanted:
                yield _rows_of(path, file, wanted, columns)


def _opened(path: str, source: pa.NativeFile, columns: Sequence[str]) -> pq.ParquetFile:
    try:
        metadata = pq.read_metadata(source)
        lacking = sorted(set(columns).difference(metadata.schema.to_arrow_schema().names))
        if lacking:
            raise RunError(f"{path}: a column {lacking[0]} is required, and there is none.")
        return pq.ParquetFile(source, metadata=metadata, read_dictionary=[name for name in _DICTIONARIES if name in columns])
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(path, error) from error


def _rows_of(path: str, file: pq.ParquetFile, groups: list[int], columns: list[str]) -> pa.Table:
    try:
        return file.read_row_groups(groups, columns=columns, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: str, error: Exception) -> RunError:
    said = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    return RunError(f"{path}: a whole Parquet file is required, and this one is damaged ({said}).")


class _Current:
    """Tells current rows of a day from others."""

    def __init__(self, versions: pa.RecordBatch, day: int) -> None:
        column = versions.column("scale_set_id")
        used = column.dictionary.take(pc.unique(column.indices))
        self.ids = used.take(pc.sort_indices(used)).cast(pa.string())
        self._start = day * DAY
        key = self._keys(versions)
        order = np.argsort(key, kind="stable")
        self._key, self._as_of = key[order], micros(versions, "as_of")[order]

    def of(self, rows: pa.Table) -> pa.Table:
        """Those of some rows that are current."""
        if not len(rows):
            return rows
        key = np.concatenate([self._keys(batch) for batch in rows.to_batches()])
        place = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        as_of = rows.column("as_of").cast(pa.int64()).to_numpy()
        kept = (self._key[place] == key) & (self._as_of[place] == as_of)
        return rows if kept.all() else rows.filter(pa.array(kept))

    def _keys(self, batch: pa.RecordBatch) -> Ints:
        """One number a (scale set, cell) of the day; negative for a scale set that is not wanted."""
        column = batch.column("scale_set_id")
        place = pc.index_in(column.dictionary, self.ids).fill_null(-1).to_numpy().astype(np.int64)
        key: Ints = place[column.indices.to_numpy()] * DAY + (micros(batch, "cell") - self._start)
        return key


def _of(versions: pa.RecordBatch, ids: pa.StringArray) -> pa.RecordBatch | None:
    """Those of some scale sets; None if there is none."""
    column = versions.column("scale_set_id")
    wanted = pc.is_in(column.dictionary.cast(pa.string()), ids)
    kept = versions.filter(wanted.take(column.indices))
    return kept if len(kept) else None


def _ids(path: str) -> set[str]:
    with read(path) as source:
        column = pq.ParquetFile(source, read_dictionary=["scale_set_id"]).read(["scale_set_id"]).column(0)
    return {one for chunk in column.chunks for one in chunk.dictionary.to_pylist()}


def _may_hold(group: pq.RowGroupMetaData, ids: pa.StringArray) -> bool:
    """Whether one of some ids (ascending) lies between the least and the greatest of a row group."""
    names = (group.column(place).path_in_schema for place in range(group.num_columns))
    place = next(place for place, name in enumerate(names) if name == "scale_set_id")
    statistics = group.column(place).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    known = ids.to_pylist()
    lo, hi = np.searchsorted(np.array(known, object), [statistics.min, statistics.max])
    return bool(lo < hi or (hi < len(known) and known[hi] == statistics.max))


def _size(file: pq.ParquetFile, groups: list[int], columns: list[str]) -> int:
    chunks = (file.metadata.row_group(group).column(place) for group in groups for place in range(file.metadata.num_columns))
    return sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in columns)


def _matcher(globs: Sequence[str]) -> Callable[[str], bool]:
    folded = [glob.casefold() for glob in globs]

    @cache
    def wanted(scale_set_id: str) -> bool:
        id_ = scale_set_id.casefold()
        return not folded or any(fnmatchcase(id_, glob) or fnmatchcase(id_.rpartition("/")[2], glob) for glob in folded)

    return wanted
