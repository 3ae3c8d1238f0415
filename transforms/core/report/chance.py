"""How many onsets operations would explain by chance alone, from the rate of onsets outside of all operations.

For a verb v, a worst state k and a scale set s:

    rate[s, k]     = onsets of k at instances of s without any candidate / instance time of s outside of every operation's window
    expected[v, k] = sum over s of rate[s, k] x instance time of s inside the windows of v
    share[v, k]    = expected[v, k] / onsets of k that name v

The window of an operation is [start - skew, limit): an onset in it, at an instance that the operation targets, would name it as
far as lag goes. It holds as many instances as the operation names; all that are present if it names none; never more than are
present. Windows of one verb that overlap do not count twice beyond that. Sets that are never outside tell nothing and are left
out of `expected`. Instances that are removed are not there for all this: they can have no onset, and a fleet that is deallocated
overnight would seem to be calm whenever nobody operates it.

The kernel walks the beginnings and ends of windows of each set, and between two of them the runs of the series that overlap:

    changes    before           now
    windows    |===== named ====|       at most `named` instances are inside; all, if a window names none
    runs       [---)[------)[-------)
                row

There is one such walk a verb, and one of all windows, side by side. Invariant: `before` and `row` only move forward; a run that
goes on behind `now` is looked at again for the next stretch.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import STATES
from schemas.tables.report import CHANCE
from schemas.time import SECOND
from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import NEVER, group_by, kernel, sort_by
from transforms.core.columns.members import places_among
from transforms.core.report.outages import is_in
from transforms.core.report.series import numbered, times
from transforms.core.report.steps import Steps

_KINDS: Final = pa.array(STATES)


class Presence(NamedTuple):
    """How many instances of each scale set are there, and not removed, over time."""

    ids: pa.StringArray
    at_risk: Steps


class Windows(NamedTuple):
    """Windows of operations, clipped to the period."""

    set: Ints
    verb: Ints
    start: Ints
    end: Ints
    named: Ints
    """How many instances it names; -1: all that are there."""


class Onsets(NamedTuple):
    """The onsets of instances' episodes within the period, counted by the worst state of the episode."""

    alone: Ints
    """Those that no operation could have explained: scale set x STATES."""
    verbs: pa.StringArray
    named: Ints
    """Those that name a verb: verb x STATES."""


def chance(runs: Presence, onsets: Sequence[Onsets], operations: pa.Table, skew: int, span: tuple[int, int]) -> pa.Table:
    """CHANCE of the onsets in [since, until).

    Args:
        runs: within the span.
        onsets: of all parts of the attributions.
        operations: current rows, including those that began before the span and have a window in it.
        skew: the policy's, in microseconds.
        span: since and until.
    """
    verbs, _ = numbered(pa.chunked_array([numbered(operations.column("verb"))[0], *(part.verbs for part in onsets)], pa.string()))
    windows = windows_of(operations, runs.ids, verbs, skew, span)
    exposed = exposures(runs, windows, len(verbs))
    inside, whole = exposed[:-1], exposed[-1]
    outside = runs.at_risk.integral() - whole
    alone, named = (np.zeros((rows, len(STATES)), np.int64) for rows in (len(runs.ids), len(verbs)))
    for part in onsets:
        alone += part.alone
        named[places_among(part.verbs, verbs)] += part.named
    told = outside > 0
    rate = np.divide(alone, outside[:, None], out=np.zeros(alone.shape), where=told[:, None])
    expected = inside @ rate
    known = expected if told.any() else np.full(expected.shape, np.nan)
    rows = [
        _row(verbs[v].as_py(), kind, int((windows.verb == v).sum()), inside[v], int(named[v, kind]), known[v, kind])
        | {"outside_onsets": int(alone[:, kind].sum()), "outside_seconds": int(outside.sum()) / SECOND}
        for v in range(len(verbs))
        for kind in range(len(STATES))
        if named[v, kind] or expected[v, kind]
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (-row["onsets"], row["verb"], row["state"])), CHANCE)


