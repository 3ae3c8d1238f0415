"""A backfill: files in, the corrected record out (contract: What a backfill publishes)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import pyarrow as pa
from apache_beam.runners.runner import PipelineResult

from pipelines.backfill.memory import ALONE, crew_for, events_of, groups_for, partitions_for, sets_beyond
from pipelines.backfill.preview import Preview
from pipelines.backfill.spill import SpillEvents, facts_of_partition, spilled
from pipelines.backfill.summary import Summary, named_sets, what_else
from pipelines.correction.findings import Findings, found, leave, leave_glance
from pipelines.correction.graph import BoundedInput, CorrectRecord
from pipelines.correction.published import LEFT_OUT, PublishedCells
from pipelines.correction.settings import IN_MEMORY, BackfillSettings
from pipelines.failures import RunError
from pipelines.inputs import planned
from pipelines.record.batch_files import get_batch
from pipelines.record.standing_files import NOTHING, PastStandings, Run, commit_standings, find_standings, run_name
from pipelines.record.store import Store
from schemas.time import format_duration
from transforms.core.columns.arrow import no_rows
from transforms.core.evaluation.evaluate import evaluate
from transforms.counters import counted
from transforms.decode import DecodeOutput, DecodeRecords
from transforms.facts import GatherFacts
from transforms.files.shards import Plan, Shard
from transforms.glance import GatherGlances
from transforms.ledger import LedgerSettings
from transforms.publish import KeepRejects, PublishCells, Sink

Build = Callable[[beam.Pipeline], object]
Execute = Callable[[Build], PipelineResult]
"""Runs a graph to its end: who does that is the caller's choice."""


@dataclass(frozen=True)
class FrozenClock:
    """A clock that always gives the start of the run."""

    now: int

    def __call__(self) -> int:
        """The moment, in microseconds."""
        return self.now


@dataclass(frozen=True)
class Backfill:
    """One run: what it reads, where its results go, and a folder of its own while it runs."""

    settings: BackfillSettings
    plan: Plan
    sink: Sink
    scratch: str
    execute: Execute
    budget: int
    """Bytes of memory: of this process, or of each worker elsewhere."""
    before: PastStandings = NOTHING
    """What it goes on from."""

    @property
    def elsewhere(self) -> bool:
        """Whether other processes do the work, each with a memory of its own."""
        return self.settings.runner != IN_MEMORY

    @property
    def partitions(self) -> int:
        """How many parts of the scale sets are worked on one after the other: workers elsewhere could not share what is cut."""
        return 1 if self.elsewhere else partitions_for(events_of(self.plan), self.budget)

    @property
    def known(self) -> PublishedCells:
        """What the output folder says of the input's scale sets."""
        settings = self.settings
        return PublishedCells(
            settings.output,
            settings.since,
            settings.until,
            settings.now,
            settings.policy.grid,
            settings.policy.max_excuse,
            settings.cold,
        )

    @property
    def ledger(self) -> LedgerSettings:
        """What the ledger is told."""
        settings = self.settings
        source = ", ".join(settings.inputs)
        return LedgerSettings(
            settings.policy,
            evaluate,
            FrozenClock(settings.now),
            settings.since,
            settings.until,
            source,
            emit_checkpoints=not settings.dry_run,
        )

    def at_once(self) -> Counter[str]:
        """Decodes and corrects in one graph; gives its counters."""
        return counted(self.execute(self._whole))

    def in_parts(self, partitions: int) -> Counter[str]:
        """Decodes once, to disk; then corrects one part of the scale sets after the other."""
        counts = counted(self.execute(lambda pipeline: self._spill(pipeline, partitions)))
        facts = found(self.scratch).facts
        left_out, known = self.known.left_out(facts), self.known.settled_on(facts)
        for partition in range(partitions):
            own = facts_of_partition(facts, partition, partitions)
            if len(own):
                counts += counted(self.execute(partial(self._part, partition=partition, facts=own, known=known)))
        leave(self.scratch, facts, left_out)
        return counts

    def _whole(self, pipeline: beam.Pipeline) -> None:
        decoded = self._decoded(pipeline)
        facts = decoded.events | "GatherFacts" >> GatherFacts(self.settings.now, self.before.facts)
        bounds = BoundedInput(facts, self.known, self.before, self.scratch)
        # One group in this process, whose ledger goes from part to part by itself.
        groups = groups_for(events_of(self.plan), self.budget) if self.elsewhere else 1
        self._correct(decoded.events, bounds, groups, decoded.rejects)

    def _spill(self, pipeline: beam.Pipeline, partitions: int) -> None:
        decoded = self._decoded(pipeline)
        decoded.events | "SpillEvents" >> SpillEvents(self.scratch, partitions)
        facts = decoded.events | "GatherFacts" >> GatherFacts(self.settings.now, self.before.facts)
        facts | "LeaveFacts" >> beam.Map(leave_facts, self.scratch)
        decoded.rejects | "KeepRejects" >> KeepRejects(self.sink)

    def _part(self, pipeline: beam.Pipeline, partition: int, facts: pa.RecordBatch, known: PublishedCells) -> None:
        events = pipeline | "Partition" >> beam.Create(spilled(self.scratch, partition))
        events = events | "ReadSpilled" >> beam.Map(get_batch).with_output_types(pa.RecordBatch)
        told = pipeline | "Facts" >> beam.Create([facts])
        self._correct(events, BoundedInput(told, known, self.before, self.scratch), 1, None)

    def _decoded(self, pipeline: beam.Pipeline) -> DecodeOutput:
        shards = pipeline | "Shards" >> beam.Create(self.plan.shards).with_output_types(Shard)
        crew = ALONE if self.elsewhere else crew_for(self.plan)
        decoded: DecodeOutput = shards | "DecodeRecords" >> DecodeRecords(self.settings.decode, *crew)
        decoded.glances | "GatherGlances" >> GatherGlances() | "LeaveGlance" >> beam.Map(leave_glance, self.scratch)
        return decoded

    def _correct(self, events: beam.PCollection, bounds: BoundedInput, groups: int, rejects: beam.PCollection | None) -> None:
        kept = events | "CorrectRecord" >> CorrectRecord(self.ledger, groups, bounds)
        kept.changes | "PublishCells" >> PublishCells(self.sink)
        refused = [batches for batches in (rejects, kept.late) if batches is not None]
        refused | "AllRejects" >> beam.Flatten() | "KeepRejects" >> KeepRejects(self.sink)


