"""The graph from events to changed cells, one for bounded and unbounded input (steps: Join, Ledger)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import AsList, TaggedOutput
from apache_beam.transforms.trigger import TriggerFn

from pipelines.correction.findings import leave
from pipelines.correction.published import PublishedCells
from pipelines.record.settled import RunChain
from pipelines.record.standing_files import PastStandings, read_standings
from transforms.core.columns.arrow import one_batch
from transforms.core.columns.batches import compact
from transforms.core.columns.groups import split_by_group
from transforms.core.columns.members import are_among
from transforms.core.evaluation.resumed import CLOSED, moments_of
from transforms.core.ledger.decisions import LedgerInput, input_of_events, input_of_published, input_of_standing
from transforms.core.standing.folding import KNOWN_AGAIN
from transforms.core.standing.standing import DROPPED, Standing, narrowed, split_standing
from transforms.counters import count
from transforms.ledger import KeepLedger, LedgerSettings
from transforms.sessions import JoinSessions, KeyByScaleSet

LEFT_OUT: Final = "left_out"
LeftOut: TypeAlias = TaggedOutput[Literal["left_out"], pa.RecordBatch]


class BoundedInput(NamedTuple):
    """What the graph must know of a bounded input: how far it goes, and what it goes on from."""

    facts: beam.PCollection
    """FACTS of the whole input, one batch; none if it has no events."""
    known: PublishedCells
    before: PastStandings
    """What the run goes on from."""
    findings: str
    """The folder where facts, and which sets are left out, are left for the program that runs the graph."""


@dataclass(eq=False)
class CorrectRecord(beam.PTransform):
    """Events into the changed cells of their scale sets, and the records that came too late."""

    settings: LedgerSettings
    groups: int | None = None
    """How many groups of scale sets are worked on together; None: each alone."""
    bounds: BoundedInput | None = None
    firing: TriggerFn | None = None
    """When an open session of an unbounded input hands over what it has."""
    at_once: bool = False
    """Whether slices go on as they come, without sessions."""
    entering: beam.DoFn | None = None
    """Turns keyed events of an unbounded input into inputs of the ledger, and may add others. None: adds nothing."""
    recalled: beam.PCollection | None = None
    """Inputs of the ledger that the source of an unbounded input has handed over before any event."""

    def expand(self, events: beam.PCollection) -> Any:
        """Batches of EVENTS to `LedgerOutput`."""
        joined = (
            events
            | "KeyByScaleSet" >> KeyByScaleSet(self.groups)
            | "JoinSessions" >> JoinSessions(self.settings.policy, self.firing, self.at_once, in_slices=self.bounds is not None)
        )
        return self._inputs(joined) | "KeepLedger" >> KeepLedger(self.settings)

    def _inputs(self, joined: beam.PCollection) -> beam.PCollection:
        if self.bounds is None:
            entering = beam.MapTuple(unbounded_input) if self.entering is None else beam.ParDo(self.entering)
            inputs = joined | "EnterEvents" >> entering.with_output_types(tuple[str, LedgerInput])
            return inputs if self.recalled is None else (inputs, self.recalled) | "EnterRecalled" >> beam.Flatten()
        facts, known, before, findings = self.bounds
        published = facts | "ReadPublished" >> beam.ParDo(ReadPublished(known, self.groups, before, findings)).with_outputs(
            LEFT_OUT, main="published"
        )
        sides = AsList(facts), AsList(published[LEFT_OUT])
        inputs = joined | "EnterEvents" >> beam.FlatMap(bounded_inputs, known, *sides).with_output_types(tuple[str, LedgerInput])
        return (inputs, published["published"]) | "EnterPublished" >> beam.Flatten()


def unbounded_input(key: str, events: pa.RecordBatch) -> tuple[str, LedgerInput]:
    """The ledger's input of events that have no end."""
    return key, input_of_events(events, None)


def bounded_inputs(
    keyed: tuple[str, pa.RecordBatch], known: PublishedCells, facts: list[pa.RecordBatch], left_out: list[pa.RecordBatch]
) -> Iterator[tuple[str, LedgerInput]]:
    """The ledger's input of events and T, without events of scale sets that are left out: their records count as ignored."""
    key, events = keyed
    for batch in left_out:
        own = pa.array(are_among(events, batch.column("scale_set_id")))
        count("ignored/left_out", pc.sum(pc.and_(own, pc.invert(events.column("second")))).as_py() or 0)
        events = compact(events.filter(pc.invert(own)))  # a set that is in the dictionary alone would leave a standing, too
    if len(events):
        yield key, input_of_events(events, known.end(facts[0]))


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(tuple[str, LedgerInput], left_out=pa.RecordBatch)
class ReadPublished(beam.DoFn):
    """Reads what was published of the scale sets of an input, and what it goes on from; not of those that are left out."""

    def __init__(self, known: PublishedCells, groups: int | None, before: PastStandings, findings: str) -> None:
        self._known, self._groups, self._before, self._findings = known, groups, before, findings

    def process(self, facts: pa.RecordBatch) -> Iterator[tuple[str, LedgerInput] | LeftOut]:
        """Current versions and standings by key, and the scale sets that are left out."""
        left_out = self._known.left_out(facts)
        leave(self._findings, facts, left_out)
        if len(left_out):
            yield TaggedOutput(LEFT_OUT, left_out)
        known = self._known.settled_on(facts)
        taken_in = facts.filter(pc.invert(pc.is_in(facts.column("scale_set_id"), left_out.column("scale_set_id"))))
        if len(taken_in):
            for key, rows in split_by_group(known.published(taken_in), self._groups):
                yield key, input_of_published(rows, known.end(taken_in))
            yield from self._standings(taken_in, known)

    def _standings(self, facts: pa.RecordBatch, known: PublishedCells) -> Iterator[tuple[str, LedgerInput]]:
        own = facts.column("scale_set_id").filter(facts.column("resumed"))
        for part in self._before.parts:
            for standing in read_standings(part):
                whole = with_settled(narrowed(standing, own), part.settled, facts)
                for key, rows in split_standing(whole, self._groups):
                    yield key, input_of_standing(rows, known.end(facts))


def with_settled(standing: Standing, settled: RunChain, facts: pa.RecordBatch) -> Standing:
    """A standing that tells the copies of all that an input gives again.

    Args:
        standing: it tells those of a day before it was closed by itself.
        settled: what the runs have settled of which it is the end.
        facts: FACTS of the input.
    """
    closed, names = moments_of(standing.marks, CLOSED), facts.column("scale_set_id").to_pylist()
    again = {
        name: came
        for name, came in zip(names, facts.column("came").to_pylist(), strict=True)
        if name in closed and came is not None and came < closed[name] - KNOWN_AGAIN
    }
    if not again:
        return standing
    dropped = [standing.dropped, settled.of(pa.array(list(again), pa.string()), min(again.values()))]
    return standing._replace(dropped=one_batch(dropped, DROPPED))
