"""The values of the page's template: texts and drawings."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.reading.evidence import RankedOutage
from runners.page.axis import ticks
from runners.page.cards import PRINTED as CARDS
from runners.page.cards import Card, cards_of
from runners.page.charts import BAD, FILLS, GOOD, PARTS, RAW_PARTS, SIZES, fleet_chart, raw_chart, timeline_chart
from runners.page.drawing import drawn
from runners.page.heats import heats_of
from runners.page.outages import ListedOutage, OutageWords, listed
from runners.page.places import PageOf, anchor, no_page
from runners.report.sections import Section, further, headline, length, moment, percent
from runners.words.names import harmless, labels
from runners.words.quantity import quantity
from schemas.tables.availability import CLASSES
from schemas.time import DAY, HOUR, MINUTE, SECOND, from_micros
from transforms.core.report.calendar import label
from transforms.core.report.charts.heat import hours_of
from transforms.core.report.charts.timeline import Timelines, bin_edges, timelines, worst_sets
from transforms.core.report.request import Report
from transforms.core.report.series import Runs, runs_of

DRAWN: Final = 20
"""Scale sets whose timelines are drawn."""
DRAWN_ON_INDEX: Final = 10
"""The same, where each scale set has a page of its own."""
MARKED: Final = 24
"""Operations and outages that are marked on each."""
BINS: Final = 370
PRINTED: Final = 200
"""Rows of the table of all scale sets that are printed."""
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
MARK_KEYS: Final = (
    ("▼", GOOD, "an operation that excuses or removes"),
    ("▼", BAD, "an operation with time that counts"),
    ("▼", "var(--soft)", "an operation with neither"),
    ("◆", BAD, "trouble that no operation explains: it counts"),
)
"""Marks of a timeline, their colours, and what they are."""
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


class PageEvidence(NamedTuple):
    """What is behind the figures of a page."""

    data: str
    """The folder, for commands."""
    exact: bool
    """Whether commands name scale sets by their ids, since the page is not of all in the folder."""
    drawn: tuple[str, ...]
    """The ids of the scale sets whose timelines are drawn."""
    marks: pa.Table
    """MARKS of `transforms.core.report.charts.marks`, of these."""
    outages: list[RankedOutage]
    """The worst ones of all scale sets."""
    page: PageOf = no_page


class SetDrawing(NamedTuple):
    """A scale set with its timeline."""

    id: str
    anchor: str
    page: str
    """Where it is told in full, if anywhere."""
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


class PageMaterial(NamedTuple):
    """A report with what its pages look up again and again."""

    report: Report
    runs: Runs
    zone: ZoneInfo
    name: Callable[[str], str]
    machines: dict[str, int]
    """Instances counted at the end of the period, by scale set."""


def material_of(report: Report) -> PageMaterial:
    """The material of a report."""
    names = {one: harmless(text) for one, text in labels(report.sets["scale_set_id"].to_pylist()).items()}
    counted = (report.coverage[name].to_pylist() for name in ("scale_set_id", "counted_at_end"))
    zone = ZoneInfo(report.request.time_zone)
    return PageMaterial(report, runs_of(report.series), zone, names.__getitem__, dict(zip(*counted, strict=True)))


def view(material: PageMaterial, evidence: PageEvidence) -> dict[str, Any]:
    """The values of the template."""
    report, zone = material.report, material.zone
    cards = cards_of(evidence.marks, report.request, zone)
    hours = hours_of(material.runs, report.request.since, report.request.until, zone)
    return {
        **head(report, zone),
        **_answer(report),
        "classes": _classes(report),
        "mark_keys": MARK_KEYS,
        **_fleet(report, zone),
        "by": report.request.by,
        **_outages(material, evidence, {card.link for own in cards.values() for card in own}),
        "heats": heats_of(hours) if hours.bad.any() else [],
        **_drawn(material, evidence, cards),
        **_causes(report),
        **_sets(material, evidence.page),
        "further": [_section(section) for section in further(report, DRAWN)],
    }


def drawn_sets(report: Report, pages: bool) -> tuple[str, ...]:
    """The ids of the scale sets to draw: fewer where each has a page of its own, so that the index stays small."""
    return worst_sets(report.sets, DRAWN_ON_INDEX if pages else DRAWN)


def head(report: Report, zone: ZoneInfo) -> dict[str, Any]:
    """What every page says of the period."""
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
        "split": _split(raw_bad, report) if raw_bad else [],
        "interruptions": headline(report)[2],
    }


def _split(raw_bad: float, report: Report) -> list[dict[str, str]]:
    """How the time that was reported as bad divides: excused, counted, or of machines that were taken away."""
    fleet, presumed = report.fleet.to_pylist()[0], _presumed(report)
    excused, overrun, bad = (fleet[f"{name}_seconds"] for name in ("excused", "overrun", "bad"))
    parts = (
        (excused - presumed, "excused: operations caused it, and it was over in time", FILLS["excused"]),
        (raw_bad - bad - excused + presumed, "of machines that operations took away", FILLS["removed"]),
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


def _presumed(report: Report) -> float:
    """Seconds of class excused that are of machines presumed removed, until that is presumed."""
    rows = report.causes.to_pylist()
    return float(sum(row["excused_seconds"] for row in rows if row["verdict"] == "presumed_removed"))


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
    fleet, presumed = report.fleet.to_pylist()[0], _presumed(report)
    total = sum(fleet[f"{name}_seconds"] for name in CLASSES)
    reported = sum(fleet[f"raw_{name}_seconds"] for name in ("degraded", "unavailable"))
    away = reported - fleet["bad_seconds"] - fleet["excused_seconds"]
    more = {
        "excused": f"; {length(presumed)} of it until machines were presumed to be taken away" if presumed else "",
        "removed": f"; {length(away)} of it was reported as bad, which is in the bar above" if away >= 1 else "",
    }
    if presumed and away >= 1:
        more["removed"] += f" with those {length(presumed)}"
    return [
        {
            "name": name,
            "fill": FILLS[name],
            "meaning": meaning + more.get(name, ""),
            "counts": counts,
            "time": length(fleet[f"{name}_seconds"]),
            "share": f"{percent(fleet[f'{name}_seconds'] / total)} %" if total else "-",
        }
        for name, (meaning, counts) in _MEANINGS.items()
    ]


def class_keys() -> list[dict[str, str]]:
    """The colours of the classes."""
    return [{"name": name, "fill": FILLS[name]} for name in _MEANINGS]


def _outages(material: PageMaterial, evidence: PageEvidence, cards: set[str]) -> dict[str, Any]:
    """The list of outages, and the first sentence of the page."""
    request = material.report.request
    known = request.until if request.known is None else min(request.until, request.known[1])
    words = OutageWords(
        material.zone, known, material.name, evidence.data, evidence.exact, evidence.page, cards, evidence.drawn
    )  # fmt: skip
    found: list[ListedOutage] = [listed(one, words) for one in evidence.outages]
    number = evidence.outages[0].mark["of"] if evidence.outages else 0
    whole = material.report.fleet["bad_seconds"][0].as_py()
    share = evidence.outages[0].mark["counted_seconds"] / whole if found and whole else 0.0
    return {
        "outages": found,
        "outages_number": quantity(number, "outage"),
        "outages_told": f"the {len(found)} with the most counted time" if number > len(found) else "the most counted time first",
        "first_share": percent(min(share, 1.0), 0),
    }


def _fleet(report: Report, zone: ZoneInfo) -> dict[str, Any]:
    """The charts of the whole fleet; they need at least two periods."""
    request, periods = report.request, report.periods
    raw, corrected = (periods[name].to_pylist() for name in ("raw_availability", "availability"))
    if sum(ratio is not None for ratio in corrected) < 2:
        return {"fleet": "", "fleet_raw": ""}
    edges = [(edge - request.since) / SECOND for edge in request.edges]
    worst = min((ratio, place) for place, ratio in enumerate(corrected) if ratio is not None)
    told = (
        f"Corrected availability of all scale sets by {request.by}, against the target. The lowest one is {percent(worst[0])} %, "
        f"in {label(request.edges[worst[1]], request.by, zone)}. The table of it is below, under More figures."
    )
    beside = f"Raw availability of all scale sets by {request.by}, beside the corrected one. The table of it is below, too."
    drawings: dict[str, list[str]] = {"fleet": [], "fleet_raw": []}
    for size in SIZES:
        at = ticks(request.since, request.until, zone, size.ticks)
        chart, look = fleet_chart(edges, corrected, request.target, size, at), f"chart {size.name}"
        drawings["fleet"].append(drawn(chart, told, look=look))
        drawings["fleet_raw"].append(drawn(raw_chart(edges, raw, size, at), beside, look=look))
    return {name: "".join(parts) for name, parts in drawings.items()}


def _drawn(material: PageMaterial, evidence: PageEvidence, cards: dict[str, list[Card]]) -> dict[str, Any]:
    report, wanted = material.report, evidence.drawn
    lines, rows = lines_of(material, wanted), rows_of(report, wanted)
    found = [
        one_set(material, lines, place, rows[one], cards.get(one, []))._replace(page=evidence.page(one))
        for place, one in enumerate(wanted)
    ]
    whole = "the table below leads to the page of each" if evidence.page(wanted[0]) else "--scale-set draws others"
    return {"drawn": found, "drawn_told": _drawn_told(len(wanted), len(report.sets), whole), "bin": bin_told(lines)}


def lines_of(material: PageMaterial, wanted: tuple[str, ...]) -> Timelines:
    """The timelines of some scale sets."""
    request = material.report.request
    return timelines(material.runs, wanted, bin_edges(request.since, request.until, BINS))


def bin_told(lines: Timelines) -> str:
    """How long a step of a timeline is."""
    return _length_told(max(later - earlier for earlier, later in pairwise(lines.edges)))


def rows_of(report: Report, wanted: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The rows of SETS of some scale sets, by their ids."""
    kept = report.sets.filter(pc.is_in(report.sets["scale_set_id"], pa.array(wanted, pa.string())))
    return {row["scale_set_id"]: row for row in kept.to_pylist()}


