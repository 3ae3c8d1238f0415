"""Facts of a bounded input: which scale sets it has, since when, and how far it goes; found while decoding."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import apache_beam as beam
import pyarrow as pa

from transforms.core.columns.arrow import no_rows
from transforms.core.ledger.input_facts import FACTS, facts_of, merged_facts


@dataclass(eq=False)
class GatherFacts(beam.PTransform):
    """Batches of EVENTS into one batch of FACTS; none of an input without events that goes on from nothing."""

    now: int
    """The start of the run: what lies after it does not move T."""
    before: pa.RecordBatch = field(default_factory=lambda: no_rows(FACTS))
    """FACTS of what the run goes on from."""

    def expand(self, events: beam.PCollection) -> beam.PCollection:
        """One FACTS for each batch, then one for all."""
        pieces = events | "FactsOfPiece" >> beam.Map(keyed_facts, self.now)
        if len(self.before):
            earlier = events.pipeline | "FactsBefore" >> beam.Create([("input", self.before)], reshuffle=False)
            pieces = (pieces, earlier) | "FactsOfAll" >> beam.Flatten()
        return pieces | "BringTogether" >> beam.GroupByKey() | "MergeFacts" >> beam.Map(merged)


def keyed_facts(events: pa.RecordBatch, now: int) -> tuple[str, pa.RecordBatch]:
    """The facts of one batch, all under one key."""
    return "input", facts_of(events, now)


def merged(keyed: tuple[str, Iterable[pa.RecordBatch]]) -> pa.RecordBatch:
    """The facts of all batches."""
    return merged_facts(list(keyed[1]))
