"""Bad times: stretches in which a scale set's state is Degraded or Unavailable, told by the rows of the series (rules: Rows).

The same of `reported_state` are the alarms that Azure's own record would raise.
"""

from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import TIMESTAMP
from transforms.core.columns.arrow import Ints

StateColumn = Literal["state", "reported_state"]
BAD: Final = pa.array(["Degraded", "Unavailable"])
BAD_ROWS: Final = pa.schema([("scale_set_id", pa.string()), ("state", pa.string()), ("start", TIMESTAMP), ("end", TIMESTAMP)])
BAD_TIMES: Final = pa.schema([*BAD_ROWS, ("goes_on", pa.bool_())])
"""One row a stretch of one state; `goes_on`: it ends only because no more is known of the scale set."""
SERIES_ENDS: Final = pa.schema([("scale_set_id", pa.string()), ("known", TIMESTAMP)])
"""Until when the series of each scale set is known."""


def bad_rows(series: pa.Table, column: StateColumn) -> pa.Table:
    """BAD_ROWS of a series, its bad rows as they are.

    Args:
        series: current rows of table `availability`: scale_set_id, start, end and the column.
        column: whose states count.
    """
    names = ("scale_set_id", column, "start", "end")
    bad = series.filter(pc.is_in(series.column(column).cast(pa.string()), BAD)).select(names)
    return bad.rename_columns(BAD_ROWS.names).cast(BAD_ROWS)


def series_ends(series: pa.Table) -> pa.Table:
    """SERIES_ENDS of a series."""
    plain = series.select(["scale_set_id", "end"]).set_column(0, "scale_set_id", series.column("scale_set_id").cast(pa.string()))
    return plain.group_by("scale_set_id").aggregate([("end", "max")]).rename_columns(SERIES_ENDS.names).cast(SERIES_ENDS)


def bad_times(rows: pa.Table, ends: pa.Table) -> pa.Table:
    """BAD_TIMES of bad rows: those of one state that meet are one stretch; sorted by scale_set_id, start.

    Args:
        rows: BAD_ROWS, in any order, without overlaps within a scale set.
        ends: SERIES_ENDS.
    """
    ordered = rows.sort_by([("scale_set_id", "ascending"), ("start", "ascending")]).combine_chunks()
    start, end = (_micros(ordered.column(name)) for name in ("start", "end"))
    follows = np.zeros(len(ordered), np.bool_)
    follows[1:] = start[1:] == end[:-1]
    for name in ("scale_set_id", "state"):
        text = ordered.column(name)
        follows[1:] &= pc.equal(text.slice(1), text.slice(0, max(len(text) - 1, 0))).to_numpy()
    first = np.flatnonzero(~follows)
    last = np.append(first[1:], len(ordered))[: len(first)] - 1
    found = ordered.take(pa.array(first)).set_column(3, "end", ordered.column("end").take(pa.array(last)))
    place = pc.index_in(found.column("scale_set_id").combine_chunks(), ends.column("scale_set_id").combine_chunks())
    known = ends.column("known").take(place)
    return found.append_column("goes_on", pc.equal(found.column("end"), known)).cast(BAD_TIMES)


def _micros(column: pa.ChunkedArray) -> Ints:
    numbers: Ints = column.cast(pa.int64()).to_numpy()
    return numbers
