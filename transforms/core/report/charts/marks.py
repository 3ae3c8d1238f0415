"""Marks of a timeline: the operations on a scale set with what they explain, and the troubles that nothing explains.

An operation's mark sums up the episodes and removed stretches of instances that name it (contract: Attributions).
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import TIMESTAMP
from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import NEVER
from transforms.core.report.causes import shares_of
from transforms.core.report.figures import seconds
from transforms.core.report.series import times

MARKS: Final = pa.schema(
    [
        ("scale_set_id", pa.string()),
        ("operation_key", pa.string()),
        ("verb", pa.string()),
        ("initiator", pa.string()),
        ("start", TIMESTAMP),
        ("end", TIMESTAMP),
        ("limit", TIMESTAMP),
        ("outcome", pa.string()),
        ("target", pa.string()),
        ("excuses", pa.bool_()),
        ("instance_id", pa.string()),
        ("worst_state", pa.string()),
        ("instances", pa.list_(pa.string())),
        ("first", TIMESTAMP),
        ("last", TIMESTAMP),
        ("verdicts", pa.list_(pa.string())),
        ("episodes", pa.list_(pa.int64())),
        ("excused_seconds", pa.float64()),
        ("removed_seconds", pa.float64()),
        ("counted_seconds", pa.float64()),
        ("of", pa.int64()),
    ]
)
"""One row a mark, by scale set and start.

