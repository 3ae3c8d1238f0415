"""What `trueup demo` shows: raw beside corrected, why they differ, what was rejected, and where the tables lie."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.current import all_rows, current_rows
from pipelines.summary import Summary
from schemas.time import SECOND
from transforms.core.availability import availability, bad, class_times, raw_availability, raw_bad, total_times
from transforms.counters import total

_EXCUSING: Final = ("explained", "removed", "presumed_removed")
_CAUSES: Final = {"fault": "failing hardware", "unexplained": "no operation"}
_GUIDE: Final = """\
explained, removed, presumed_removed: an operation explains it; not counted.
overrun: the operation did not bring it back in time; counted from there on.
unexcused, fault, unexplained: nothing excuses it; counted as reported."""


def report(summary: Summary, day: Path, output: str) -> None:
    """Prints the day as it lies in the output folder."""
    console = Console(highlight=False)
    series, attributions = current_rows(output, "availability"), current_rows(output, "attributions")
    assert series is not None  # the run that has just ended has published it
    console.print(_headline(summary), soft_wrap=True)
    console.print(_availability_table(class_times(series)), "", sep="\n")
    console.print(_reasons_table([] if attributions is None else attributions.to_pylist()))
    console.print(f"\n{_GUIDE}\n", style="dim")
    for line in _rejected(output, day):
        console.print(line, soft_wrap=True)
    console.print(_closing(summary, day, output), soft_wrap=True)


def _headline(summary: Summary) -> str:
    counts = summary.counts
    return (
        f"One day of {len(summary.findings.facts)} scale sets: {counts['in']:,} records in {summary.files:,} files, "
        f"{counts['used']:,} used, {counts['duplicate']:,} duplicate,\n"
        f"{total(counts, 'ignored'):,} of other kinds ignored, {summary.rejected:,} rejected.\n"
    )


def _availability_table(times: pa.Table) -> Table:
    table = _table("Availability, and instance time behind it (h:mm:ss)")
    table.add_column("scale set")
    for name in ("raw", "corrected", "reported\nbad", "counted\nbad", "of it\noverrun", "excused", "removed"):
        table.add_column(name, justify="right")
    for row in times.to_pylist():
        table.add_row(*_times_row(_name(row["scale_set_id"]), row))
    table.add_section()
    table.add_row(*_times_row("all", total_times(times)))
    return table


def _times_row(name: str, times: dict[str, int]) -> Iterator[str]:
    yield name
    yield _percent(raw_availability(times))
    yield _percent(availability(times))
    yield from map(_clock_or_dash, (raw_bad(times), bad(times), times["overrun"], times["excused"], times["removed"]))


def _reasons_table(attributions: list[dict[str, Any]]) -> Table:
    table = _table("Why (times in UTC)")
    for name in ("from", "what", "verdict", "for", "counted", "because of"):
        table.add_column(name, justify="right" if name in ("for", "counted") else "left")
    for row in sorted(attributions, key=lambda row: (row["start"], row["scale_set_id"], row["instance_id"] or "")):
        style = "green" if row["verdict"] in _EXCUSING else "yellow"
        table.add_row(
            f"{row['start']:%H:%M:%S}",
            _whose(row["scale_set_id"], row["instance_id"]),
            Text(row["verdict"], style),
            _length(row["start"], row["end"]),
            _clock_or_dash(round((row["counted_seconds"] or 0) * SECOND)),
            _cause(row),
        )
    return table


def _cause(attribution: dict[str, Any]) -> str:
    verb, initiator = attribution["verb"], attribution["initiator"]
    return _CAUSES[attribution["verdict"]] if verb is None else f"{verb} by {initiator}"


def _rejected(output: str, day: Path) -> Iterator[str]:
    rejects = all_rows(output, "rejects")
    for row in [] if rejects is None else rejects.to_pylist():
        source = Path(row["source"])
        shown = source.relative_to(day / "events") if source.is_relative_to(day) else source
        yield f"Rejected: {shown}, {row['location']}: {row['reason']}: {row['detail']}"


def _closing(summary: Summary, day: Path, output: str) -> str:
    nothing = "Nothing has changed since the last run: no cell was written."
    return (
        f"\n{f'{summary.cells:,} cells were written.' if summary.cells else nothing}\n"
        f"The tables are Parquet, below {output}:\n"
        "availability, attributions, operations, revisions, rejects.\n"
        f"The records they were made of: {day}\n\n"
        "Next, your own records:\n"
        "  trueup validate --input FOLDER                  what is in them?\n"
        "  trueup backfill --input FOLDER --output record  the corrected record of them"
    )


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.title_style = "bold"
    return table


def _name(scale_set_id: str) -> str:
    return scale_set_id.rpartition("/")[2]


def _whose(scale_set_id: str, instance_id: str | None) -> str:
    """A short name: the machine's own where it holds that of its set, as a Flexible one's does."""
    name = _name(scale_set_id)
    if instance_id is None:
        return f"{name}, the set"
    return instance_id if instance_id.startswith(name) else f"{name}/{instance_id}"


def _length(start: datetime, end: datetime | None) -> str:
    return "open" if end is None else clock(round((end - start).total_seconds() * SECOND))


def clock(micros: int) -> str:
    """A duration like 1:02:03, cut to the second.

    >>> clock(3_723_900_000)
    '1:02:03'
    """
    seconds = micros // SECOND
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _clock_or_dash(micros: int) -> str:
    return clock(micros) if micros else "-"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.3f} %"
