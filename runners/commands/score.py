"""`trueup score`: how right a corrected record is (contract: trueup score)."""

import dataclasses
import json
import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.table import Table

from runners.words.names import harmless, labels

if TYPE_CHECKING:
    from pipelines.score.score import ScoreResult
    from pipelines.score.worst import WorstRow
    from transforms.core.score.score import Score

EXAMPLES: Final = """\b
Example:
  trueup simulate --output fleet/
  trueup backfill --input fleet/events/ --inventory fleet/inventory.csv \\
    --output fleet/record/
  trueup score --data fleet/record/ --truth fleet/truth/
"""


@click.command(epilog=EXAMPLES)
@click.option("--data", metavar="DIR", required=True, help="The folder of the tables.")
@click.option("--truth", metavar="DIR", required=True, help="The truth of the fleet, as trueup simulate has written it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def score(data: str, truth: str, as_json: bool) -> int:
    """Compares the record of a simulated fleet with what really happened, second by second.

    How far raw and corrected availability are from the true one; how much of what was forgiven was an operation's doing; how
    much of the real outages is counted, and how much is hidden, because it looked like an operation's doing. At the end, of
    each kind of wrong the rows that are wrong for longest, with a command that explains them.
    """
    from pipelines.score.score import score_folder

    scored = score_folder(data, truth)
    if as_json:
        click.echo(json.dumps(_as_json(scored, data)))
        return 0
    console = Console(highlight=False)
    console.print(_headline(scored), soft_wrap=True)
    for title, lines in _parts(scored.score):
        console.print(_table(title, lines), "", sep="\n")
    for line in _worst(scored, data):
        click.echo(line)
    return 0


def _as_json(scored: "ScoreResult", data: str) -> dict[str, Any]:
    """Times in seconds, moments in RFC 3339."""
    from schemas.time import SECOND, format_time

    figures = dataclasses.asdict(scored.score)
    shown = {name if isinstance(value, float) or value is None else f"{name}_seconds": value for name, value in figures.items()}
    times = {name: value / SECOND if isinstance(value, int) else value for name, value in shown.items()}
    about = {**dataclasses.asdict(scored), "since": format_time(scored.since), "until": format_time(scored.until)}
    names = labels(scored.ids)
    about["worst"] = [_row_as_json(row, _command(row, data, names[row.scale_set_id])) for row in scored.worst]
    return {name: value for name, value in about.items() if name not in ("score", "ids")} | times


def _row_as_json(row: "WorstRow", command: str) -> dict[str, Any]:
    from schemas.time import SECOND, format_time, to_micros

    told = {name: value for name, value in dataclasses.asdict(row).items() if name not in ("length", "at")}
    moments = {name: format_time(to_micros(value)) for name, value in told.items() if isinstance(value, datetime)}
    return told | moments | {"seconds": row.length / SECOND, "explain": command}


def _headline(scored: "ScoreResult") -> str:
    from schemas.time import format_time

    missing = f"Of {scored.without_rows:,} more the record holds nothing.\n" if scored.without_rows else ""
    return (
        f"{scored.scale_sets:,} scale sets with {scored.instances:,} instances and {scored.operations:,} operations,\n"
        f"from {format_time(scored.since)} to {format_time(scored.until)}, policy {scored.policy}.\n{missing}"
    )


def _parts(figures: "Score") -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield (
        "Availability of the fleet",
        [
            ("true", _percent(figures.true_availability)),
            ("raw", _percent(figures.raw_availability)),
            ("corrected", _percent(figures.corrected_availability)),
            ("raw: mean error of a scale set", _points(figures.raw_error)),
            ("corrected: mean error of a scale set", _points(figures.corrected_error)),
        ],
    )
    yield (
        "Real outages (instance hours)",
        [
            ("all", _hours(figures.outage)),
            ("counted", _hours(figures.found)),
            ("hidden although a rule can tell", _hours(figures.hidden_tellable)),
            ("hidden: began while an operation might have the instance in hand", _hours(figures.hidden_coincident)),
            ("hidden: an operation may take longer than it should", _hours(figures.hidden_overstayed)),
            ("the platform reported Unknown", _hours(figures.unknown)),
            ("the platform reported nothing", _hours(figures.unreported)),
        ],
    )
    yield (
        "Reported trouble that was an operation's doing (instance hours)",
        [
            ("forgiven, of instances that are there", _hours(figures.forgiven)),
            ("precision: of it, an operation's doing", _percent(figures.precision)),
            ("recall: of an operation's doing, forgiven", _percent(figures.recall)),
            ("counted all the same, while an operation was at work", _hours(figures.false_planned)),
            ("counted all the same, of instances that are gone", _hours(figures.false_gone)),
        ],
    )
    yield (
        "Scale sets called degraded (hours)",
        [
            ("while an instance really was out", _hours(figures.sets_out)),
            ("raw: rightly", _hours(figures.sets_raw_found)),
            ("raw: for nothing", _hours(figures.sets_raw_false)),
            ("corrected: rightly", _hours(figures.sets_corrected_found)),
            ("corrected: for nothing", _hours(figures.sets_corrected_false)),
        ],
    )


_WRONG: Final = {
    "false_up": "counted, although it was up",
    "false_planned": "counted, while an operation was at work",
    "false_gone": "counted, of an instance that is gone",
    "hidden_tellable": "hidden, although a rule can tell",
    "hidden_coincident": "hidden, as it began while an operation might have it in hand",
    "hidden_overstayed": "hidden, as an operation may take so long",
}


def _worst(scored: "ScoreResult", data: str) -> Iterator[str]:
    """Tells for each of the worst rows what is wrong with it, which one it is, and the command that shows more."""
    if scored.worst:
        yield "Rows that are wrong for longest (hours)"
    names = labels(scored.ids)
    for row in scored.worst:
        yield f"{_hours(row.length)}  {_WRONG[row.wrong]}"
        name = harmless(names[row.scale_set_id])
        yield f"  {name}, instance {harmless(row.instance_id)}, from {row.onset:%Y-%m-%d %H:%M:%S}: {row.verdict}"
        if row.operation_start is not None:
            yield f"  {row.verb} by {row.initiator}, {row.operation_start:%Y-%m-%d %H:%M:%S}"
        yield f"  {_command(row, data, names[row.scale_set_id])}"


def _command(row: "WorstRow", data: str, name: str) -> str:
    """The command that explains a row."""
    from schemas.time import format_time

    folder, scale_set = (shlex.quote(harmless(text)) for text in (data, name))
    return f"trueup explain --data {folder} --scale-set {scale_set} --at {format_time(row.at)}"


def _table(title: str, lines: list[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    for line in lines:
        table.add_row(*line)
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.3f} %"


def _points(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.3f} points"


def _hours(micros: int) -> str:
    return f"{micros / 3.6e9:,.3f}"
