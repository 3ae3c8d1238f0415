"""What the ledger of a restarted stream goes on from: what its journal holds, and what was published of that."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.record.current import all_rows
from pipelines.record.selection import current_versions_from
from pipelines.stream.journal import Checkpoint, Journal
from schemas.event import empty_events
from schemas.time import DAY, SECOND, floor_to
from transforms.coders import StandingCoder
from transforms.core.columns.arrow import no_rows
from transforms.core.columns.batches import compact, concat
from transforms.core.columns.groups import split_by_group
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.ledger.decisions import LedgerInput
from transforms.core.ledger.input_facts import facts_of, facts_of_standing
from transforms.core.standing.standing import NO_STANDING, Standing, split_standing, standing_of

_STANDING: Final = StandingCoder()
_LAST: Final = 2**30 * DAY
"""Later than any cell."""


def inputs_of(journal: Journal, grid: int) -> Iterator[tuple[str, LedgerInput]]:
    """One input for each key that a journal knows; the length of a cell in microseconds."""
    recalled = journal.recalled(late_ids(journal))
    events = dict(split_by_group(recalled, journal.groups))
    standings = _standings(journal)
    first = {name: floor_to(moment, grid) for name, moment in _first_moments(recalled, standings.values()).items()}
    cells = np.array(list(first.values()), np.int64)
    known = current_versions_from(journal.root, pa.array(list(first), pa.string()), cells)
    published = dict(split_by_group(known, journal.groups))
    for key in events.keys() | standings.keys():
        own = compact(events[key]) if key in events else empty_events()
        versions = published.get(key, no_rows(PUBLISHED))
        yield key, LedgerInput(None, own, versions, recalled=True, standing=standings.get(key, NO_STANDING))


def seed(journal: Journal, standings: Mapping[str, bytes]) -> None:
    """Adds the standings of other runs, encoded, by scale set, to a journal; of scale sets that it does not know yet."""
    held = _standings(journal)
    known = _first_moments(journal.recalled(), held.values())
    fresh = standing_of([_STANDING.decode(content) for name, content in standings.items() if name not in known])
    parts = dict(split_standing(fresh, journal.groups))
    whole = {key: standing_of([held.get(key, NO_STANDING), part]) for key, part in parts.items()}
    journal.store({key: Checkpoint(-1, _STANDING.encode(standing)) for key, standing in whole.items()})


def late_ids(journal: Journal) -> frozenset[str]:
    """Ids of the events of a journal that were rejected since they came too late."""
    since = journal.since()
    # An event is rejected after it was written down.
    rejects = None if since is None else all_rows(journal.root, "rejects", round(since * SECOND) // DAY)
    if rejects is None:
        return frozenset()
    late = pc.and_(pc.equal(rejects["reason"], "late"), pc.equal(rejects["source"], journal.subscription))
    return frozenset(rejects.filter(late)["location"].to_pylist())


def _standings(journal: Journal) -> dict[str, Standing]:
    return {key: _STANDING.decode(content) for key, content in journal.standings().items()}


def _first_moments(events: pa.RecordBatch, standings: Collection[Standing]) -> dict[str, int]:
    """From when on the cells of each scale set can still change: a stream says nothing of what lies before."""
    first: dict[str, int] = {}
    own = concat([events, *(standing.events for standing in standings)])
    for facts in (facts_of(own, _LAST), *map(facts_of_standing, standings)):
        first |= dict(zip(facts.column("scale_set_id").to_pylist(), facts.column("first").to_pylist(), strict=True))
    return first
