"""The values of the page's template: texts and drawings."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from runners.page.axis import ticks
from runners.page.cards import PRINTED as CARDS
from runners.page.cards import Card, cards_of
from runners.page.charts import FILLS, PARTS, RAW_PARTS, SIZES, fleet_chart, timeline_chart
from runners.page.drawing import drawn
from runners.page.heats import Heat, heats_of
from runners.report.sections import Section, further, headline, length, moment, percent
from runners.words.names import harmless, labels
from runners.words.quantity import quantity
from schemas.tables.availability import CLASSES
from schemas.time import DAY, HOUR, MINUTE, SECOND, from_micros
from transforms.core.report.calendar import label
from transforms.core.report.charts.heat import Culprit, Hours, hours_of, worst_hours
from transforms.core.report.charts.timeline import Timelines, bin_edges, timelines, worst_sets
from transforms.core.report.request import Report
from transforms.core.report.series import Runs, runs_of

DRAWN: Final = 20
"""Scale sets whose timelines are drawn."""
MARKED: Final = 24
"""Operations and outages that are marked on each."""
BINS: Final = 370
PRINTED: Final = 200
"""Rows of the table of all scale sets that are printed."""
_HOURS: Final = 10
_CAUSES: Final = 25
_MEANINGS: Final = {
    "up": ("the machine reported Available", "as up"),
    "excused": ("in trouble because of an operation, within its limit", "not at all"),
    "removed": ("taken away by an operation: deleted, stopped, scaled in", "not at all"),
    "unknown": ("nobody knows: Azure said Unknown", "not at all"),
    "degraded": ("in trouble, reported Degraded; nothing excuses it", "as down"),
    "unavailable": ("in trouble, reported Unavailable; nothing excuses it", "as down"),
    "overrun": ("an operation began it, and did not bring the machine back in time", "as down"),
}
_VERDICTS: Final = (
    ("explained", "an operation caused it, and it was over in time"),
    ("removed", "an operation took the machine away"),
    ("presumed_removed", "taken away by an operation, as far as can be told"),
    ("overrun", "an operation caused it, but it lasted too long; counted from the limit on"),
    ("unexcused", "the platform's own maintenance, or another operation that excuses nothing; counted"),
    ("fault", "the platform reported failing hardware; counted"),
    ("unexplained", "nothing explains it: a real outage; counted"),
)
_UNITS: Final = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"))
assert set(_MEANINGS) == set(CLASSES) == set(PARTS)

COLUMNS: Final = (
    # title, column of SETS, how it is told, whether less is worse, whether a phone leaves it out
    ("Raw %", "raw_availability", percent, True, False),
    ("Corrected %", "availability", percent, True, False),
    ("Counted", "bad_seconds", length, False, False),
    ("Overrun", "overrun_seconds", length, False, True),
    ("Excused", "excused_seconds", length, False, False),
    ("Interruptions", "interruptions", lambda n: f"{n:,}" if n else "-", False, True),
    ("Repair time", "mttr_seconds", length, False, True),
    ("Budget %", "budget_spent", lambda share: percent(share, 0), False, True),
)


class SetDrawing(NamedTuple):
    """A scale set with its timeline."""

    id: str
    name: str
    machines: str
    raw: str
    corrected: str
    counted: str
    excused: str
    drawn: str
    marks: list[Card]
    marks_told: str
    printed: str
    """What print leaves out of them."""


class _Material(NamedTuple):
    report: Report
    runs: Runs
    zone: ZoneInfo
    name: Callable[[str], str]
    machines: dict[str, int]
    """Instances counted at the end of the period, by scale set."""


def view(report: Report, marks: pa.Table) -> dict[str, Any]:
    """The values of the template.

    Args:
        report: the figures.
        marks: MARKS of the scale sets that `drawn_sets` names.
    """
    zone = ZoneInfo(report.request.time_zone)
    names = {one: harmless(text) for one, text in labels(report.sets["scale_set_id"].to_pylist()).items()}
    counted = (report.coverage[name].to_pylist() for name in ("scale_set_id", "counted_at_end"))
    material = _Material(report, runs_of(report.series), zone, names.__getitem__, dict(zip(*counted, strict=True)))
    return {
        **_head(report, zone),
        **_answer(report),
        "classes": _classes(report),
        "fleet": _fleet(report, zone),
        "by": report.request.by,
        **_heat(material),
        **_drawn(material, marks),
        **_causes(report),
        **_sets(material),
        "further": [_section(section) for section in further(report, DRAWN)],
    }


def drawn_sets(report: Report) -> tuple[str, ...]:
    """The ids of the scale sets whose timelines are drawn."""
    return worst_sets(report.sets, DRAWN)


def _head(report: Report, zone: ZoneInfo) -> dict[str, Any]:
    request, number = report.request, len(report.sets)
    since, until = (moment(from_micros(t), zone) for t in (request.since, request.until))
    said = headline(report)
    return {
        "since": since,
        "until": until,
        "time_zone": request.time_zone,
        "hours": f"{(request.until - request.since) / HOUR:,.10g}",
        "sets_number": f"{number:,}",
        "sets_told": quantity(number, "scale set"),
        "all_told": f"All {number:,} scale sets" if number > 1 else "The scale set",
        "coverage": " ".join(said[-2:]) if len(said) > 4 and said[-2].startswith("Published") else said[-1],
        "footer": "Written by trueup. Every ratio is one of sums of machine time: never a mean of ratios. "
        "This page holds all that it shows; it loads nothing and sends nothing.",
    }  # fmt: skip


def _answer(report: Report) -> dict[str, Any]:
    fleet = report.fleet.to_pylist()[0]
    raw_bad = fleet["raw_degraded_seconds"] + fleet["raw_unavailable_seconds"]
    return {
        "raw": percent(fleet["raw_availability"]),
        "corrected": percent(fleet["availability"]),
        "budget": _budget(report.request.target, fleet),
        "reported_bad": _told(raw_bad),
        "split": _split(raw_bad, fleet) if raw_bad else [],
        "interruptions": headline(report)[2],
    }


def _split(raw_bad: float, fleet: dict[str, Any]) -> list[dict[str, str]]:
    """How the time that was reported as bad divides: excused, counted, or of machines that were taken away."""
    excused, overrun, bad = (fleet[f"{name}_seconds"] for name in ("excused", "overrun", "bad"))
    parts = (
        (excused, "excused: operations caused it, and it was over in time", FILLS["excused"]),
        (raw_bad - bad - excused, "of machines that operations had taken away", FILLS["removed"]),
        (overrun, "counts: operations that took too long", FILLS["overrun"]),
        (bad - overrun, "counts: nothing excuses it", FILLS["unavailable"]),
    )
    x, told = 0.0, []
    for time, text, fill in parts:
        width = 100 * time / raw_bad
        if time >= 1:
            told.append({"x": f"{x:.3f}", "width": f"{width:.3f}", "time": length(time), "text": text, "fill": fill})
        x += width
    return told


def _told(seconds: float) -> str:
    return length(seconds) if seconds else "0:00:00"


def _budget(target: float | None, fleet: dict[str, Any]) -> dict[str, Any] | None:
    if target is None or fleet["budget_spent"] is None:
        return None
    spent, left = fleet["budget_spent"], fleet["budget_left_seconds"]
    rest = f"{length(left)} is left" if left >= 0 else f"{length(-left)} too much"
    return {
        "target": f"{target * 100:.6g}",
        "spent": f"{100 * spent:,.0f}" if spent >= 1 else percent(spent, 1),
        "over": spent > 1,
        "width": f"{min(spent, 1) * 100:.1f}",
        "told": f"{_told(fleet['bad_seconds'])} counted of {length(fleet['budget_seconds'])} allowed; {rest}",
    }


def _classes(report: Report) -> list[dict[str, str]]:
    fleet = report.fleet.to_pylist()[0]
    total = sum(fleet[f"{name}_seconds"] for name in CLASSES)
    return [
        {
            "name": name,
            "fill": FILLS[name],
            "meaning": meaning,
            "counts": counts,
            "time": length(fleet[f"{name}_seconds"]),
            "share": f"{percent(fleet[f'{name}_seconds'] / total)} %" if total else "-",
        }
        for name, (meaning, counts) in _MEANINGS.items()
    ]


def _fleet(report: Report, zone: ZoneInfo) -> str:
    """The chart of the whole fleet; it needs at least two periods."""
    request, periods = report.request, report.periods
    raw, corrected = (periods[name].to_pylist() for name in ("raw_availability", "availability"))
    if sum(ratio is not None for ratio in corrected) < 2:
        return ""
    edges = [(edge - request.since) / SECOND for edge in request.edges]
    worst = min((ratio, place) for place, ratio in enumerate(corrected) if ratio is not None)
    told = (
        f"Availability of all scale sets by {request.by}, raw and corrected. The lowest corrected one is {percent(worst[0])} %, "
        f"in {label(request.edges[worst[1]], request.by, zone)}. The table of it is below, under More figures."
    )
    charts = (
        drawn(fleet_chart(edges, raw, corrected, request.target, size, ticks(request.since, request.until, zone, size.ticks)),
              told, look=f"chart {size.name}")
        for size in SIZES
    )  # fmt: skip
    return "".join(charts)


def _heat(material: _Material) -> dict[str, Any]:
    request = material.report.request
    hours: Hours = hours_of(material.runs, request.since, request.until, material.zone)
    rows = [_hour(material, hours, place, culprit) for place, culprit in worst_hours(material.runs, hours, _HOURS)]
    heats: list[Heat] = heats_of(hours) if rows else []
    return {"worst_hours": rows, "heats": heats}


def _hour(material: _Material, hours: Hours, place: int, culprit: Culprit) -> dict[str, str]:
    bad, expected = int(hours.bad[place]), int(hours.expected[place])
    return {
        "label": label(hours.edges[place], "hour", material.zone),
        "corrected": percent(1 - bad / expected),
        "counted": length(bad / SECOND),
        "name": material.name(culprit.scale_set_id),
        "part": length(culprit.bad / SECOND),
    }


def _drawn(material: _Material, marks: pa.Table) -> dict[str, Any]:
    report, request = material.report, material.report.request
    wanted = drawn_sets(report)
    lines = timelines(material.runs, wanted, bin_edges(request.since, request.until, BINS))
    cards = cards_of(marks, request, material.zone)
    rows = {row["scale_set_id"]: row for row in report.sets.to_pylist()} if len(report.sets) <= DRAWN else _rows(report, wanted)
    found = [_one(material, lines, place, rows[one], cards.get(one, [])) for place, one in enumerate(wanted)]
    step = max(later - earlier for earlier, later in pairwise(lines.edges))
    return {"drawn": found, "drawn_told": _drawn_told(len(wanted), len(report.sets)), "bin": _length_told(step)}


def _rows(report: Report, wanted: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    kept = report.sets.filter(pc.is_in(report.sets["scale_set_id"], pa.array(wanted, pa.string())))
    return {row["scale_set_id"]: row for row in kept.to_pylist()}


def _drawn_told(number: int, of: int) -> str:
    if number == of:
        return "Every scale set, the most counted time first."
    return f"The {number} of {of:,} scale sets with the most counted time; --scale-set draws others."


def _length_told(micros: int) -> str:
    unit, name = next((unit, name) for unit, name in _UNITS if micros % unit == 0 or unit == MINUTE)
    return quantity(-(-micros // unit), name)


def _one(material: _Material, lines: Timelines, place: int, row: dict[str, Any], cards: list[Card]) -> SetDrawing:
    request, name = material.report.request, material.name(row["scale_set_id"])
    raw, corrected = lines.shares(place, RAW_PARTS), lines.shares(place, PARTS)
    edges = [(edge - request.since) / SECOND for edge in lines.edges]
    shown = {key: percent(row[f"{key}availability"]) for key in ("raw_", "")}
    shown = {key: text if text == "-" else f"{text} %" for key, text in shown.items()}
    counted, excused = _told(row["bad_seconds"]), _told(row["excused_seconds"])
    number = material.machines.get(row["scale_set_id"])
    told = (
        f"Timeline of {name}, as reported above as corrected: raw {shown['raw_']}, corrected {shown['']}, counted {counted}, "
        f"excused {excused}. Links lead to the evidence."
    )
    links = {card.link: card.told for card in cards}
    charts = (
        drawn(
            timeline_chart(edges, raw, corrected, [card.mark for card in cards], size,
                           ticks(request.since, request.until, material.zone, size.ticks)),
            told, links, look=f"chart {size.name}",
        )
        for size in SIZES
    )  # fmt: skip
    of = cards[0].of if cards else 0
    part = "" if of == len(cards) else f", the {len(cards)} of {of:,} with the most counted or excused time"
    return SetDrawing(
        id=harmless(row["scale_set_id"]),
        name=name,
        machines="" if number is None else f"{quantity(number, 'machine')} at the end; ",
        raw=shown["raw_"],
        corrected=shown[""],
        counted=counted,
        excused=excused,
        drawn="".join(charts),
        marks=cards,
        printed=f"In print, the {CARDS} that matter most." if any(card.minor for card in cards) else "",
        marks_told=f"Evidence: operations and outages{part or f' ({of:,})'}",
    )


def _causes(report: Report) -> dict[str, Any]:
    rows = report.causes.slice(0, _CAUSES).to_pylist()
    kinds = ("excused", "removed", "counted")
    fills = ("url(#excused)", "url(#removed)", "var(--unavailable)")
    most = max((sum(row[f"{kind}_seconds"] for kind in kinds) for row in rows), default=0) or 1

    def bars(row: dict[str, Any]) -> Iterator[dict[str, str]]:
        x = 0.0
        for kind, fill in zip(kinds, fills, strict=True):
            width = row[f"{kind}_seconds"] / most * 100
            yield {"x": f"{x:.2f}", "width": f"{width:.2f}", "fill": fill}
            x += width

    told = [
        {
            "name": harmless(f"{row['verb']} by {row['initiator']}") if row["verb"] else "no operation",
            "verdict": row["verdict"],
            "episodes": f"{row['episodes']:,}",
            "sets": f"{row['scale_sets']:,}",
            **{kind: length(row[f"{kind}_seconds"]) for kind in kinds},
            "bars": list(bars(row)),
        }
        for row in rows
    ]
    left = len(report.causes) - len(rows)
    return {
        "causes": told,
        "causes_told": f" The {len(rows)} of {len(report.causes):,} with the most time." if left > 0 else "",
        "verdicts": [(name, text) for name, text in _VERDICTS if name in {row["verdict"] for row in rows}],
    }


def _sets(material: _Material) -> dict[str, Any]:
    used = [column for column in COLUMNS if column[1] != "budget_spent" or material.report.request.target is not None]
    columns = [{"name": "Scale set", "look": "up", "sorted": False}] + [
        {"name": c[0], "look": f"n{' up' * c[3]}{' phone-off' * c[4]}", "sorted": c[1] == "bad_seconds"} for c in used
    ]
    rows = material.report.sets.select(["scale_set_id", *(c[1] for c in used)]).to_pylist()
    table = [
        (
            harmless(row["scale_set_id"]),
            material.name(row["scale_set_id"]),
            [(_value(row[c[1]]), c[2](row[c[1]]), " phone-off" * c[4], _over(c[1], row)) for c in used],
        )
        for row in rows
    ]
    return {
        "columns": columns,
        "table": table,
        "printed_told": f"In print, at most {PRINTED} scale sets." if len(table) > PRINTED else "",
    }


def _over(column: str, row: dict[str, Any]) -> str:
    return " over" if column == "budget_spent" and (row[column] or 0) > 1 else ""


def _value(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"


def _section(section: Section) -> dict[str, Any]:
    columns = [{"name": column.lstrip("<"), "left": column.startswith("<")} for column in section.columns]
    rows = [[harmless(cell) for cell in row] for row in section.rows]
    return {"title": harmless(section.title), "columns": columns, "rows": rows, "note": section.note}
