"""One program at a time looks after a stream, or the nights of a folder: while it lives, it renews a note there."""

import itertools
import json
import os
import socket
import threading
import uuid
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

import click

from pipelines.failures import RunError
from pipelines.record.folder import claim, files, put_over, read_all, remove

_RENEWED: Final = 4.0
"""Seconds between two signs of life."""
_SILENT: Final = 15.0
"""Seconds without one after which a program has ended. Counted by who waits: clocks of two machines differ."""


class ProgramLease:
    """The note of this program, renewed while the block runs.

    Raises:
        RunError: another program renews its own, or a signal came while this one waited to see.
    """

    def __init__(self, root: str, path: str, stopped: threading.Event, task: str = "the stream") -> None:
        """Of the program that looks after some task; `stopped` tells that it is to end."""
        self._root, self._path, self._stopped, self._task = root, path, stopped, task
        self._program = uuid.uuid4().hex
        self._turns = itertools.count()
        self._ended = threading.Event()
        self._taken = False
        self._keeper = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._wait_for_silence()
        self._take()
        self._keeper.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._keeper.join()
        if self._is_own(self._read()):
            for path in files(self._root, self._path):
                remove(path)

    def check(self) -> None:
        """Makes sure that no other program has begun at the same time.

        Raises:
            RunError: one has, and goes on.
        """
        if self._taken:
            raise RunError(f"{self._root}: one program that looks after {self._task} is required, another one has taken over.")

    def _wait_for_silence(self) -> None:
        first = self._read()
        if first is None:
            return
        click.echo(f"{_named(first)} looked after {self._task}; waiting {_SILENT:.0f} s for a sign of life from it", err=True)
        for _ in range(int(_SILENT)):
            if self._stopped.wait(1.0):
                raise RunError(
                    f"{self._root}: {_SILENT:.0f} s are required to see whether {_named(first)} lives, a signal came first."
                )
            now = self._read()
            if now is None:
                return
            if now != first:
                raise self._refused(now)

    def _take(self) -> None:
        """Puts its note where none is, or a silent one; of several who come at once, one has."""
        for path in files(self._root, self._path):
            remove(path)
        held = json.loads(claim(self._root, self._path, self._note()))
        if not self._is_own(held):
            raise self._refused(held)

    def _refused(self, other: dict[str, Any]) -> RunError:
        return RunError(f"{self._root}: one program that looks after {self._task} is required, {_named(other)} does already.")

    def _keep(self) -> None:
        while not self._ended.wait(_RENEWED):
            with suppress(OSError, ValueError):  # a folder that does not answer now, or not wholly, may do so at the next turn
                self._taken = self._taken or not self._is_own(self._read())
                if not (self._taken or self._ended.is_set()):
                    self._renew()

    def _renew(self) -> None:
        put_over(self._root, self._path, self._note())

    def _note(self) -> bytes:
        own = {"program": self._program, "host": socket.gethostname(), "process": os.getpid(), "turn": next(self._turns)}
        return json.dumps(own).encode()

    def _is_own(self, found: dict[str, Any] | None) -> bool:
        return found is None or found["program"] == self._program

    def _read(self) -> dict[str, Any] | None:
        with suppress(FileNotFoundError):  # it went between two looks
            return next((json.loads(content) for content in read_all(self._root, self._path)), None)
        return None


def _named(found: dict[str, Any]) -> str:
    return f"process {found['process']} on {found['host']}"
