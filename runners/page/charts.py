"""Charts of the page, as Vega-Lite specifications: the fleet over time, when time counted, and the timeline of a scale set."""

from collections.abc import Sequence
from math import log10
from typing import Any, Final, NamedTuple

import numpy as np

from runners.page.axis import Tick
from transforms.core.report.charts.heat import Cells
from transforms.core.report.charts.timeline import Floats, clearly

RAW_PARTS: Final = ("raw_available", "raw_unknown", "raw_degraded", "raw_unavailable")
PARTS: Final = ("up", "removed", "unknown", "excused", "degraded", "unavailable", "overrun")
"""From the bottom of a strip to its top."""
FILLS: Final = {
    "raw_available": "var(--up)",
    "raw_unknown": "var(--unknown)",
    "raw_degraded": "var(--degraded)",
    "raw_unavailable": "var(--unavailable)",
    "up": "var(--up)",
    "removed": "url(#removed)",
    "unknown": "var(--unknown)",
    "excused": "url(#excused)",
    "degraded": "var(--degraded)",
    "unavailable": "var(--unavailable)",
    "overrun": "url(#overrun)",
}
LEVELS: Final = 5
"""Colours of hours in which anything counts, in squared steps up to the worst: many hours are bad a little, few are very bad."""
LEAST: Final = 0.1
"""About the part of a strip's height that whatever is there has at least."""

_STRIP, _GAP, _LANE = 24, 4, 22
_RAW: Final = 48
"""Height of the chart of the raw availability."""
_MOST_NINES: Final = 7
_MOST_LANES: Final = 5
_LETTER: Final = 6.2
"""Width of a letter of a label, in pixels."""


class ChartSize(NamedTuple):
    """The size at which charts are drawn: one for wide screens, one for phones."""

    name: str
    width: int
    """Of the part with the data, in pixels."""
    left: int
    """Of what is left of it."""
    ticks: int
    """How many labels of time fit."""


WIDE: Final = ChartSize("wide", 850, 76, 9)
NARROW: Final = ChartSize("narrow", 276, 64, 4)
SIZES: Final = (WIDE, NARROW)


BAD: Final = "var(--bad)"
"""The colour of a mark because of which time counts."""
GOOD: Final = "var(--good)"
"""That of one that excuses."""


class Mark(NamedTuple):
    """An operation, or a trouble without one, to be drawn above the strips. Times in seconds since the period began."""

    link: str
    """The name of the part of the page with the evidence."""
    label: str
    start: float
    end: float
    limit: float
    color: str
    own: bool
    """Whether it is an operation."""


class Gathered(NamedTuple):
    """Marks that are drawn as one, since they would hide each other; mostly a single one."""

    lane: int
    marks: tuple[Mark, ...]
    """By start."""
    label: str
    """What stands beside it; empty where there is no room."""

    @property
    def first(self) -> Mark:
        """The mark whose look and place it has: the first of those that matter most."""
        return next((mark for color in (BAD, GOOD) for mark in self.marks if mark.color == color), self.marks[0])


class _Lane(NamedTuple):
    """A row of marks above a timeline, filled from the left."""

    marked: float
    """Where its last mark ends, in pixels."""
    named: float
    """Where the name of that ends."""
    last: int
    """Which of those gathered that is."""


def fleet_chart(edges: Sequence[float], ratios: Sequence[float | None], target: float | None, size: ChartSize,
                ticks: Sequence[Tick]) -> dict[str, Any]:  # fmt: skip
    """Corrected availability over time against the target, in nines: each line is ten times better than the one below it.

    Args:
        edges: of the periods, in seconds since the first; one more than there are ratios.
        ratios: as corrected; None where nothing was expected to be up.
        target: the wanted ratio.
        size: for which it is drawn.
        ticks: of the axis of time.
    """
    span, height = edges[-1], 170 if size is WIDE else 150
    low, high = _decades([*(ratio for ratio in ratios if ratio is not None), *([] if target is None else [target])])
    drawn = [None if ratio is None else nines(ratio, high) for ratio in ratios]
    names = [f"{100 - 100 / 10**decade:.{max(decade - 2, 0)}f} %" for decade in range(low, high)] + ["100 %"]
    labels = {"labelExpr": _called(names)["labelExpr"].replace("datum.value", f"datum.value - {low}")}
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [low, high], "nice": False, "zero": False}}
    axis = {"title": None, "values": list(range(low, high + 1)), "labelOverlap": False, "domain": False, "ticks": False, **labels}
    line = {
        "data": {"values": _steps(edges, drawn)},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2, "color": "var(--corrected)"},
        "encoding": {"x": _x(span, "x"), "y": {**y, "axis": axis}},
    }
    return _layered(size, height, [*_time_axis(ticks, height, span), *_missed(edges, drawn, target, high, y), line])


