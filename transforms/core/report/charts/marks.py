"""Marks of a timeline: the operations on a scale set with what they explain, and the troubles that nothing explains.

An operation's mark sums up the episodes and removed stretches of instances that name it (contract: Attributions). Spells of
trouble of one scale set that no operation explains are one mark if they overlap and have one verdict. A mark because of which
time counts is an outage.
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
from transforms.core.report.outages import is_in
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
        ("verdict", pa.string()),
        ("worst_state", pa.string()),
        ("instances", pa.list_(pa.string())),
        ("first", TIMESTAMP),
        ("last", TIMESTAMP),
        ("verdicts", pa.list_(pa.string())),
        ("episodes", pa.list_(pa.int64())),
        ("excused_seconds", pa.float64()),
        ("removed_seconds", pa.float64()),
        ("counted_seconds", pa.float64()),
        ("counted_from", TIMESTAMP),
        ("counted_until", TIMESTAMP),
        ("machines", pa.int64()),
        ("of", pa.int64()),
    ]
)
"""One row a mark, by scale set and start.

`operation_key` to `excuses` are the operation's, null where there is none; then `verdict` (fault, unexplained) and `worst_state`
say what the trouble is, and `start` and `end` when. `instances`: whose trouble it is, or whose trouble the operation explains;
`first` and `last`: when that began and was over (null: it goes on). `verdicts` and `episodes`: how many spells of each verdict.
Seconds lie in the period. `counted_from` and `counted_until` (null: it goes on): from the first second that counts to the last;
`machines`: how many have such. `of`: how many marks the scale set has, of which these have the most counted or excused time.
"""

_OPERATION: Final = ["scale_set_id", "operation_key", "verb", "start"]
_ORDER: Final = [(name, "ascending") for name in (*_OPERATION, "verdict")]
"""By what each mark is another."""
_TIMES: Final = ["excused_seconds", "removed_seconds", "counted_seconds"]
_NAMED_BY_OPERATION: Final = {"start": "first", "end": "last", "operation_start": "start", "operation_end": "end_told"}
_SUMS: Final = [
    ("instance_id", "distinct"),
    ("counted_from", "min"),
    ("counted_until", "max"),
    ("counted_instance", "count_distinct"),
    *((name, "sum") for name in _TIMES),
]
_SUMMED: Final = ["instances", "counted_from", "counted_until", "machines", *_TIMES]
_SEVERITY: Final = pa.array(["Available", "Unknown", "Degraded", "Unavailable"])
_TEXTS: Final = ("scale_set_id", "operation_key", "verb", "initiator", "instance_id", "worst_state", "verdict")


def marks_of(attributions: pa.Table, operations: pa.Table, period: tuple[int, int, int], most: int) -> pa.Table:
    """MARKS of some scale sets.

    Args:
        attributions: current rows that meet the period; others are ignored.
        operations: current rows; those that do not meet the period and explain nothing in it are left out.
        period: since, until, and T (where open rows end as far as is known), in microseconds.
        most: how many of each scale set.
    """
    return _capped(_all_marks(spells_in(attributions, period), operations, period), most)


def outages_of(attributions: pa.Table, period: tuple[int, int, int], most: int) -> pa.Table:
    """MARKS of the outages with the most counted time, the worst first; without what only a row of an operation says.

    Args:
        attributions: current rows of instances, all that have a verdict that counts.
        period: as for `marks_of`.
        most: how many; `of` says how many there are.
    """
    found = _all_marks(spells_in(attributions, period), _NO_OPERATIONS, period)
    found = found.filter(pc.greater(found["machines"], 0))
    ranked = found.sort_by([("counted_seconds", "descending"), ("counted_from", "ascending"), *_ORDER])
    of = pa.array(np.full(len(found), len(found)), pa.int64())
    return ranked.set_column(MARKS.get_field_index("of"), MARKS.field("of"), of).slice(0, most)


_NO_OPERATIONS: Final = pa.table(
    {name: pa.array([], MARKS.field(name).type) for name in MARKS.names[: MARKS.get_field_index("excuses") + 1]}
)


def _all_marks(spells: pa.Table, operations: pa.Table, period: tuple[int, int, int]) -> pa.Table:
    named = spells.filter(pc.is_valid(spells["operation_key"]))
    alone = spells.filter(pc.is_null(spells["operation_key"]))
    found = pa.concat_tables([_of_operations(named, operations, *period[:2]), _of_nothing(alone)])
    return found.sort_by(_ORDER)  # else equally bad ones would come as threads and names of files have it


def spells_in(attributions: pa.Table, period: tuple[int, int, int]) -> pa.Table:
    """Attributions of instances in the period with their shares of it; for a scale set without any, those of the set itself.

    Args:
        attributions: current rows.
        period: as for `marks_of`.

    Where time of a spell counts, `counted_from` and `counted_until` say from when to when (NEVER: it goes on).
    """
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
    return pa.table(texts | moments | shares | _counted(rows, np.asarray(shares["counted_seconds"]) > 0, since))


def _counted(rows: pa.Table, counts: np.ndarray, since: int) -> dict[str, pa.Array]:
    """When time counts, and of which instance; null where none does."""
    begin = np.maximum(times(rows, "start"), since)
    over = is_in(rows, "verdict", pa.array(["overrun"]))
    begin = np.where(over, np.maximum(begin, times(rows, "limit", 0)), begin)
    whose = rows["instance_id"].cast(pa.string())
    return {
        "counted_from": pa.array(begin, mask=~counts).cast(TIMESTAMP),
        "counted_until": pa.array(times(rows, "end", NEVER), mask=~counts).cast(TIMESTAMP),
        "counted_instance": pc.if_else(pa.array(counts), whose, None),
    }


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
    sums = {name: pc.fill_null(kept[name], 0.0) for name in _TIMES} | {"machines": pc.fill_null(kept["machines"], 0)}
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
    whole = spells.group_by(_OPERATION, use_threads=False).aggregate([*_SUMS, *most])
    whole = whole.rename_columns([*_OPERATION, *_SUMMED, "first", "last", "end_told", "limit_told", "initiator_told"])
    places = counts.select(_OPERATION).append_column("place", pa.array(np.arange(len(counts))))
    ordered = whole.select(_OPERATION).append_column("row", pa.array(np.arange(len(whole)))).join(places, _OPERATION)
    told = whole.take(ordered["row"].combine_chunks())
    taken = counts.take(ordered["place"].combine_chunks())
    told = told.set_column(told.column_names.index("last"), "last", _or_open(told["last"]))
    return told.append_column("verdicts", taken["verdict_list"]).append_column("episodes", taken["onset_count_list"])


def _of_nothing(spells: pa.Table) -> pa.Table:
    """One mark for all spells of a scale set that no operation explains, if they overlap and have one verdict."""
    end = pc.fill_null(spells["end"], pa.scalar(NEVER, TIMESTAMP))
    severity = pc.index_in(spells["worst_state"], _SEVERITY)
    whole = spells.set_column(spells.column_names.index("end"), "end", end).append_column("severity", severity)
    whole = whole.sort_by([(name, "ascending") for name in ("scale_set_id", "verdict", "start")])
    whole = whole.append_column("gathered", pa.array(_gathered(whole)))
    each = [
        ("scale_set_id", "min"),
        ("verdict", "min"),
        ("start", "min"),
        ("end", "max"),
        ("severity", "max"),
        ("onset", "count"),
    ]
    found = whole.group_by("gathered", use_threads=False).aggregate([*_SUMS, *each])
    names = ["scale_set_id", "verdict", "start", "end", "severity", "episodes"]
    found = found.rename_columns(["gathered", *_SUMMED, *names])
    columns = {name: found[name] for name in (*_SUMMED, *names)} | {"end": _or_open(found["end"])}
    columns["worst_state"] = _SEVERITY.take(found["severity"].combine_chunks())
    for name, listed in (("verdict", "verdicts"), ("episodes", "episodes")):
        columns[listed] = pa.array([[one] for one in found[name].to_pylist()], MARKS.field(listed).type)
    return _marks(columns, len(found))


def _gathered(spells: pa.Table) -> Ints:
    """Numbers of groups of spells that overlap or touch; rows by scale set, verdict and start."""
    if not len(spells):
        return np.zeros(0, np.int64)
    start, end = times(spells, "start"), times(spells, "end")
    low, high = int(start.min()), int(np.where(end < NEVER, end, start).max()) + 1
    kind = _codes(spells) * 2 + is_in(spells, "verdict", pa.array(["unexplained"]))
    from_, to = (kind * (high - low + 1) + np.minimum(moments, high) - low for moments in (start, end))
    return np.cumsum(np.append(True, from_[1:] > np.maximum.accumulate(to)[:-1]))


def _or_open(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments, null where they are NEVER."""
    return pc.if_else(pc.equal(moments.cast(pa.int64()), NEVER), None, moments)


def _marks(columns: dict[str, pa.ChunkedArray], size: int) -> pa.Table:
    columns = columns | {"counted_until": _or_open(columns["counted_until"])}
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
    keys = [("scale_set_id", "ascending"), ("start", "ascending"), ("operation_key", "ascending"), ("verdict", "ascending")]
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
