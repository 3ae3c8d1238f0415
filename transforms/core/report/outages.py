"""Interruptions: spells of counted time of single instances, found in their attributions (contract: Attributions).

An interruption is an episode of an instance in which time counts. It begins where it begins to count: at the limit of an overrun,
else at the onset; and it is repaired where the episode ends. A row that is still open counts if anything bad was reported in it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables.report import COUNTED
from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import NEVER, Bools
from transforms.core.columns.members import places_among
from transforms.core.report.series import each_text, encoded, numbered, times

_BAD: Final = pa.array(["Degraded", "Unavailable"])
_WHOSE: Final = ["scale_set_id", "instance_id"]
_COLUMNS: Final = [*_WHOSE, "start", "end", "onset", "limit", "verdict"]


class Interruptions(NamedTuple):
    """One entry an attribution row in which time counts."""

    set: Ints
    begin: Ints
    """Where the episode begins to count."""
    end: Ints
    """Where it ends; NEVER if it is open, or goes on in another row."""
    begins: Bools
    """Whether it begins to count in this row: each interruption does in one."""
    lasts: tuple[Ints, Ints]
    """Of its counted time what is in this row: from when, and to when (NEVER if the row is open)."""


class Episodes(NamedTuple):
    """The attributions that interruptions are found in."""

    counted: pa.Table
    """Rows in which time counts."""
    continued: pa.Table
    """Rows that continue an episode of an instance."""


def episodes_in(attributions: pa.Table, ids: pa.StringArray) -> Episodes:
    """The episodes that matter among some rows.

    Args:
        attributions: current rows, including those that continue a long episode.
        ids: the scale sets whose interruptions are wanted.
    """
    # Of a scale set whose series ends where the period begins there are rows here, but no id.
    counted = pc.and_(_counts(attributions), pa.array(is_in(attributions, "scale_set_id", ids)))
    goes_on = pc.and_(pc.greater(attributions["start"], attributions["onset"]), pc.is_valid(attributions["instance_id"]))
    rows = attributions.select(_COLUMNS)
    return Episodes(rows.filter(counted), rows.filter(goes_on))


def interruptions(parts: Sequence[Episodes], ids: pa.StringArray, known: Ints) -> Interruptions:
    """The interruptions of instances of some scale sets.

    Args:
        parts: of all attributions.
        ids: the scale sets, by whose order they are numbered.
        known: T of each scale set; a row may end there only because nothing more is known.
    """
    rows, followers = (_together(tables) for tables in zip(*parts, strict=True))
    _, code = numbered(rows.column("scale_set_id"), ids)
    start, end = times(rows, "start"), times(rows, "end", NEVER)
    end = np.where(end < known[code], end, NEVER)
    overran = is_in(rows, "verdict", pa.array(["overrun"]))
    begin = np.where(overran, times(rows, "limit"), times(rows, "onset"))
    here = (start <= begin) & (begin < end)
    whole = np.where(_goes_on(rows, followers), NEVER, end)
    return Interruptions(code, begin, whole, here, (np.maximum(start, begin), end))


def _together(tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries().combine_chunks()


def is_in(rows: pa.Table, column: str, values: pa.Array) -> Bools:
    """Whether a text column has one of some values."""
    return each_text(encoded(rows.column(column)), lambda texts: places_among(texts, values) >= 0, False)


def _goes_on(rows: pa.Table, followers: pa.Table) -> Bools:
    """Whether another row with the same onset continues a row of an instance where that ends."""
    found: Bools = pc.is_in(rows["end"], followers["start"].combine_chunks()).combine_chunks().to_numpy(zero_copy_only=False)
    names = [numbered(followers[name])[0] for name in _WHOSE]
    there = followers.filter(pc.is_in(followers["start"], rows["end"].combine_chunks()))
    later = set(_keys(there, "start", names))
    found[found] = [key in later for key in _keys(rows.filter(pa.array(found)), "end", names)]
    return found


def _keys(rows: pa.Table, moment: str, names: list[pa.StringArray]) -> list[tuple[int, ...]]:
    whose = [numbered(rows[column], known)[1] for column, known in zip(_WHOSE, names, strict=True)]
    return list(zip(*(each.tolist() for each in (*whose, times(rows, moment, NEVER), times(rows, "onset"))), strict=True))


def _counts(rows: pa.Table) -> pa.Array:
    bad_so_far = pa.array(is_in(rows, "worst_state", _BAD))
    counted = pc.if_else(pc.is_null(rows.column("end")), bad_so_far, pc.greater(rows.column("counted_seconds").fill_null(0), 0))
    mine = pc.and_(pc.is_valid(rows.column("instance_id")), pa.array(is_in(rows, "verdict", pa.array(COUNTED))))
    return pc.and_(counted, mine)
