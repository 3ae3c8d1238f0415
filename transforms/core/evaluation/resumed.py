"""Marks: the part of a standing that events cannot express, and how an evaluation goes on from it (rules: Standing)."""

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from transforms.core.columns.arrow import no_rows
from transforms.core.columns.kernel import NEVER, Bools, Ints
from transforms.core.columns.members import places_among, places_of
from transforms.core.rules.lines import Lines
from transforms.core.rules.verdicts import AWAY_FOR_GOOD, GIVEN_UP_FOR_GOOD, NOT_GRANTED, OVERRUN_FOR_GOOD

OPENS, CLOSED, COMPLETE_UNTIL, BEGUN, REPORTED, SINCE = "opens", "closed", "known_until", "begun", "reported", "since"
DECIDED: Final = {"refused": NOT_GRANTED, "away": AWAY_FOR_GOOD, "given_up": GIVEN_UP_FOR_GOOD, "overrun": OVERRUN_FOR_GOOD}
MARK_NAMES: Final = (OPENS, CLOSED, COMPLETE_UNTIL, BEGUN, REPORTED, SINCE, *DECIDED)
"""Of a set: the first cell that can still change (all rows from there on are evaluated anew); events before `closed` are taken in
no more; T of the evaluation; whether it has rows; whether an instance of it has ever reported. Of a line: removals that begin
before `since` bear on it no more; and what was decided for good on the episode that begins at the moment."""
MARKS: Final = pa.schema(
    [
        ("scale_set_id", pa.dictionary(pa.int32(), pa.string())),
        ("instance_id", pa.string()),
        ("mark", pa.dictionary(pa.int8(), pa.string())),
        ("moment", pa.int64()),
    ]
)
"""One row a mark; instance_id is null for the set itself; moments in microseconds."""
NO_MARKS: Final = no_rows(MARKS)


class ResumeMarks(NamedTuple):
    """Marks as arrays for the kernels, with one entry for each set, each line, or each decision."""

    opens: Ints
    """Of each set; -NEVER: it has no standing."""
    begun: Ints
    """From when on a set has rows even if no line of it shows any; NEVER: only as its lines show."""
    reported: Bools
    since: Ints
    decided: Ints
    """(line, onset, decision), by line."""
    decided_lo: Ints


def resumed_from(
    marks: pa.RecordBatch, set_ids: pa.StringArray, instance_ids: pa.StringArray, lines: Lines, early: int
) -> ResumeMarks:
    """Arranges the marks of a standing by the sets and lines of an evaluation.

    Args:
        marks: MARKS, of sets that `set_ids` has.
        set_ids: the text of each set's code.
        instance_ids: the text of each instance's code less one.
        lines: the lines of all events.
        early: by how much an operation may begin after what it causes, or before its first record: `skew` and `unseen`.
    """
    sets, width = len(set_ids), len(instance_ids) + 1
    code = places_of(marks.column("scale_set_id"), set_ids)
    names = _names(marks)
    moment = marks.column("moment").to_numpy()

    def of_sets(name: str, missing: int) -> Ints:
        own = names == MARK_NAMES.index(name)
        out = np.full(sets, missing)
        out[code[own]] = moment[own]
        return out

    instance = places_among(marks.column("instance_id"), instance_ids) + 1
    ids = lines.set * width + lines.instance
    wanted = code * width + instance
    line = np.minimum(np.searchsorted(ids, wanted), max(len(ids) - 1, 0))
    known = ids[line] == wanted if len(ids) else np.zeros(len(wanted), np.bool_)
    opens = of_sets(OPENS, -NEVER)
    since = np.where(opens == -NEVER, -NEVER, opens - early)[lines.set]
    own = known & (names == MARK_NAMES.index(SINCE))
    since[line[own]] = moment[own]
    decision = _decisions(names)
    own = known & (decision != NEVER)
    order = np.flatnonzero(own)[np.argsort(line[own], kind="stable")]
    decided = np.stack([line[order], moment[order], decision[order]], axis=1)
    decided_lo = np.searchsorted(lines.set[decided[:, 0]], np.arange(sets + 1)) if len(ids) else np.zeros(sets + 1, np.int64)
    begun = np.where(of_sets(BEGUN, NEVER) != NEVER, opens, NEVER)
    return ResumeMarks(opens, begun, of_sets(REPORTED, NEVER) != NEVER, since, decided, decided_lo)


def _decisions(names: Ints) -> Ints:
    return np.array([DECIDED.get(name, NEVER) for name in MARK_NAMES])[names]


def _names(marks: pa.RecordBatch) -> Ints:
    """The place of each mark's name in MARK_NAMES."""
    mark = marks.column("mark")
    return np.array([MARK_NAMES.index(name) for name in mark.dictionary.to_pylist()], np.int64)[mark.indices.to_numpy()]


def moments_at(marks: pa.RecordBatch, name: str, set_ids: pa.StringArray) -> Ints:
    """The moment of a set-level mark of each of some scale sets; -NEVER: it has none."""
    own = _names(marks) == MARK_NAMES.index(name)
    place = places_of(marks.column("scale_set_id"), set_ids)
    own = own & (place >= 0)
    out = np.full(len(set_ids), -NEVER)
    out[place[own]] = marks.column("moment").to_numpy()[own]
    return out


def moments_of(marks: pa.RecordBatch, name: str) -> dict[str, int]:
    """The moment of a set-level mark by scale_set_id."""
    own: Any = marks.filter(pa.array(_names(marks) == MARK_NAMES.index(name)))
    return dict(zip(own.column("scale_set_id").cast(pa.string()).to_pylist(), own.column("moment").to_pylist(), strict=True))
