"""The program `trueup`: its commands, and how a run that fails says so (contract: Commands, Exit status)."""

import logging
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import click

from pipelines.failures import TrueupError
from runners.commands.backfill import backfill
from runners.commands.collect import collect
from runners.commands.compact import compact
from runners.commands.config import CONFIGURED, config
from runners.commands.demo import demo
from runners.commands.explain import explain
from runners.commands.nightly import nightly
from runners.commands.publish import publish
from runners.commands.report import report
from runners.commands.score import score
from runners.commands.simulate import simulate
from runners.commands.sql import sql
from runners.commands.status import status
from runners.commands.stream import stream
from runners.commands.validate import validate
from runners.commands.watch import watch
from runners.configuration.file import configured, default_map
from runners.process.ending import end_on_signals
from runners.words.names import harmless
from runners.words.suggestions import SuggestingGroup, sentence_of
from schemas.wording import last_line

_NOISE = re.compile(r"^[\w.]+(Error|Exception): | ?\[while running .*\]$")
"""What Beam and Python put around the sentence of an error."""


def _version() -> str:
    try:
        return version("trueup")
    except PackageNotFoundError:
        return "from a checkout that is not installed"


@click.group(
    cls=SuggestingGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done, 1 failed, 2 the command line, a policy or an inventory is wrong, 3 a night's target is missed.",
)
@click.version_option(_version(), prog_name="trueup", message="%(prog)s %(version)s")
@click.option(
    "--config", metavar="FILE", help="What commands are told unless they are told otherwise.  [default: trueup.toml, if there]"
)
@click.pass_context
def trueup(ctx: click.Context, config: str | None) -> None:
    """Corrects the availability record of Azure VM scale sets to what really happened.

    While operations scale, restart or replace instances, the platform calls the set degraded although nothing is wrong.
    trueup takes exactly that part out, with the operation that explains it beside each correction; real outages stay.

    \b
    Examples:
      A small day, corrected and shown:
        trueup demo
      What is in these files?
        trueup validate --input events/
      The corrected record of these files:
        trueup backfill --input events/ --output record/
      How available was everything, and why?
        trueup report --data record/
      Was that alert real?
        trueup explain --data record/ --scale-set web
    """
    told = configured(config)
    ctx.default_map = default_map(told.values)
    ctx.meta[CONFIGURED] = told


for _command in (
    demo,
    backfill,
    nightly,
    stream,
    status,
    collect,
    publish,
    report,
    watch,
    explain,
    sql,
    simulate,
    score,
    compact,
    validate,
    config,
):
    assert _command.help is not None
    _command.short_help = " ".join(_command.help.partition("\n\n")[0].split())  # whole, where click would cut it
    trueup.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program and ends the process: with one sentence and a status, whatever happens."""
    end_on_signals()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Runs one command; gives its exit status. What follows `--` is the runner's."""
    given = list(arguments)
    cut = given.index("--") if "--" in given else len(given)
    _quiet_libraries()
    try:
        result = trueup.main(given[:cut], "trueup", standalone_mode=False, obj=tuple(given[cut + 1 :]))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return error.exit_code
    except click.ClickException as error:
        return _failed(sentence_of(error), error.exit_code)
    except TrueupError as error:
        return _failed(str(error), error.status)
    except Exception as error:
        if os.environ.get("TRUEUP_TRACEBACK"):
            raise
        return _failed(f"{_last_line(error)} (TRUEUP_TRACEBACK=1 shows where.)", 1)
    return result if isinstance(result, int) else 0


def _failed(sentence: str, status: int) -> int:
    click.echo(f"trueup: {harmless(sentence)}", err=True)  # ids are whatever somebody sent
    return status


def _last_line(error: Exception) -> str:
    """The sentence of an error, without the traceback that Beam wraps around it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return _NOISE.sub("", last_line(error)).strip().rstrip(".") + "."


def _quiet_libraries() -> None:
    """Silences Beam's own logging: what a user must know is in the summary or in the error's sentence."""
    level = os.environ.get("TRUEUP_LOG", "CRITICAL").upper()
    logging.basicConfig(level=level if level in logging.getLevelNamesMapping() else "CRITICAL")
    logging.getLogger("urllib3").setLevel(logging.INFO)  # below that it tells the whole address of a webhook, with its secret
