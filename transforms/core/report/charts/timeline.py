"""Timelines: reported states and corrected classes of the instances of some scale sets, bin by bin (rules: Counts)."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables.availability import CLASSES, RAW, SERIES_STATES
from schemas.time import DAY, HOUR, MINUTE
from transforms.core.columns.arrow import Ints
from transforms.core.report.series import COUNTS, Runs
from transforms.core.report.spells import no_spells
from transforms.core.report.sums import TIMES, sum_times

Floats = npt.NDArray[np.float64]

STEPS: Final = tuple(
    [n * MINUTE for n in (1, 2, 5, 10, 15, 30)] + [n * HOUR for n in (1, 2, 3, 6, 12)] + [n * DAY for n in (1, 2, 7, 14, 28)]
)
"""Lengths that a bin may have, in microseconds."""
_OWN: Final = {
    "Available": ("raw_available", "up"),
    "Degraded": ("raw_degraded", "degraded"),
    "Unavailable": ("raw_unavailable", "unavailable"),
    "Unknown": ("raw_unknown", "unknown"),
    "Planned": ("raw_unknown", "excused"),
}
"""As what a scale set without instances counts, by its own state: reported, corrected."""


class Timelines(NamedTuple):
    """Instance time of some scale sets in the bins of a period."""

    ids: tuple[str, ...]
    edges: tuple[int, ...]
    """Where the bins begin, and where the last one ends; microseconds."""
    times: Ints
    """Scale set x bin x COUNTS, in microseconds of instance time."""

    def shares(self, place: int, names: tuple[str, ...]) -> Floats:
        """The shares of one scale set, bin x name: the part of the bin's time in each; all 0 where there is none."""
        times = self.times[place][:, [COUNTS.index(name) for name in names]].astype(np.float64)
        total = times.sum(axis=1, keepdims=True)
        shares: Floats = times / np.where(total == 0, 1, total)
        return shares


def bin_edges(since: int, until: int, most: int) -> tuple[int, ...]:
    """Edges of at most `most` bins (and one more where the period begins inside of one) of the shortest length in STEPS.

    >>> [edge // MINUTE for edge in bin_edges(90 * MINUTE, 200 * MINUTE, 2)]
    [90, 120, 180, 200]
    """
    step = next((step for step in STEPS if until - since <= most * step), STEPS[-1])
    return (since, *range(since - since % step + step, until, step), until)


def timelines(runs: Runs, wanted: tuple[str, ...], edges: tuple[int, ...]) -> Timelines:
    """The time of some scale sets, bin by bin.

    Args:
        runs: the series, clipped to the edges.
        wanted: ids of scale sets, which give the order of the result; one without rows has no time.
        edges: as of `bin_edges`.
    """
    place = pc.index_in(runs.ids, pa.array(wanted, pa.string())).fill_null(-1).to_numpy().astype(np.int64)
    kept = place[runs.set] >= 0
    code = runs.set[kept]
    names = (runs.reported[kept], runs.state[kept])
    rows = Runs(runs.ids, code, runs.start[kept], runs.end[kept], *names, runs.counts[:, kept])
    sums = sum_times(rows._replace(counts=_counts(rows)), edges, no_spells(len(runs.ids)), True)
    times = np.zeros((len(wanted), len(edges) - 1, len(COUNTS)), np.int64)
    each = sums.each.reshape(len(place), len(edges) - 1, len(TIMES))
    times[place[place >= 0]] = each[place >= 0, :, : len(COUNTS)]
    return Timelines(wanted, edges, times)


def clearly(shares: Floats, least: float) -> Floats:
    """Heights for shares, so that one instance in a hundred is visible.

    All shares but the first are together as high as the root of their sum, divided in proportion, but each at least about
    `least` of the whole. A row that is all 0 stays so.

    >>> clearly(np.array([[0.96, 0.01, 0.03], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), 0.1).round(2).tolist()
    [[0.76, 0.1, 0.14], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    other = shares[:, 1:]
    total = other.sum(axis=1, keepdims=True)
    raised = np.where(other > 0, np.maximum(other / np.sqrt(np.where(total == 0, 1, total)), least), 0)
    first = np.where(shares[:, :1] > 0, np.maximum(1 - np.sqrt(total), least), 0)
    heights = np.hstack([first, raised])
    whole = heights.sum(axis=1, keepdims=True)
    drawn: Floats = heights / np.where(whole == 0, 1, whole)
    return drawn


def _counts(runs: Runs) -> npt.NDArray[np.int32]:
    """Counts of instances, COUNTS x row; a scale set that never has an instance counts as one itself."""
    instances = np.zeros(len(runs.ids), np.int64)
    np.maximum.at(instances, runs.set, runs.present)
    alone = instances[runs.set] == 0
    counts = runs.counts.copy()
    for codes, side in ((runs.reported, 0), (runs.state, 1)):
        for state, names in _OWN.items():
            counts[COUNTS.index(names[side])] += alone & (codes == SERIES_STATES.index(state))
    return counts


def worst_sets(sets: pa.Table, most: int) -> tuple[str, ...]:
    """The scale sets most worth drawing: those with the most counted time, then with the most excused time.

    Args:
        sets: SETS of `schemas.tables.report`.
        most: how many.
    """
    order = [("bad_seconds", "descending"), ("excused_seconds", "descending"), ("scale_set_id", "ascending")]
    return tuple(sets.select([name for name, _ in order]).sort_by(order).slice(0, most)["scale_set_id"].to_pylist())


assert {name for names in _OWN.values() for name in names} <= {*RAW, *CLASSES}
