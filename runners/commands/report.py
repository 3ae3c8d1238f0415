"""`trueup report`: the availability of scale sets over a period, and why (contract: trueup report)."""

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from pipelines.failures import UsageError
from runners.commands.options import read_inventory

if TYPE_CHECKING:
    from pipelines.reading.report import ReportSettings
    from transforms.core.report.request import Report

EXAMPLES = """\b
Examples:
  What was our availability in October, and why?
    trueup report --data record/ --since 2026-10-01 --until 2026-11-01 \\
      --time-zone Europe/Berlin
  One scale set, hour by hour:
    trueup report --data record/ --scale-set web --by hour \\
      --since 2026-10-24 --until 2026-10-26
  The error budget of production, for a spreadsheet:
    trueup report --data record/ --scale-set '*-prod-*' --as csv > october.csv
  The same for Prometheus, by the textfile collector of its node exporter:
    trueup report --data record/ --as prometheus > textfiles/trueup.prom
"""
TABLES: Final = ("scale_sets", "fleet", "periods", "scale_set_periods", "states", "causes", "chance", "coverage")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_OFFSET: Final = re.compile(r"([Zz]|[+-]\d\d:?\d\d)$")


class Zone(click.ParamType[ZoneInfo]):
    """A time zone by its IANA name."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        """The zone."""
        try:
            return value if isinstance(value, ZoneInfo) else ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"the name of a time zone like Europe/Berlin is required, got {value!r}.", param, ctx)


class Percent(click.ParamType[float]):
    """A percentage above 0 and below 100; gives a ratio."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The ratio."""
        text = str(value).removesuffix("%").strip()
        if not re.fullmatch(r"\d{1,3}(\.\d{1,12})?", text, re.ASCII) or not 0 < Decimal(text) < 100:
            self.fail(f"a percentage above 0 and below 100, like 99.9, is required, got {value!r}.", param, ctx)
        return float(Decimal(text) / 100)


@click.command(epilog=EXAMPLES)
@click.option("--data", metavar="DIR", required=True, help="The folder of the tables.")
@click.option(
    "--since",
    metavar="TIME",
    help="From this moment on: 2026-10-01, or RFC 3339; in --time-zone where no offset is given.  [default: all]",
)
@click.option("--until", metavar="TIME", help="Up to this moment, which is not part of it.  [default: all]")
@click.option(
    "--by",
    type=click.Choice(("hour", "day", "week", "month")),
    help="Also by the hours, days, weeks (from Monday) or months of --time-zone.  [default: what suits the length]",
)
@click.option("--time-zone", type=Zone(), default="UTC", show_default=True, metavar="NAME", help="Whose days these are.")
@click.option(
    "--scale-set",
    "scale_sets",
    multiple=True,
    metavar="GLOB",
    help="Only those whose id or name is like this; may be given again.",
)
@click.option(
    "--top",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="The N worst scale sets only.  [default: 10 in table and markdown; else all]",
)
@click.option(
    "--target", type=Percent(), default="99.9", show_default=True, metavar="PERCENT", help="What the error budget is for."
)
@click.option(
    "--inventory", metavar="FILE", help="Say how many instances it names, beside those that count (CSV, JSONL or Parquet)."
)
@click.option(
    "--as",
    "form",
    type=click.Choice(("table", "json", "csv", "markdown", "prometheus")),
    default="table",
    show_default=True,
    help="How to print it.",
)
@click.option(
    "--table",
    type=click.Choice(TABLES),
    metavar="NAME",
    help=f"With --as csv: rows of this kind. {', '.join(TABLES)}.  [default: scale_sets]",
)
@click.option(
    "--html", "page", metavar="FILE|DIR", help="Write a page with charts too (FILE.html), or one of each scale set as well (DIR)."
)
def report(**given: Any) -> int:
    """Says how available scale sets were, as reported and as corrected, and why they differ.

    Availability, seconds by class, interruptions, error budget, the worst minute to the worst week, causes, and how much of what
    operations explain chance alone would explain. Every ratio is one of sums; a dash stands where nothing was expected to be up.
    """
    if given["table"] is not None and given["form"] != "csv":
        raise UsageError(f"--table: --as csv is required with it, got {given['form']}.")
    settings = _settings(given)
    from transforms.allocator import keep_freed_memory

    keep_freed_memory()
    if given["page"] is None:
        from pipelines.reading.report import report as run

        _print(run(settings), given)
        return 0
    from runners.page.page import report_with_page

    _print(report_with_page(settings, given["page"]), given)
    click.echo(f"The page with charts is {given['page']}.", err=True)
    return 0


def _settings(given: dict[str, Any]) -> "ReportSettings":
    from pipelines.reading.report import ReportSettings

    zone = given["time_zone"]
    return ReportSettings(
        data=given["data"],
        since=moment_of("--since", given["since"], zone),
        until=moment_of("--until", given["until"], zone),
        by=given["by"],
        time_zone=zone.key,
        scale_sets=given["scale_sets"],
        target=given["target"],
        inventory=read_inventory(given["inventory"]),
        each=True if given["form"] == "json" or given["table"] == "scale_set_periods" else None,
    )


def moment_of(option: str, text: str | None, zone: ZoneInfo) -> int | None:
    """A date or time as microseconds since the epoch; without an offset it is in the given time zone.

    Raises:
        BadParameter: it is neither.
    """
    from schemas.time import from_micros, to_micros
    from schemas.timestamp import parse_time

    if text is None:
        return None
    whole = f"{text}T00:00:00" if _DATE.fullmatch(text) else text
    try:
        micros = parse_time(whole)
    except ValueError:
        raise click.BadParameter(
            f"a date or a time like 2026-10-01T00:00:00Z is required, got {text!r}", param=click.Option([option])
        ) from None
    return micros if _OFFSET.search(whole) else to_micros(from_micros(micros).replace(tzinfo=zone))


def _print(made: "Report", given: dict[str, Any]) -> None:
    from runners.report.exposition import prometheus_text
    from runners.report.output import csv_text, json_text, markdown, print_table

    form, top = given["form"], given["top"]
    if form == "table":
        print_table(made, top)
    elif form == "markdown":
        click.echo("\n".join(markdown(made, top)))
    elif form == "json":
        click.echo(json_text(made, top))
    else:
        click.echo(
            prometheus_text(made, top) if form == "prometheus" else csv_text(made, top, given["table"] or "scale_sets"), nl=False
        )