def _missed(
    edges: Sequence[float], drawn: Sequence[float | None], target: float | None, high: int, y: dict[str, Any]
) -> list[dict[str, Any]]:
    """The target, and the area between it and what is worse."""
    if target is None:
        return []
    at = nines(target, high)
    rule = {"type": "rule", "strokeDash": [1, 3], "strokeWidth": 2, "color": "var(--bad)"}
    worse = _steps(edges, [at if value is None else min(value, at) for value in drawn])
    area = {
        "data": {"values": [{**value, "t": at} for value in worse]},
        "mark": {"type": "area", "interpolate": "step-after", "color": "var(--missed)"},
        "encoding": {"x": _x(edges[-1], "x"), "y": y, "y2": {"field": "t"}},
    }
    return [area, {"data": {"values": [{"y": at}]}, "mark": rule, "encoding": {"y": y}}]


def raw_chart(edges: Sequence[float], ratios: Sequence[float | None], size: ChartSize, ticks: Sequence[Tick]) -> dict[str, Any]:
    """Raw availability over time, small and on a scale of its own; arguments as for `fleet_chart`."""
    axis = {"title": None, "format": ".5~%", "tickCount": 2, "domain": False, "ticks": False}
    y = {"field": "y", "type": "quantitative", "scale": {"zero": False, "nice": True}, "axis": axis}
    line = {
        "data": {"values": _steps(edges, ratios)},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.5, "strokeDash": [4, 3], "color": "var(--raw)"},
        "encoding": {"x": _x(edges[-1], "x"), "y": y},
    }
    return _layered(size, _RAW, [*_time_axis(ticks, _RAW, edges[-1]), line])


def nines(ratio: float, most: int) -> float:
    """How many nines an availability has, at most so many.

    >>> round(nines(0.999, 5), 6), nines(1.0, 5), nines(0.0, 5)
    (3.0, 5, 0.0)
    """
    return most if ratio >= 1 else abs(min(-log10(1 - ratio), most))


def _decades(ratios: Sequence[float]) -> tuple[int, int]:
    """From how many nines to how many the axis goes: a line more than the best one below 1 needs, for 1 itself."""
    found = [nines(ratio, _MOST_NINES) for ratio in ratios if ratio < 1] or [2.0]
    return int(min(found)), min(int(max(found)) + 2, _MOST_NINES)


def _steps(edges: Sequence[float], values: Sequence[float | None]) -> list[dict[str, Any]]:
    return [{"x": x, "y": y} for x, y in zip(edges, [*values, values[-1]], strict=True)]


def heat_chart(
    rows: Sequence[str], columns: Sequence[str], cells: Cells, size: ChartSize, shown: Sequence[int]
) -> dict[str, Any]:
    """A rectangle for each cell, darker where more of the time counts.

    Args:
        rows: what the rows are called, from the top.
        columns: what the columns are called.
        cells: shares of counted time.
        size: for which it is drawn.
        shown: the columns that are labelled.
    """
    level = _levels(cells)
    values = [
        {"r": int(r), "c": int(c), "f": "var(--none)" if v < 0 else f"var(--h{v})"}
        for r, c, v in zip(cells.row, cells.column, level, strict=True)
    ]
    high = 16 if len(rows) > 12 else 22
    axis = {"title": None, "ticks": False, "domain": False}
    x, y = (
        {"field": field, "type": "ordinal", "scale": {"domain": list(range(number)), "paddingInner": 0.08}}
        for field, number in (("c", len(columns)), ("r", len(rows)))
    )
    chart = {
        "data": {"values": values},
        "mark": {"type": "rect"},
        "encoding": {
            "x": {**x, "axis": {**axis, "orient": "top", "labelAngle": 0, "values": list(shown), **_called(columns)}},
            "y": {**y, "axis": {**axis, "minExtent": size.left - 5, **_called(rows)}},
            "fill": {"field": "f", "type": "nominal", "scale": None},
        },
    }
    return {"width": size.width, "height": high * len(rows), "padding": {"left": 0, "right": 14, "top": 0, "bottom": 0}, **chart}


