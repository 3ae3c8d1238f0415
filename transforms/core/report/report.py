"""The report of a period: `build_report` makes it from current rows, `as_json` turns it into JSON (contract: trueup report)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.tables.attribution import ATTRIBUTIONS
from schemas.tables.report import FLEET, PERIODS, SET_PERIODS, SETS, VALUES
from schemas.time import format_time, to_micros
from transforms.core.columns.arrow import Ints
from transforms.core.report.calendar import label
from transforms.core.report.causes import CauseSums, cause_sums, causes
from transforms.core.report.chance import Onsets, Presence, chance, onsets_of
from transforms.core.report.figures import Outages, figures
from transforms.core.report.outages import Episodes, Interruptions, episodes_in, interruptions
from transforms.core.report.request import Report, ReportRequest
from transforms.core.report.seen import Parts, Seen, seen
from transforms.core.report.spells import spells_of


class ReportRows(NamedTuple):
    """Where the rows of a report come from; all are current, and each is there once. Each is asked for once."""

    ids: pa.StringArray
    """The scale sets that have rows in table `availability` that meet the period's days, ascending."""
    series: Parts
    """Rows of table `availability` that meet the period."""
    attributions: Parts
    """Rows of table `attributions` that meet the period; rows of the set itself and later ones are ignored."""
    operations: Callable[[], pa.Table]
    """Rows of table `operations` of which [start - skew, limit) meets the period."""


def build_report(rows: ReportRows, request: ReportRequest) -> Report:
    """The report of some scale sets."""
    ids, span, operations = rows.ids, (request.since, request.until), rows.operations()
    told = seen(rows.series, ids, spells_of(operations, ids), request)
    known = int(told.known.max(initial=request.since))

    def explained(part: pa.Table) -> _Explained:
        return _Explained(episodes_in(part, ids), cause_sums(part, *span, known), onsets_of(part, ids, span))

    none = explained(ATTRIBUTIONS.empty_table())
    episodes, sums, onsets = zip(none, *rows.attributions(explained), strict=True)
    outages = _outages(interruptions(episodes, ids, told.known), request, len(ids))
    return Report(
        request=request,
        **_lines(ids, told, outages, request),
        states=told.states,
        causes=causes(sums),
        chance=chance(Presence(ids, told.at_risk), onsets, operations, request.skew, span),
        coverage=told.coverage,
        series=told.series,
    )


class _Explained(NamedTuple):
    """What a part of the attributions tells."""

    episodes: Episodes
    causes: CauseSums
    onsets: Onsets


def _lines(
    ids: pa.StringArray, told: Seen, outages: tuple[Outages, Outages, Outages], request: ReportRequest
) -> dict[str, pa.Table]:
    """The tables of figures."""
    sums, worst, (by_set, by_period, by_pair) = told.sums, told.worst, outages
    sets_of, periods_of = np.divmod(sums.pairs, len(request.edges) - 1)
    whole = Outages(*(column.sum(keepdims=True) for column in by_set))
    sets = _table({"scale_set_id": ids, **figures(sums.by_set, by_set, request.target), **worst[1]}, SETS)
    of_pairs = {
        "scale_set_id": ids.take(pa.array(sets_of)),
        **{name: column.take(pa.array(periods_of)) for name, column in _bounds(request).items()},
        **figures(sums.each[sums.pairs], Outages(*(column[sums.pairs] for column in by_pair)), request.target),
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


def _inside(moments: Ints, request: ReportRequest) -> np.ndarray:
    return (request.since <= moments) & (moments < request.until)


def _bounds(request: ReportRequest) -> dict[str, pa.Array]:
    edges = pa.array(request.edges, pa.int64()).cast(TIMESTAMP)
    return {"period_start": edges[:-1], "period_end": edges[1:]}


def _table(columns: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]


def _plain(value: Any) -> Any:
    return format_time(to_micros(value)) if isinstance(value, datetime) else value
