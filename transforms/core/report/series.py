"""The series without the cuts of the grid: intervals of some scale sets in which nothing changes (rules: Rows)."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import TIMESTAMP
from schemas.tables.availability import CLASSES, RAW, SERIES_STATES
from transforms.core.columns.arrow import Ints, codes_of, dictionary_column
from transforms.core.columns.kernel import Bools, group_by, kernel
from transforms.core.columns.members import places_among

Counts = npt.NDArray[np.int32]
COUNTS: Final = (*RAW, *CLASSES)
_STATES: Final = ("reported_state", "state")
_NAME: Final = pa.dictionary(pa.int8(), pa.string())
_T = TypeVar("_T", bound=np.generic)

SERIES: Final = pa.schema(
    [
        ("scale_set_id", pa.dictionary(pa.int32(), pa.string())),
        ("start", TIMESTAMP),
        ("end", TIMESTAMP),
        *((name, _NAME) for name in _STATES),
        *((name, pa.int32()) for name in COUNTS),
    ]
)
"""Sorted by scale_set_id, then start; no two rows that meet are equal in all but their times."""


class Runs(NamedTuple):
    """The series as arrays, one entry a row; scale sets are numbered in the order of their ids."""

    ids: pa.StringArray
    set: Ints
    start: Ints
    end: Ints
    reported: Ints
    """Index into SERIES_STATES; -1 where no state was reported."""
    state: Ints
    counts: Counts
    """One row each of COUNTS: a year of many sets has millions of entries, and its columns must not be copied for Arrow."""

    def of(self, *names: str) -> Ints:
        """The sum of some of the counts."""
        total = np.zeros(len(self.set), np.int64)
        for name in names:
            total += self.counts[COUNTS.index(name)]
        return total

    @property
    def present(self) -> Ints:
        """The number of instances that are counted at all."""
        return self.of(*RAW)

    @property
    def at_risk(self) -> Ints:
        """The number of instances whose episodes may begin: those that are counted and not removed."""
        return self.present - self.of("removed")

    def at(self, places: Ints | Bools) -> "Runs":
        """Some of them."""
        times = (self.start[places], self.end[places])
        return Runs(self.ids, self.set[places], *times, self.reported[places], self.state[places], self.counts[:, places])


def runs_of(series: pa.Table) -> Runs:
    """The series as arrays, in order, with all that can be joined joined.

    Args:
        series: current rows, each once, in any order; columns of SERIES.
    """
    return joined(ordered(rows_of(series)))


def rows_of(series: pa.Table, ids: pa.StringArray | None = None) -> Runs:
    """The rows as arrays, in their order and as they were cut.

    Args:
        series: columns of SERIES.
        ids: the scale sets, by whose order they are numbered; None: those of the rows.
    """
    ids, code = numbered(series.column("scale_set_id"), ids)
    states = [_states(series.column(name)) for name in _STATES]
    counts = np.empty((len(COUNTS), len(series)), np.int32)
    for place, name in enumerate(COUNTS):
        np.concatenate([counts[place, :0], *(chunk.to_numpy() for chunk in series.column(name).chunks)], out=counts[place])
    return Runs(ids, code.astype(np.int32), times(series, "start"), times(series, "end"), states[0], states[1], counts)


def ordered(rows: Runs) -> Runs:
    """The rows by scale set and start."""
    order = in_order(rows.set, rows.start, len(rows.ids))
    return rows if isinstance(order, slice) else rows.at(order)


def together(rows: Runs) -> Runs:
    """The rows with those of a scale set together, by start; as those of files are, which costs no copy."""
    return rows if _stand_together(rows.set, rows.start, np.zeros(len(rows.ids), np.bool_)) else ordered(rows)


def joined(rows: Runs) -> Runs:
    """The rows, of which equal ones that stand one behind the other and meet are joined into one."""
    first = _meets_none(rows.set, rows.start, rows.end)
    for column in (rows.reported, rows.state, *rows.counts):
        first[1:] |= column[1:] != column[:-1]
    begins = np.flatnonzero(first)
    return rows if len(begins) == len(first) else rows.at(begins)._replace(end=rows.end[_lasts(begins, len(first))])


def _meets_none(code: Ints, start: Ints, end: Ints) -> Bools:
    """Whether each row begins at another moment than where the one before it, of its scale set, ends."""
    alone = np.ones(len(code), np.bool_)
    alone[1:] = (code[1:] != code[:-1]) | (start[1:] != end[:-1])
    return alone


def _lasts(begins: Ints, rows: int) -> Ints:
    """The last row of each of some stretches of rows."""
    return np.append(begins[1:], rows)[: len(begins)] - 1


def in_order(code: Ints, start: Ints, sets: int) -> Ints | slice:
    """The order of rows by scale set and start; a slice where the rows are in order already, which costs no copy."""
    if ((code[1:] > code[:-1]) | ((code[1:] == code[:-1]) & (start[1:] >= start[:-1]))).all():
        return slice(None)
    bounds, order = group_by(code, sets, np.arange(len(code)))  # enough where each set's rows are in order, as those of files are
    placed = start[order]
    later = np.append(True, placed[1:] >= placed[:-1])
    later[bounds[:-1][bounds[:-1] < len(code)]] = True  # another set
    return order if later.all() else np.lexsort((start, code))


def table_of(runs: Runs) -> pa.Table:
    """The runs as a table of SERIES."""
    names = pa.array(SERIES_STATES)
    named = [dictionary_column(codes, names, codes < 0, np.int8) for codes in (runs.reported, runs.state)]
    when = [pa.array(t).view(TIMESTAMP) for t in (runs.start, runs.end)]
    columns = [dictionary_column(runs.set, runs.ids), *when, *named, *map(pa.array, runs.counts)]
    return pa.Table.from_arrays(columns, schema=SERIES)


def clipped(runs: Runs, since: int, until: int) -> Runs:
    """The part of the runs that lies in [since, until)."""
    start, end = np.maximum(runs.start, since), np.minimum(runs.end, until)
    kept, cut = start < end, runs._replace(start=start, end=end)
    return cut if kept.all() else cut.at(kept)


def numbered(ids: pa.ChunkedArray, sets: pa.StringArray | None = None) -> tuple[pa.StringArray, Ints]:
    """The ids in order, and the index of each row's id among them, or among the given ids (-1: none of them).

    >>> numbered(pa.chunked_array([["b", "a", "b"]]))[1].tolist()
    [1, 0, 1]
    """
    column = encoded(ids)
    if sets is None:
        held = [chunk.dictionary.cast(pa.string()).take(pc.unique(chunk.indices).drop_null()) for chunk in column.chunks]
        found = pc.unique(pa.chunked_array(held, pa.string()))
        sets = found.take(pc.sort_indices(found))
    return sets, each_text(column, lambda texts: places_among(texts, sets), -1)


def encoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of texts with dictionaries."""
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def each_text(column: pa.ChunkedArray, of: Callable[[pa.StringArray], npt.NDArray[_T]], null: Any) -> npt.NDArray[_T]:
    """What a function of texts gives for each row of a column with dictionaries; it is asked once, for what is in these."""
    dictionaries = [chunk.dictionary.cast(pa.string()) for chunk in column.chunks]
    values = of(pa.chunked_array(dictionaries, pa.string()).combine_chunks())
    ends = np.cumsum([0, *map(len, dictionaries)])
    own = [np.append(values[lo:hi], values.dtype.type(null)) for lo, hi in pairwise(ends.tolist())]
    return np.concatenate([values[:0], *(one[codes_of(chunk)] for one, chunk in zip(own, column.chunks, strict=True))])


def times(table: pa.Table, column: str, null: int = 0) -> Ints:
    """A column of timestamps as microseconds."""
    return moments_of(table.column(column), null)


def moments_of(column: pa.ChunkedArray, null: int = 0) -> Ints:
    """Timestamps as microseconds."""
    plain = pa.chunked_array([chunk.view(pa.int64()) for chunk in column.chunks], pa.int64())
    numbers: Ints = (plain.fill_null(null) if column.null_count else plain).to_numpy()
    return numbers


def _states(column: pa.ChunkedArray) -> Ints:
    """A column of states, as indices into SERIES_STATES or -1."""
    return numbered(column, pa.array(SERIES_STATES))[1].astype(np.int8)


@kernel
def _stand_together(code: Ints, start: Ints, met: Bools) -> bool:
    for row in range(len(code)):
        if row > 0 and code[row] == code[row - 1]:
            if start[row] < start[row - 1]:
                return False
        elif met[code[row]]:
            return False
        met[code[row]] = True
    return True
