"""Cells: compares an evaluation with what was published, and makes the new versions
(rules: Cells; contract: Equal cells)."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.tables.attribution import ATTRIBUTIONS
from schemas.tables.availability import AVAILABILITY
from schemas.tables.operation import OPERATIONS
from schemas.tables.revision import CAUSES, REVISIONS
from transforms.core.columns.arrow import Ints, micros, no_rows, one_batch, sorted_rows
from transforms.core.columns.kernel import NEVER
from transforms.core.columns.members import places_among
from transforms.core.evaluation.ends import End, end_of_each
from transforms.core.ledger.digests import EMPTY, Digests, from_text, to_text
from transforms.core.standing.standing import DROPPED

if TYPE_CHECKING:
    from transforms.core.evaluation.evaluate import Evaluation

Mask = npt.NDArray[np.bool_]

PUBLISHED: Final = pa.schema(
    [
        ("scale_set_id", pa.dictionary(pa.int32(), pa.string())),
        ("cell", TIMESTAMP),
        ("as_of", TIMESTAMP),
        ("revision", pa.int32()),
        ("rows", pa.int32()),
        ("digest", pa.uint64()),
    ]
)
"""The current version of each published cell; one row a cell."""

ROWS: Final = ("availability_rows", "attribution_rows", "operation_rows")


CHECKPOINTS: Final = pa.schema(
    [("key", pa.string()), ("taken", pa.int64()), ("scale_set_ids", pa.list_(pa.string())), ("standing", pa.large_binary())]
)
"""Checkpoints, one row a key, from which a later run can go on: how many events of the key the ledger has received in this run
(late ones and copies too), its scale sets, and their standing, encoded. A checkpoint travels with the changes, since it must not
be stored before they are."""


class Publication(NamedTuple):
    """Which cells are published, and as what. Times in microseconds."""

    policy: str
    """Hash of the policy."""
    grid: int
    now: int
    """`as_of` of a new version, unless the version before it is as late or later."""
    since: int | None
    """Start of the first cell; None: of each set, the cell of its first event."""
    until: End
    """End of the last cell, for all scale sets or of each."""
    backfill: bool
    """Whether `cause` is always backfill."""
    final: End | None
    """Cells before this were final, for all scale sets or of each; a change of them has the cause `late`. None: no event came
    behind a timer."""


class Changes(NamedTuple):
    """New versions of cells, whole: the rows, and one row of REVISIONS a version; each sorted by scale_set_id and time."""

    availability: pa.RecordBatch
    attributions: pa.RecordBatch
    operations: pa.RecordBatch
    revisions: pa.RecordBatch
    checkpoints: pa.RecordBatch = no_rows(CHECKPOINTS)
    """CHECKPOINTS, one row a key."""
    settled: pa.RecordBatch = no_rows(DROPPED)
    """DROPPED: the events that were taken in and that the checkpoints do not keep."""


class Comparison(NamedTuple):
    """The outcome of comparing an evaluation with what was published."""

    changes: Changes
    unchanged: int
    """How many cells of the publication are equal to their current version."""


def changed_cells(evaluated: "Evaluation", known: pa.RecordBatch, publication: Publication) -> Comparison:
    """The new versions of all cells that are to be published and differ from their current version.

    Args:
        evaluated: the rows of a number of scale sets.
        known: PUBLISHED, of the same scale sets, in any order, with no others in its dictionary. A cell of it that lies in the
            publication, has rows, and is not evaluated any more gets a version without rows.
        publication: the cells to publish.
    """
    cells = evaluated.cells
    place, current = _join(cells, known, publication.grid)
    digest = cells.column("digest").to_numpy()
    wanted = _within(cells, publication)
    same = (place >= 0) & (digest == _of_place(known, "digest", place))
    changed = wanted & ~same
    lost = _within(known, publication) & ~current & (known.column("rows").to_numpy() > 0)
    as_of = _as_of(known, place, publication.now)
    tables = [
        _rows_of(table, cells.column(rows).to_numpy(), changed, as_of, publication.policy, schema)
        for table, rows, schema in zip(evaluated[:3], ROWS, (AVAILABILITY, ATTRIBUTIONS, OPERATIONS), strict=True)
    ]
    newer = cells.filter(pa.array(changed))
    grown = _versions(newer, place[changed], [newer.column(name) for name in ROWS], digest[changed], known, publication)
    revisions = _with_empty(grown, _empty_versions(known, lost, publication)) if lost.any() else grown
    availability, attributions, operations = tables
    changes = Changes(availability, attributions, operations, revisions)
    return Comparison(changes, int((wanted & same).sum()))


def published_after(known: pa.RecordBatch, revisions: pa.RecordBatch, grid: int) -> pa.RecordBatch:
    """PUBLISHED after the versions of `revisions` (REVISIONS, at most one a cell) have been published."""
    published = pa.RecordBatch.from_arrays(
        [
            *(revisions.column(name) for name in ("scale_set_id", "cell", "as_of", "revision")),
            pa.array(sum(revisions.column(name).to_numpy() for name in ROWS)),
            pa.array(from_text(revisions.column("digest"))),
        ],
        schema=PUBLISHED,
    )
    _, replaced = _join(published, known, grid)
    kept = known.filter(pa.array(~replaced))
    return one_batch([kept, published], PUBLISHED)


def _within(cells: pa.RecordBatch, publication: Publication) -> Mask:
    cell = micros(cells, "cell")
    inside: Mask = cell < end_of_each(publication.until, cells)
    return inside if publication.since is None else inside & (cell >= publication.since)


def _join(cells: pa.RecordBatch, known: pa.RecordBatch, grid: int) -> tuple[Ints, Mask]:
    """For each cell its row in `known`, or -1; and for each row of `known`, whether it is one of `cells`."""
    if not len(known) or not len(cells):
        return np.full(len(cells), -1), np.zeros(len(known), np.bool_)
    left, right = _keys(cells, known, grid)
    order = np.argsort(right)
    at = np.minimum(np.searchsorted(right, left, sorter=order), len(right) - 1)
    place = np.where(right[order[at]] == left, order[at], -1)
    current = np.zeros(len(known), np.bool_)
    current[place[place >= 0]] = True
    return place, current


def _keys(cells: pa.RecordBatch, known: pa.RecordBatch, grid: int) -> tuple[Ints, Ints]:
    """One number a (scale set, cell), equal in both batches; that of a scale set which `cells` lacks is negative."""
    names = cells.column("scale_set_id").dictionary
    ids = known.column("scale_set_id")
    code_of = places_among(ids.dictionary, names)
    codes = cells.column("scale_set_id").indices.to_numpy().astype(np.int64), code_of[ids.indices.to_numpy()]
    steps = tuple(micros(batch, "cell") // grid for batch in (cells, known))
    low = min(int(step.min()) for step in steps)
    span = max(int(step.max()) for step in steps) - low + 1
    left, right = (code * span + step - low for code, step in zip(codes, steps, strict=True))
    return left, np.where(codes[1] >= 0, right, -1)


def _of_place(known: pa.RecordBatch, column: str, place: Ints) -> npt.NDArray[Any]:
    """A column of `known` for each place; where there is none (-1), zero."""
    values = known.column(column)
    numbers = (values.view(pa.int64()) if pa.types.is_timestamp(values.type) else values).to_numpy()
    padded = np.append(numbers, numbers.dtype.type(0))
    return padded[place]


def _as_of(known: pa.RecordBatch, place: Ints, now: int) -> Ints:
    """The later of now and the last version's as_of + 1 us."""
    last = np.where(place >= 0, _of_place(known, "as_of", place) + 1, now)
    return np.maximum(last, now)


