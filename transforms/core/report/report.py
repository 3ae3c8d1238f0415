"""The report of a period: `build_report` makes it from current rows, `as_json` turns it into JSON (contract: trueup report)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.tables.availability import RAW, SERIES_STATES
from schemas.tables.report import COVERAGE, FLEET, PERIODS, SET_PERIODS, SETS, STATES, VALUES, WINDOWS
from schemas.time import SECOND, format_time, to_micros
from transforms.core.columns.arrow import Ints
from transforms.core.columns.members import by_place
from transforms.core.report.calendar import label
from transforms.core.report.causes import causes
from transforms.core.report.chance import chance, presence_of
from transforms.core.report.figures import Outages, figures, seconds
from transforms.core.report.outages import Interruptions, interruptions
from transforms.core.report.request import Report, ReportRequest
from transforms.core.report.series import COUNTS, SERIES, Runs, clipped, table_of
from transforms.core.report.spells import spells_of
from transforms.core.report.sums import Sums, sum_times
from transforms.core.report.windows import Curve, curve_of, summed, worst_windows

_KINDS: Final = {
    "": ("up", ("degraded", "unavailable", "overrun")),
    "raw_": ("raw_available", ("raw_degraded", "raw_unavailable")),
}
"""Of each kind of availability: what is good, and what is bad."""


class ReportRows(NamedTuple):
    """Where the rows of a report come from; all are current, and each is there once.

    Each is asked for once, when what was made of others and is not needed any more has been let go: together they would take
    more memory than all else.
    """

    series: Callable[[], Runs]
    """Of the rows of table `availability` that meet the period."""
    attributions: Callable[[], pa.Table]
    """ReportRows of table `attributions` that meet the period; rows of the set itself and later ones are ignored."""
    operations: Callable[[], pa.Table]
    """ReportRows of table `operations` of which [start - skew, limit) meets the period."""


class _Seen(NamedTuple):
    """What the series tells by itself."""

    sums: Sums
    worst: tuple[dict[str, pa.Array], dict[str, pa.Array]]
    states: pa.Table
    coverage: pa.Table
    series: pa.Table


def build_report(rows: ReportRows, request: ReportRequest) -> Report:
    """The report of some scale sets."""
    runs, span = rows.series(), (request.since, request.until)
    known = _known(runs)
    runs, operations = clipped(runs, *span), rows.operations()
    seen, presence = _seen(runs, operations, request), presence_of(runs)
    del runs
    attributions, ids = rows.attributions(), presence.ids
    outages = _outages(interruptions(attributions, ids, known), request, len(ids))
    return Report(
        request=request,
        **_lines(ids, seen, outages, request),
        states=seen.states,
        causes=causes(attributions, *span, int(known.max(initial=request.since))),
        chance=chance(presence, attributions, operations, request.skew, span),
        coverage=seen.coverage,
        series=seen.series,
    )


def _seen(runs: Runs, operations: pa.Table, request: ReportRequest) -> _Seen:
    return _Seen(
        sums=sum_times(runs, request.edges, spells_of(operations, runs.ids), request.each),
        worst=_worst(runs, request),
        states=_states(runs),
        coverage=_coverage(runs, request),
        series=table_of(runs) if request.charts else SERIES.empty_table(),
    )


def _lines(
    ids: pa.StringArray, seen: _Seen, outages: tuple[Outages, Outages, Outages], request: ReportRequest
) -> dict[str, pa.Table]:
    """The tables of figures."""
    (sums, worst), (by_set, by_period, by_pair) = seen[:2], outages
    pairs = sums.set * (len(request.edges) - 1) + sums.period
    whole = Outages(*(column.sum(keepdims=True) for column in by_set))
    sets = _table({"scale_set_id": ids, **figures(sums.by_set, by_set, request.target), **worst[1]}, SETS)
    of_pairs = {
        "scale_set_id": ids.take(pa.array(sums.set)),
        **{name: column.take(pa.array(sums.period)) for name, column in _bounds(request).items()},
        **figures(sums.each, Outages(*(column[pairs] for column in by_pair)), request.target),
    }
    return {
        "fleet": _table({**figures(sums.by_set.sum(axis=0, keepdims=True), whole, request.target), **worst[0]}, FLEET),
        "sets": sets.sort_by([("bad_seconds", "descending"), ("scale_set_id", "ascending")]),
        "periods": _table({**_bounds(request), **figures(sums.by_period, by_period, request.target)}, PERIODS),
        "set_periods": _table(of_pairs, SET_PERIODS),
    }


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
    """Where the series of each set ends; each has some."""
    return runs.end[runs.offsets[1:] - 1]


def _inside(moments: Ints, request: ReportRequest) -> np.ndarray:
    return (request.since <= moments) & (moments < request.until)


def _worst(runs: Runs, request: ReportRequest) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """The columns of WORST for the fleet and for each set."""
    fleet: dict[str, pa.Array] = {}
    sets: dict[str, pa.Array] = {}
    for kind, (good, bad) in _KINDS.items():
        each = curve_of(runs, good, bad)
        for columns, curve in ((fleet, summed(each)), (sets, each)):
            columns |= _worst_columns(kind, curve, request)
    return fleet, sets


def _worst_columns(kind: str, curve: Curve, request: ReportRequest) -> dict[str, pa.Array]:
    columns = {}
    found = worst_windows(curve, request.since, request.until, [length * SECOND for length in WINDOWS.values()])
    for window, worst in zip(WINDOWS, found, strict=True):
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
    told = []
    for state in (runs.reported, runs.state):
        place = np.where(state < 0, len(runs.ids) * size, runs.set * size + state)
        told.append(by_place(np.add, length, place, len(runs.ids) * size + 1, 0)[:-1])
    used = np.flatnonzero(told[0] + told[1])
    names = pa.array(SERIES_STATES).take(pa.array(used % size))
    ids = runs.ids.take(pa.array(used // size))
    return pa.Table.from_arrays([ids, names, *(seconds(total[used]) for total in told)], schema=STATES)


def _coverage(runs: Runs, request: ReportRequest) -> pa.Table:
    """Scale sets that have instances, in the series or in the inventory, where the known part of the period begins or ends."""
    ends = (runs.start == runs.start.min(), runs.end == runs.end.max()) if len(runs.set) else ()
    counted = [_present(runs, np.flatnonzero(held)) for held in ends] or [{}, {}]
    named = request.inventory or ({}, {})
    ids = sorted(set(runs.ids.to_pylist()).union(*named))
    columns = [
        ids,
        *([sizes.get(one, 0) for one in ids] for sizes in counted),
        *([sizes.get(one) for one in ids] for sizes in named),
    ]
    return pa.table(columns, schema=COVERAGE)


def _present(runs: Runs, rows: Ints) -> dict[str, int]:
    """The instances that are counted in some rows, by scale set."""
    counts = np.sum([runs.counts[COUNTS.index(name), rows] for name in RAW], axis=0)
    return dict(zip(runs.ids.take(pa.array(runs.set[rows])).to_pylist(), counts.tolist(), strict=True))


def _table(columns: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]


def _plain(value: Any) -> Any:
    return format_time(to_micros(value)) if isinstance(value, datetime) else value
