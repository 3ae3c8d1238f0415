"""The report of a period: `build_report` makes it from current rows, `as_json` turns it into JSON (contract: trueup report)."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.tables.availability import SERIES_STATES
from schemas.tables.report import COVERAGE, FLEET, PERIODS, SET_PERIODS, SETS, STATES, VALUES, WINDOWS
from schemas.time import SECOND, format_time, to_micros
from transforms.core.columns.arrow import Ints
from transforms.core.report.calendar import label
from transforms.core.report.causes import causes
from transforms.core.report.chance import chance
from transforms.core.report.figures import Outages, figures, seconds
from transforms.core.report.outages import Interruptions, interruptions
from transforms.core.report.request import Report, ReportRequest
from transforms.core.report.series import Runs, clipped, runs_of, table_of
from transforms.core.report.spells import spells_of
from transforms.core.report.sums import sum_times
from transforms.core.report.windows import Curve, Worst, curve_of, summed, worst_windows

_KINDS: Final = {
    "": ("up", ("degraded", "unavailable", "overrun")),
    "raw_": ("raw_available", ("raw_degraded", "raw_unavailable")),
}
"""Of each kind of availability: what is good, and what is bad."""


def build_report(series: pa.Table, attributions: pa.Table, operations: pa.Table, request: ReportRequest) -> Report:
    """The report of some scale sets.

    Args:
        series: rows of table `availability` that meet the period, or what `joined` makes of them.
        attributions: rows of table `attributions` that meet the period; rows of the set itself and later ones are ignored.
        operations: rows of table `operations` of which [start - skew, limit) meets the period.
        request: the period and what else was asked for.

    All rows are current, and each is there once.
    """
    whole = runs_of(series)
    runs = clipped(whole, request.since, request.until)
    spans = interruptions(attributions, runs.ids, _known(whole))
    sums = sum_times(runs, request.edges, spells_of(operations, runs.ids), request.each)
    by_set, by_period, by_pair = _outages(spans, request, len(runs.ids))
    pairs = sums.set * (len(request.edges) - 1) + sums.period
    fleet = Outages(*(column.sum(keepdims=True) for column in by_set))
    known = int(whole.end.max(initial=request.since))
    worst = _worst(runs, request)
    sets = _table({"scale_set_id": runs.ids, **figures(sums.by_set, by_set, request.target), **worst[1]}, SETS)
    return Report(
        request=request,
        fleet=_table({**figures(sums.by_set.sum(axis=0, keepdims=True), fleet, request.target), **worst[0]}, FLEET),
        sets=sets.sort_by([("bad_seconds", "descending"), ("scale_set_id", "ascending")]),
        periods=_table({**_bounds(request), **figures(sums.by_period, by_period, request.target)}, PERIODS),
        set_periods=_table(
            {
                "scale_set_id": runs.ids.take(pa.array(sums.set)),
                **{name: column.take(pa.array(sums.period)) for name, column in _bounds(request).items()},
                **figures(sums.each, Outages(*(column[pairs] for column in by_pair)), request.target),
            },
            SET_PERIODS,
        ),
        states=_states(runs),
        causes=causes(attributions, request.since, request.until, known),
        chance=chance(runs, attributions, operations, request.skew, (request.since, request.until)),
        coverage=_coverage(runs, request),
        series=table_of(runs),
    )


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain values for JSON: times in RFC 3339, ratios between 0 and 1, what every figure means."""
    request, zone = report.request, ZoneInfo(report.request.time_zone)
    periods = _rows(report.periods)
    for row, start in zip(periods, request.edges[:-1], strict=True):
        row["label"] = label(start, request.by, zone)
    return {
        "period": {
            "since": format_time(request.since),
            "until": format_time(request.until),
            "by": request.by,
            "time_zone": request.time_zone,
            "known_since": None if request.known is None else format_time(request.known[0]),
            "known_until": None if request.known is None else format_time(request.known[1]),
            "target": request.target,
            "policies": list(request.policies),
        },
        "fleet": _rows(report.fleet)[0],
        "periods": periods,
        "scale_sets": _rows(report.sets),
        "scale_set_periods": _rows(report.set_periods),
        **{name: _rows(getattr(report, name)) for name in ("states", "causes", "chance", "coverage")},
        "meaning": dict(VALUES),
    }


