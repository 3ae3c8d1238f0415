"""`trueup nightly`: what is new, every night, and whether the target is met (contract: trueup nightly)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import click

from runners.commands.backfill import run_backfill
from runners.commands.options import ByteSize, Span, input_option, now_micros, read_inventory, read_policy
from runners.commands.report import Percent, Zone
from runners.words.progress import progress

if TYPE_CHECKING:
    from pipelines.backfill.nightly import Night
    from pipelines.backfill.summary import Summary
    from pipelines.correction.settings import BackfillSettings
    from runners.nightly.summary import NightReport
    from schemas.policy import Policy
    from transforms.core.report.request import Report
    from transforms.files.shards import Plan

EXAMPLES = """\b
Examples:
  Every night at two, from a timer; trueup.toml says the rest:
    trueup nightly
  With a page and a summary for the chat:
    trueup nightly --input events/ --output record/ --html report.html \\
      --summary summary.md
"""
MISSED: Final = 3
"""Exit status where all went well, and the target is missed."""
_GRACE: Final = 5.0
"""Seconds for which old files stay beside compacted ones."""


@click.command(epilog=EXAMPLES)
@input_option
@click.option("--output", metavar="DIR", required=True, help="The folder of the tables.")
@click.option("--inventory", metavar="FILE", help="Which machine is of which Flexible scale set (CSV, JSONL or Parquet).")
@click.option("--policy", metavar="FILE", help="The policy (TOML); the default one if none is given.")
@click.option(
    "--lag", type=Span(), default="2h", show_default=True, metavar="TIME", help="Records may come so long after the fact."
)
@click.option(
    "--over",
    type=click.Choice(("day", "week", "month")),
    default="month",
    show_default=True,
    help="What the target is of, so far.",
)
@click.option("--target", type=Percent(), default="99.9", show_default=True, metavar="PERCENT", help="Wanted availability.")
@click.option("--time-zone", type=Zone(), default="UTC", show_default=True, metavar="NAME", help="Whose days and months.")
@click.option(
    "--html", "page", metavar="FILE|DIR", help="Write a page with charts (FILE.html), or one of each scale set as well (DIR)."
)
@click.option("--summary", metavar="FILE", help="Write a summary for a mail or a chat (Markdown).")
@click.option(
    "--keep", type=Span(), default="30d", show_default=True, metavar="TIME", help="Versions superseded within this time stay."
)
@click.option("--memory", type=ByteSize(), metavar="SIZE", help="A budget for the whole run.  [default: half of the machine's]")
def nightly(**given: Any) -> int:
    """Takes what is new, goes on from last night, and says whether the target is met.

    Publishes until the last full hour that is --lag ago, compacts days that are over, and reports on the day, week or month so
    far. A night that was missed or killed is caught up by the next, one that runs twice changes nothing, and what comes too late
    to go on with has the whole input corrected anew. Exit status 3: all went well, and the target is missed.
    """
    from runners.nightly.summary import silence, verdict

    with _alone(given["output"]) as check:
        told = _night(given, check)
    click.echo("\n".join((*silence(told.night), verdict(told))))
    return 0 if told.met else MISSED


@contextmanager
def _alone(root: str) -> Iterator[Callable[[], None]]:
    """Keeps a second night away from a folder, here or elsewhere; gives what makes sure that no other has begun all the same."""
    from pipelines.backfill.nightly import alone
    from pipelines.record.folder import is_local
    from runners.process.lease import ProgramLease

    if is_local(root):
        with alone(root):
            yield lambda: None
        return
    with ProgramLease(root, "_trueup/nightly.lock", threading.Event(), "the nights of this folder") as lease:
        yield lease.check


def _night(given: dict[str, Any], check: Callable[[], None]) -> "NightReport":
    from pipelines.backfill.nightly import run_night
    from runners.nightly.summary import NightReport
    from runners.words.finished_run import lines_of

    settings, began = _settings(given), time.monotonic()
    with progress(quiet=False):
        night = run_night(settings, given["lag"], partial(_backfill, check))
    for summary in (night.new, night.anew):
        if summary is not None:
            click.echo("\n".join(lines_of(summary, settings, time.monotonic() - began)))
    _compact(settings, given["keep"], night)
    told = NightReport(night, _report(given, night), given["output"], given["page"])
    _leave_summary(told, given["summary"])
    return told


def _backfill(check: Callable[[], None], settings: "BackfillSettings", plan: "Plan") -> "Summary":
    summary = run_backfill(settings, plan)
    check()
    return summary


def _settings(given: dict[str, Any]) -> "BackfillSettings":
    from pipelines.correction.settings import BackfillSettings

    return BackfillSettings(
        inputs=given["inputs"],
        output=given["output"],
        now=now_micros(),
        policy=read_policy(given["policy"], None),
        inventory=read_inventory(given["inventory"]),
        memory=given["memory"],
    )


def _compact(settings: "BackfillSettings", keep: int, night: "Night") -> None:
    """Compacts the days to which nothing is added any more."""
    from pipelines.record.compact import compact

    compact(settings.output, now_micros(), keep, _GRACE, _open_day(night.until, settings.policy))


def _open_day(until: int, policy: "Policy") -> int:
    """The first day, counted since the epoch, of which an event may still be taken in."""
    from schemas.time import DAY

    return (until - policy.grid - policy.lateness) // DAY


def _report(given: dict[str, Any], night: "Night") -> "Report":
    from pipelines.reading.report import ReportSettings
    from pipelines.reading.report import report as run

    zone = given["time_zone"]
    settings = ReportSettings(
        data=given["output"],
        since=period_begin(night.until - 1, given["over"], zone),
        until=night.until,
        time_zone=zone.key,
        target=given["target"],
    )
    if given["page"] is None:
        return run(settings)
    from runners.page.page import report_with_page

    return report_with_page(settings, given["page"])


def period_begin(moment: int, over: str, zone: ZoneInfo) -> int:
    """The begin of the day, week (from Monday) or month of a time zone in which a moment lies; microseconds.

    >>> period_begin(40 * 86_400_000_000, "month", ZoneInfo("UTC")) // 86_400_000_000
    31
    """
    from transforms.core.report.calendar import midnight

    day = datetime.fromtimestamp(moment // 1_000_000, zone).date()
    back = {"day": 0, "week": day.weekday(), "month": day.day - 1}[over]
    return midnight(day - timedelta(days=back), zone)


def _leave_summary(told: "NightReport", path: str | None) -> None:
    if path is None:
        return
    from runners.nightly.summary import summary_lines
    from runners.process.whole_file import write_whole

    write_whole(path, "".join(f"{line}\n" for line in summary_lines(told)), "--summary")
