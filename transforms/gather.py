"""Changed cells gathered for some seconds by the runner, so that a stream leaves few files.

By the runner, since the ledger takes what it has handed on for published: in a buffer of the process it would be lost with that,
and never come again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import apache_beam as beam
from apache_beam.transforms.trigger import AccumulationMode, AfterAny, AfterCount, AfterProcessingTime, Repeatedly
from apache_beam.transforms.window import GlobalWindows

from transforms.core.ledger.changes import Changes
from transforms.core.ledger.supersede import newest_versions

_MANY: Final = 1000
"""At most so many are combined, so that a backlog comes in pieces that fit into one element."""


@dataclass(eq=False)
class GatherChanges(beam.PTransform):
    """Combines `Changes` that arrive within some seconds, and keeps the newest version of each cell.

    On Flink the grouping is also what keeps the ledger's state: a stage whose output no other stage takes gets another id each
    time, and a savepoint is lost on it.
    """

    seconds: int
    """From the first one on; whole ones, since Beam's proto has no others for a trigger."""

    def expand(self, changes: beam.PCollection) -> beam.PCollection:
        """`Changes` to `Changes`."""
        held = beam.WindowInto(
            GlobalWindows(),
            trigger=Repeatedly(AfterAny(AfterProcessingTime(self.seconds), AfterCount(_MANY))),
            accumulation_mode=AccumulationMode.DISCARDING,
        )
        return (
            changes
            | "Key" >> beam.Map(together).with_output_types(tuple[int, Changes])
            | "Hold" >> held
            | "Group" >> beam.GroupByKey()
            | "Newest" >> beam.FlatMap(newest).with_output_types(Changes)
        )


def together(changes: Changes) -> tuple[int, Changes]:
    """One key for all: a file has many scale sets."""
    return 0, changes


def newest(pane: tuple[int, Iterable[Changes]]) -> Iterable[Changes]:
    """The changes of one pane as one; nothing of a pane that is empty."""
    changes = list(pane[1])
    if changes:
        yield newest_versions(changes)