def leave_facts(facts: pa.RecordBatch, folder: str) -> None:
    """Leaves the facts of an input that is not corrected in the same graph."""
    leave(folder, facts, no_rows(LEFT_OUT))


def backfill(settings: BackfillSettings, execute: Execute, budget: int, scratch: str, plan: Plan | None = None) -> Summary:
    """Runs a backfill to its end.

    Args:
        settings: what is asked for.
        execute: runs a graph.
        budget: bytes of memory that the run may use, or each worker elsewhere.
        scratch: an empty folder for the run alone, which the workers reach.
        plan: what of the inputs is read; None: all.

    Raises:
        UsageError: the folder holds another grid.
        RunError: no file matches an input, or a cold start would replace what is known of every scale set.
    """
    plan = planned(settings.inputs) if plan is None else plan
    name = run_name(settings.now)
    store = Store(settings.output, name)
    store.check_grid(settings.policy.grid)
    before = find_standings(settings.output, settings.policy.hash) if settings.resume else NOTHING
    if not settings.dry_run:
        store.open(settings.policy)
    sink: Sink = Preview(scratch) if settings.dry_run else store
    run = Backfill(settings, plan, sink, scratch, execute, budget, before)
    partitions = run.partitions
    counts = run.at_once() if partitions == 1 else run.in_parts(partitions)
    summary = _summary(run, counts, partitions)
    _refuse(summary.findings, settings)
    summary.check()
    if not settings.dry_run:
        commit_standings(settings.output, name, Run(summary.end, settings.now, settings.policy.hash, before.line))
        store.leave_facts(name, summary.as_json())
    return summary


def _summary(run: Backfill, counts: Counter[str], partitions: int) -> Summary:
    findings, settings = found(run.scratch), run.settings
    return Summary(
        counts,
        findings,
        run.known.end(findings.facts),
        settings.policy.hash,
        run.plan.files,
        run.plan.skipped,
        settings.dry_run,
        run.before.until,
        partitions,
        sets_beyond(findings.facts, run.budget),
        run.sink.changes() if isinstance(run.sink, Preview) else (),
    )


def _refuse(findings: Findings, settings: BackfillSettings) -> None:
    if findings.all_left_out:
        excuse = format_duration(settings.policy.max_excuse)
        sets = named_sets(findings.left_out.column("scale_set_id").to_pylist())
        raise RunError(
            f"{settings.output}: a cold start would replace the cells that it holds from before the first events of {sets}, so "
            f"nothing was written; give {what_else(settings.resume)}; or input from {excuse} before --since, or --cold."
        )
