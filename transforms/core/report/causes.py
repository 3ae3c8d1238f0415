"""Causes: how much time was excused, removed and counted, by verdict, verb and initiator (rules: Episodes)."""

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables.report import CAUSES, COUNTED
from schemas.time import SECOND
from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import NEVER
from transforms.core.report.figures import seconds
from transforms.core.report.outages import is_in
from transforms.core.report.series import numbered, times

_KEY: Final = ["verdict", "verb", "initiator"]
_TIMES: Final = ["excused_seconds", "removed_seconds", "counted_seconds"]


class Shares(NamedTuple):
    """Microseconds of each attribution row that lie in the period, by what they count as."""

    excused: Ints
    removed: Ints
    counted: Ints


def causes(attributions: pa.Table, since: int, until: int, known: int) -> pa.Table:
    """CAUSES: instances' attributions that overlap [since, until), summed by verdict, verb and initiator.

    Args:
        attributions: current rows.
        since: start of the period, in microseconds.
        until: its end.
        known: T, at which open rows are cut.
    """
    rows = attributions.filter(pc.is_valid(attributions.column("instance_id")))
    start, end = times(rows, "start"), times(rows, "end", min(until, known))
    rows = rows.filter(pa.array((start < until) & (end > since)))
    shares = shares_of(rows, since, until, known)
    start, onset = times(rows, "start"), times(rows, "onset")
    begins = (start == onset) & (start >= since)
    keys = {name: rows.column(name).cast(pa.string()) for name in _KEY}
    sums = dict(zip(_TIMES, shares, strict=True))
    plain = pa.table({**keys, "set": rows.column("scale_set_id").cast(pa.string()), "episodes": begins.astype(np.int64), **sums})
    found = plain.group_by(_KEY).aggregate([("episodes", "sum"), ("set", "count_distinct"), *((name, "sum") for name in _TIMES)])
    whole = found.rename_columns(CAUSES.names)
    most = [-whole.column(name).to_numpy() for name in ("removed_seconds", "excused_seconds", "counted_seconds")]
    ordered = whole.take(pa.array(np.lexsort((*_text_ranks(whole), *most))))
    columns = [seconds(c.to_numpy()) if name in _TIMES else c for name, c in zip(CAUSES.names, ordered.columns, strict=True)]
    return pa.table(columns, schema=CAUSES)


def shares_of(rows: pa.Table, since: int, until: int, known: int) -> Shares:
    """The part of each row that lies in [since, until).

    A row that lies in it as a whole holds the figures itself. For one that an edge cuts, or that is still open, they are the
    times before and after its limit; an upper bound, where part of that was Unknown, since rows do not say when.
    """
    start, end = times(rows, "start"), times(rows, "end", known)
    lo, hi = np.maximum(start, since), np.minimum(end, until)
    limit = times(rows, "limit", NEVER)
    verdict = {name: is_in(rows, "verdict", pa.array([name])) for name in ("explained", "removed", "presumed_removed", "overrun")}
    counts = is_in(rows, "verdict", pa.array(COUNTED))
    unknown = is_in(rows, "worst_state", pa.array(["Unknown"]))
    before, after = _length(lo, np.minimum(hi, limit)), _length(np.maximum(lo, limit), hi)
    whole, none = _length(lo, hi), np.zeros(len(rows), np.int64)
    excusing = (verdict["explained"] | verdict["presumed_removed"] | verdict["overrun"]) & ~unknown
    excused = np.where(excusing, before, none)
    counted = np.where(counts & ~unknown, np.where(verdict["overrun"], after, whole), none)
    removed = np.where(verdict["removed"], whole, np.where(verdict["presumed_removed"], after, none))
    inside = (start >= since) & (end <= until)
    return Shares(_told(rows, "excused_seconds", excused, inside), removed, _told(rows, "counted_seconds", counted, inside))


def _told(rows: pa.Table, column: str, reckoned: Ints, inside: np.ndarray) -> Ints:
    """A row's own figure where the row lies inside; elsewhere the computed one, at most its own."""
    column_ = rows.column(column)
    said = np.round(column_.fill_null(0).to_numpy() * SECOND).astype(np.int64)
    closed = pc.is_valid(column_).combine_chunks().to_numpy(zero_copy_only=False)
    said_or_less: Ints = np.where(closed, np.where(inside, said, np.minimum(reckoned, said)), reckoned)
    return said_or_less


def _length(start: Ints, end: Ints) -> Ints:
    return np.maximum(end - start, 0)


def _text_ranks(rows: pa.Table) -> list[Ints]:
    return [numbered(rows.column(name).fill_null(""))[1] for name in reversed(_KEY)]
