"""The summary that a finished backfill prints, in sentences."""

from collections.abc import Iterator
from typing import Final

from pipelines.backfill.summary import Summary, named_sets, what_else
from pipelines.correction.settings import BackfillSettings
from runners.words.notices import FinishedReading, counts_of, notices, paragraph
from runners.words.quantity import quantity
from schemas.time import format_time
from transforms.counters import total

_MOST_KINDS: Final = 8
"""Kinds of ignored records that are told; JSON has all."""


def lines_of(summary: Summary, settings: BackfillSettings, seconds: float) -> Iterator[str]:
    """The summary of a run, line by line."""
    counts = summary.counts
    yield (
        f"{quantity(counts['in'], 'record')} in {quantity(summary.files, 'file')}: {counts['used']:,} used, "
        f"{counts['duplicate']:,} duplicate, {total(counts, 'ignored'):,} ignored, {summary.rejected:,} rejected."
    )
    yield from _families(summary)
    yield from _span(summary)
    written = "would be written" if summary.dry_run else "written"
    yield f"{quantity(summary.cells, 'cell')} {written}, {counts['unchanged']:,} unchanged, in {seconds:.1f} s."
    if not summary.dry_run:
        yield f"The tables are in {settings.output}."
    yield from _memory(summary)
    yield from _left_out(summary, settings.resume)
    yield from notices(input_notices(summary, settings))


def input_notices(summary: Summary, settings: BackfillSettings) -> FinishedReading:
    """The notices about a run's input."""
    counts = summary.counts
    return FinishedReading(
        counts["in"],
        counts["health"],
        counts["unplaced"],
        counts["ignored/unplaced_vm"],
        summary.findings.glance,
        settings.inventory is not None,
        summary.known_before,
    )


def changed_lines(summary: Summary) -> Iterator[tuple[str, str]]:
    """The scale set and cell of each version that a dry run would have written."""
    for revisions in summary.changes:
        cells = revisions.column("cell").cast("int64").to_pylist()
        for scale_set, cell in zip(revisions.column("scale_set_id").to_pylist(), cells, strict=True):
            yield scale_set, format_time(cell)


def _families(summary: Summary) -> Iterator[str]:
    records = summary.as_json()["records"]
    yield from counts_of({fate: records[fate] for fate in ("ignored", "rejected")}, _MOST_KINDS)
    if summary.skipped:
        yield f"{quantity(summary.skipped, 'file')} skipped: no ending of an input."


def _span(summary: Summary) -> Iterator[str]:
    if summary.since is None:
        yield "No events of scale sets were found."
        return
    sets = quantity(len(summary.findings.facts), "scale set")
    since = f"with events since {format_time(summary.since)}"
    if summary.known_before is not None:
        since = f"gone on from what was known until {format_time(summary.known_before)}"
    yield from paragraph(f"{sets}, {since}; known until {format_time(summary.end)}.")


def _left_out(summary: Summary, resume: bool) -> Iterator[str]:
    if summary.left_out:
        sets = quantity(len(summary.findings.facts), "scale set")
        yield from paragraph(f"{len(summary.left_out):,} of {sets} left out: {named_sets(summary.left_out)}.")
        yield from paragraph(
            "Their cells stay as they are, for a cold start would replace what is known from before their first events in this "
            f"input; to have them corrected, give {what_else(resume)}.",
            2,
            0,
        )


def _memory(summary: Summary) -> Iterator[str]:
    if summary.partitions > 1:
        yield from paragraph(f"To stay within the memory allowed, the scale sets were evaluated in {summary.partitions:,} parts.")
    if summary.too_large:
        named = named_sets(list(summary.too_large))
        yield from paragraph(f"More than the memory allowed was needed for single scale sets: {named}.")
