"""Charts of the page, as Vega-Lite specifications: the fleet over time, the worst hours, and the timeline of a scale set."""

from collections.abc import Sequence
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


class _Lane(NamedTuple):
    """A row of marks above a timeline, filled from the left."""

    marked: float
    """Where its last mark ends, in pixels."""
    named: float
    """Where the name of that ends."""
    last: int
    """Which mark that is."""


def fleet_chart(edges: Sequence[float], raw: Sequence[float | None], corrected: Sequence[float | None], target: float | None,
                size: ChartSize, ticks: Sequence[Tick]) -> dict[str, Any]:  # fmt: skip
    """Availability over time: two lines, and the target.

    Args:
        edges: of the periods, in seconds since the first; one more than there are ratios.
        raw: as reported; None where nothing was expected to be up.
        corrected: as corrected.
        target: the wanted ratio.
        size: for which it is drawn.
        ticks: of the axis of time.
    """
    span, height = edges[-1], 170 if size is WIDE else 150
    lines = [("raw", raw), ("corrected", corrected)]
    values = [
        {"x": x, "y": y, "k": kind}
        for kind, ratios in lines
        for x, y in zip(edges, [*ratios, ratios[-1]], strict=True)
    ]  # fmt: skip
    y = {"field": "y", "type": "quantitative", "scale": {"zero": False, "nice": True}}
    line = {
        "data": {"values": values},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {
            "x": _x(span, "x"),
            "y": {**y, "axis": {"title": None, "format": ".5~%", "tickCount": 5, "domain": False, "ticks": False}},
            "stroke": {**_chosen("k", {"raw": "var(--raw)", "corrected": "var(--corrected)"})},
            "strokeDash": {**_chosen("k", {"raw": [4, 3], "corrected": [1, 0]})},
        },
    }
    layers = [line]
    if target is not None:
        rule = {"type": "rule", "strokeDash": [1, 3], "strokeWidth": 2, "color": "var(--bad)"}
        layers.append({"data": {"values": [{"y": target}]}, "mark": rule, "encoding": {"y": y}})
    return _layered(size, height, [*_time_axis(ticks, height, span), *layers])


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
    lanes, places = _lanes(marks, span, size)
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
    marked = _marks(marks, places, span) if marks else []
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


def _marks(marks: Sequence[Mark], places: list[tuple[int, bool]], span: float) -> list[dict[str, Any]]:
    """Lines as long as the operations last and excuse, the marks, and their names."""
    values = [
        {
            "x": max(mark.start, 0.0),
            "x2": min(mark.end, span),
            "x3": min(mark.limit, span),
            "y": lane * _LANE + 8,
            "y2": lane * _LANE + 17,
            "c": mark.color,
            "s": "triangle-down" if mark.own else "diamond",
            "h": f"#{mark.link}",
            "t": mark.label if labelled else "",
        }
        for mark, (lane, labelled) in zip(marks, places, strict=True)
    ]
    data = {"data": {"values": values}}
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
            **data,
            "mark": {"type": "point", "size": 110, "filled": True, "opacity": 1},
            "encoding": {
                **at,
                "shape": {"field": "s", "type": "nominal", "scale": None},
                "fill": _color("c"),
                "href": {"field": "h"},
            },
        },
        {
            **data,
            "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 9, "fontSize": 11},
            "encoding": {**at, "text": {"field": "t"}},
        },
    ]


def _lanes(marks: Sequence[Mark], span: float, size: ChartSize) -> tuple[int, list[tuple[int, bool]]]:
    """The number of lanes, and for each mark its lane and whether there is room for its name.

    A mark goes where it covers nothing; if all lanes are full, where it takes another's name, and at last where it covers a mark.
    """
    lanes: list[_Lane] = []
    places: list[tuple[int, bool]] = []
    for place, mark in enumerate(marks):
        x = max(mark.start, 0.0) / span * size.width
        free = next((n for n, lane in enumerate(lanes) if lane.named <= x), None)
        if free is None and len(lanes) < _MOST_LANES:
            free = len(lanes)
            lanes.append(_Lane(0.0, 0.0, -1))
        if free is None:
            free = min(range(len(lanes)), key=lambda n: lanes[n].marked)
            places[lanes[free].last] = (free, False)
        named = x + 18 + _LETTER * len(mark.label)
        fits = named <= size.width + 16
        lanes[free] = _Lane(x + 13, named if fits else x + 13, place)
        places.append((free, fits))
    return len(lanes), places


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


def _chosen(field: str, values: dict[str, Any]) -> dict[str, Any]:
    scale = {"domain": list(values), "range": list(values.values())}
    return {"field": field, "type": "nominal", "scale": scale, "legend": None}


def _called(names: Sequence[str]) -> dict[str, str]:
    """The labels of an axis whose values are positions."""
    listed = ",".join(f"'{name}'" for name in names)
    return {"labelExpr": f"[{listed}][datum.value]"}
