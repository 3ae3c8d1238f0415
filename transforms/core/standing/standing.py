"""The standing: what is left of the past of scale sets once no later event can change it (rules: Standing).

A standing is mostly a selection of the events themselves: few of them decide what comes, and the same rules go on from them
as from the whole (`transforms.core.standing.folding` selects). The rest are *marks*: what cannot be told from those events alone.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from schemas.event import EVENTS
from schemas.tables.attribution import ATTRIBUTIONS
from schemas.tables.availability import AVAILABILITY
from schemas.tables.operation import OPERATIONS
from transforms.core.columns.arrow import no_rows, one_batch
from transforms.core.columns.batches import compact
from transforms.core.columns.groups import split_by_group
from transforms.core.columns.members import are_among, ids_in_use, rows_among, rows_at
from transforms.core.evaluation.resumed import MARKS

DROPPED: Final = pa.schema(
    [("scale_set_id", pa.dictionary(pa.int32(), pa.string())), ("time", pa.int64()), ("identity", pa.uint64())]
)
"""Events that are kept no more: their time in microseconds, and a hash of their identity."""


class Standing(NamedTuple):
    """Of a number of scale sets: the events that still decide something, marks, the rows of cells before `opens` that hold an
    attribution which is still open (as evaluated: without `as_of` and `policy`), and what tells copies of dropped events.

    A scale set of which nothing is folded yet has events only: all of them.
    """

    events: pa.RecordBatch
    marks: pa.RecordBatch
    availability: pa.RecordBatch
    attributions: pa.RecordBatch
    operations: pa.RecordBatch
    dropped: pa.RecordBatch

    @property
    def is_empty(self) -> bool:
        """Whether it is that of no scale set."""
        return not len(self.marks) and not len(self.events)


def _as_evaluated(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in ("as_of", "policy")])


EVALUATED: Final = tuple(_as_evaluated(schema) for schema in (AVAILABILITY, ATTRIBUTIONS, OPERATIONS))
NO_STANDING: Final = Standing(no_rows(EVENTS), no_rows(MARKS), *(no_rows(schema) for schema in (*EVALUATED, DROPPED)))


def standing_of(parts: Sequence[Standing]) -> Standing:
    """One standing of the scale sets of several, of which no two have one in common."""
    filled = [part for part in parts if not part.is_empty]
    if len(filled) < 2:
        return filled[0] if filled else NO_STANDING
    tables = zip(*filled, strict=True)
    return Standing(*(one_batch(list(each), empty.schema) for each, empty in zip(tables, NO_STANDING, strict=True)))


def split_standing(standing: Standing, groups: int | None) -> Iterator[tuple[str, Standing]]:
    """The standing of each group of scale sets that has any, by key: see `transforms.core.columns.groups.split_by_group`."""
    parts = [dict(split_by_group(table, groups)) for table in standing]
    for key in parts[0] | parts[1]:
        yield key, Standing(*(compact(part.get(key, empty)) for part, empty in zip(parts, NO_STANDING, strict=True)))


def narrowed(standing: Standing, sets: pa.Array) -> Standing:
    """The standing of some of its scale sets, whose ids are given."""
    return Standing(*(rows_among(table, sets) for table in standing))


def without(standing: Standing, sets: pa.Array) -> Standing:
    """The standing of all of its scale sets but some, whose ids are given."""
    return Standing(*(rows_at(table, ~are_among(table, sets)) for table in standing))


def sets_of(standing: Standing) -> pa.StringArray:
    """The scale sets of a standing, each once."""
    both = [ids_in_use(table).cast(pa.string()) for table in standing[:2]]
    return pa.concat_arrays(both).unique()
