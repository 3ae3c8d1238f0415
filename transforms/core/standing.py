"""The standing: what is left of the past of scale sets once no later event can change it (rules: Standing).

A standing is mostly a selection of the events themselves: few of them decide what comes, and the same rules go on from them
as from the whole (`transforms.core.fold` selects). The rest are *marks*: what cannot be told from those events alone.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.attribution import ATTRIBUTIONS
from schemas.availability import AVAILABILITY
from schemas.event import EVENTS
from schemas.operation_row import OPERATIONS
from transforms.core.batches import compact
from transforms.core.columns import no_rows, one_batch
from transforms.core.groups import split_by_group
from transforms.core.kernel import NEVER, Bools, Ints
from transforms.core.lines import Lines
from transforms.core.verdicts import AWAY_FOR_GOOD, GIVEN_UP_FOR_GOOD, OVERRUN_FOR_GOOD, REFUSED

OPENS, CLOSED, KNOWN_UNTIL, BEGUN, REPORTED, SINCE = "opens", "closed", "known_until", "begun", "reported", "since"
DECIDED: Final = {"refused": REFUSED, "away": AWAY_FOR_GOOD, "given_up": GIVEN_UP_FOR_GOOD, "overrun": OVERRUN_FOR_GOOD}
MARK_NAMES: Final = (OPENS, CLOSED, KNOWN_UNTIL, BEGUN, REPORTED, SINCE, *DECIDED)
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


DROPPED: Final = pa.schema(
    [("scale_set_id", pa.dictionary(pa.int32(), pa.string())), ("time", pa.int64()), ("identity", pa.uint64())]
)
"""Events that are kept no more: their time in microseconds, and a hash of their identity."""


class Standing(NamedTuple):
    """Of a number of scale sets: the events that still decide something, marks, the rows of cells before `opens` that hold an
    attribution which is still open (as evaluated: without `as_of` and `policy`), and what tells copies of dropped events."""

    events: pa.RecordBatch
    marks: pa.RecordBatch
    availability: pa.RecordBatch
    attributions: pa.RecordBatch
    operations: pa.RecordBatch
    dropped: pa.RecordBatch


def _as_evaluated(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in ("as_of", "policy")])


EVALUATED: Final = tuple(_as_evaluated(schema) for schema in (AVAILABILITY, ATTRIBUTIONS, OPERATIONS))
NO_STANDING: Final = Standing(no_rows(EVENTS), no_rows(MARKS), *(no_rows(schema) for schema in (*EVALUATED, DROPPED)))


def standing_of(parts: Sequence[Standing]) -> Standing:
    """One standing of the scale sets of several, of which no two have one in common."""
    filled = [part for part in parts if len(part.marks)]
    if len(filled) < 2:
        return filled[0] if filled else NO_STANDING
    tables = zip(*filled, strict=True)
    return Standing(*(one_batch(list(each), empty.schema) for each, empty in zip(tables, NO_STANDING, strict=True)))


def split_standing(standing: Standing, groups: int | None) -> Iterator[tuple[str, Standing]]:
    """The standing of each group of scale sets that has any, by key: see `transforms.core.groups.split_by_group`."""
    parts = [dict(split_by_group(table, groups)) for table in standing]
    for key in parts[1]:
        yield key, Standing(*(compact(part.get(key, empty)) for part, empty in zip(parts, NO_STANDING, strict=True)))


def narrowed(standing: Standing, sets: pa.Array) -> Standing:
    """The standing of some of its scale sets, whose ids are given."""
    return Standing(*(table.filter(pc.is_in(table.column("scale_set_id").cast(pa.string()), sets)) for table in standing))


class Resumed(NamedTuple):
    """Marks as the kernels take them: an entry each set, each line, or each decision."""

    opens: Ints
    """Of each set; -NEVER: it has no standing."""
    begun: Ints
    """From when on a set has rows though no line tells; NEVER: lines tell."""
    reported: Bools
    since: Ints
    decided: Ints
    """(line, onset, decision), by line."""
    decided_lo: Ints


def resumed_from(
    marks: pa.RecordBatch, set_ids: pa.StringArray, instance_ids: pa.StringArray, lines: Lines, early: int
) -> Resumed:
    """The marks of a standing beside the lines of its events.

    Args:
        marks: MARKS, of sets that `set_ids` has.
        set_ids: the text of each set's code.
        instance_ids: the text of each instance's code less one.
        lines: the lines of all events.
        early: by how much an operation may begin after what it causes, or before its first record: `skew` and `unseen`.
    """
    sets, width = len(set_ids), len(instance_ids) + 1
    code = _codes_of(marks.column("scale_set_id"), set_ids)
    names = marks.column("mark").cast(pa.string())
    moment = marks.column("moment").to_numpy()

    def of_sets(name: str, missing: int) -> Ints:
        own = pc.equal(names, name).to_numpy(zero_copy_only=False)
        out = np.full(sets, missing)
        out[code[own]] = moment[own]
        return out

    instance = pc.index_in(marks.column("instance_id"), instance_ids).fill_null(-1).to_numpy().astype(np.int64) + 1
    ids = lines.set * width + lines.instance
    wanted = code * width + instance
    line = np.minimum(np.searchsorted(ids, wanted), max(len(ids) - 1, 0))
    known = ids[line] == wanted if len(ids) else np.zeros(len(wanted), np.bool_)
    opens = of_sets(OPENS, -NEVER)
    since = np.where(opens == -NEVER, -NEVER, opens - early)[lines.set]
    own = known & pc.equal(names, SINCE).to_numpy(zero_copy_only=False)
    since[line[own]] = moment[own]
    decision = _decisions(names)
    own = known & (decision != NEVER)
    order = np.flatnonzero(own)[np.argsort(line[own], kind="stable")]
    decided = np.stack([line[order], moment[order], decision[order]], axis=1)
    decided_lo = np.searchsorted(lines.set[decided[:, 0]], np.arange(sets + 1)) if len(ids) else np.zeros(sets + 1, np.int64)
    begun = np.where(of_sets(BEGUN, NEVER) != NEVER, opens, NEVER)
    return Resumed(opens, begun, of_sets(REPORTED, NEVER) != NEVER, since, decided, decided_lo)


def _codes_of(column: pa.DictionaryArray, set_ids: pa.StringArray) -> Ints:
    place = pc.index_in(column.dictionary, set_ids).fill_null(-1).to_numpy().astype(np.int64)
    return place[column.indices.to_numpy()] if len(column) else np.empty(0, np.int64)


def _decisions(names: pa.StringArray) -> Ints:
    out = np.full(len(names), NEVER)
    for name, decision in DECIDED.items():
        out[pc.equal(names, name).to_numpy(zero_copy_only=False)] = decision
    return out


def moments_of(marks: pa.RecordBatch, name: str) -> dict[str, int]:
    """The moment of a set-level mark by scale_set_id."""
    own: Any = marks.filter(pc.equal(marks.column("mark").cast(pa.string()), name))
    return dict(zip(own.column("scale_set_id").cast(pa.string()).to_pylist(), own.column("moment").to_pylist(), strict=True))
