"""Validation: what is in some files, and what would be rejected of it; reads only (contract: trueup validate)."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from pipelines.inputs import planned
from transforms.core.decode import Counts, DecodeSettings
from transforms.core.decode.glance import Glance, glance_of
from transforms.files.shards import read_shard


@dataclass
class Validation:
    """Counts of what was read so far; rejects pass by while it is read."""

    inputs: tuple[str, ...]
    settings: DecodeSettings

    def __post_init__(self) -> None:
        self.plan = planned(self.inputs)
        self.counts = Counts()
        self.glance = Glance()

    def rejects(self) -> Iterator[pa.RecordBatch]:
        """REJECTS of the input, as it is read; afterwards `counts` are complete."""
        for shard in self.plan.shards:
            for piece in read_shard(shard, self.settings):
                self.counts += piece.counts
                self.glance += glance_of(piece, self.settings.now)
                if len(piece.rejects):
                    yield piece.rejects