def _outages(spans: Interruptions, request: ReportRequest, sets: int) -> tuple[Outages, Outages, Outages]:
    """The outages of each set, of each period, and of each pair of them (period by period within a set)."""
    periods = len(request.edges) - 1
    began = spans.begins & _inside(spans.begin, request)
    ended = _inside(spans.end, request)
    edges = np.array(request.edges, np.int64)
    when_began = np.searchsorted(edges, spans.begin[began], "right") - 1
    when_ended = np.searchsorted(edges, spans.end[ended], "right") - 1
    took = (spans.end - spans.begin)[ended]
    lo, hi = (np.searchsorted(edges, moment, "right") for moment in spans.lasts)  # the edges within are edges[lo:hi]

    def by(first: Ints, then: Ints, open_: Ints) -> Outages:
        groups, repair = len(open_), np.zeros(len(open_), np.int64)
        np.add.at(repair, then, took)
        return Outages(np.bincount(first, minlength=groups), np.bincount(then, minlength=groups), repair, open_)

    set_began, set_ended = spans.set[began], spans.set[ended]
    each = Outages(*[np.zeros(0, np.int64)] * 4)
    if request.each:
        open_ = _open_at_ends(spans.set, lo, hi, sets, periods).ravel()
        each = by(set_began * periods + when_began, set_ended * periods + when_ended, open_)
    at_last = np.bincount(spans.set[(lo <= periods) & (periods < hi)], minlength=sets)
    at_ends = _open_at_ends(np.zeros_like(lo), lo, hi, 1, periods)[0]
    return by(set_began, set_ended, at_last), by(when_began, when_ended, at_ends), each


def _open_at_ends(group: Ints, lo: Ints, hi: Ints, groups: int, periods: int) -> Ints:
    """How many spells of each group are open at the end of each period (edges[1:]); a spell is open at edges[lo:hi]."""
    change = np.zeros((groups, periods + 2), np.int64)
    np.add.at(change, (group, lo), 1)
    np.subtract.at(change, (group, hi), 1)
    return np.cumsum(change, axis=1)[:, 1:-1]


def _known(runs: Runs) -> Ints:
    """Where the series of each set ends."""
    known = np.zeros(len(runs.ids), np.int64)
    np.maximum.at(known, runs.set, runs.end)
    return known


def _inside(moments: Ints, request: ReportRequest) -> np.ndarray:
    return (request.since <= moments) & (moments < request.until)


def _worst(runs: Runs, request: ReportRequest) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """The columns of WORST for the fleet and for each set."""
    fleet: dict[str, pa.Array] = {}
    sets: dict[str, pa.Array] = {}
    for kind, (good, bad) in _KINDS.items():
        each = curve_of(runs.offsets, runs.start, runs.end, runs.of(good), runs.of(*bad))
        for columns, curve in ((fleet, summed(each)), (sets, each)):
            columns |= _worst_columns(kind, curve, request)
    return fleet, sets


def _worst_columns(kind: str, curve: Curve, request: ReportRequest) -> dict[str, pa.Array]:
    columns = {}
    for window, length in WINDOWS.items():
        worst: Worst = worst_windows(curve, request.since, request.until, length * SECOND)
        none = worst.start < 0
        columns[f"{kind}worst_{window}"] = pa.array(worst.availability, mask=none)
        columns[f"{kind}worst_{window}_start"] = pa.array(worst.start, mask=none).cast(TIMESTAMP)
    return columns


def _bounds(request: ReportRequest) -> dict[str, pa.Array]:
    edges = pa.array(request.edges, pa.int64()).cast(TIMESTAMP)
    return {"period_start": edges[:-1], "period_end": edges[1:]}


def _states(runs: Runs) -> pa.Table:
    """The states in which each set spent any time."""
    size, length = len(SERIES_STATES), runs.end - runs.start
    told = [np.zeros(len(runs.ids) * size, np.int64) for _ in range(2)]
    for total, state in zip(told, (runs.reported, runs.state), strict=True):
        np.add.at(total, (runs.set * size + state)[state >= 0], length[state >= 0])
    used = np.flatnonzero(told[0] + told[1])
    names = pa.array(SERIES_STATES).take(pa.array(used % size))
    ids = runs.ids.take(pa.array(used // size))
    return pa.Table.from_arrays([ids, names, *(seconds(total[used]) for total in told)], schema=STATES)


def _coverage(runs: Runs, request: ReportRequest) -> pa.Table:
    """Scale sets that have instances, in the series or in the inventory, where the known part of the period begins or ends."""
    ends = (runs.start == runs.start.min(), runs.end == runs.end.max()) if len(runs.set) else ()
    counted = [
        dict(zip(runs.ids.take(pa.array(runs.set[held])).to_pylist(), runs.present[held].tolist(), strict=True)) for held in ends
    ] or [{}, {}]
    named = request.inventory or ({}, {})
    ids = sorted(set(runs.ids.to_pylist()).union(*named))
    columns = [
        ids,
        *([sizes.get(one, 0) for one in ids] for sizes in counted),
        *([sizes.get(one) for one in ids] for sizes in named),
    ]
    return pa.table(columns, schema=COVERAGE)


def _table(columns: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]


def _plain(value: Any) -> Any:
    return format_time(to_micros(value)) if isinstance(value, datetime) else value