def bounds(cells: Cells) -> list[float]:
    """The shares of counted time up to which each colour goes; the last one is the worst of all cells."""
    worst = float(_shares(cells).max(initial=0))
    return [worst * (step / LEVELS) ** 2 for step in range(1, LEVELS + 1)]


def _levels(cells: Cells) -> np.ndarray:
    """The level of each cell, from 0 (nothing counts) to LEVELS; -1 where nothing was expected to be up."""
    share = _shares(cells)
    level = np.where(share > 0, 1 + np.searchsorted(bounds(cells)[:-1], share, "left"), 0)
    return np.where(cells.expected == 0, -1, level)


def _shares(cells: Cells) -> np.ndarray:
    return cells.bad / np.where(cells.expected == 0, 1, cells.expected)


def timeline_chart(edges: Sequence[float], raw: Floats, corrected: Floats, marks: Sequence[Mark], size: ChartSize,
                   ticks: Sequence[Tick]) -> dict[str, Any]:  # fmt: skip
    """A scale set: its operations, and below them two strips, as reported and as corrected.

    Args:
        edges: of the bins, in seconds since the period began.
        raw: bin x RAW_PARTS, shares of the bin's time.
        corrected: bin x PARTS.
        marks: by start.
        size: for which it is drawn.
        ticks: of the axis of time.
    """
    span = edges[-1]
    placed = gathered(marks, span, size)
    lanes = 1 + max((one.lane for one in placed), default=-1)
    top = lanes * _LANE + (4 if lanes else 0)
    bottom = top + 2 * _STRIP + _GAP
    strips = [
        *_strip(edges, raw, RAW_PARTS, top, "raw"),
        *_strip(edges, corrected, PARTS, top + _STRIP + _GAP, "corrected"),
    ]
    area = {
        "data": {"values": strips},
        "mark": {"type": "area", "interpolate": "step-after"},
        "encoding": {"x": _x(span, "x"), "y": _pixel("y"), "y2": {"field": "y2"}, "detail": {"field": "k"}, "fill": _color("f")},
    }
    names = [(top + _STRIP / 2, "raw"), (top + 1.5 * _STRIP + _GAP, "corrected")]
    text = {
        "data": {"values": [{"y": y, "t": t} for y, t in names]},
        "mark": {"type": "text", "align": "right", "baseline": "middle", "fontSize": 12},
        "encoding": {"x": {"value": -8}, "y": _pixel("y"), "text": {"field": "t"}},
    }
    marked = _marks(placed, span) if marks else []
    return _layered(size, bottom, [*_time_axis(ticks, bottom, span), area, text, *marked])


def _strip(edges: Sequence[float], shares: Floats, parts: tuple[str, ...], top: int, name: str) -> list[dict[str, Any]]:
    """The corners of each part's area; a bin equal to the one before adds none."""
    high = np.cumsum(clearly(shares, LEAST), axis=1)
    bounds = np.round(top + _STRIP * (1 - np.hstack([np.zeros((len(high), 1)), high])), 1)  # bin x edge between parts
    rows: list[dict[str, Any]] = []
    for place, part in enumerate(parts):
        if not shares[:, place].any():
            continue
        below, above = bounds[:, place], bounds[:, place + 1]
        new = np.ones(len(below), np.bool_)
        new[1:] = (below[1:] != below[:-1]) | (above[1:] != above[:-1])
        kept = np.flatnonzero(new).tolist()
        kind = {"k": f"{name} {part}", "f": FILLS[part]}
        rows += [{"x": edges[b], "y": float(above[b]), "y2": float(below[b]), **kind} for b in kept]
        rows.append({"x": edges[-1], "y": float(above[-1]), "y2": float(below[-1]), **kind})
    return rows


