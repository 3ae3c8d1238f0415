"""Compaction of the output folder while a stream writes to it (`--compact-every`)."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from pipelines.record.compact import compact
from schemas.time import DAY
from schemas.wording import first_line

KEEP: Final = 30 * DAY
"""Versions superseded within this time stay; microseconds. What `trueup compact` keeps too unless it is told otherwise."""
GRACE: Final = 5.0
"""Seconds for which old files stay beside the new ones."""


@contextmanager
def compacting(root: str, every: float | None) -> Iterator[None]:
    """Compacts a folder again and again while the block runs.

    A compaction that is under way at the end is cut off, which loses nothing; one that fails is a line on standard error, and the
    next one comes in its time.

    Args:
        root: the folder of the tables.
        every: seconds from the end of one to the beginning of the next; None: never.
    """
    ended = threading.Event()
    if every is not None:
        threading.Thread(target=_keep_compacting, args=(root, every, ended), name="compact", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _keep_compacting(root: str, every: float, ended: threading.Event) -> None:
    while not ended.wait(every):
        try:
            compact(root, time.time_ns() // 1000, KEEP, GRACE)
        except Exception as error:  # whatever it is (a full disk, a folder that went), the stream goes on
            click.echo(f"trueup: {root}: it was not compacted, and the stream goes on: {first_line(error)}.", err=True)
