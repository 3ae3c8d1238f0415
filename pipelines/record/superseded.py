"""Which versions of cells still count, and rows without their copies (contract: Current rows)."""

from typing import Final

import numpy as np
import pyarrow as pa

from schemas.time import NEVER
from transforms.core.columns.arrow import Ints, micros

VERSION: Final = ("scale_set_id", "cell", "as_of")
"""The columns that name a version of a cell."""


def kept_versions(revisions: pa.RecordBatch, since: int = NEVER) -> pa.RecordBatch:
    """The versions that are current, or were superseded after a moment; of exact copies one.

    Args:
        revisions: VERSION, and other columns of REVISIONS; `scale_set_id` with a dictionary that holds each id once.
        since: that moment, in microseconds; without one only current versions are kept.
    """
    code: Ints = revisions.column("scale_set_id").indices.to_numpy()
    cell, as_of = micros(revisions, "cell"), micros(revisions, "as_of")
    if ((code[1:] > code[:-1]) | ((code[1:] == code[:-1]) & (cell[1:] > cell[:-1]))).all():
        return revisions  # each cell once, as after a backfill
    order = np.lexsort((as_of, cell, code))
    followed = (np.diff(code[order]) == 0) & (np.diff(cell[order]) == 0)
    superseded = as_of[order][1:]
    gone = followed & ((superseded <= since) | (superseded == as_of[order][:-1]))
    return revisions.take(pa.array(order[np.append(~gone, True)])) if gone.any() else revisions


def without_copies(rows: pa.Table) -> pa.Table:
    """The rows, of exact copies one."""
    plain = [field.name for field in rows.schema if not pa.types.is_list(field.type)]
    numbered = rows.select(plain).unify_dictionaries().append_column("row", pa.array(np.arange(len(rows))))
    first = numbered.group_by(plain).aggregate([("row", "min")])["row_min"]
    return rows if len(first) == len(rows) else rows.take(np.sort(first))