def _drawn_told(number: int, of: int, others: str) -> str:
    if number == of:
        return "Every scale set, the most counted time first."
    return f"The {number} of {of:,} scale sets with the most counted time; {others}."


def _length_told(micros: int) -> str:
    unit, name = next((unit, name) for unit, name in _UNITS if micros % unit == 0 or unit == MINUTE)
    return quantity(-(-micros // unit), name)


def one_set(material: PageMaterial, lines: Timelines, place: int, row: dict[str, Any], cards: list[Card]) -> SetDrawing:
    """A scale set with its timeline.

    Args:
        material: of the report.
        lines: timelines.
        place: which one of them.
        row: of SETS.
        cards: the evidence.
    """
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
        anchor=anchor(row["scale_set_id"]),
        page="",
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
    for row in rows:
        if row["verdict"] == "presumed_removed":  # its time until that is presumed is of class excused
            row["removed_seconds"], row["excused_seconds"] = row["removed_seconds"] + row["excused_seconds"], 0.0
    most = max((sum(row[f"{kind}_seconds"] for kind in kinds) for row in rows), default=0) or 1

    def bars(row: dict[str, Any]) -> Iterator[dict[str, str]]:
        x = 0.0
        counted = FILLS["overrun" if row["verdict"] == "overrun" else "unavailable"]
        for kind, fill in zip(kinds, (FILLS["excused"], FILLS["removed"], counted), strict=True):
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


def _sets(material: PageMaterial, page: PageOf) -> dict[str, Any]:
    used = [column for column in COLUMNS if column[1] != "budget_spent" or material.report.request.target is not None]
    columns = [{"name": "Scale set", "look": "up", "sorted": False}] + [
        {"name": c[0], "look": f"n{' up' * c[3]}{' phone-off' * c[4]}", "sorted": c[1] == "bad_seconds"} for c in used
    ]
    rows = material.report.sets.select(["scale_set_id", *(c[1] for c in used)]).to_pylist()
    table = [
        (
            harmless(row["scale_set_id"]),
            material.name(row["scale_set_id"]),
            page(row["scale_set_id"]),
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
