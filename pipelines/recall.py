"""What a stream that goes on knows of the run before it: the events in its journal, and what was published of them."""

import threading
from collections.abc import Iterator
from typing import Final, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.current import all_rows
from pipelines.journal import Journal
from pipelines.versions import current_versions
from schemas.time import DAY, floor_to
from transforms.core.batches import compact
from transforms.core.cells import KNOWN
from transforms.core.columns import micros, no_rows
from transforms.core.groups import split_by_group
from transforms.core.ledger import Entry, entry_of_events

_LAST = 2**30 * DAY
"""Later than any cell."""
_ENTERED: Final[set[str]] = set()
_LOCK: Final = threading.Lock()


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


@beam.typehints.with_input_types(tuple[str, pa.RecordBatch])
@beam.typehints.with_output_types(tuple[str, Entry])
class EnterRecalled(beam.DoFn):
    """Enters events, and once a process, at the end of the first bundle, what is recalled.

    In the stage of the source, whose bundles follow one another also when there is nothing to read. Entries of a source of their
    own were seen to lie before the ledger until its watermark moved, and as a side input they held it for ever.
    """

    def __init__(self, recall: Recall) -> None:
        self._recall = recall

    def process(self, keyed: tuple[str, pa.RecordBatch]) -> Iterator[tuple[str, Entry]]:
        """The entry of some events."""
        yield keyed[0], entry_of_events(keyed[1], None)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """What is recalled, if no bundle of this process has given it."""
        name = self._recall.journal.name
        with _LOCK:
            done = name in _ENTERED
            _ENTERED.add(name)
        for entry in () if done else entries_of(self._recall):
            yield WindowedValue(entry, MIN_TIMESTAMP, (GlobalWindow(),))


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
