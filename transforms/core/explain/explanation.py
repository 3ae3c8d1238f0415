"""What is told of a scale set's trouble: its stretches, and what is behind each (contract: trueup explain)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.time import NEVER, to_micros
from transforms.core.columns.arrow import Ints

TOLD: Final = (
    "scale_set_id", "instance_id", "start", "end", "onset", "worst_state", "verdict", "operation_key", "verb", "initiator",
    "operation_start", "operation_end", "limit", "lag_seconds", "candidates", "excused_seconds", "counted_seconds",
    "signal_event_id",
)  # fmt: skip
"""Columns of table `attributions` that an explanation reads."""

TAKEN: Final = ("removed", "presumed_removed")
"""Verdicts that say that an instance was taken away."""
COUNTED: Final = ("unexplained", "fault", "unexcused", "overrun")
"""Verdicts of which something counts."""
_ORDER: Final = (*COUNTED, "presumed_removed", "explained", "removed")
_WORSE: Final = ("Available", "Unknown", "Degraded", "Unavailable")
_OPERATION: Final = ("operation_key", "verb", "operation_start")


class Cause(NamedTuple):
    """The operation that is named for some trouble; times in microseconds."""

    key: str
    verb: str
    initiator: str
    start: int
    end: int | None


class Part(NamedTuple):
    """Attributions that are told together: one verdict, one operation, of the set itself or of its instances."""

    own: bool
    """Whether it is the scale set's own health."""
    verdict: str
    cause: Cause | None
    instances: tuple[str, ...]
    """Ascending; empty if `own`."""
    worst: str
    onset: tuple[int, int]
    """The earliest and the latest moment at which it began."""
    start: int
    """Where the latest of the rows begins: later than the onset if a long one was continued."""
    end: tuple[int, int] | None
    """The earliest and the latest end of those that have ended."""
    open: int
    """How many have not."""
    limit: tuple[int, int] | None
    lag: tuple[float, float] | None
    """Seconds."""
    candidates: tuple[int, int]
    excused: float
    """Seconds, of those that have ended."""
    counted: float
    signals: tuple[str, ...]
    """The events with which they began; some, where there are many."""


class Stretch(NamedTuple):
    """A stretch of trouble: episodes that overlap, or that one operation explains. Microseconds."""

    start: int
    end: int
    """T if it is open. What was taken away is in it until it is back: another stretch may have begun by then."""
    open: bool
    """Whether any of it has not ended."""
    parts: tuple[Part, ...]

    @property
    def away(self) -> bool:
        """Whether what has not ended is no more than that instances have been taken away."""
        return self.open and all(part.verdict in TAKEN for part in self.parts if part.open)


class StretchBounds(NamedTuple):
    """When stretches begin and end, without their attributions; one entry a stretch, ascending."""

    start: Ints
    end: Ints
    """Where the trouble ends."""
    until: Ints
    """Where all of it ends: of what was taken away, the time until it is back included; NEVER: it has not ended."""
    known: int
    """T."""
    rows: pa.Table
    """Those attributions that are trouble."""
    number: Ints
    """Of each row, the stretch that it is of."""


def spans_of(rows: pa.Table, known: int) -> StretchBounds:
    """The stretches of trouble that some attributions make.

    Of what was taken away, the time up to the operation's limit is trouble; from there on it is simply away, and what happens
    meanwhile is a stretch of its own. A stretch of removed time in which nothing but Available was reported is none.

    Args:
        rows: current rows of one scale set, with the columns TOLD.
        known: T, where open ones end as far as is known.
    """
    start, end = _micros(rows, "start", 0), _micros(rows, "end", known)
    limit, back = _micros(rows, "limit", NEVER), _back(rows)
    taken = pc.is_in(rows.column("verdict").cast(pa.string()), pa.array(TAKEN)).to_numpy()
    silent = pc.equal(rows.column("worst_state").cast(pa.string()), "Available").to_numpy()
    end = np.where(taken, np.minimum(end, limit), end)
    kept = (start < end) & ~(taken & silent)
    rows, start, end, back = rows.filter(pa.array(kept)), start[kept], end[kept], back[kept]
    first, last = _hulls(rows, start, end)
    order = np.lexsort((last, first))
    reached = np.maximum.accumulate(last[order]) if len(order) else last
    new = np.ones(len(order), np.bool_)
    new[1:] = first[order][1:] > reached[:-1]
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    begins = np.flatnonzero(new)
    ends = np.append(begins[1:], len(order))[: len(begins)] - 1
    until = reached[ends]
    np.maximum.at(until, number, back)
    return StretchBounds(first[order][begins], reached[ends], until, known, rows, number)


def stretch_of(spans: StretchBounds, number: int) -> Stretch:
    """One of some stretches, with what is in it."""
    chosen = spans.rows.filter(pa.array(spans.number == number))
    until = int(spans.until[number])
    return Stretch(int(spans.start[number]), min(until, spans.known), until == NEVER, parts_of(chosen))


