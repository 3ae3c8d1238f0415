"""`trueup watch`: alarms from the corrected record, for those who are on call (contract: trueup watch)."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from pipelines.failures import RunError, UsageError
from runners.commands.options import Span, When, now_micros
from schemas.wording import misnamed

if TYPE_CHECKING:
    from pipelines.alarms.watch import AlarmWatch

EXAMPLES = """\b
Examples:
  What would have been said since yesterday evening?
    trueup watch --data record/ --dry-run --once --since 2026-10-01T18:00:00Z
  To whoever is on call, as a stream writes the record:
    trueup watch --data record/ --webhook https://HOST/hooks/trueup
  After a nightly backfill, each message to a script:
    trueup watch --data record/ --command ./page-me --once
"""
_WAYS: Final = ("webhook", "command", "topic", "dry_run")


@click.command(epilog=EXAMPLES)
@click.option("--data", metavar="DIR", required=True, help="The folder of the tables.")
@click.option("--webhook", metavar="URL", help="Post each message there.")
@click.option("--command", metavar="CMD", help="Run CMD in the shell for each message; it reads it on standard input.")
@click.option("--topic", metavar="projects/P/topics/T", help="Publish each message there.")
@click.option("--dry-run", is_flag=True, help="Print a line for each message, and take note of nothing.")
@click.option("--alert-after", type=Span(), default="2m", show_default=True, metavar="TIME", help="If it lasts as long.")
@click.option("--scale-set", "globs", metavar="GLOB", multiple=True, help="Of these scale sets only; may be given again.")
@click.option("--since", type=When(), metavar="TIME", help="At first: also of what ended since then.  [default: now]")
@click.option("--at", type=When(), metavar="TIME", help="With --once: as if it were then.  [default: now]")
@click.option("--once", is_flag=True, help="Look once, and end.")
@click.option("--every", type=Span(), default="10s", show_default=True, metavar="TIME", help="Look so often.")
@click.option("--cursor", metavar="FILE", help="Remembers what has been said.  [default: DIR/_trueup/alarms]")
@click.pass_context
def watch(ctx: click.Context, /, **given: Any) -> int:
    """Says when a scale set is really in trouble, and when that is over: never for what an operation explains.

    A message (CloudEvents 1.0, JSON) tells that a scale set has been Degraded or Unavailable, as corrected, for --alert-after;
    that it has ended; that it goes on after all; or that the record has no such time any more, since an operation that was told
    late explains it. It names the instances with their verdicts, what explains them and what does not, and the command that
    explains more. Each has an id of its own; one that is sent again after a crash has the same.
    """
    from pipelines.record.folder import files

    given |= dict.fromkeys(_outvoted(ctx))
    _check(given)
    if not files(given["data"], "_trueup/grid.json"):
        raise RunError(f"--data: a folder that trueup has written is required, got {given['data']}.")
    if given["dry_run"]:
        return _dry(given)
    watching = _watching(given, _cursor(given), _delivery(given))
    if given["once"]:
        click.echo(f"{watching.look(_now(given)):,} messages.")
        return 0
    return _until_stopped(watching, given["every"] / 1e6)


def _outvoted(ctx: click.Context) -> list[str]:
    """The ways of trueup.toml, where the command line names one."""
    sources = {way: ctx.get_parameter_source(way) for way in _WAYS}
    spoken = ParameterSource.COMMANDLINE in sources.values()
    return [way for way, source in sources.items() if spoken and source is ParameterSource.DEFAULT_MAP]


def _check(given: dict[str, Any]) -> None:
    ways = [way for way in _WAYS if given[way]]
    if len(ways) != 1:
        raise UsageError(f"--webhook: one of --webhook, --command, --topic and --dry-run is required, got {len(ways)}.")
    if given["webhook"] and not given["webhook"].startswith(("https://", "http://")):
        raise UsageError("--webhook: an address that begins with https:// or http:// is required.")
    if given["topic"] and (wrong := misnamed(given["topic"], "topics")):
        raise UsageError(f"--topic: {wrong}.")
    if given["at"] is not None and not given["once"]:
        raise UsageError("--at: --once is required with it.")
    if given["cursor"] is None and "://" in given["data"] and not given["dry_run"]:
        raise UsageError(f"--cursor: a file of this machine is required, since {given['data']} is none.")


def _now(given: dict[str, Any]) -> int:
    return now_micros() if given["at"] is None else given["at"]


def _cursor(given: dict[str, Any]) -> Path:
    from pipelines.alarms.cursor import ALARMS

    return Path(given["cursor"] or Path(given["data"], ALARMS))


def _delivery(given: dict[str, Any]) -> "Callable[[dict[str, Any]], None]":
    from runners.engines.delivery import to_command, to_topic, to_webhook

    if given["webhook"]:
        return to_webhook(given["webhook"])
    return to_topic(given["topic"]) if given["topic"] else to_command(given["command"])


def _watching(given: dict[str, Any], cursor: Path, deliver: "Callable[[dict[str, Any]], None]") -> "AlarmWatch":
    from pipelines.alarms.cursor import AlarmCursor
    from pipelines.alarms.watch import AlarmWatch, WatchSettings

    since = _now(given) if given["since"] is None else given["since"]
    settings = WatchSettings(given["data"], given["globs"], given["alert_after"])
    return AlarmWatch(settings, AlarmCursor(cursor, since), deliver)


def _dry(given: dict[str, Any]) -> int:
    """Prints what is due; what an earlier watch has said is known, and its file stays as it is."""
    import shutil

    from runners.process.ending import temporary_folder

    with temporary_folder() as scratch:
        cursor = Path(scratch, "alarms")
        held = _cursor(given)
        if held.exists():
            shutil.copy(held, cursor)
        watching = _watching(given, cursor, _print)
        if given["once"]:
            watching.look(_now(given))
            return 0
        return _until_stopped(watching, given["every"] / 1e6)


def _print(message: dict[str, Any]) -> None:
    from runners.words.alarms import line_of

    click.echo(line_of(message))


def _until_stopped(watching: "AlarmWatch", every: float) -> int:
    from runners.engines.alarming import keep_looking
    from runners.process.watching import stopping

    with stopping() as stopped:
        keep_looking(watching, every, stopped)
    return 0
