"""The explanation of a scale set: reads what it needs of a folder (contract: trueup explain)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pipelines.failures import RunError
from pipelines.reading.report import held_in, known_period
from pipelines.record.selection import Selection
from schemas.policy import Policy
from schemas.time import DAY, NEVER, floor_to, format_time
from transforms.core.explain.explanation import (
    TOLD,
    Stretch,
    StretchBounds,
    covering,
    parts_of,
    spans_of,
    stretch_of,
)
from transforms.core.explain.history import history
from transforms.core.explain.moment import OPERATIONS, SERIES, Explanation, Moment, nearest, operations_of, state_at

LAST: Final = 10
"""Stretches that are told unless more are asked for."""
_POLICY: Final = (
    "skew", "unseen", "settle", "possible_excuse", "max_excuse", "presume_after", "max_open", "grid", "verbs",
)  # fmt: skip
"""What an explanation tells of a policy."""


@dataclass(frozen=True)
class ExplainSettings:
    """What an explanation is asked for."""

    data: str
    scale_set_id: str
    """Whole, as it stands in the tables."""
    at: int | None = None
    """Microseconds; None: the latest stretches of trouble."""
    last: int = LAST
    """How many stretches are told."""


def scale_sets(root: str) -> list[str]:
    """The ids of all scale sets of a folder.

    Raises:
        RunError: there is no such folder, or nothing in it.
    """
    selection = Selection(root)
    found = selection.scale_sets()
    if not found:
        known_period(root, selection)
        raise RunError(f"{root}: published rows are required, and there are none.")
    return found


def explain(settings: ExplainSettings, selection: Selection | None = None) -> Explanation:
    """The explanation of one scale set.

    Args:
        settings: what is asked for.
        selection: through which current rows are read, for whoever measures.

    Raises:
        RunError: nothing is published of it, or not of that moment.
    """
    selection = Selection(settings.data, ids=[settings.scale_set_id]) if selection is None else selection
    known = known_period(settings.data, selection)
    at = settings.at
    policy = _policy(settings.data, selection, (known[1] - 1 if at is None else at) // DAY)
    reader = _StretchReader(selection, known, -(-(policy["max_open"] + policy["grid"]) // DAY) + 1)
    if at is None:
        shown, earlier = reader.latest(settings.last)
        return Explanation(settings.scale_set_id, known, policy, shown, earlier, None)
    moment = _moment(settings, at, reader, policy)
    return Explanation(settings.scale_set_id, known, policy, (), False, moment)


class _StretchReader:
    """Stretches of one scale set, read from where they are wanted until enough are known whole."""

    def __init__(self, selection: Selection, known: tuple[int, int], reach: int) -> None:
        self.selection, self.known, self.reach = selection, known, reach
        """How many days before it an attribution may begin that matters on a day: reach."""
        self._first, self._last = known[0] // DAY, (known[1] - 1) // DAY

    def latest(self, number: int) -> tuple[tuple[Stretch, ...], bool]:
        """The latest stretches, and whether there are earlier ones."""
        length = 2 * self.reach
        while True:
            begin = self._last - length
            spans = self.spans(begin, self._last)
            whole = self._whole(spans, begin)
            if len(whole) >= number or begin <= self._first:
                shown = whole[-number:]
                return tuple(stretch_of(spans, k) for k in shown), begin > self._first or len(shown) < len(spans.start)
            length *= 2

    def around(self, at: int) -> tuple[Stretch | None, Stretch | None, Stretch | None]:
        """The last stretch that had ended, the one that holds the moment, and the next one."""
        back, ahead = 2 * self.reach, 2
        while True:
            begin, end = at // DAY - back, at // DAY + ahead
            spans = self.spans(begin, end)
            before = [k for k in self._whole(spans, begin) if spans.until[k] <= at][-1:]
            after = np.flatnonzero(spans.start > at).tolist()[:1]
            inside = _inside(spans, at)
            # What ends where was read no further may be continued there, in another row.
            reached = all(spans.until[k] < (end + 1) * DAY or spans.until[k] == NEVER for k in before + inside + after)
            enough = before or begin <= self._first, (after and reached) or end >= self._last
            if all(enough):
                found = [stretch_of(spans, numbers[0]) if numbers else None for numbers in (before, inside, after)]
                return found[0], found[1], found[2]
            back, ahead = back * (1 if enough[0] else 2), ahead * (1 if enough[1] else 2)

    def spans(self, begin: int, end: int) -> StretchBounds:
        """The stretches that rows of some days make, the last day included."""
        return spans_of(self.attributions(begin, end), self.known[1])

    def attributions(self, begin: int, end: int) -> pa.Table:
        """Current attributions of some days."""
        return self.selection.table("attributions", range(begin, end + 1), TOLD)

    def _whole(self, spans: StretchBounds, begin: int) -> list[int]:
        """Those stretches of which no row can lie before the days that were read."""
        places: list[int] = np.flatnonzero((spans.start >= (begin + self.reach) * DAY) | (begin <= self._first)).tolist()
        return places


def _inside(spans: StretchBounds, at: int) -> list[int]:
    """The stretch that holds a moment: one whose trouble does, else the latest of which something is still away."""
    lasting = (spans.start <= at) & (at < spans.until)
    places: list[int] = np.flatnonzero(lasting & (at < spans.end)).tolist() or np.flatnonzero(lasting).tolist()
    return places[-1:]


def _moment(settings: ExplainSettings, at: int, reader: _StretchReader, policy: Mapping[str, Any]) -> Moment:
    day, (since, until) = at // DAY, reader.known
    if not since <= at < until:
        came = format_time(at)
        raise RunError(
            f"--at: a time within what is published, {format_time(since)} to {format_time(until)}, is required, got {came}."
        )
    series = reader.selection.table("availability", range(day - 1, day + 2), SERIES)
    if not len(covering(series, at)):
        raise RunError(f"--at: a time of which a version is published is required; of {format_time(at)} there is none.")
    parts = parts_of(covering(reader.attributions(day - reader.reach, day), at))
    wanted = [part.cause.start for part in parts if part.cause] + [part.onset[0] for part in parts]
    days = {time // DAY + k for time in wanted for k in (-1, 0, 1)}
    operations = operations_of(reader.selection.table("operations", days, OPERATIONS))
    named = {(part.cause.key, part.cause.verb, part.cause.start) for part in parts if part.cause}
    unexplained = next((part for part in parts if part.verdict == "unexplained"), None)
    before, inside, after = reader.around(at)
    return Moment(
        at=at,
        state=state_at(series.sort_by("start"), at),
        parts=parts,
        operations={key: one for one in operations if (key := (one.key, one.verb, one.start)) in named},
        near=None if unexplained is None else nearest(operations, unexplained, policy["skew"]),
        stretch=inside,
        before=before,
        after=after,
        history=_history(reader, at, policy["grid"]),
    )


def _history(reader: _StretchReader, at: int, grid: int) -> Any:
    day = at // DAY
    days = range(day - reader.reach, day + 1)
    versions = reader.selection.every_version("revisions", days, ("cause", "revision"))
    series = reader.selection.every_version("availability", [day], SERIES)
    rows = reader.selection.every_version("attributions", days, TOLD)
    return history(versions, series, rows, floor_to(at, grid), at)


def _policy(root: str, selection: Selection, day: int) -> Mapping[str, Any]:
    """The policy of the latest version of a day; the default one where the folder does not hold it."""
    days = sorted(selection.days, key=lambda one: (abs(one - day), one))
    versions = next(v for v in map(selection.versions, days) if v is not None)
    name = versions.column("policy")[len(versions) - 1].as_py()
    held = held_in(root, f"_trueup/policies/{name}.json", *_POLICY)
    return held[0] if held else Policy().model_dump()