def covering(rows: pa.Table, at: int) -> pa.Table:
    """The attributions in [start, end) of which a moment lies."""
    start, end = _micros(rows, "start", 0), _micros(rows, "end", NEVER)
    return rows.filter(pa.array((start <= at) & (at < end)))


def parts_of(rows: pa.Table) -> tuple[Part, ...]:
    """Some attributions, told together where verdict and operation are the same; instances' first, what counts before what
    does not, then the earlier."""
    keys = {
        "own": pc.is_null(rows.column("instance_id")),
        **{name: _text(rows, name) for name in ("verdict", "operation_key", "verb", "initiator")},
        **{name: _numbers(rows, name) for name in ("operation_start", "operation_end")},
    }
    values = {
        **{name: _text(rows, name) for name in ("instance_id", "signal_event_id")},
        "worst": pc.index_in(_text(rows, "worst_state"), pa.array(_WORSE)),
        **{name: _numbers(rows, name) for name in ("start", "end", "onset", "limit")},
        **{name: rows.column(name) for name in ("lag_seconds", "candidates", "excused_seconds", "counted_seconds")},
        "open": pc.is_null(rows.column("end")).cast(pa.int32()),
    }
    found = pa.table({**keys, **values}).group_by(list(keys), use_threads=False).aggregate(_AGGREGATES).to_pylist()
    return tuple(sorted(map(_part, found), key=_rank))


_AGGREGATES: Final = [
    *(("instance_id", "distinct"), ("signal_event_id", "distinct"), ("worst", "max"), ("start", "max"), ("open", "sum")),
    *((name, side) for name in ("onset", "end", "limit", "lag_seconds", "candidates") for side in ("min", "max")),
    *(("excused_seconds", "sum"), ("counted_seconds", "sum")),
]


def _part(row: dict[str, Any]) -> Part:
    def pair(name: str) -> Any:
        return None if row[f"{name}_min"] is None else (row[f"{name}_min"], row[f"{name}_max"])

    return Part(
        own=row["own"],
        verdict=row["verdict"],
        cause=None if row["verb"] is None else Cause(*(row[name] for name in _CAUSE)),
        instances=_present(row["instance_id_distinct"]),
        worst=_WORSE[row["worst_max"]],
        onset=pair("onset"),
        start=row["start_max"],
        end=pair("end"),
        open=row["open_sum"],
        limit=pair("limit"),
        lag=pair("lag_seconds"),
        candidates=pair("candidates"),
        excused=row["excused_seconds_sum"] or 0.0,
        counted=row["counted_seconds_sum"] or 0.0,
        signals=_present(row["signal_event_id_distinct"]),
    )


_CAUSE: Final = ("operation_key", "verb", "initiator", "operation_start", "operation_end")


def _present(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted(text for text in texts if text is not None))


def _rank(part: Part) -> tuple[Any, ...]:
    return (part.own, _ORDER.index(part.verdict), part.onset, part.cause or ())


def _back(rows: pa.Table) -> Ints:
    """Of each row, where that ends of which it is a part, NEVER if it has not: a long one is continued in other rows."""
    keys = pa.table({"instance": _text(rows, "instance_id"), "verdict": _text(rows, "verdict"), "at": _numbers(rows, "onset")})
    groups = keys.append_column("row", pa.array(np.arange(len(rows)))).group_by(keys.column_names, use_threads=False)
    back = _micros(rows, "end", NEVER).copy()
    for places in _lists(groups.aggregate([("row", "list")]).column("row_list")):
        back[places] = back[places].max()
    return back


def _hulls(rows: pa.Table, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Of each row, from where to where its operation makes trouble; of one without an operation, its own bounds."""
    keys = pa.table({"key": _text(rows, "operation_key"), "verb": _text(rows, "verb"), "at": _numbers(rows, "operation_start")})
    row = pa.array(np.arange(len(rows)))
    named = keys.append_column("row", row).filter(pc.is_valid(keys.column("verb")))
    groups = named.group_by(["key", "verb", "at"], use_threads=False).aggregate([("row", "list")]).column("row_list")
    first, last = start.copy(), end.copy()
    for places in _lists(groups):
        first[places], last[places] = start[places].min(), end[places].max()
    return first, last


def _lists(groups: pa.ChunkedArray) -> Iterator[Ints]:
    for chunk in groups.chunks:
        for k in range(len(chunk)):
            yield chunk[k].values.to_numpy()


def _text(rows: pa.Table, column: str) -> pa.ChunkedArray:
    return rows.column(column).cast(pa.string())


def _numbers(rows: pa.Table, column: str) -> pa.ChunkedArray:
    return rows.column(column).cast(pa.int64())


def _micros(rows: pa.Table, column: str, missing: int) -> Ints:
    numbers: Ints = _numbers(rows, column).fill_null(missing).to_numpy()
    return numbers


def micros_or_none(time: datetime | None) -> int | None:
    """Microseconds of a time that may be missing."""
    return None if time is None else to_micros(time)
