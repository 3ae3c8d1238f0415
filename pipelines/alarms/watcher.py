"""The bad times of a folder, read again as the folder grows: a day is read anew only when something of it was published
(contract: trueup watch)."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.record.selection import Selection
from transforms.core.alarms.bad_times import BAD_ROWS, SERIES_ENDS, StateColumn, bad_rows, bad_times, series_ends


class _DayRead(NamedTuple):
    """What a day's rows tell, and the files of `revisions` that said so."""

    published: frozenset[str]
    rows: pa.Table
    ends: pa.Table


class BadTimesOfFolder:
    """The bad times of some scale sets of a folder."""

    def __init__(self, root: str, globs: Sequence[str], column: StateColumn = "state") -> None:
        """Reads nothing yet.

        Args:
            root: the folder of the tables.
            globs: patterns of scale sets, as a report takes them; none: all.
            column: whose states count.
        """
        self._root, self._globs, self._column = root, globs, column
        self._days: dict[int, _DayRead] = {}

    def read(self, days: range | None = None) -> pa.Table:
        """BAD_TIMES of some days, counted since the epoch, or of all; one that began before the first day begins with it."""
        selection = Selection(self._root, self._globs, within=days)
        self._days = {
            day: self._days[day] if self._is_known(day, paths) else self._day(selection, day, frozenset(paths))
            for day, paths in sorted(selection.files("revisions").items())
        }
        rows = pa.concat_tables([BAD_ROWS.empty_table(), *(read.rows for read in self._days.values())])
        return bad_times(rows, _latest([read.ends for read in self._days.values()]))

    def _is_known(self, day: int, paths: list[str]) -> bool:
        return day in self._days and self._days[day].published == set(paths)

    def _day(self, selection: Selection, day: int, published: frozenset[str]) -> _DayRead:
        series = selection.table("availability", [day], ("scale_set_id", "start", "end", self._column))
        return _DayRead(published, bad_rows(series, self._column), series_ends(series))


def alarms_in(root: str, column: StateColumn, least: int) -> Counter[str]:
    """How many bad times of each scale set of a folder last for at least so long (microseconds)."""
    times = BadTimesOfFolder(root, (), column).read()
    lasted = pc.subtract(*(times.column(name).cast(pa.int64()) for name in ("end", "start")))
    return Counter(times.filter(pc.greater_equal(lasted, least)).column("scale_set_id").to_pylist())


def _latest(ends: list[pa.Table]) -> pa.Table:
    every = pa.concat_tables([SERIES_ENDS.empty_table(), *ends])
    return every.group_by("scale_set_id").aggregate([("known", "max")]).rename_columns(SERIES_ENDS.names)
