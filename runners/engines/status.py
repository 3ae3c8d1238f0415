"""The status of a stream: one changing line on a terminal, or one line every half minute elsewhere."""

import sys
import time
from typing import Final, Self

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from pipelines.stream.process import StreamProcess
from schemas.time import SECOND, format_time
from transforms.counters import LIVE, total
from transforms.subscription.source import present

_EVERY: Final = 30.0
"""Seconds between two lines where no terminal looks."""


def status_line(process: StreamProcess) -> str:
    """The counts so far, the watermark, and how far it is behind the present."""
    live = dict(LIVE)
    reached = process.reader.watermark or 0  # below the epoch, and there is none before any message told a time
    behind = "" if reached <= 0 else f", watermark {format_time(reached // SECOND * SECOND)} ({_lag(reached)} behind)"
    late = live.get("rejected/late", 0)
    return (
        f"{live.get('in', 0):,} records, {total(live, 'cells'):,} cells published, {late:,} late, "
        f"{total(live, 'rejected') - late:,} rejected{behind}"
    )


def _lag(reached: int) -> str:
    seconds = max(0, (present() - reached) // SECOND)
    return f"{seconds} s" if seconds < 600 else f"{seconds // 60:,} min"


class Status:
    """Shows the status of a stream on standard error while the block runs."""

    def __init__(self, process: StreamProcess) -> None:
        self._process = process
        self._due = time.monotonic() + _EVERY
        console = Console(stderr=True)
        self._live = Live(self, console=console, refresh_per_second=2, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        else:
            click.echo(f"streaming from {self._process.journal.subscription}", err=True)
        return self

    def __exit__(self, *unused: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __rich__(self) -> Text:
        return Text(status_line(self._process), overflow="ellipsis", no_wrap=True)

    def show(self) -> None:
        """Prints the status, if it is time to."""
        if self._live is None and time.monotonic() >= self._due:
            self._due += _EVERY
            click.echo(status_line(self._process), err=True)

    def end(self) -> None:
        """Prints the status for the last time."""
        if self._live is not None:
            self._live.stop()
        click.echo(f"stopped: {status_line(self._process)}", err=True)
        sys.stderr.flush()
