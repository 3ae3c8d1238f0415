"""What the series tells by itself: sums, worst windows, states and coverage, part after part, so that it is never held whole."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.tables.availability import RAW, SERIES_STATES
from schemas.tables.report import COVERAGE, STATES, WINDOWS
from schemas.time import SECOND
from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import NEVER, kernel
from transforms.core.report.figures import seconds
from transforms.core.report.request import ReportRequest
from transforms.core.report.series import COUNTS, SERIES, Runs, clipped, joined, ordered, rows_of, table_of, together
from transforms.core.report.spells import Spells
from transforms.core.report.steps import Steps, chained, steps_of, summed
from transforms.core.report.sums import Sums, add_times, no_sums
from transforms.core.report.windows import rates_of, worst_windows

_KINDS: Final = {
    "": ("up", ("degraded", "unavailable", "overrun")),
    "raw_": ("raw_available", ("raw_degraded", "raw_unavailable")),
}
"""Of each kind of availability: what is good, and what is bad."""
_Made = TypeVar("_Made")


class Parts(Protocol):
    """The rows of a table, a part at a time: those of a part begin before those of the next."""

    def __call__(self, then: Callable[[pa.Table], _Made]) -> Iterable[_Made]:
        """What is made of each part."""
        ...


class Seen(NamedTuple):
    """What the series of some scale sets tells."""

    sums: Sums
    known: Ints
    """T of each scale set: where its series ends."""
    worst: tuple[dict[str, pa.Array], dict[str, pa.Array]]
    """The columns of WORST for the fleet and for each set."""
    states: pa.Table
    coverage: pa.Table
    at_risk: Steps
    """How many instances of each scale set there are whose episodes may begin."""
    series: pa.Table
    """SERIES, if the request has `charts`."""


class _SeriesPart(NamedTuple):
    """What a part of the series tells."""

    runs: Runs
    known: Ints
    states: Ints
    """Reported and corrected; scale set x state; microseconds."""
    steps: tuple[Steps, Steps, Steps]
    """Of each of _KINDS, and of those at risk."""
    ends: tuple["_End", "_End"] | None
    """None: it lies outside of the period."""
    series: pa.Table


class _End(NamedTuple):
    """Which scale sets have instances, and how many, where a part of the series begins or ends."""

    moment: int
    present: dict[str, int]


def seen(parts: Parts, ids: pa.StringArray, spells: Spells, request: ReportRequest) -> Seen:
    """What the series tells.

    Args:
        parts: rows of table `availability` that meet the period.
        ids: their scale sets, ascending.
        spells: time of each set in which operations are under way.
        request: of the report.
    """
    sums, known = no_sums(len(ids), len(request.edges) - 1, request.each), np.full(len(ids), -NEVER)
    states = np.zeros((2, len(ids), len(SERIES_STATES)), np.int64)
    steps: list[list[Steps]] = [[], [], []]
    ends, series = [], [SERIES.empty_table()]
    for part in parts(partial(_part, ids=ids, request=request)):
        add_times(sums, part.runs, request.edges, spells)
        np.maximum(known, part.known, out=known)
        states += part.states
        for own, more in zip(steps, part.steps, strict=True):
            own.append(more)
        ends += [part.ends] if part.ends else []
        series.append(part.series)
    return Seen(
        sums=sums,
        known=known,
        at_risk=chained(steps.pop()),
        worst=_worst(steps, request),
        states=_states(ids, states),
        coverage=_coverage(ids, ends, request),
        series=_whole(series),
    )


def _whole(parts: list[pa.Table]) -> pa.Table:
    """The series of all parts, which it takes out of the list: together with what becomes of them they take the most memory."""
    rows = rows_of(pa.concat_tables(parts))
    parts.clear()
    rows = ordered(rows)
    return table_of(joined(rows))


def _part(rows: pa.Table, ids: pa.StringArray, request: ReportRequest) -> _SeriesPart:
    runs = together(rows_of(rows, ids))
    known = np.full(len(ids), -NEVER)
    known[runs.set] = runs.end  # of each set the last one stays
    runs = clipped(runs, request.since, request.until)
    rates = (*(rates_of(runs, good, bad) for good, bad in _KINDS.values()), runs.at_risk)
    up, raw, at_risk = (steps_of(runs, each) for each in rates)
    series = table_of(joined(runs)) if request.charts else SERIES.empty_table()
    return _SeriesPart(runs, known, _state_times(runs), (up, raw, at_risk), _ends(runs), series)


def _state_times(runs: Runs) -> Ints:
    told = np.zeros((2, len(runs.ids), len(SERIES_STATES)), np.int64)
    _add_states(runs.set, runs.reported, runs.state, runs.end - runs.start, told)
    return told


@kernel
def _add_states(code: Ints, reported: Ints, state: Ints, length: Ints, told: Ints) -> None:
    for row in range(len(code)):
        if reported[row] >= 0:
            told[0, code[row], reported[row]] += length[row]
        if state[row] >= 0:
            told[1, code[row], state[row]] += length[row]


def _ends(runs: Runs) -> tuple[_End, _End] | None:
    if not len(runs.set):
        return None
    first, last = runs.start.min(), runs.end.max()
    held = (np.flatnonzero(runs.start == first), np.flatnonzero(runs.end == last))
    begin, end = (_present(runs, rows) for rows in held)
    return _End(int(first), begin), _End(int(last), end)


def _present(runs: Runs, rows: Ints) -> dict[str, int]:
    """The instances that are counted in some rows, by scale set."""
    counts = np.sum([runs.counts[COUNTS.index(name), rows] for name in RAW], axis=0)
    return dict(zip(runs.ids.take(pa.array(runs.set[rows])).to_pylist(), counts.tolist(), strict=True))


def _worst(steps: list[list[Steps]], request: ReportRequest) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    fleet: dict[str, pa.Array] = {}
    sets: dict[str, pa.Array] = {}
    for kind, parts in zip(_KINDS, steps, strict=True):
        each = chained(parts)
        parts.clear()
        for columns, whose in ((fleet, summed(each)), (sets, each)):
            columns |= _worst_columns(kind, whose, request)
    return fleet, sets


def _worst_columns(kind: str, steps: Steps, request: ReportRequest) -> dict[str, pa.Array]:
    columns = {}
    found = worst_windows(steps, request.since, request.until, [length * SECOND for length in WINDOWS.values()])
    for window, worst in zip(WINDOWS, found, strict=True):
        none = worst.start < 0
        columns[f"{kind}worst_{window}"] = pa.array(worst.availability, mask=none)
        columns[f"{kind}worst_{window}_start"] = pa.array(worst.start, mask=none).cast(TIMESTAMP)
    return columns


def _states(ids: pa.StringArray, told: Ints) -> pa.Table:
    """The states in which each set spent any time."""
    sets, states = np.nonzero(told.sum(axis=0))
    columns = [ids.take(pa.array(sets)), pa.array(SERIES_STATES).take(pa.array(states))]
    return pa.Table.from_arrays([*columns, *(seconds(total[sets, states]) for total in told)], schema=STATES)


def _coverage(ids: pa.StringArray, ends: list[tuple[_End, _End]], request: ReportRequest) -> pa.Table:
    """Scale sets that have instances, in the series or in the inventory, where the known part of the period begins or ends."""
    counted: tuple[dict[str, int], dict[str, int]] = ({}, {})
    if ends:
        moments = min(begin.moment for begin, _ in ends), max(end.moment for _, end in ends)
        for both in ends:
            for sizes, moment, end in zip(counted, moments, both, strict=True):
                sizes.update(end.present if end.moment == moment else {})
    named = request.inventory or ({}, {})
    names = sorted(set(ids.to_pylist()).union(*named))
    columns = [
        names,
        *([sizes.get(one, 0) for one in names] for sizes in counted),
        *([sizes.get(one) for one in names] for sizes in named),
    ]
    return pa.table(columns, schema=COVERAGE)
