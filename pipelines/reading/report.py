"""The report of a folder: reads what the period needs, and makes the figures (contract: trueup report)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.failures import RunError, UsageError
from pipelines.record.folder import read_all
from pipelines.record.selection import Selection
from schemas.azure.inventory import Inventory
from schemas.policy import Policy
from schemas.time import DAY, HOUR, format_time, parse_duration
from schemas.wording import nearest
from transforms.core.report.calendar import fitting, period_edges
from transforms.core.report.report import ReportRows, build_report
from transforms.core.report.request import Report, ReportRequest
from transforms.core.report.series import SERIES, numbered

MOST_LINES: Final = 2_000_000
"""Scale sets x periods that one report tells one by one."""
MOST_PERIODS: Final = 200_000
"""Hours, days, weeks or months of one report: the hours of 22 years."""
_CALENDAR: Final = (-25_567 * DAY, 84_006 * DAY)
"""1900 and 2200: what lies beyond has no hours in some time zones."""
_DURATIONS: Final = ("skew", "settle", "max_open", "grid")
_LENGTHS: Final = {"hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 28 * DAY}
_ATTRIBUTIONS: Final = (
    "scale_set_id", "instance_id", "start", "end", "onset", "worst_state", "verdict", "verb", "initiator", "limit", "candidates",
    "excused_seconds", "counted_seconds",
)  # fmt: skip
_OPERATIONS: Final = ("scale_set_id", "verb", "target", "instance_ids", "start", "limit", "excuses")


@dataclass(frozen=True)
class ReportSettings:
    """What a report is asked for; times in microseconds."""

    data: str
    since: int | None = None
    """None: since anything is known."""
    until: int | None = None
    """None: as far as anything is known."""
    by: str | None = None
    """None: what suits the length of the period."""
    time_zone: str = "UTC"
    scale_sets: tuple[str, ...] = ()
    """Patterns of ids or names; none: all."""
    target: float | None = None
    """A ratio: 0.999."""
    inventory: Inventory | None = None
    each: bool | None = None
    """Whether every scale set is told period by period; None: if they are few enough."""
    charts: bool = False
    """Whether the report also holds the series, of which charts are made."""


Sizes = tuple[dict[str, int], dict[str, int]]


class Reach(NamedTuple):
    """How far before a period something can begin that matters in it; microseconds."""

    skew: int
    operation: int
    attribution: int


def report(settings: ReportSettings, selection: Selection | None = None) -> Report:
    """The report of a folder.

    Args:
        settings: what is asked for.
        selection: through which the folder is read, for whoever measures.

    Raises:
        RunError: there is no such folder, or nothing in it of the wanted scale sets and period.
        UsageError: the period is none, or too many lines are asked for.
    """
    selection = Selection(settings.data, settings.scale_sets) if selection is None else selection
    since, until, known = _period(settings, selection)
    by = settings.by or fitting(since, until)
    if (until - since) // _LENGTHS[by] > MOST_PERIODS:
        raise UsageError(f"--by: at most {MOST_PERIODS:,} periods are told, got the {by}s of {_span((since, until))}.")
    edges = period_edges(since, until, by, ZoneInfo(settings.time_zone))
    days = days_of(since, until)
    versions = selection.versions_of(days)
    ids, policies = _sets_of(versions), _policies(versions)
    if not len(ids):
        raise RunError(f"--since: a period in which something is published is required, got {_span((since, until))}.")
    reach = reach_of(settings.data, policies)
    request = ReportRequest(
        edges=edges,
        by=by,
        time_zone=settings.time_zone,
        target=settings.target,
        skew=reach.skew,
        each=_tells_each(settings, len(ids), len(edges) - 1),
        charts=settings.charts,
        inventory=_inventory(settings, selection, max(since, known[0]), min(until, known[1])),
        known=known,
        policies=policies,
    )
    attributed, operated = days_of(since - reach.attribution, until), days_of(since - reach.operation, until + reach.skew)
    rows = ReportRows(
        ids=ids,
        series=lambda then: selection.rows("availability", days, SERIES.names, then),
        attributions=lambda then: selection.rows("attributions", attributed, _ATTRIBUTIONS, then),
        operations=lambda: selection.table("operations", operated, _OPERATIONS, ("operation_key",)),
    )
    return build_report(rows, request)


def _period(settings: ReportSettings, selection: Selection) -> tuple[int, int, tuple[int, int]]:
    """Since, until, and from when to when anything is known."""
    known = known_period(settings.data, selection)
    since = known[0] if settings.since is None else settings.since
    until = known[1] if settings.until is None else settings.until
    for option, moment in (("--since", since), ("--until", until)):
        if not _CALENDAR[0] <= moment < _CALENDAR[1]:
            raise UsageError(f"{option}: a time of the years 1900 to 2199 is required.")
    if settings.since is not None and settings.until is not None and since >= until:
        raise UsageError(f"--until: a time later than --since is required, got {format_time(until)}.")
    if since >= known[1] or until <= known[0] or since >= until:
        came = _span((since, until))
        raise RunError(f"{settings.data}: a period within what is published is required, {_span(known)}; got {came}.")
    return since, until, known


def _span(span: tuple[int, int]) -> str:
    return f"{format_time(span[0])} to {format_time(span[1])}"


def known_period(root: str, selection: Selection) -> tuple[int, int]:
    """From when to when anything is known of the selected scale sets, in microseconds.

    Raises:
        RunError: there is no such folder, or nothing in it of these scale sets.
    """
    grids = [parse_duration(held["grid"]) for held in held_in(root, "_trueup/grid.json", "grid")]
    if not grids:
        raise RunError(f"--data: a folder that trueup has written is required, got {root}.")
    if not selection.days:
        raise RunError(f"{root}: published rows are required, and there are none.")
    first, last = selection.first_cell(), selection.last_cell()
    if first is None or last is None:
        names = [one.rpartition("/")[2] for one in selection.scale_sets()]
        near = next(filter(None, (nearest(glob.rpartition("/")[2], names) for glob in selection.globs)), "")
        raise RunError(f"--scale-set: the id or name of a scale set in the folder is required, and none is like that{near}.")
    return first, last + grids[0]


def held_in(root: str, path: str, *needed: str) -> list[dict[str, Any]]:
    """What a file below `_trueup` holds, with the keys that are needed; nothing if there is none.

    Raises:
        RunError: it is damaged.
    """
    try:
        found = [json.loads(content) for content in read_all(root, path)]
    except ValueError:
        found = [None]
    if any(not isinstance(one, dict) or not one.keys() >= set(needed) for one in found):
        raise RunError(f"{root}/{path}: what trueup writes there is required, and it is damaged.")
    return found


def _sets_of(versions: list[pa.RecordBatch]) -> pa.StringArray:
    """The scale sets that have a series in some versions of cells, ascending."""
    told = (one.filter(pc.greater(one.column("availability_rows"), 0)).column("scale_set_id") for one in versions)
    return numbered(pa.chunked_array([pc.unique(ids).cast(pa.string()) for ids in told], pa.string()))[0]


def days_of(since: int, until: int) -> range:
    """The days, counted since the epoch, that [since, until) meets; microseconds."""
    return range(since // DAY, -(-until // DAY))


def _policies(versions: list[pa.RecordBatch]) -> tuple[str, ...]:
    return tuple(sorted({name for one in versions for name in pc.unique(one.column("policy")).to_pylist()}))


def reach_of(root: str, policies: tuple[str, ...]) -> Reach:
    """Of the policies that the rows were made with; the default one where the folder does not hold them."""
    held = [policy for name in policies for policy in held_in(root, f"_trueup/policies/{name}.json", "verbs", *_DURATIONS)]
    used: Sequence[Mapping[str, Any]] = held or [Policy().model_dump()]
    deadline = max(verb["deadline"] for policy in used for verb in policy["verbs"].values())
    longest = {name: max(policy[name] for policy in used) for name in _DURATIONS}
    return Reach(longest["skew"], deadline + longest["settle"], longest["max_open"] + longest["grid"])


def _tells_each(settings: ReportSettings, sets: int, periods: int) -> bool:
    few = sets * periods <= MOST_LINES
    if settings.each and not few:
        raise UsageError(
            f"--by: at most {MOST_LINES:,} lines of scale sets and periods are told, got {sets:,} x {periods:,}; "
            "a longer --by, a shorter period or fewer scale sets (--scale-set) make them fewer."
        )
    return few if settings.each is None else settings.each


def _inventory(settings: ReportSettings, selection: Selection, since: int, until: int) -> Sizes | None:
    if settings.inventory is None:
        return None
    at_start, at_end = (settings.inventory.sizes(moment) for moment in (since, until - 1))
    return selection.of_wanted(at_start), selection.of_wanted(at_end)