def windows_of(operations: pa.Table, ids: pa.StringArray, verbs: pa.StringArray, skew: int, span: tuple[int, int]) -> Windows:
    """The windows of operations that have one in the span."""
    start, end = np.maximum(times(operations, "start") - skew, span[0]), np.minimum(times(operations, "limit"), span[1])
    code, verb = numbered(operations.column("scale_set_id"), ids)[1], numbered(operations.column("verb"), verbs)[1]
    many = pc.list_value_length(operations.column("instance_ids")).fill_null(0).to_numpy().astype(np.int64)
    named = np.where(is_in(operations, "target", pa.array(["named"])), many, -1)
    kept = (start < end) & (code >= 0) & (verb >= 0)
    return Windows(code[kept], verb[kept], start[kept], end[kept], named[kept])


def onsets_of(attributions: pa.Table, ids: pa.StringArray, span: tuple[int, int]) -> Onsets:
    """The onsets of instances' episodes in the span; a removed stretch has none."""
    start = times(attributions, "start")
    mine = pc.is_valid(attributions.column("instance_id")).to_numpy()
    here = (start == times(attributions, "onset")) & (span[0] <= start) & (start < span[1])
    kept = np.flatnonzero(here & mine & ~is_in(attributions, "verdict", pa.array(["removed"])))
    code, (verbs, verb) = numbered(attributions.column("scale_set_id"), ids)[1], numbered(attributions.column("verb"))
    kind = numbered(attributions.column("worst_state"), _KINDS)[1][kept]
    alone = _counted(code[kept], kind, attributions.column("candidates").to_numpy()[kept] == 0, len(ids))
    return Onsets(alone, verbs, _counted(verb[kept], kind, verb[kept] >= 0, len(verbs)))


def exposures(runs: Presence, windows: Windows, verbs: int) -> Ints:
    """Instance time inside the windows of each verb, and last of all, one row each, of each set: at each moment the number of
    instances named, at most those at risk."""
    moments = np.concatenate([windows.start, windows.end])
    _, order = sort_by(moments - moments.min(initial=NEVER), np.arange(len(moments)))
    bounds, order = group_by(np.tile(windows.set, 2), len(runs.ids), order)
    totals = np.zeros((verbs + 1, len(runs.ids)), np.int64)
    _expose(bounds, order, moments, windows.verb, windows.named, *runs.at_risk, totals)
    return totals


def _counted(group: Ints, kind: Ints, chosen: np.ndarray, groups: int) -> Ints:
    counts: Ints = np.bincount(group[chosen] * len(STATES) + kind[chosen], minlength=groups * len(STATES))
    return counts.reshape(groups, len(STATES))


def _row(verb: str, kind: int, operations: int, inside: Ints, onsets: int, expected: float) -> dict[str, Any]:
    known = None if math.isnan(expected) else float(expected)
    return {
        "verb": verb,
        "state": STATES[kind],
        "operations": operations,
        "window_seconds": int(inside.sum()) / SECOND,
        "onsets": onsets,
        "expected": known,
        "share": known / onsets if onsets and known is not None else None,
    }


@kernel
def _expose(
    bounds: Ints,
    order: Ints,
    moments: Ints,
    verb: Ints,
    sizes: Ints,
    firsts: Ints,
    lasts: Ints,
    steps: Ints,
    present: Ints,
    totals: Ints,
) -> None:
    """Adds to the totals of each verb, and to the last ones, of all. `moments` are the beginnings of all windows and then their
    ends; `order` puts those of a set in order of time."""
    verbs, sets = totals.shape
    row, named, whole, before = np.zeros((4, verbs), np.int64)
    for s in range(sets):
        row[:], named[:], whole[:], before[:], last = firsts[s], 0, 0, 0, lasts[s] - 1
        for k in order[bounds[s] : bounds[s + 1]]:
            window, sign, now = k % len(verb), 1 if k < len(verb) else -1, moments[k]
            for v in (verb[window], verbs - 1):
                if named[v] > 0 or whole[v] > 0:
                    while row[v] < last and steps[row[v] + 1] <= before[v]:
                        row[v] += 1
                    at = row[v]
                    while at < last and steps[at] < now:
                        length = min(steps[at + 1], now) - max(steps[at], before[v])
                        totals[v, s] += length * (present[at] if whole[v] > 0 else min(present[at], named[v]))
                        at += 1
                if sizes[window] < 0:
                    whole[v] += sign
                else:
                    named[v] += sign * sizes[window]
                before[v] = now
