"""What `trueup demo` shows: the report's main sections, one moment explained, and where everything lies."""

from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.text import Text

from pipelines.alarms.watcher import alarms_in
from pipelines.backfill.summary import Summary
from pipelines.reading.explain import ExplainSettings, explain
from pipelines.reading.report import ReportSettings
from pipelines.record.selection import Selection
from runners.demo.day import PAGE, SIMULATED
from runners.explain.output import print_explanation
from runners.page.page import report_with_page
from runners.report.output import print_section
from runners.report.sections import Section, headline, sections
from runners.words.names import labels
from schemas.time import MINUTE, floor_to, format_time
from transforms.core.report.request import Report
from transforms.counters import total

SECTIONS: Final = ("Instance time by class", "Scale sets with the most counted time", "Causes, of instances' episodes")
"""Those of the report that the demo shows, by their titles."""
_ASKED: Final = ("scale_set_id", "instance_id", "start", "limit", "end", "verdict", "excused_seconds", "counted_seconds")
_TOP: Final = 20
_LEAST: Final = 2 * MINUTE
_GUIDE: Final = """\
explained, removed, presumed_removed: an operation explains it; not counted.
overrun: the operation did not bring it back in time; counted from there on.
unexcused, fault, unexplained: nothing excuses it; counted as reported."""


class DemoQuestion(NamedTuple):
    """The scale set and the moment that the demo explains."""

    scale_set_id: str
    at: int
    """Microseconds."""


def show(summary: Summary, output: str) -> None:
    """Writes the page, and prints the report and one explanation of the day."""
    report = report_with_page(ReportSettings(data=output, target=0.999), str(Path(output, PAGE)))
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(Text(_headline(summary)))
    print_section(console, _alarms(output))
    console.print()
    _print_report(console, report)
    asked = moment_to_ask(output)
    name = labels([asked.scale_set_id])[asked.scale_set_id]
    question = f"trueup explain --data {output} --scale-set {name}"
    console.print(Text("Was that alert real? A question about one moment of the day:", "bold"))
    console.print(Text(f"\n  {question} --at {format_time(asked.at)}\n"), soft_wrap=True)
    print_explanation(explain(ExplainSettings(output, asked.scale_set_id, asked.at)), name, ZoneInfo("UTC"), question)
    console.print(Text(_closing(summary, output, name)), soft_wrap=True)


def _headline(summary: Summary) -> str:
    counts = summary.counts
    return (
        f"A simulated day of {len(summary.findings.facts)} scale sets: {counts['in']:,} records in {summary.files:,} files, "
        f"{counts['used']:,} used, {counts['duplicate']:,} duplicate, {total(counts, 'ignored'):,} of other kinds ignored, "
        f"{summary.rejected:,} rejected."
    )


def _alarms(output: str) -> Section:
    """Both streams of alarms side by side."""
    azure, ours = (alarms_in(output, column, _LEAST) for column in ("reported_state", "state"))
    names = labels(sorted({*azure, *ours}))
    rows = [(names[id_], str(azure[id_]), str(ours[id_])) for id_ in sorted(names, key=lambda id_: (-azure[id_], names[id_]))]
    total_ = ("all", str(azure.total()), str(ours.total()))
    columns = ("<scale set", "Azure would raise", "trueup raises")
    return Section("Alarms of the day, of trouble that lasts two minutes", columns, [*rows, total_])


def _print_report(console: Console, report: Report) -> None:
    for line in headline(report):
        console.print(Text(line))
    for section in sections(report, _TOP):
        if section.title.startswith(SECTIONS):
            print_section(console, section)
    console.print(Text(f"\n{_GUIDE}\n", "dim"))


def moment_to_ask(root: str) -> DemoQuestion:
    """A moment in the overrun that an operation explains only in part, chosen so that both parts are long."""
    selection = Selection(root)
    rows = selection.table("attributions", selection.days, _ASKED)
    both = pc.min_element_wise(rows.column("excused_seconds"), rows.column("counted_seconds"))
    overruns = pc.and_(pc.is_valid(rows.column("instance_id")), pc.equal(rows.column("verdict").cast(pa.string()), "overrun"))
    longest = rows.append_column("both", both).filter(overruns).sort_by([("both", "descending")]).slice(0, 1)
    limit, end = (longest.column(name).cast(pa.int64())[0].as_py() for name in ("limit", "end"))
    return DemoQuestion(longest.column("scale_set_id")[0].as_py(), floor_to((limit + end) // 2, MINUTE))


def _closing(summary: Summary, output: str, name: str) -> str:
    nothing = "Nothing has changed since the last run: no cell was written."
    return (
        f"\n{f'{summary.cells:,} cells were written.' if summary.cells else nothing}\n\n"
        f"  {Path(output, PAGE)}\n"
        "      the same as a page with charts: open it in a browser\n"
        f"  {Path(output, 'availability')}, attributions, operations, revisions, rejects\n"
        "      the tables, Parquet: open them with any SQL engine\n"
        f"  {Path(output, SIMULATED)}\n"
        "      the records that they were made of, and the truth\n\n"
        "Next:\n"
        f"  trueup explain --data {output} --scale-set {name}\n"
        "      all trouble of that scale set\n"
        f"  trueup score --data {output} --truth {Path(output, SIMULATED, 'truth')}\n"
        "      how near to the truth is it?\n"
        "  trueup validate --input FOLDER\n"
        "      your own records: what is in them?\n"
        "  trueup backfill --input FOLDER --output record\n"
        "      the corrected record of them"
    )
