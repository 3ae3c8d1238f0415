"""`trueup collect`: Event Grid's deliveries into files or a topic (contract: trueup collect)."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from pipelines.failures import RunError, UsageError
from runners.commands.options import ByteSize, Span
from schemas.wording import misnamed

if TYPE_CHECKING:
    from pipelines.collect.outlets import Outlet

EXAMPLES = """\b
Examples:
  Event Grid's queue, into files for a nightly backfill:
    trueup collect --queue vm-health --output events/
  A webhook, behind what ends TLS (https://HOST/events?secret=...):
    TRUEUP_COLLECT_SECRET=... trueup collect --port 8080 \\
      --topic projects/P/topics/health
"""
SECRET: Final = "TRUEUP_COLLECT_SECRET"
_SHORTEST: Final = 16
_TURN: Final = 0.2


@click.command(epilog=EXAMPLES)
@click.option("--port", type=click.IntRange(0, 65535), help="Receive webhooks here; 0: at a port that is free.")
@click.option("--host", default="127.0.0.1", show_default=True, help="With --port: the address to listen at.")
@click.option("--rate", type=click.IntRange(min=1), default=500, show_default=True, help="With --port: deliveries a second.")
@click.option("--queue", metavar="NAME|URL", help="Empty this queue of Azure Storage.")
@click.option("--once", is_flag=True, help="With --queue: end when it is empty.")
@click.option("--poison", metavar="FILE", help="With --queue: for messages that hold no records.  [default: poison.jsonl]")
@click.option("--output", metavar="DIR", help="Write files: DIR/2026-11-29/T120000Z-1a2b3c4d.jsonl.zst.")
@click.option("--every", type=Span(), default="1m", show_default=True, metavar="TIME", help="With --output: a file so often.")
@click.option("--size", type=ByteSize(), default="64M", show_default=True, help="With --output: or at so many bytes of JSON.")
@click.option("--topic", metavar="projects/P/topics/T", help="Or publish to this topic of Pub/Sub.")
def collect(**given: Any) -> int:
    """Receives what Event Grid delivers, and keeps it: in files for a backfill, or in a topic for a stream.

    A delivery is answered, or a message of a queue deleted, when its records are on disk or with Pub/Sub; what is not, comes
    again. So a record may be there twice: it counts once. Ctrl-C ends in order; files appear only when they are whole.
    """
    _check(given)
    try:
        return _collected(given)
    except ModuleNotFoundError as error:
        raise RunError(f"trueup collect: the extra trueup[collect] is required, got no module {error.name}.") from None


def _check(given: dict[str, Any]) -> None:
    for one, other in (("port", "queue"), ("output", "topic")):
        if (given[one] is None) == (given[other] is None):
            raise UsageError(f"--{one}: either it or --{other} is required, got {'none' if given[one] is None else 'both'}.")
    if given["topic"] is not None and (wrong := misnamed(given["topic"], "topics")):
        raise UsageError(f"--topic: {wrong}.")
    if given["port"] is not None and len(os.environ.get(SECRET, "")) < _SHORTEST:
        raise UsageError(f"--port: a secret of at least {_SHORTEST} characters is required in {SECRET}.")


def _collected(given: dict[str, Any]) -> int:
    from runners.process.watching import stopping

    kept = _Kept()
    with stopping() as stopped, _outlet(given) as outlet:
        if given["queue"] is not None:
            _from_queue(given, outlet, kept, stopped)
        else:
            _from_webhook(given, outlet, kept, stopped)
    click.echo(f"{kept.records:,} records were kept in {given['output'] or given['topic']}.")
    return 0


def _from_queue(given: dict[str, Any], outlet: "Outlet", kept: "_Kept", stopped: threading.Event) -> None:
    from runners.collect.queue import QueueSettings, empty, queue_client

    poison = Path(given["poison"] or "poison.jsonl")
    client = queue_client(given["queue"])
    with kept.shown(f"emptying {given['queue']}"):
        empty(client, outlet, QueueSettings(given["queue"], poison, given["once"]), kept.note, stopped)


def _from_webhook(given: dict[str, Any], outlet: "Outlet", kept: "_Kept", stopped: threading.Event) -> None:
    from runners.collect.serving import serving
    from runners.collect.webhook import PATH, Rate, Webhook

    webhook = Webhook(outlet, os.environ[SECRET], Rate(given["rate"]), kept.note)
    with serving(webhook.application(), given["host"], given["port"]) as address:
        click.echo(f"Receiving at {address}{PATH}.")
        with kept.shown("receiving"):
            stopped.wait()


@contextmanager
def _outlet(given: dict[str, Any]) -> "Iterator[Outlet]":
    if given["topic"] is None:
        from pipelines.collect.event_files import EventFiles

        files = EventFiles(
            Path(given["output"]),
            given["every"] / 1e6,
            given["size"],
            complain=lambda sentence: click.echo(f"trueup: {sentence}", err=True),
        )
        try:
            yield files
        finally:
            files.close()
        return
    from pipelines.collect.outlets import TopicOutlet
    from pipelines.replay.publish import Topic
    from runners.engines.pubsub import publisher, sentences

    with sentences(given["topic"]):
        client = publisher()
        client.get_topic(topic=given["topic"], timeout=10.0, retry=None)
        yield TopicOutlet(Topic(client, given["topic"]), "collect")


class _Kept:
    """How many records were kept so far, for the terminal."""

    def __init__(self) -> None:
        self.records = 0
        self._lock = threading.Lock()

    def note(self, records: int) -> None:
        with self._lock:
            self.records += records

    @contextmanager
    def shown(self, what: str) -> Iterator[None]:
        """Shows it on standard error, if that is a terminal."""
        console = Console(stderr=True)
        if not console.is_terminal:
            yield
            return
        ended = threading.Event()
        with console.status(what) as status:

            def tell() -> None:
                while not ended.wait(_TURN):
                    status.update(f"{what}: {self.records:,} records kept")

            thread = threading.Thread(target=tell, name="status", daemon=True)
            thread.start()
            try:
                yield
            finally:
                ended.set()
                thread.join()
