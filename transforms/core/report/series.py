"""The series without the cuts of the grid: intervals of some scale sets in which nothing changes (rules: Rows)."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import TIMESTAMP
from schemas.tables.availability import CLASSES, RAW, SERIES_STATES
from transforms.core.columns.arrow import Ints, codes_of, dictionary_column
from transforms.core.columns.kernel import Bools, group_by
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

    @property
    def offsets(self) -> Ints:
        """`offsets[s]:offsets[s + 1]` are the rows of scale set s."""
        return np.searchsorted(self.set, np.arange(len(self.ids) + 1, dtype=self.set.dtype))


def joined(series: pa.Table) -> pa.Table:
    """SERIES: rows of table `availability`, of which equal ones that stand one behind the other and meet are joined into one.

    The rows stay in their order. `runs_of` gives the same of them, of parts that are put together too.

    Args:
        series: current rows, each once; columns of SERIES.
    """
    ids, code = numbered(series.column("scale_set_id"))
    start, end = times(series, "start"), times(series, "end")
    columns = {name: _numbers(name, series.column(name)) for name in (*_STATES, *COUNTS)}
    first = _meets_none(code, start, end)
    for column in columns.values():
        first[1:] |= column[1:] != column[:-1]
    begins = np.flatnonzero(first)
    states = [columns[name][begins] for name in _STATES]
    counts = [columns[name][begins] for name in COUNTS]
    return _table(ids, code[begins], (start[begins], end[_lasts(begins, len(code))]), states, counts)


def runs_of(series: pa.Table) -> Runs:
    """The series as arrays, in order, with all that can be joined joined.

    Args:
        series: current rows, each once, in any order, or what `joined` makes of them; columns of SERIES.
    """
    return gathered([series])


def gathered(parts: list[pa.Table]) -> Runs:
    """The same of rows in many parts, which it takes out of the list: each column is let go when what it becomes is made."""
    series = pa.concat_tables(parts)
    parts.clear()
    held = dict(zip(series.column_names, series.columns, strict=True))
    del series
    ids, code = numbered(held.pop("scale_set_id"))
    start, end = moments_of(held.pop("start")), moments_of(held.pop("end"))
    order = in_order(code, start, len(ids))
    places: npt.NDArray[Any] = code.astype(np.int32)[order]  # one after the other, so that little is there twice
    del code
    start = start[order]
    end = end[order]
    first = _meets_none(places, start, end)
    for name in (*_STATES, *COUNTS):
        column = _numbers(name, held[name])[order]
        first[1:] |= column[1:] != column[:-1]
    del column
    begins = np.flatnonzero(first)
    order = begins if isinstance(order, slice) else order[begins]
    end = end[_lasts(begins, len(places))]
    start = start[begins]
    places = places[begins]
    del begins, first
    states = [_numbers(name, held.pop(name))[order] for name in _STATES]
    counts = np.empty((len(COUNTS), len(places)), np.int32)
    for place, name in enumerate(COUNTS):
        np.take(_numbers(name, held.pop(name)), order, out=counts[place], mode="clip")
    return Runs(ids, places, start, end, states[0], states[1], counts)


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
    return _table(runs.ids, runs.set, (runs.start, runs.end), [runs.reported, runs.state], runs.counts)


def _table(
    ids: pa.StringArray, code: Ints, moments: Iterable[Ints], states: Iterable[Ints], counts: Iterable[Counts]
) -> pa.Table:
    names = pa.array(SERIES_STATES)
    named = [dictionary_column(codes, names, codes < 0, np.int8) for codes in states]
    when = [pa.array(t).view(TIMESTAMP) for t in moments]
    return pa.Table.from_arrays([dictionary_column(code, ids), *when, *named, *map(pa.array, counts)], schema=SERIES)


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
    numbers: Ints = pa.chunked_array([chunk.view(pa.int64()) for chunk in column.chunks], pa.int64()).fill_null(null).to_numpy()
    return numbers


def _numbers(name: str, column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column of states, as indices into SERIES_STATES or -1, or of counts."""
    if name in _STATES:
        return numbered(column, pa.array(SERIES_STATES))[1].astype(np.int8)
    return column.cast(pa.int32()).to_numpy()
