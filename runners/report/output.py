"""A report as a terminal table, as Markdown, as CSV or as JSON (contract: trueup report)."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runners.report.sections import Section, headline, sections
from runners.words.names import for_markdown, for_spreadsheet, harmless, isolated, shortened
from transforms.core.report.report import as_json
from transforms.core.report.request import Report

_NAME_WIDTH: Final = 24
_WIDEST: Final = 40
_TOP: Final = 10
"""Scale sets that a table shows unless told otherwise."""

_TABLES: Final = {"scale_sets": "sets", "scale_set_periods": "set_periods"}
"""What tables are called by users, where the report calls them otherwise."""


def print_table(report: Report, top: int | None) -> None:
    """Prints the report on the terminal, within its width."""
    console = Console(highlight=False, markup=False, emoji=False)
    for line in headline(report):
        console.print(Text(harmless(line)))
    for section in sections(report, _TOP if top is None else top):
        print_section(console, section)


def print_section(console: Console, section: Section) -> None:
    """Prints one section, after an empty line."""
    console.print()
    console.print(Text(harmless(section.title), "bold"))
    console.print(_table(section))
    if section.note:
        console.print(Text(section.note, "dim"))


def markdown(report: Report, top: int | None) -> Iterator[str]:
    """The report as lines of Markdown, with whole names, escaped for HTML too."""
    yield "# Availability"
    yield ""
    for line in headline(report):
        yield f"- {for_markdown(line)}"
    for section in sections(report, _TOP if top is None else top):
        yield from ("", f"## {for_markdown(section.title)}", "")
        yield _markdown_row(column.lstrip("<") for column in section.columns)
        yield "|" + "|".join("---" if column.startswith("<") else "---:" for column in section.columns) + "|"
        yield from (_markdown_row(row) for row in section.rows)
        if section.note:
            yield from ("", for_markdown(section.note))


def json_text(report: Report, top: int | None) -> str:
    """The report as one JSON object, which also says what every figure means."""
    return json.dumps(as_json(_narrowed(report, top)), ensure_ascii=True)


def csv_text(report: Report, top: int | None, table: str) -> str:
    """One table of the report as CSV; where its rows are of no period of their own, that of the report stands last.

    Names that a spreadsheet could take for a formula begin with an apostrophe.
    """
    sink, zone = io.StringIO(), ZoneInfo(report.request.time_zone)
    rows: pa.Table = getattr(_narrowed(report, top), _TABLES.get(table, table))
    bounds = dict(zip(("period_start", "period_end"), _whole_period(report), strict=True))
    writer = csv.DictWriter(sink, list(dict.fromkeys([*rows.column_names, *bounds])), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value, zone) for key, value in {**bounds, **row}.items()} for row in rows.to_pylist())
    return sink.getvalue()


def _whole_period(report: Report) -> list[Any]:
    return [report.periods["period_start"][0].as_py(), report.periods["period_end"][-1].as_py()]


def _cell(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, str):
        return for_spreadsheet(value)
    return value.astimezone(zone).isoformat() if hasattr(value, "astimezone") else value


def _narrowed(report: Report, top: int | None) -> Report:
    """The report with only the `top` worst scale sets; the figures of the fleet stay."""
    if top is None:
        return report
    chosen = report.sets.slice(0, top)["scale_set_id"].combine_chunks()
    tables = ("set_periods", "states", "coverage")
    return report._replace(sets=report.sets.slice(0, top), **{name: _of_sets(getattr(report, name), chosen) for name in tables})


def _of_sets(table: pa.Table, chosen: pa.StringArray) -> pa.Table:
    return table.filter(pc.is_in(table["scale_set_id"], chosen))


def _table(section: Section) -> Table:
    widths = [_NAME_WIDTH if column == "<scale set" else _WIDEST for column in section.columns]
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for column in section.columns:
        left = column.startswith("<")
        table.add_column(Text(column.lstrip("<")), justify="left" if left else "right", no_wrap=True, overflow="ellipsis")
    for row in section.rows:
        table.add_row(*(_text(text, width) for text, width in zip(row, widths, strict=True)))
    return table


def _text(text: str, width: int) -> Text:
    return Text(isolated(shortened(harmless(text), width)))


def _markdown_row(texts: Any) -> str:
    return "| " + " | ".join(for_markdown(text) for text in texts) + " |"
