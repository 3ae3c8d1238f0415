"""Progress of a run as one line on a terminal; nothing where standard error is none."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.progress import Progress
from rich.text import Text

_PATIENCE: Final = 3.0
"""Seconds without a cell after which a wait is explained."""


class _Line:
    def __init__(self, note: str) -> None:
        self._began, self._note = time.monotonic(), note

    def __rich__(self) -> Text:
        from transforms.counters import LIVE, total

        live = dict(LIVE)
        passed, cells = time.monotonic() - self._began, total(live, "cells")
        note = f"; {self._note}" if self._note and not cells and passed > _PATIENCE else ""
        return Text(
            f"{live.get('in', 0):,} records read, {cells:,} cells written, "
            f"{total(live, 'rejected'):,} rejected, {passed:.0f} s{note}"
        )


@contextmanager
def progress(quiet: bool = False, note: str = "") -> Iterator[None]:
    """Shows the counters on standard error while the block runs, if that is a terminal.

    Args:
        quiet: show nothing.
        note: explains a long wait for the first cell.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield
        return
    with Live(_Line(note), console=console, refresh_per_second=4, transient=True):
        yield


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Shows on standard error, if that is a terminal, how many of a number of things are done.

    Yields:
        A function to call after each of them.
    """
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(what, total=total)
        yield lambda: shown.advance(task)