def _rows_of(table: pa.RecordBatch, counts: Ints, changed: Mask, as_of: Ints, policy: str, schema: pa.Schema) -> pa.RecordBatch:
    """The rows of the changed cells, with the version's columns behind them."""
    rows = table if changed.all() else table.filter(pa.array(np.repeat(changed, counts)))
    stamps = np.repeat(as_of[changed], counts[changed])
    return pa.RecordBatch.from_arrays([*rows.columns, _timestamps(stamps), _constant(policy, len(rows))], schema=schema)


def _timestamps(micros: Ints) -> pa.Array:
    return pa.array(micros).view(TIMESTAMP)


def _constant(text: str, length: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(length, np.int8)), pa.array([text]))


def _causes(cells: pa.RecordBatch, place: Ints, publication: Publication) -> pa.DictionaryArray:
    first, progress, late, backfill = range(len(CAUSES))
    final = -NEVER if publication.final is None else end_of_each(publication.final, cells)
    again = np.where(micros(cells, "cell") < final, late, progress)
    codes = np.full(len(cells), backfill) if publication.backfill else np.where(place < 0, first, again)
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(CAUSES))


def _versions(
    rows: pa.RecordBatch, place: Ints, counts: list[pa.Array], digest: Digests, known: pa.RecordBatch, publication: Publication
) -> pa.RecordBatch:
    """One row of REVISIONS a cell: `place` is the row of each in `known`, `counts` how many rows it has, a table each."""
    revision = np.where(place >= 0, _of_place(known, "revision", place) + 1, 0)
    return pa.RecordBatch.from_arrays(
        [
            rows.column("scale_set_id"),
            rows.column("cell"),
            _timestamps(_as_of(known, place, publication.now)),
            pa.array(revision.astype(np.int32)),
            _causes(rows, place, publication),
            *counts,
            to_text(digest),
            _constant(publication.policy, len(rows)),
        ],
        schema=REVISIONS,
    )


def _empty_versions(known: pa.RecordBatch, lost: Mask, publication: Publication) -> pa.RecordBatch:
    """One row of REVISIONS a cell that had rows and has none any more."""
    rows, place = known.filter(pa.array(lost)), np.flatnonzero(lost)
    none = pa.array(np.zeros(len(rows), np.int32))
    return _versions(rows, place, [none] * len(ROWS), np.full(len(rows), EMPTY), known, publication)


def _with_empty(versions: pa.RecordBatch, empty: pa.RecordBatch) -> pa.RecordBatch:
    both = one_batch([versions, empty], REVISIONS)
    return sorted_rows(both, "cell")
