"""What backfills have left of the scale sets of a folder, for a stream that goes on from there on a cluster (`--resume`)."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from pipelines.record.folder import files, put
from pipelines.record.selection import current_versions_from
from pipelines.record.standing_files import find_standings, read_standings
from schemas.event import empty_events
from transforms.core.columns.arrow import no_rows
from transforms.core.columns.groups import split_by_group
from transforms.core.ledger.changes import PUBLISHED
from transforms.core.ledger.decisions import LedgerInput
from transforms.core.standing.standing import Standing, split_standing, standing_of


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
        first = facts.column("first").to_numpy() // self.grid * self.grid
        yield from split_by_group(current_versions_from(self.root, facts.column("scale_set_id"), first), self.groups)

    def is_durable(self) -> bool:
        """Whether the mark is there."""
        return bool(files(self.root, self.mark))

    def note_durable(self) -> None:
        """Leaves the mark."""
        put(self.root, self.mark, b"")
