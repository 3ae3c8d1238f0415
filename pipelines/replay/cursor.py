"""How far a replay has come, kept in a file from run to run."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pipelines.failures import RunError, UsageError
from pipelines.replay.replay import Outgoing

_OFTEN: Final = 1.0
"""Seconds between two writes."""


class Cursor:
    """How many records of each file have been published to a topic, in a file if one is named.

    Raises:
        UsageError: the file is none of a run, or of one to another topic.
    """

    def __init__(self, path: str | None, topic: str) -> None:
        self._path, self._topic = None if path is None else Path(path), topic
        self.files: Counter[str] = Counter(self._read())
        self._written = 0.0

    def note(self, records: Iterable[Outgoing]) -> None:
        """Takes note of records that have arrived; writes it down about once a second."""
        for record in records:
            self.files[record.path] = record.number
        if time.monotonic() - self._written > _OFTEN:
            self.write()

    def write(self) -> None:
        """Writes the file, as a whole or not at all.

        Raises:
            RunError: it cannot be written.
        """
        self._written = time.monotonic()
        if self._path is None:
            return
        unfinished = self._path.with_name(self._path.name + ".unfinished")
        try:
            unfinished.write_text(json.dumps({"topic": self._topic, "published": self.files}, indent=1))
            unfinished.replace(self._path)
        except OSError as error:
            raise RunError(f"{self._path}: a file that can be written is required: {error.strerror}.") from None

    def _read(self) -> dict[str, int]:
        if self._path is None or not self._path.exists():
            return {}
        found: Any = None
        with suppress(OSError, ValueError):
            found = json.loads(self._path.read_text())
        if not isinstance(found, dict) or not isinstance(found.get("published"), dict):
            raise UsageError(f"{self._path}: a file that an earlier run has left is required, got another.")
        if found.get("topic") != self._topic:
            raise UsageError(f"{self._path}: a run to {self._topic} is required, got one to {found.get('topic')}.")
        return dict(found["published"])