`operation_key` to `excuses` are the operation's, null where there is none (fault, unexplained); then `instance_id` and
`worst_state` say whose trouble it is, and `start` and `end` when. `instances`: whose trouble the operation explains; `first` and
`last`: when that began and was over (null: it goes on). `verdicts` and `episodes`: how many spells of each verdict.
Seconds lie in the period. `of`: how many marks the scale set has, and these are those with the most counted or excused time.
"""

_OPERATION: Final = ["scale_set_id", "operation_key", "verb", "start"]
_TIMES: Final = ["excused_seconds", "removed_seconds", "counted_seconds"]
_NAMED_BY_OPERATION: Final = {"start": "first", "end": "last", "operation_start": "start", "operation_end": "end_told"}
_TEXTS: Final = ("scale_set_id", "operation_key", "verb", "initiator", "instance_id", "worst_state", "verdict")


def marks_of(attributions: pa.Table, operations: pa.Table, period: tuple[int, int, int], most: int) -> pa.Table:
    """MARKS of some scale sets.

    Args:
        attributions: current rows that meet the period; others are ignored.
        operations: current rows; those that do not meet the period and explain nothing in it are left out.
        period: since, until, and T (where open rows end as far as is known), in microseconds.
        most: how many of each scale set.
    """
    since, until, _ = period
    spells = _spells(attributions, period)
    named = spells.filter(pc.is_valid(spells["operation_key"]))
    alone = spells.filter(pc.is_null(spells["operation_key"]))
    found = pa.concat_tables([_of_operations(named, operations, since, until), _of_nothing(alone)])
    return _capped(found, most)


def _spells(attributions: pa.Table, period: tuple[int, int, int]) -> pa.Table:
    """Attributions of instances in the period with their shares of it; for a scale set without any, those of the set itself."""
    since, until, known = period
    start, end = times(attributions, "start"), times(attributions, "end", min(until, known))
    rows = attributions.filter(pa.array((start < until) & (end > since)))
    whose = rows["scale_set_id"].cast(pa.string())
    with_instances = pc.unique(whose.filter(pc.is_valid(rows["instance_id"])))
    kept = pc.or_(pc.is_valid(rows["instance_id"]), pc.invert(pc.is_in(whose, with_instances)))
    rows = rows.filter(kept)
    shares = dict(zip(_TIMES, (seconds(share) for share in shares_of(rows, since, until, known)), strict=True))
    texts = {name: rows[name].cast(pa.string()) for name in _TEXTS}
    moments = {name: rows[name] for name in ("start", "end", "onset", "operation_start", "operation_end", "limit")}
    return pa.table(texts | moments | shares)


def _of_operations(spells: pa.Table, operations: pa.Table, since: int, until: int) -> pa.Table:
    """One mark for each operation: from its own row, or, where that is missing, from the episodes that name it."""
    told = _summed(spells)
    names = [*_OPERATION, "initiator", "outcome", "target"]
    rows = pa.table({n: operations[n].cast(pa.string()) if n != "start" else operations[n] for n in names} | {
        name: operations[name] for name in ("end", "limit", "excuses")
    })  # fmt: skip
    both = _joined(rows, told)
    here = pa.array((times(both, "start") < until) & (times(both, "limit", NEVER) > since))
    kept = both.filter(pc.or_(here, pc.is_valid(both["verdicts"])))
    filled = {name: pc.coalesce(kept[name], kept[f"{name}_told"]) for name in ("initiator", "end", "limit")}
    sums = {name: pc.fill_null(kept[name], 0.0) for name in _TIMES}
    return _marks({name: kept[name] for name in kept.column_names} | filled | sums, len(kept))


def _joined(rows: pa.Table, told: pa.Table) -> pa.Table:
    """An outer join by _OPERATION. Arrow cannot join columns of lists, so row numbers are joined, and rows taken by them."""
    sides = [
        side.select(_OPERATION).append_column(name, pa.array(np.arange(len(side))))
        for name, side in (("row", rows), ("told", told))
    ]
    places = sides[0].join(sides[1], _OPERATION, join_type="full outer")
    both = places.select(_OPERATION)
    for side, place in ((rows, "row"), (told, "told")):
        taken = side.drop_columns(_OPERATION).take(places[place].combine_chunks())
        for name in taken.column_names:
            both = both.append_column(name, taken[name])
    return both


def _summed(spells: pa.Table) -> pa.Table:
    """One row for each operation: its times, which trouble of which instances it explains, and how often each verdict occurs."""
    spells = spells.rename_columns(_NAMED_BY_OPERATION)
    going_on = pc.fill_null(spells["last"], pa.scalar(NEVER, TIMESTAMP))
    spells = spells.set_column(spells.column_names.index("last"), "last", going_on)
    each = spells.group_by([*_OPERATION, "verdict"]).aggregate([("onset", "count")])
    each = each.sort_by([*((name, "ascending") for name in _OPERATION), ("verdict", "ascending")])
    counts = each.group_by(_OPERATION, use_threads=False).aggregate([("verdict", "list"), ("onset_count", "list")])
    most = [("first", "min"), ("last", "max"), ("end_told", "max"), ("limit", "max"), ("initiator", "max")]
    whole = spells.group_by(_OPERATION).aggregate([("instance_id", "distinct"), *most, *((name, "sum") for name in _TIMES)])
    whole = whole.rename_columns([*_OPERATION, "instances", "first", "last", "end_told", "limit_told", "initiator_told", *_TIMES])
    places = counts.select(_OPERATION).append_column("place", pa.array(np.arange(len(counts))))
    ordered = whole.select(_OPERATION).append_column("row", pa.array(np.arange(len(whole)))).join(places, _OPERATION)
    told = whole.take(ordered["row"].combine_chunks())
    taken = counts.take(ordered["place"].combine_chunks())
    last = pc.if_else(pc.equal(told["last"].cast(pa.int64()), NEVER), None, told["last"])
    told = told.set_column(told.column_names.index("last"), "last", last)
    return told.append_column("verdicts", taken["verdict_list"]).append_column("episodes", taken["onset_count_list"])


def _of_nothing(spells: pa.Table) -> pa.Table:
    """One mark for each spell that no operation explains."""
    lists = {"verdicts": [[v] for v in spells["verdict"].to_pylist()], "episodes": [[1]] * len(spells)}
    plain = {name: spells[name] for name in ("scale_set_id", "instance_id", "worst_state", "start", "end", *_TIMES)}
    return _marks(plain | {name: pa.array(rows, MARKS.field(name).type) for name, rows in lists.items()}, len(spells))


def _marks(columns: dict[str, pa.ChunkedArray], size: int) -> pa.Table:
    whole = [columns[f.name].cast(f.type) if f.name in columns else pa.nulls(size, f.type) for f in MARKS]
    return pa.table(whole, schema=MARKS)


def _capped(marks: pa.Table, most: int) -> pa.Table:
    """Of each scale set, the marks with the most counted and the most excused or removed time, alternately; sorted by start."""
    size, code = len(marks), _codes(marks)
    excused, removed, counted = (marks[name].to_numpy() for name in _TIMES)
    by_counted = _ranks(code, counted, np.lexsort((times(marks, "start"), -excused, -counted, code)))
    by_excused = _ranks(code, excused + removed, np.lexsort((times(marks, "start"), -removed, -excused, code)))
    turn = np.minimum(2 * by_counted, 2 * by_excused + 1)
    rank = _ranks(code, np.ones(size), np.lexsort((times(marks, "start"), turn, code)))
    of = np.bincount(code, minlength=1)[code] if size else code
    ranked = marks.set_column(MARKS.get_field_index("of"), MARKS.field("of"), pa.array(of, pa.int64()))
    keys = [("scale_set_id", "ascending"), ("start", "ascending"), ("operation_key", "ascending"), ("instance_id", "ascending")]
    return ranked.filter(pa.array(rank < most)).sort_by(keys)


def _ranks(code: Ints, weight: np.ndarray, order: Ints) -> Ints:
    """The rank of each row within its scale set in a given order; rows without weight come last."""
    ranks = np.empty(len(code), np.int64)
    ranks[order] = np.arange(len(code)) - np.searchsorted(code[order], code[order])
    return np.where(weight > 0, ranks, ranks + len(code))


def _codes(marks: pa.Table) -> Ints:
    names = marks["scale_set_id"].combine_chunks()
    codes: Ints = names.dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes
