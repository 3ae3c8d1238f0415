"""Progress on a terminal: one line that says how far a run is; nothing where no terminal looks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text


class _Line:
    def __init__(self) -> None:
        self._began = time.monotonic()

    def __rich__(self) -> Text:
        from transforms.counters import LIVE, total

        live = dict(LIVE)
        passed = time.monotonic() - self._began
        return Text(
            f"{live.get('in', 0):,} records read, {total(live, 'cells'):,} cells written, "
            f"{total(live, 'rejected'):,} rejected, {passed:.0f} s"
        )


@contextmanager
def progress(quiet: bool = False) -> Iterator[None]:
    """Shows the counters on standard error while the block runs, if that is a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield
        return
    with Live(_Line(), console=console, refresh_per_second=4, transient=True):
        yield
