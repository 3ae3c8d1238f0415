"""The summary of a night: one screen of Markdown for a mail or a chat (contract: trueup nightly)."""

import shlex
from collections.abc import Iterator
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pipelines.backfill.nightly import Night
from pipelines.backfill.summary import Summary, named_sets
from runners.report.sections import length, moment, percent
from runners.words.names import for_markdown, harmless, labels
from runners.words.quantity import quantity
from schemas.time import DAY, format_time, from_micros
from transforms.core.report.request import Report

_WORST: Final = 5
_GAPS: Final = 2


class NightReport(NamedTuple):
    """What a night did, and how available everything was over the period that is asked for."""

    night: Night
    report: Report
    data: str
    """The folder of the tables."""
    page: str | None
    """The page with charts, if one is written."""

    @property
    def availability(self) -> float | None:
        """Of all scale sets together, corrected; None: nothing was expected to be up."""
        share: float | None = self.report.fleet["availability"][0].as_py()
        return share

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.availability is None or self.availability >= (self.report.request.target or 0)


def verdict(told: NightReport) -> str:
    """Whether the target is met, in a sentence."""
    target = f"{(told.report.request.target or 0) * 100:.6g}"
    return f"Availability {percent(told.availability)} %: the target of {target} % is {'met' if told.met else 'missed'}."


def summary_lines(told: NightReport) -> Iterator[str]:
    """The summary, line by line."""
    yield f"# {verdict(told).rstrip('.')}"
    yield ""
    for sentence in (*silence(told.night), *_figures(told), *_what_came(told.night), *_what_is_missing(told.night)):
        yield f"- {for_markdown(sentence)}"
    yield from _worst(told)
    if told.page is not None:
        yield from ("", f"With charts: {for_markdown(told.page)}")


def silence(night: Night) -> Iterator[str]:
    """That nothing has come in for more than a day before the end of the record, so that nothing is known of it; else nothing."""
    if night.latest is None or night.until - night.latest > DAY:
        latest = "no event was ever read" if night.latest is None else f"the latest event is of {format_time(night.latest)}"
        yield f"Does anything still come in? The record ends at {format_time(night.until)}, and {latest}."


def _figures(told: NightReport) -> Iterator[str]:
    request, fleet = told.report.request, told.report.fleet.to_pylist()[0]
    zone = ZoneInfo(request.time_zone)
    since, until = (moment(from_micros(edge), zone) for edge in (request.since, request.until))
    yield (
        f"{quantity(len(told.report.sets), 'scale set')}, {since} to {until} ({request.time_zone}): "
        f"raw {percent(fleet['raw_availability'])} %, corrected {percent(fleet['availability'])} %."
    )
    if fleet["budget_spent"] is not None:
        yield f"Error budget {length(fleet['budget_seconds'])}, {percent(fleet['budget_spent'], 1)} % of it spent."
    yield f"{quantity(fleet['interruptions'], 'interruption')}; mean time to repair {length(fleet['mttr_seconds'])}."


def _what_came(night: Night) -> Iterator[str]:
    if night.new is None:
        yield f"Nothing is new; the record ends at {format_time(night.until)}."
        return
    yield f"{_counts(night.new)}; the record ends at {format_time(night.until)}."
    if night.before is not None and (missed := (night.until - night.before) // DAY - 1) > 0:
        yield f"{quantity(missed, 'night')} caught up: it had ended at {format_time(night.before)}."
    if night.anew is not None:
        yield f"Records came too late to go on with, so all was corrected anew: {_counts(night.anew)}."


def _counts(summary: Summary) -> str:
    counts = summary.counts
    return (
        f"{quantity(counts['in'], 'record')} in {quantity(summary.files, 'file')}: {counts['used']:,} used, "
        f"{summary.rejected:,} rejected; {quantity(summary.cells, 'cell')} written"
    )


def _what_is_missing(night: Night) -> Iterator[str]:
    if night.too_late:
        yield (
            f"{quantity(night.too_late, 'record')} came too late and did not count, since the input no longer has what came "
            "before: they are in rejects."
        )
    if night.new is None:
        return
    summary = night.anew or night.new
    told = summary.as_json()
    if summary.left_out:
        yield f"Left out, since they would begin cold: {named_sets(summary.left_out)}."
    if told["unplaced_health_records"]:
        yield f"{quantity(told['unplaced_health_records'], 'health record')} of machines that no inventory places."
    if told["no_format"]["records"]:
        yield f"{quantity(told['no_format']['records'], 'record')} of no format that is known."
    for gap in told["gaps"][:_GAPS]:
        yield f"Nothing at all happened from {gap['from']} to {gap['to']}: are files missing?"


def _worst(told: NightReport) -> Iterator[str]:
    rows = [row for row in told.report.sets.slice(0, _WORST).to_pylist() if row["bad_seconds"]]
    if not rows:
        return
    name = labels(told.report.sets["scale_set_id"].to_pylist())
    yield from ("", "| scale set | corrected | raw | counted |", "|---|---:|---:|---:|")
    for row in rows:
        shares = f"{percent(row['availability'])} | {percent(row['raw_availability'])}"
        yield f"| {for_markdown(name[row['scale_set_id']])} | {shares} | {length(row['bad_seconds'])} |"
    folder, worst = (shlex.quote(harmless(text)) for text in (told.data, name[rows[0]["scale_set_id"]]))
    yield from ("", f"Why: `trueup explain --data {folder} --scale-set {worst}`")
