"""What backfills have left of the scale sets of a folder, for a stream that goes on from there on a cluster (`--resume`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.record.folder import files, put
from pipelines.record.selection import current_versions
from pipelines.record.standing_files import find_standings, read_standings
from schemas.event import empty_events
from schemas.time import DAY, floor_to
from transforms.core.columns.arrow import micros, no_rows
from transforms.core.columns.groups import split_by_group
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.ledger.decisions import LedgerInput
from transforms.core.standing.standing import Standing, split_standing, standing_of

_LAST: Final = 2**30 * DAY
"""Later than any cell."""


@dataclass(frozen=True)
class BackfilledSets:
    """The standings and the published versions; a `Recalled` of the source. The workers read them where they lie."""

    root: str
    policy: str
    """The hash of the stream's policy."""
    grid: int
    """In microseconds."""
    groups: int
    """Of how many the keys of the stream are."""
    mark: str
    """The file below the folder that says that the stream has them."""

    def inputs(self) -> Iterator[tuple[str, LedgerInput]]:
        """One input for each group of scale sets."""
        before = find_standings(self.root, self.policy)
        standings: dict[str, list[Standing]] = {}
        for standing in (each for part in before.parts for each in read_standings(part)):
            for key, own in split_standing(standing, self.groups):
                standings.setdefault(key, []).append(own)
        published = dict(self._published(before.facts)) if standings else {}
        for key, each in standings.items():
            cells = published.get(key, no_rows(PUBLISHED))
            yield key, LedgerInput(None, empty_events(), cells, recalled=True, standing=standing_of(each))

    def _published(self, facts: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """PUBLISHED of each group: of each scale set from the first cell on that can still change."""
        names, first = facts.column("scale_set_id"), facts.column("first").to_numpy() // self.grid * self.grid
        known = current_versions(self.root, names, floor_to(int(first.min()), DAY), _LAST)
        ids = known.column("scale_set_id")
        place = pc.index_in(ids.dictionary, names).to_numpy(zero_copy_only=False)[ids.indices.to_numpy()]
        yield from split_by_group(known.filter(pa.array(micros(known, "cell") >= first[place])), self.groups)

    def is_durable(self) -> bool:
        """Whether the mark is there."""
        return bool(files(self.root, self.mark))

    def note_durable(self) -> None:
        """Leaves the mark."""
        put(self.root, self.mark, b"")