def _marks(placed: Sequence[Gathered], span: float) -> list[dict[str, Any]]:
    """Lines as long as the operations last and excuse, the marks, and their names."""
    lines = [
        {
            "x": max(mark.start, 0.0),
            "x2": min(mark.end, span),
            "x3": min(mark.limit, span),
            "y2": one.lane * _LANE + 17,
            "c": mark.color,
        }
        for one in placed
        for mark in one.marks
    ]
    points = [
        {
            "x": max(one.marks[0].start, 0.0),
            "y": one.lane * _LANE + 8,
            "c": one.first.color,
            "s": "triangle-down" if one.first.own else "diamond",
            "h": f"#{'+'.join(mark.link for mark in one.marks)}",
            "t": one.label,
        }
        for one in placed
    ]
    data, drawn = ({"data": {"values": values}} for values in (lines, points))
    at = {"x": _x(span, "x"), "y": _pixel("y")}
    under = {"x": _x(span, "x"), "y": _pixel("y2")}
    return [
        {
            **data,
            "mark": {"type": "rule", "strokeDash": [2, 2], "strokeWidth": 2},
            "encoding": {**under, "x2": {"field": "x3"}, "stroke": _color("c")},
        },
        {**data, "mark": {"type": "rule", "strokeWidth": 3}, "encoding": {**under, "x2": {"field": "x2"}, "stroke": _color("c")}},
        {
            **drawn,
            "mark": {"type": "point", "size": 110, "filled": True, "opacity": 1},
            "encoding": {
                **at,
                "shape": {"field": "s", "type": "nominal", "scale": None},
                "fill": _color("c"),
                "href": {"field": "h"},
            },
        },
        {
            **drawn,
            "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 9, "fontSize": 11},
            "encoding": {**at, "text": {"field": "t"}},
        },
    ]


def gathered(marks: Sequence[Mark], span: float, size: ChartSize) -> list[Gathered]:
    """Gives each mark its lane, and its name where there is room for it.

    A mark goes where it covers nothing; if all lanes are full, where it takes another's name; and where it would cover a mark,
    the two are gathered into one.

    Args:
        marks: by start.
        span: of the axis of time, in seconds.
        size: for which it is drawn.
    """
    lanes: list[_Lane] = []
    placed: list[Gathered] = []
    for mark in marks:
        x = max(mark.start, 0.0) / span * size.width
        free = next((n for n, lane in enumerate(lanes) if lane.named <= x), None)
        if free is None and len(lanes) < _MOST_LANES:
            free = len(lanes)
            lanes.append(_Lane(0.0, 0.0, -1))
        if free is None:
            free = min(range(len(lanes)), key=lambda n: lanes[n].marked)
            last = placed[lanes[free].last]
            if lanes[free].marked > x:
                label = f"+{len(last.marks)}"
                placed[lanes[free].last] = last._replace(marks=(*last.marks, mark), label=label)
                begin = max(last.marks[0].start, 0.0) / span * size.width
                end = begin + 18 + _LETTER * len(label)
                lanes[free] = lanes[free]._replace(marked=end, named=end)
                continue
            placed[lanes[free].last] = last._replace(label="")
        named = x + 18 + _LETTER * len(mark.label)
        fits = named <= size.width + 16
        lanes[free] = _Lane(x + 13, named if fits else x + 13, len(placed))
        placed.append(Gathered(free, (mark,), mark.label if fits else ""))
    return placed


def _time_axis(ticks: Sequence[Tick], height: int, span: float) -> list[dict[str, Any]]:
    data = {"data": {"values": [{"x": tick.at, "t": tick.label} for tick in ticks]}}
    x = {"x": _x(span, "x")}
    if not ticks:
        return []
    return [
        {
            **data,
            "mark": {"type": "rule", "color": "var(--grid)"},
            "encoding": {**x, "y": {"value": 0}, "y2": {"value": height + 4}},
        },
        {
            **data,
            "mark": {"type": "text", "baseline": "top", "fontSize": 11, "dy": 7},
            "encoding": {**x, "y": {"value": height}, "text": {"field": "t"}},
        },
    ]


def _layered(size: ChartSize, height: int, layers: list[dict[str, Any]]) -> dict[str, Any]:
    padding = {"left": size.left, "right": 14, "top": 6, "bottom": 24}
    return {"width": size.width, "height": height, "padding": padding, "autosize": "none", "layer": layers}


def _x(span: float, field: str) -> dict[str, Any]:
    scale = {"domain": [0, span], "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": None}


def _pixel(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _color(field: str) -> dict[str, Any]:
    return {"field": field, "type": "nominal", "scale": None}


def _called(names: Sequence[str]) -> dict[str, str]:
    """The labels of an axis whose values are positions."""
    listed = ",".join(f"'{name}'" for name in names)
    return {"labelExpr": f"[{listed}][datum.value]"}
