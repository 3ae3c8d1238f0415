"""A stream that says what `trueup watch` says of its own folder, beside its work (`--alerts`)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from pipelines.alarms.cursor import ALARMS, AlarmCursor
from pipelines.alarms.watch import AlarmWatch, WatchSettings
from pipelines.failures import RunError
from schemas.wording import first_line

_EVERY: Final = 2.0
"""Seconds between two looks; one at a folder in which nothing was published reads no table."""


@contextmanager
def alarming(root: str, deliver: Callable[[dict[str, Any]], None] | None, least: int) -> Iterator[None]:
    """Watches a folder while the block runs. What could not be delivered is tried again, and is a line on standard error once.

    Args:
        root: the folder of the tables, on this machine.
        deliver: delivers a message; None: there is no watch.
        least: how long trouble must last, in microseconds.
    """
    ended = threading.Event()
    if deliver is not None:
        watch = AlarmWatch(WatchSettings(root, (), least), AlarmCursor(Path(root, ALARMS), _now()), deliver)
        threading.Thread(target=keep_looking, args=(watch, _EVERY, ended), name="alarms", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def keep_looking(watch: AlarmWatch, every: float, ended: threading.Event) -> None:
    """Looks again and again, until it is ended; `every`: seconds between two looks."""
    told = ""
    while not ended.is_set():
        told = _looked(watch, told)
        ended.wait(every)


def _looked(watch: AlarmWatch, told: str) -> str:
    try:
        watch.look(_now())
    except Exception as error:  # whatever it is (a damaged file, a folder that went), the next look comes
        sentence = str(error) if isinstance(error, RunError) else f"{first_line(error)}."
        if sentence != told:
            click.echo(f"trueup: {sentence} It is tried again.", err=True)
        return sentence
    return ""


def _now() -> int:
    return time.time_ns() // 1000
