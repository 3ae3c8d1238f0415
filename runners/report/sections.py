"""The sections of a report as text, the same for the terminal and for Markdown (contract: trueup report)."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from runners.words.names import labels
from runners.words.quantity import quantity
from schemas.tables.availability import CLASSES
from schemas.tables.report import WINDOWS
from schemas.time import from_micros, to_micros
from transforms.core.report.calendar import label
from transforms.core.report.request import Report

MOST_PERIODS: Final = 62
"""Periods that are all shown; of more, the worst."""
_WIDE: Final = 360_000
"""Seconds from which on a length is told in hours."""
_COUNTS: Final = {"up": "expected", "degraded": "counted", "unavailable": "counted", "overrun": "counted"}


class Section(NamedTuple):
    """A table with a title."""

    title: str
    columns: tuple[str, ...]
    """One that begins with < is aligned to the left."""
    rows: Sequence[tuple[str, ...]]
    note: str = ""


def sections(report: Report, top: int) -> Iterator[Section]:
    """All sections that have rows; long ones show the `top` worst."""
    name = _names(report)
    made = (
        _fleet(report),
        _conventions(report),
        _times(report),
        _periods(report, top),
        _worst_sets(report, top, name),
        _reliability(report, top, name),
        _worst_periods(report, top, name),
        _causes(report, top),
        _chance(report),
        _coverage(report, top, name),
        _states(report, top, name),
    )
    return (section for section in made if section.rows)


def further(report: Report, top: int) -> Iterator[Section]:
    """The sections that the page with charts shows in no other way."""
    name = _names(report)
    made = (_conventions(report), _fleet(report), _periods(report, top), _chance(report), _coverage(report, top, name),
            _states(report, top, name))  # fmt: skip
    return (section for section in made if section.rows)


def headline(report: Report) -> list[str]:
    """What the report covers, and its main figures, in a few sentences."""
    request, zone, fleet = report.request, ZoneInfo(report.request.time_zone), report.fleet.to_pylist()[0]
    since, until = (moment(from_micros(t), zone) for t in (request.since, request.until))
    hours = (request.until - request.since) / 3.6e9
    known = [moment(from_micros(t), zone) for t in request.known or ()]
    sets = quantity(len(report.sets), "scale set")
    lines = [
        f"{sets}, {since} to {until} ({request.time_zone}), {hours:,.10g} hours.",
        f"Availability: raw {percent(fleet['raw_availability'])} %, corrected {percent(fleet['availability'])} %.",
        _interruptions(fleet),
    ]
    if request.target is not None and fleet["budget_spent"] is not None:
        lines.append(
            f"Error budget for {request.target * 100:.6g} %: {length(fleet['budget_seconds'])}, "
            f"{percent(fleet['budget_spent'])} % of it spent."
        )
    if request.known and (request.since < request.known[0] or request.until > request.known[1]):
        lines.append(f"Published is only {known[0]} to {known[1]}; of the rest nothing is known.")
    lines.append(f"{_counted(report)} Policy: {', '.join(request.policies) or '-'}.")
    return lines


def percent(share: float | None, digits: int = 3) -> str:
    """A ratio in percent, rounded so that only 1 shows as 100 and only 0 as 0.

    >>> percent(0.9999999), percent(1.0), percent(None)
    ('99.999', '100.000', '-')
    """
    if share is None:
        return "-"
    least, shown = 10**-digits, f"{100 * share:.{digits}f}"
    if share < 1 and float(shown) == 100:
        return f"{100 - least:.{digits}f}"
    return f"{least:.{digits}f}" if share > 0 and float(shown) == 0 else shown


def length(seconds: float | None) -> str:
    """A length of time: h:mm:ss, and hours where there are many.

    >>> length(3723.9), length(-60), length(3_600_000), length(0)
    ('1:02:03', '-0:01:00', '1,000 h', '-')
    """
    if not seconds:
        return "-"
    sign, whole = "-" * (seconds < 0), int(abs(seconds))
    if whole >= _WIDE:
        return f"{sign}{whole / 3600:,.0f} h"
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def moment(time: datetime | None, zone: ZoneInfo) -> str:
    """A time in a time zone, to the minute."""
    return "-" if time is None else f"{time.astimezone(zone):%Y-%m-%d %H:%M}"


def _names(report: Report) -> Callable[[str], str]:
    return labels(set(report.sets["scale_set_id"].to_pylist()) | set(report.coverage["scale_set_id"].to_pylist())).__getitem__


def _interruptions(fleet: dict[str, Any]) -> str:
    per_year = fleet["interruptions_per_vm_year"]
    rate = "" if per_year is None else f", {per_year:,.2f} per VM-year"
    left = f" (without {fleet['still_open']:,} still open at the end)" if fleet["still_open"] else ""
    return (
        f"{quantity(fleet['interruptions'], 'interruption')}{rate}; mean time to repair {length(fleet['mttr_seconds'])}{left}, "
        f"between failures {length(fleet['mtbf_seconds'])}."
    )


def _counted(report: Report) -> str:
    start, end = _totals(report.coverage, "counted")
    told = f"Instances counted: {start:,} at the start, {end:,} at the end"
    if report.request.inventory is None:
        return f"{told}."
    known = report.coverage.filter(pc.is_valid(report.coverage["inventory_at_start"]))
    named, counted = _totals(known, "inventory"), _totals(known, "counted")
    both = f"the inventory names {named[0]:,} and {named[1]:,}, and of these sets {counted[0]:,} and {counted[1]:,} are counted"
    return f"{told}; of {len(known):,} of the scale sets {both}."


def _totals(coverage: pa.Table, kind: str) -> tuple[int, int]:
    start, end = (pc.sum(coverage[f"{kind}_at_{side}"]).as_py() or 0 for side in ("start", "end"))
    return start, end


def _fleet(report: Report) -> Section:
    fleet, zone = report.fleet.to_pylist()[0], ZoneInfo(report.request.time_zone)

    def row(window: str) -> tuple[str, ...]:
        told = [(fleet[f"{kind}worst_{window}"], fleet[f"{kind}worst_{window}_start"]) for kind in ("raw_", "")]
        return (window, *(text for share, start in told for text in (percent(share), moment(start, zone))))

    rows = [row(window) for window in WINDOWS if fleet[f"raw_worst_{window}"] is not None]
    return Section(
        "The worst minute, hour, day and week of all scale sets, wherever it begins",
        ("<worst", "raw %", "<from", "corrected %", "<from"),
        rows,
    )


def _conventions(report: Report) -> Section:
    fleet = report.fleet.to_pylist()[0]
    rows = [
        ("excused time counts as up", percent(fleet["availability_excused_up"]), "Icinga"),
        ("excused time leaves the denominator", percent(fleet["availability"]), "trueup"),
        ("whole operations leave, healthy time too", percent(fleet["availability_operations_out"]), "Zabbix, Datadog"),
    ]
    return Section("The same seconds by the conventions of others", ("<convention", "%", "<as in"), rows)


def _times(report: Report) -> Section:
    fleet = report.fleet.to_pylist()[0]
    total = sum(fleet[f"{name}_seconds"] for name in CLASSES)
    rows = [
        (
            name,
            _COUNTS.get(name, "-"),
            length(fleet[f"{name}_seconds"]),
            percent(fleet[f"{name}_seconds"] / total if total else None),
        )
        for name in CLASSES
    ]
    return Section("Instance time by class", ("<class", "<in the ratio", "time", "% of all"), rows)


def _periods(report: Report, top: int) -> Section:
    rows, request = report.periods.to_pylist(), report.request
    title, kept = f"All scale sets by {request.by}", list(range(len(rows)))
    if len(rows) > MOST_PERIODS:
        kept = sorted(sorted(kept, key=lambda place: (-rows[place]["bad_seconds"], place))[:top])
        title += f": the {len(kept)} of {len(rows):,} with the most counted time"
    return Section(
        title, (f"<{request.by}", *_BRIEF), [(_called(rows[k]["period_start"], report), *_brief(rows[k])) for k in kept]
    )


_BRIEF: Final = ("raw %", "corrected %", "counted", "excused", "interruptions")


def _brief(row: dict[str, Any]) -> tuple[str, ...]:
    times = (length(row["bad_seconds"]), length(row["excused_seconds"]))
    return (percent(row["raw_availability"]), percent(row["availability"]), *times, _number(row["interruptions"]))


def _worst_sets(report: Report, top: int, name: Callable[[str], str]) -> Section:
    rows = [
        (
            name(row["scale_set_id"]),
            percent(row["raw_availability"]),
            percent(row["availability"]),
            *(length(row[f"{column}_seconds"]) for column in ("bad", "overrun", "excused")),
            percent(row["budget_spent"], 0),
        )
        for row in report.sets.slice(0, top).to_pylist()
    ]
    columns = ("<scale set", "raw %", "corrected %", "counted", "overrun", "excused", "budget %")
    return Section(_of("Scale sets with the most counted time", len(rows), len(report.sets)), columns, rows)


def _reliability(report: Report, top: int, name: Callable[[str], str]) -> Section:
    rows = [
        (
            name(row["scale_set_id"]),
            _number(row["interruptions"]),
            _number(row["still_open"]),
            "-" if row["interruptions_per_vm_year"] is None else f"{row['interruptions_per_vm_year']:,.1f}",
            length(row["mttr_seconds"]),
            length(row["mtbf_seconds"]),
            *(percent(row[f"worst_{window}"], 1) for window in WINDOWS),
        )
        for row in report.sets.slice(0, top).to_pylist()
    ]
    columns = ("<scale set", "inter.", "open", "VM-year", "MTTR", "MTBF", *WINDOWS)
    return Section("Their interruptions (number, open at the end, per VM-year), and their worst windows in %", columns, rows)


def _worst_periods(report: Report, top: int, name: Callable[[str], str]) -> Section:
    if len(report.sets) < 2 and len(report.periods) <= MOST_PERIODS:
        return Section("", (), [])
    bad = report.set_periods.filter(pc.greater(report.set_periods["bad_seconds"], 0))
    order = [("bad_seconds", "descending"), ("scale_set_id", "ascending"), ("period_start", "ascending")]
    rows = [
        (name(row["scale_set_id"]), _called(row["period_start"], report), *_brief(row)[:4], _number(row["interruptions"]))
        for row in bad.sort_by(order).slice(0, top).to_pylist()
    ]
    title = _of(f"The worst {report.request.by}s of single scale sets", len(rows), len(bad))
    return Section(title, ("<scale set", f"<{report.request.by}", *_BRIEF[:4], "inter."), rows)


def _causes(report: Report, top: int) -> Section:
    rows = [
        (
            row["verdict"],
            row["verb"] or "-",
            row["initiator"] or "-",
            _number(row["episodes"]),
            *(length(row[f"{column}_seconds"]) for column in ("excused", "removed", "counted")),
        )
        for row in report.causes.slice(0, max(top, 10)).to_pylist()
    ]
    columns = ("<verdict", "<verb", "<by", "episodes", "excused", "removed", "counted")
    return Section(_of("Causes, of instances' episodes", len(rows), len(report.causes)), columns, rows)


def _chance(report: Report) -> Section:
    rows = [
        (
            row["verb"],
            row["state"],
            _number(row["operations"]),
            _number(row["onsets"]),
            "-" if row["expected"] is None else f"{row['expected']:,.1f}",
            percent(row["share"], 1),
        )
        for row in report.chance.to_pylist()
        if row["onsets"]
    ]
    note = (
        "By chance: how many onsets would fall into the operations' windows at the rate at which the same scale sets have "
        "them when no operation is there. Near 100 % or above, the operation explains no more than chance does."
    )
    columns = ("<verb", "<worst state", "operations", "onsets", "by chance", "share %")
    return Section("Is it the operation, or chance?", columns, rows, note)


def _coverage(report: Report, top: int, name: Callable[[str], str]) -> Section:
    named = report.request.inventory is not None
    keys = ["counted_at_start", "counted_at_end", *(["inventory_at_start", "inventory_at_end"] if named else [])]
    rows = report.coverage.to_pylist()

    def gap(row: dict[str, Any]) -> int:
        ends = (("counted_at_start", "inventory_at_start"), ("counted_at_end", "inventory_at_end")) if named else (keys,)
        return sum(abs(row[one] - row[other]) for one, other in ends if None not in (row[one], row[other]))

    worst = sorted((row for row in rows if gap(row)), key=lambda row: (-gap(row), row["scale_set_id"]))
    columns = ("<scale set", "counted at start", "at end", *(("inventory at start", "at end") if named else ()))
    told = "Instances counted, where the inventory names others" if named else "Instances counted, where their number changed"
    shown = [(name(row["scale_set_id"]), *(_number(row[key]) for key in keys)) for row in worst[:top]]
    return Section(_of(told, len(shown), len(worst)), columns, shown)


def _states(report: Report, top: int, name: Callable[[str], str]) -> Section:
    """Seconds by state of scale sets that only report a state of their own, and so have no ratio."""
    silent = report.sets.filter(pc.and_(pc.is_null(report.sets["raw_availability"]), pc.is_null(report.sets["availability"])))
    chosen = silent["scale_set_id"].combine_chunks().slice(0, top)
    found: pa.Table = report.states.filter(pc.is_in(report.states["scale_set_id"], chosen))
    rows = [
        (name(row["scale_set_id"]), row["state"], length(row["reported_seconds"]), length(row["corrected_seconds"]))
        for row in found.to_pylist()
    ]
    columns = ("<scale set", "<state", "reported", "corrected")
    return Section("Scale sets without instances that count: time by their own state", columns, rows)


def _of(title: str, shown: int, number: int) -> str:
    return title if shown >= number else f"{title}: {shown} of {number:,}"


def _called(start: datetime, report: Report) -> str:
    return label(to_micros(start), report.request.by, ZoneInfo(report.request.time_zone))


def _number(number: int) -> str:
    return f"{number:,}"
