"""Causes: how much time was excused, removed and counted, by verdict, verb and initiator (rules: Episodes)."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables.report import CAUSES, COUNTED
from schemas.time import SECOND
from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import NEVER, Bools
from transforms.core.columns.members import by_place, places_among
from transforms.core.report.figures import seconds
from transforms.core.report.outages import is_in
from transforms.core.report.series import numbered, times

_KEY: Final = ["verdict", "verb", "initiator"]
_REMOVED: Final = pa.array(["removed", "presumed_removed"])
_TIMES: Final = ["excused_seconds", "removed_seconds", "counted_seconds"]


class Shares(NamedTuple):
    """Microseconds of each attribution row that lie in the period, by what they count as."""

    excused: Ints
    removed: Ints
    counted: Ints


class CauseSums(NamedTuple):
    """What some attributions add to CAUSES."""

    keys: pa.Table
    """The texts of each group: verdict, verb, initiator; the latter two may be null."""
    ids: pa.StringArray
    met: Bools
    """Which of these scale sets each group has; group x id."""
    sums: Ints
    """Group x (episodes, and microseconds excused, removed and counted)."""


def cause_sums(attributions: pa.Table, since: int, until: int, known: int) -> CauseSums:
    """Instances' attributions that overlap [since, until), summed by verdict, verb and initiator.

    Args:
        attributions: current rows.
        since: start of the period, in microseconds.
        until: its end.
        known: T, at which open rows are cut.
    """
    start, end = times(attributions, "start"), times(attributions, "end", min(until, known))
    kept = pc.is_valid(attributions.column("instance_id")).to_numpy() & (start < until) & (end > since)
    group, keys = _groups(attributions, kept)
    begins = ((start == times(attributions, "onset")) & (start >= since)).astype(np.int64)
    ids, code = numbered(attributions.column("scale_set_id"))
    met = np.zeros((len(keys) + 1, len(ids)), np.bool_)
    met[group, code] = True
    each = (begins, *shares_of(attributions, since, until, known))
    sums = [by_place(np.add, one, group, len(keys) + 1, 0)[:-1] for one in each]
    return CauseSums(keys, ids, met[:-1], np.stack(sums, axis=1))


def causes(parts: Sequence[CauseSums]) -> pa.Table:
    """CAUSES of all parts of the attributions."""
    ids, _ = numbered(pa.chunked_array([part.ids for part in parts], pa.string()))
    groups = pa.concat_tables([part.keys for part in parts])
    group, keys = _groups(groups, np.ones(len(groups), np.bool_))
    met, sums = np.zeros((len(keys), len(ids)), np.bool_), np.zeros((len(keys), 4), np.int64)
    for part, own in zip(parts, np.split(group, np.cumsum([len(part.keys) for part in parts[:-1]])), strict=True):
        met[np.ix_(own, places_among(part.ids, ids))] |= part.met
        sums[own] += part.sums
    whole = pa.table([*keys.columns, sums[:, 0], met.sum(axis=1), *sums.T[1:]], CAUSES.names)
    most = [-whole.column(name).to_numpy() for name in ("removed_seconds", "excused_seconds", "counted_seconds")]
    ordered = whole.take(pa.array(np.lexsort((*_text_ranks(whole), *most))))
    columns = [seconds(c.to_numpy()) if name in _TIMES else c for name, c in zip(CAUSES.names, ordered.columns, strict=True)]
    return pa.table(columns, schema=CAUSES)


def _groups(rows: pa.Table, kept: Bools) -> tuple[Ints, pa.Table]:
    """The group of each row, and the texts of each group, of which one may be null; rows that are not kept have a last group."""
    names, codes = zip(*(numbered(rows.column(name)) for name in _KEY), strict=True)
    room = [len(one) + 1 for one in names]
    key = np.ravel_multi_index([code + 1 for code in codes], room)
    used = np.flatnonzero(np.bincount(key[kept], minlength=math.prod(room)))
    group = np.zeros(math.prod(room), np.int64)
    group[used] = np.arange(len(used))
    held = zip(names, np.unravel_index(used, room), strict=True)
    texts = pa.table([one.take(pa.array(place - 1, mask=place == 0)) for one, place in held], _KEY)
    return np.where(kept, group[key], len(used)), texts


def shares_of(rows: pa.Table, since: int, until: int, known: int) -> Shares:
    """The part of each row that lies in [since, until).

    A row that lies in it as a whole holds the figures itself. For one that an edge cuts, or that is still open, they are the
    times before and after its limit; an upper bound, where part of that was Unknown, since rows do not say when.
    """
    start, end = times(rows, "start"), times(rows, "end", known)
    shares = Shares(_told(rows, "excused_seconds"), np.zeros(len(rows), np.int64), _told(rows, "counted_seconds"))
    open_ = (shares.excused < 0) | (shares.counted < 0)
    reckoned = open_ | (start < since) | (end > until) | is_in(rows, "verdict", _REMOVED)
    few = rows.filter(pa.array(reckoned))
    for told, share in zip(shares, _reckoned(few, since, until, known), strict=True):
        told[reckoned] = share
    return shares


def _reckoned(rows: pa.Table, since: int, until: int, known: int) -> Shares:
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
    return Shares(_least(rows, "excused_seconds", excused, inside), removed, _least(rows, "counted_seconds", counted, inside))


def _least(rows: pa.Table, column: str, reckoned: Ints, inside: Bools) -> Ints:
    """A row's own figure where the row lies inside; elsewhere the computed one, at most its own."""
    said = _told(rows, column)
    said_or_less: Ints = np.where(said < 0, reckoned, np.where(inside, said, np.minimum(reckoned, said)))
    return said_or_less


def _told(rows: pa.Table, column: str) -> Ints:
    """A row's own figure in microseconds; -1 where it has none yet."""
    said: Ints = np.round(rows.column(column).fill_null(-1 / SECOND).to_numpy() * SECOND).astype(np.int64)
    return said


def _length(start: Ints, end: Ints) -> Ints:
    return np.maximum(end - start, 0)


def _text_ranks(rows: pa.Table) -> list[Ints]:
    return [numbered(rows.column(name).fill_null(""))[1] for name in reversed(_KEY)]
