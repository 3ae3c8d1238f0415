"""What a stream that goes on knows of the run before it: the events in its journal, and what was published of them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.current import all_rows
from pipelines.journal import Journal
from pipelines.versions import current_versions
from schemas.time import DAY, floor_to
from transforms.core.batches import compact
from transforms.core.cells import KNOWN
from transforms.core.columns import micros, no_rows
from transforms.core.groups import split_by_group
from transforms.core.ledger import Entry

_LAST = 2**30 * DAY
"""Later than any cell."""


class Recall(NamedTuple):
    """Where it is found, and the length of a cell in microseconds."""

    journal: Journal
    grid: int


def entries_of(recall: Recall) -> Iterator[tuple[str, Entry]]:
    """One entry a scale set."""
    events = recall.journal.recalled()
    published = dict(_published(recall, events))
    for key, rows in split_by_group(events, None):
        yield key, Entry(None, compact(rows), published.get(key, no_rows(KNOWN)), recalled=True)


def late_ids(root: str, subscription: str) -> frozenset[str]:
    """Ids of the events of a subscription that were rejected since they came too late."""
    rejects = all_rows(root, "rejects")
    if rejects is None:
        return frozenset()
    late = pc.and_(pc.equal(rejects["reason"], "late"), pc.equal(rejects["source"], subscription))
    return frozenset(rejects.filter(late)["location"].to_pylist())


def _published(recall: Recall, events: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """KNOWN of each scale set, from the cell of its first event on: a stream says nothing of what lies before."""
    ids = events.column("scale_set_id")
    first = np.full(len(ids.dictionary), np.iinfo(np.int64).max)
    np.minimum.at(first, ids.indices.to_numpy(), micros(events, "time"))
    known = current_versions(recall.journal.root, ids.dictionary, floor_to(int(first.min()), DAY), _LAST)
    theirs = known.column("scale_set_id")
    place = pc.index_in(theirs.dictionary, ids.dictionary).to_numpy(zero_copy_only=False)[theirs.indices.to_numpy()]
    own = micros(known, "cell") >= first[place] // recall.grid * recall.grid
    yield from split_by_group(known.filter(pa.array(own)), None)
