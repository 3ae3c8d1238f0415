"""Watches a running job until it ends or a signal stops it."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from apache_beam.runners.runner import PipelineResult, PipelineState

from schemas.wording import last_line

_SAME: Final = 1.0
"""Seconds within which a second signal is the first one once more: a terminal and a wrapper both hand it on."""


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the second one ends the program."""
    event = threading.Event()
    noted: list[float] = []
    before: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: object) -> None:
        if event.is_set() and time.monotonic() - noted[0] > _SAME:
            before[signal.Signals(number)](number, frame)
        noted[:] = noted[:1] or [time.monotonic()]
        event.set()

    for number in before:
        signal.signal(number, note)
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch(result: PipelineResult) -> list[str]:
    """A list that stays empty until the job ends, and then holds the reason."""
    ended: list[str] = []

    def wait() -> None:
        try:
            ended.append(str(result.wait_until_finish() or PipelineState.DONE))
        except Exception as error:
            ended.append(last_line(error))

    threading.Thread(target=wait, name="job", daemon=True).start()
    return ended
