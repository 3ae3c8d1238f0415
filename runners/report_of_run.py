"""What a finished backfill says of itself, in sentences."""

from collections.abc import Iterator
from typing import Final

from pipelines.settings import BackfillSettings
from pipelines.summary import Summary, named_sets, what_else
from schemas.time import format_time
from transforms.counters import total

INVENTORY_QUERY: Final = """\
  az graph query --first 1000 --query data --output json --graph-query "
    resources | where type =~ 'microsoft.compute/virtualmachines'
    | extend scale_set_id = tostring(properties.virtualMachineScaleSet.id) | where isnotempty(scale_set_id)
    | project vm_id = id, scale_set_id, valid_from = tostring(properties.timeCreated)" | jq -c '.[]' > inventory.jsonl"""


def lines_of(summary: Summary, settings: BackfillSettings, seconds: float) -> Iterator[str]:
    """The summary of a run, line by line."""
    counts = summary.counts
    yield (
        f"{counts['in']:,} records in {_number(summary.files, 'file')}: {counts['used']:,} used, "
        f"{counts['duplicate']:,} duplicate, {total(counts, 'ignored'):,} ignored, {summary.rejected:,} rejected."
    )
    yield from _families(summary)
    yield from _span(summary)
    written = "would be written" if summary.dry_run else "written"
    yield f"{_number(summary.cells, 'cell')} {written}, {counts['unchanged']:,} unchanged, in {seconds:.1f} s."
    yield from _left_out(summary, settings.resume)
    yield from _memory(summary)
    yield from lines_of_unplaced(counts["unplaced"], counts["health"])
    if not summary.dry_run:
        yield f"The tables are in {settings.output}."


def changed_lines(summary: Summary) -> Iterator[tuple[str, str]]:
    """The scale set and cell of each version that a dry run would have written."""
    for revisions in summary.changes:
        cells = revisions.column("cell").cast("int64").to_pylist()
        for scale_set, cell in zip(revisions.column("scale_set_id").to_pylist(), cells, strict=True):
            yield scale_set, format_time(cell)


def _families(summary: Summary) -> Iterator[str]:
    for family, numbers in summary.as_json()["records"].items():
        if family in ("ignored", "rejected") and numbers:
            yield f"  {family}: " + ", ".join(f"{name} {number:,}" for name, number in numbers.items())
    if summary.skipped:
        yield f"  {_number(summary.skipped, 'name')} skipped: no ending of an input."


def _span(summary: Summary) -> Iterator[str]:
    if summary.since is None:
        yield "No events of scale sets were found."
        return
    sets = _number(len(summary.findings.facts), "scale set")
    since = f"with events since {format_time(summary.since)}"
    if summary.before is not None:
        since = f"gone on from what was known until {format_time(summary.before + 1)}"
    yield f"{sets}, {since}; known until {format_time(summary.end)}."


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _left_out(summary: Summary, resume: bool) -> Iterator[str]:
    if summary.left_out:
        sets = _number(len(summary.findings.facts), "scale set")
        yield (
            f"{len(summary.left_out):,} of {sets} left out: {named_sets(summary.left_out)}. Their cells stay as they are, for a "
            "cold start would replace what is known from before their first events in this input; to have them corrected, give "
            f"{what_else(resume)}."
        )


def _memory(summary: Summary) -> Iterator[str]:
    if summary.partitions > 1:
        yield f"To stay within the memory allowed, the scale sets were evaluated in {summary.partitions} parts."
    if summary.too_large:
        yield f"More than the memory allowed was needed for single scale sets: {named_sets(list(summary.too_large))}."


def lines_of_unplaced(unplaced: int, health: int) -> Iterator[str]:
    """How many health records were ignored for want of an inventory row, and the query that makes one, where they are most."""
    if 2 * unplaced > health:
        yield f"{unplaced:,} of {health:,} health records were ignored, since no inventory row places their machines."
        yield "This makes an inventory:"
        yield INVENTORY_QUERY
