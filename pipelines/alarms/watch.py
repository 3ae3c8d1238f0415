"""A watch over a folder: says what is due, and takes note of it (contract: trueup watch)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.alarms.cursor import AlarmCursor
from pipelines.alarms.messages import SPAN, days_until, messages
from pipelines.alarms.watcher import BadTimesOfFolder
from transforms.core.alarms.decisions import due_alarms, keyed

Delivery = Callable[[dict[str, Any]], None]
"""Delivers one message for good; it raises RunError if it cannot."""


@dataclass(frozen=True)
class WatchSettings:
    """What a watch is told. Times in microseconds."""

    root: str
    globs: Sequence[str]
    """Patterns of scale sets; none: all."""
    least: int
    """How long a bad time must last."""


class AlarmWatch:
    """Looks at a folder again and again. A crash between delivery and note has the message delivered again, with the same id."""

    def __init__(self, settings: WatchSettings, cursor: AlarmCursor, deliver: Delivery) -> None:
        self._settings, self._cursor, self._deliver = settings, cursor, deliver
        self._folder = BadTimesOfFolder(settings.root, settings.globs)

    def look(self, now: int) -> int:
        """Delivers what is due at a moment (microseconds); gives how many messages that were.

        Raises:
            RunError: one could not be delivered, or noted; the next look begins with it.
        """
        cursor = self._cursor
        cursor.begin()
        cursor.forget(now - SPAN)
        open_ = [key.start for key, said in cursor.said.items() if said.saying in ("begun", "goes_on")]
        found = keyed(self._folder.read(days_until(min([now - SPAN, *open_]), now)), now)
        due = list(due_alarms(found, cursor.said, cursor.since, now, self._settings.least))
        for alarm, message in zip(due, messages(self._settings.root, due, found, now) if due else (), strict=True):
            self._deliver(message)
            cursor.note(alarm.key, alarm.said)
        return len(due)
