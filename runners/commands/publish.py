"""`trueup publish`: event files to a Pub/Sub topic (contract: trueup publish)."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from pipelines.failures import UsageError
from runners.commands.options import input_option
from runners.engines.pubsub import create_topic, publisher, sentences
from schemas.wording import misnamed

if TYPE_CHECKING:
    from pipelines.replay.publish import PublishProgress
    from transforms.files.shards import Plan

EXAMPLES = """\b
Examples:
  To the emulator of PUBSUB_EMULATOR_HOST; what is not there is made:
    trueup publish --input events/ --topic projects/p/topics/events --create \\
      --subscription projects/p/subscriptions/trueup
  A day in an hour:
    trueup publish --input events/ --topic projects/p/topics/events --speed 24
  Interrupted, and started again, it goes on where it was:
    trueup publish --input events/ --topic projects/p/topics/events \\
      --progress published.json
"""


@click.command(epilog=EXAMPLES)
@input_option
@click.option("--topic", metavar="projects/P/topics/T", required=True, help="Where to.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="X",
    help="Times real time, by the time of the events; 0: as fast as it goes.",
)
@click.option("--create", is_flag=True, help="Make the topic, and the subscription, on an emulator; what is there stays.")
@click.option("--subscription", metavar="projects/P/subscriptions/S", help="With --create: a subscription to the topic.")
@click.option(
    "--progress",
    "cursor",
    metavar="FILE",
    help="Note in FILE how many records of each file have arrived; where FILE is there, go on behind them.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object of counts and times on standard output.")
def publish(as_json: bool, **given: Any) -> int:
    """Sends the records of event files to a Pub/Sub topic.

    A message holds one record, as it stands in its file; rows of Parquet become JSON. Records of one file are sent in its order,
    those of several files by the time of the events. The ordering key of a message is its scale set (of a Flexible one, the
    machine); its attributes are `format`, `id` (the same in copies), `time` (when it happened) and `source` (the file's name).
    A run that is killed may have sent up to a second's records more than --progress notes: they are sent again, and count once.
    """
    began = time.monotonic()
    _check(given)
    published, plan = _run(given, as_json)
    _report(published, plan, given["topic"], time.monotonic() - began, as_json)
    return 0


def _check(given: dict[str, Any]) -> None:
    topic, subscription = given["topic"], given["subscription"]
    if wrong := misnamed(topic, "topics"):
        raise UsageError(f"--topic: {wrong}.")
    if subscription is None:
        return
    if wrong := misnamed(subscription, "subscriptions"):
        raise UsageError(f"--subscription: {wrong}.")
    if not given["create"]:
        raise UsageError("--subscription: --create is required with it, since it says what to make.")


def _run(given: dict[str, Any], quiet: bool) -> "tuple[PublishProgress, Plan]":
    from pipelines.inputs import planned
    from pipelines.replay.cursor import Cursor
    from pipelines.replay.publish import Topic
    from pipelines.replay.publish import publish as run
    from pipelines.replay.replay import replayed

    plan = planned(given["inputs"])
    cursor = Cursor(given["cursor"], given["topic"])
    if given["create"]:
        create_topic(given["topic"], given["subscription"])
    with sentences(given["topic"]), _progress(quiet) as note:
        client = publisher()
        client.get_topic(topic=given["topic"], timeout=10.0, retry=None)
        records = replayed(plan.shards, dict(cursor.files))
        return run(records, Topic(client, given["topic"]), cursor, given["speed"], note), plan


@contextmanager
def _progress(quiet: bool) -> "Iterator[Callable[[PublishProgress], None]]":
    """Shows progress on standard error, if that is a terminal."""
    from schemas.time import format_time

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    began = time.monotonic()
    with console.status("reading") as status:

        def note(done: "PublishProgress") -> None:
            moment = "" if done.latest is None else f"; events of {format_time(done.latest)}"
            status.update(f"{done.records:,} records sent, {time.monotonic() - began:.0f} s{moment}")

        yield note


def _report(published: "PublishProgress", plan: "Plan", topic: str, seconds: float, as_json: bool) -> None:
    if as_json:
        counts = {
            "records": published.records,
            "formats": dict(sorted(published.formats.items())),
            "bytes": published.bytes,
            "too_large": published.too_large,
            "files": plan.files,
            "skipped_files": plan.skipped,
        }
        click.echo(json.dumps({**counts, "topic": topic, "seconds": round(seconds, 3)}))
        return
    rate = published.records / max(seconds, 1e-3)
    click.echo(f"{published.records:,} records of {plan.files:,} files sent to {topic} in {seconds:.1f} s ({rate:,.0f}/s).")
    if published.too_large:
        click.echo(f"{published.too_large:,} records were left out: no message can hold them.")
    if plan.skipped:
        click.echo(f"{plan.skipped:,} files were skipped: their names are of no input.")
