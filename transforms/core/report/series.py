"""The series without the cuts of the grid: intervals of some scale sets in which nothing changes (rules: Rows)."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import TIMESTAMP
from schemas.tables.availability import CLASSES, RAW, SERIES_STATES
from transforms.core.columns.arrow import Ints, dictionary_column

COUNTS: Final = (*RAW, *CLASSES)
_STATES: Final = ("reported_state", "state")
_NAME: Final = pa.dictionary(pa.int8(), pa.string())

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
    counts: npt.NDArray[np.int32]
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

    @property
    def offsets(self) -> Ints:
        """`offsets[s]:offsets[s + 1]` are the rows of scale set s."""
        return np.searchsorted(self.set, np.arange(len(self.ids) + 1))


def joined(series: pa.Table) -> pa.Table:
    """SERIES: rows of table `availability`, in which adjacent equal rows are joined into one.

    Joining parts, and then their concatenation, gives the same as joining all at once.

    Args:
        series: current rows, each once, in any order; columns of SERIES.
    """
    return table_of(runs_of(series))


def runs_of(series: pa.Table, sets: pa.StringArray | None = None) -> Runs:
    """The same as arrays.

    Args:
        series: as for `joined`.
        sets: ids by which scale sets are numbered, ascending; those of the rows unless given.
    """
    ids, code = numbered(series.column("scale_set_id"), sets)
    start, end = times(series, "start"), times(series, "end")
    order = _order(code, start)
    states = [_state_codes(series.column(name))[order] for name in _STATES]
    counts = np.empty((len(COUNTS), len(code)), np.int32)
    for place, name in enumerate(COUNTS):
        counts[place] = _numbers(series.column(name))[order]
    code, start, end = code[order], start[order], end[order]
    first = np.ones(len(code), np.bool_)
    first[1:] = (code[1:] != code[:-1]) | (start[1:] != end[:-1])
    for column in (*states, *counts):
        first[1:] |= column[1:] != column[:-1]
    begins = np.flatnonzero(first)
    last = np.append(begins[1:], len(code))[: len(begins)] - 1
    kept = slice(None) if len(begins) == len(code) else begins
    return Runs(ids, code[kept], start[kept], end[last], states[0][kept], states[1][kept], counts[:, kept])


def _order(code: Ints, start: Ints) -> Ints | slice:
    """The order by scale set and start; a slice where the rows are in order already, which costs no copy."""
    ascending = (code[1:] > code[:-1]) | ((code[1:] == code[:-1]) & (start[1:] >= start[:-1]))
    return slice(None) if ascending.all() else np.lexsort((start, code))


def table_of(runs: Runs) -> pa.Table:
    """The runs as a table of SERIES."""
    names = pa.array(SERIES_STATES)
    states = [dictionary_column(codes, names, codes < 0, np.int8) for codes in (runs.reported, runs.state)]
    ids = dictionary_column(runs.set, runs.ids)
    counts = [pa.array(column) for column in runs.counts]
    moments = [pa.array(t).cast(TIMESTAMP) for t in (runs.start, runs.end)]
    return pa.Table.from_arrays([ids, *moments, *states, *counts], schema=SERIES)


def clipped(runs: Runs, since: int, until: int) -> Runs:
    """The part of the runs that lies in [since, until)."""
    start, end = np.maximum(runs.start, since), np.minimum(runs.end, until)
    kept = slice(None) if (start < end).all() else start < end
    names = (runs.reported[kept], runs.state[kept])
    return Runs(runs.ids, runs.set[kept], start[kept], end[kept], *names, runs.counts[:, kept])


def numbered(ids: pa.ChunkedArray, sets: pa.StringArray | None = None) -> tuple[pa.StringArray, Ints]:
    """The ids in order, and the index of each row's id among them, or among the given ids (-1: none of them).

    >>> numbered(pa.chunked_array([["b", "a", "b"]]))[1].tolist()
    [1, 0, 1]
    """
    column = ids if pa.types.is_dictionary(ids.type) else ids.dictionary_encode()
    one = pa.concat_arrays(column.unify_dictionaries().chunks) if column.num_chunks else pa.array([], column.type)
    known = one.dictionary.cast(pa.string())
    used = pc.take(known, pc.unique(one.indices).drop_null()) if sets is None else sets
    names = used.take(pc.sort_indices(used)) if sets is None else sets
    place = pc.index_in(known, names).fill_null(-1).to_numpy().astype(np.int64)
    codes = one.indices.fill_null(len(known)).to_numpy()
    return names, np.append(place, -1)[codes]


def times(table: pa.Table, column: str, null: int = 0) -> Ints:
    """A column of timestamps as microseconds."""
    numbers: Ints = table.column(column).cast(pa.int64()).fill_null(null).to_numpy()
    return numbers


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    numbers: npt.NDArray[np.int32] = column.cast(pa.int32()).to_numpy()
    return numbers


def _state_codes(column: pa.ChunkedArray) -> Ints:
    _, code = numbered(column, pa.array(SERIES_STATES))
    return code
