"""Facts of a bounded input: which scale sets it has, since when, and how far it goes; found while decoding."""

from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from transforms.core.facts import facts_of, merged_facts


@dataclass(eq=False)
class GatherFacts(beam.PTransform):
    """Batches of EVENTS into one batch of FACTS; none of an input without events."""

    now: int
    """The start of the run: what lies after it does not move T."""

    def expand(self, events: beam.PCollection) -> beam.PCollection:
        """One FACTS for each batch, then one for all."""
        return (
            events
            | "FactsOfPiece" >> beam.Map(keyed_facts, self.now)
            | "BringTogether" >> beam.GroupByKey()
            | "MergeFacts" >> beam.Map(merged)
        )


def keyed_facts(events: pa.RecordBatch, now: int) -> tuple[str, pa.RecordBatch]:
    """The facts of one batch, all under one key."""
    return "input", facts_of(events, now)


def merged(keyed: tuple[str, Iterable[pa.RecordBatch]]) -> pa.RecordBatch:
    """The facts of all batches."""
    return merged_facts(list(keyed[1]))
