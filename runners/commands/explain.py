"""`trueup explain`: why a scale set was not available, in sentences (contract: trueup explain)."""

import shlex
from typing import Final
from zoneinfo import ZoneInfo

import click

from pipelines.failures import RunError, UsageError
from runners.commands.report import Zone, moment_of
from runners.words.names import harmless, labels
from schemas.wording import nearest

EXAMPLES: Final = """\b
Examples:
  What has been wrong with web lately?
    trueup explain --data record/ --scale-set web
  Was that alert real?
    trueup explain --data record/ --scale-set web --at 2026-10-24T20:04:00Z
  The same, on the clocks of Berlin:
    trueup explain --data record/ --scale-set web \\
      --at 2026-10-24T22:04:00 --time-zone Europe/Berlin
"""


@click.command(epilog=EXAMPLES)
@click.option("--data", metavar="DIR", required=True, help="The folder of the tables.")
@click.option("--scale-set", metavar="ID", required=True, help="Its id, its name, or group/name where several are called so.")
@click.option(
    "--at",
    metavar="TIME",
    help="This moment: RFC 3339; in --time-zone where no offset is given.  [default: the latest stretches of trouble]",
)
@click.option(
    "--last", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="Without --at: how many stretches."
)
@click.option("--time-zone", type=Zone(), default="UTC", show_default=True, metavar="NAME", help="On whose clocks.")
@click.option("--as", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="How to print it.")
def explain(data: str, scale_set: str, at: str | None, last: int, time_zone: ZoneInfo, form: str) -> int:
    """Says whether trouble of a scale set was real, and why.

    Without --at: its latest stretches of trouble in order of time, the last one at the end, a sentence or two each. A stretch is
    of episodes that overlap or that one operation explains; that nothing of it counts is told too. With --at: what was reported
    at that moment, what of it counts, which operation explains what, until when and on which evidence, the nearest trouble before
    and after, and how the answer changed as more became known.
    """
    from pipelines.reading.explain import ExplainSettings, scale_sets
    from pipelines.reading.explain import explain as run
    from runners.explain.output import json_text, print_explanation

    found = _named(scale_set, scale_sets(data))
    told = run(ExplainSettings(data, found, moment_of("--at", at, time_zone), last))
    if form == "json":
        click.echo(json_text(told))
        return 0
    zone = "" if time_zone.key == "UTC" else f" --time-zone {time_zone.key}"
    hint = f"trueup explain --data {shlex.quote(harmless(data))} --scale-set {shlex.quote(harmless(scale_set))}{zone}"
    print_explanation(told, labels([found])[found], time_zone, hint)
    return 0


def _named(given: str, ids: list[str]) -> str:
    """The id of the one scale set with this id or name.

    Raises:
        RunError: there is none.
        UsageError: there are several.
    """
    wanted = given.casefold()
    if wanted in ids:
        return wanted
    last = wanted.rpartition("/")[2]
    alike = [one for one in ids if one.rpartition("/")[2] == last]
    found = [one for one, label in labels(alike).items() if wanted in (last, label)]
    if not found:
        near = nearest(last, (one.rpartition("/")[2] for one in ids))
        raise RunError(f"--scale-set: the id or name of a scale set in the folder is required, got {given!r}{near}.")
    if len(found) > 1:
        several = ", ".join(sorted(harmless(labels(alike)[one]) for one in found))
        raise UsageError(f"--scale-set: one scale set is required, and {len(found)} are called {harmless(given)}: {several}.")
    return found[0]
