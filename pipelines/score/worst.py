"""The rows of a record that are wrong for longest, so that somebody can look at them (contract: trueup score)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from schemas.time import SECOND
from transforms.core.columns.arrow import Ints
from transforms.core.score.blame import WRONGS, Verdicts

_MOST: Final = 3
"""Rows of each kind of wrong."""
TOLD: Final = ("scale_set_id", "instance_id", "onset", "verdict", "operation_key", "verb", "initiator", "operation_start")
"""Columns of table `attributions` that tell which row it is."""


@dataclass(frozen=True)
class WorstRow:
    """A row of the table `attributions`, and for how long it is wrong. Times in microseconds."""

    wrong: str
    """One of WRONGS."""
    length: int
    at: int
    """A moment, a whole second where there is one, at which the row holds; `trueup explain --at` answers with it."""
    scale_set_id: str
    instance_id: str
    onset: datetime
    verdict: str
    operation_key: str | None
    verb: str | None
    initiator: str | None
    operation_start: datetime | None


def worst_rows(told: pa.Table, wrong: Ints, verdicts: Verdicts) -> list[WorstRow]:
    """The rows that are wrong for longest, of each kind some, the longest first.

    Args:
        told: attributions, of which `verdicts` are parts.
        wrong: microseconds, of shape (rows, len(WRONGS)).
    """
    found = [_row(told, wrong, verdicts, row, kind) for kind in range(1, len(WRONGS)) for row in _longest(wrong[:, kind])]
    return sorted(found, key=lambda each: (-each.length, each.scale_set_id, each.instance_id, each.wrong))


def _longest(lengths: Ints) -> list[int]:
    order = np.argsort(-lengths, kind="stable")[:_MOST]
    return [int(row) for row in order if lengths[row] > 0]


def _row(told: pa.Table, wrong: Ints, verdicts: Verdicts, row: int, kind: int) -> WorstRow:
    own: dict[str, Any] = told.select(TOLD).slice(row, 1).to_pylist()[0]
    start, end = (int(column[verdicts.row == row].max()) for column in (verdicts.start, verdicts.end))
    second = -(-start // SECOND) * SECOND
    return WorstRow(WRONGS[kind], int(wrong[row, kind]), second if second < end else start, **own)
