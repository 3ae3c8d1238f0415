"""Recall: gives the ledger of a restarted stream what its journal holds, and what was published of that."""

import threading
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.record.current import all_rows
from pipelines.record.selection import current_versions
from pipelines.stream.journal import Journal
from schemas.event import empty_events
from schemas.time import DAY, floor_to
from transforms.coders import StandingCoder
from transforms.core.columns.arrow import micros, no_rows
from transforms.core.columns.batches import compact
from transforms.core.columns.groups import split_by_group
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.ledger.decisions import LedgerInput, input_of_events
from transforms.core.ledger.input_facts import facts_of_standing
from transforms.core.standing.standing import NO_STANDING, Standing

_STANDING: Final = StandingCoder()
_LAST = 2**30 * DAY
"""Later than any cell."""
_ENTERED: Final[set[str]] = set()
_LOCK: Final = threading.Lock()


class Recall(NamedTuple):
    """The journal to recall, and the length of a cell in microseconds."""

    journal: Journal
    grid: int


def inputs_of(recall: Recall) -> Iterator[tuple[str, LedgerInput]]:
    """One input for each scale set that the journal knows."""
    events = dict(split_by_group(recall.journal.recalled(), None))
    standings: dict[str, Standing] = {name: _STANDING.decode(content) for name, content in recall.journal.standings()}
    published = dict(_published(recall, events, standings))
    for key in events.keys() | standings.keys():
        own = compact(events[key]) if key in events else empty_events()
        cells = published.get(key, no_rows(PUBLISHED))
        yield key, LedgerInput(None, own, cells, recalled=True, standing=standings.get(key, NO_STANDING))


@beam.typehints.with_input_types(tuple[str, pa.RecordBatch])
@beam.typehints.with_output_types(tuple[str, LedgerInput])
class EnterRecalled(beam.DoFn):
    """Passes events on, and once a process, at the end of its first bundle, what is recalled.

    It runs in the stage of the source, whose bundles follow one another even when there is nothing to read. With a source of its
    own, what is recalled was seen to wait before the ledger until the watermark moved; as a side input it blocked it for ever.
    """

    def __init__(self, recall: Recall) -> None:
        self._recall = recall

    def process(self, keyed: tuple[str, pa.RecordBatch]) -> Iterator[tuple[str, LedgerInput]]:
        """The input of some events."""
        yield keyed[0], input_of_events(keyed[1], None)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """What is recalled, unless an earlier bundle of this process has given it."""
        name = self._recall.journal.name
        with _LOCK:
            done = name in _ENTERED
            _ENTERED.add(name)
        for entry in () if done else inputs_of(self._recall):
            yield WindowedValue(entry, MIN_TIMESTAMP, (GlobalWindow(),))


def late_ids(root: str, subscription: str) -> frozenset[str]:
    """Ids of the events of a subscription that were rejected since they came too late."""
    rejects = all_rows(root, "rejects")
    if rejects is None:
        return frozenset()
    late = pc.and_(pc.equal(rejects["reason"], "late"), pc.equal(rejects["source"], subscription))
    return frozenset(rejects.filter(late)["location"].to_pylist())


def _published(
    recall: Recall, events: Mapping[str, pa.RecordBatch], standings: Mapping[str, Standing]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """PUBLISHED of each scale set, from the first cell on that can still change: a stream says nothing of what lies before."""
    first = {key: int(micros(rows, "time").min()) for key, rows in events.items()}
    for standing in standings.values():
        first |= _first_cells(standing)
    names = pa.array(list(first), pa.string())
    moments = np.array(list(first.values()), np.int64) // recall.grid * recall.grid
    since = floor_to(int(moments.min()), DAY) if first else _LAST
    known = current_versions(recall.journal.root, names, since, _LAST)
    ids = known.column("scale_set_id")
    place = pc.index_in(ids.dictionary, names).to_numpy(zero_copy_only=False)[ids.indices.to_numpy()]
    yield from split_by_group(known.filter(pa.array(micros(known, "cell") >= moments[place])), None)


def _first_cells(standing: Standing) -> dict[str, int]:
    facts = facts_of_standing(standing)
    return dict(zip(facts.column("scale_set_id").to_pylist(), facts.column("first").to_pylist(), strict=True))
