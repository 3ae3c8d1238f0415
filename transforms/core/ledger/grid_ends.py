"""Grid ends of the scale sets of one key: which has fired last of each, and which is next (rules: T, Late)."""

from typing import Final

import numpy as np
import pyarrow as pa

from schemas.time import MILLISECOND, floor_to
from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import NEVER
from transforms.core.columns.members import places_among

NOT_YET: Final = -NEVER
"""None has fired."""
GRID_ENDS: Final = pa.schema([("scale_set_id", pa.string()), ("fired", pa.int64()), ("due", pa.int64())])
"""One row a scale set: the last grid end of it that has fired, and the one at which it is evaluated next; microseconds."""


def fired_of(grid_ends: pa.RecordBatch, names: pa.StringArray) -> Ints:
    """The last grid end of each of some scale sets that has fired; NOT_YET also of those that are unknown."""
    place = places_among(names, grid_ends.column("scale_set_id"))
    fired: Ints = np.append(_moments(grid_ends, "fired"), NOT_YET)[place]
    return fired


def due_by(grid_ends: pa.RecordBatch, moment: int) -> pa.StringArray:
    """The scale sets that are to be evaluated at a grid end, or should have been at an earlier one."""
    return grid_ends.column("scale_set_id").filter(pa.array(_moments(grid_ends, "due") <= moment))


def next_due(grid_ends: pa.RecordBatch, grid: int, now: int) -> int | None:
    """The grid end at which a scale set is to be evaluated next.

    None if it lies more than one grid interval after the present: at the end of an input the watermark jumps to infinity, and
    timers that set the next one would then fire for ever.
    """
    upcoming = int(_moments(grid_ends, "due").min(initial=NEVER))
    return upcoming if upcoming <= now + grid else None


def with_first(grid_ends: pa.RecordBatch, names: pa.StringArray, first: Ints, grid: int) -> pa.RecordBatch:
    """GRID_ENDS after events of some scale sets have come: where none has fired, the first one behind the earliest event is due.

    Args:
        grid_ends: GRID_ENDS before.
        names: the scale sets.
        first: the earliest event of each that has come, microseconds.
        grid: in microseconds.
    """
    place, fired, due, ids = _with(grid_ends, names)
    due[place] = np.where(fired[place] == NOT_YET, np.minimum(due[place], first - first % grid + grid), due[place])
    return _grid_ends(ids, fired, due)


def with_fired(grid_ends: pa.RecordBatch, names: pa.StringArray, fired: Ints | int, grid: int) -> pa.RecordBatch:
    """GRID_ENDS after a grid end of some scale sets has fired; the next one is due then."""
    place, before, due, ids = _with(grid_ends, names)
    before[place] = np.maximum(before[place], fired)
    due[place] = before[place] + grid
    return _grid_ends(ids, before, due)


def grid_end_of_timer(fired_at: int, grid: int) -> int:
    """The grid end for which a timer was set that fired at a moment, which Beam cuts to milliseconds."""
    return floor_to(fired_at + MILLISECOND - 1, grid)


def _moments(grid_ends: pa.RecordBatch, column: str) -> Ints:
    moments: Ints = grid_ends.column(column).to_numpy()
    return moments


def _with(grid_ends: pa.RecordBatch, names: pa.StringArray) -> tuple[Ints, Ints, Ints, pa.StringArray]:
    """The place of each name in the columns, and the columns, with a row for each that had none."""
    ids = grid_ends.column("scale_set_id")
    place = places_among(names, ids)
    fresh = names.filter(pa.array(place < 0))
    ids = pa.concat_arrays([ids, fresh]) if len(fresh) else ids
    place[place < 0] = np.arange(len(ids) - len(fresh), len(ids))
    fired = np.append(_moments(grid_ends, "fired"), np.full(len(fresh), NOT_YET))
    due = np.append(_moments(grid_ends, "due"), np.full(len(fresh), NEVER))
    return place, fired, due, ids


def _grid_ends(ids: pa.StringArray, fired: Ints, due: Ints) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([ids, pa.array(fired), pa.array(due)], schema=GRID_ENDS)
