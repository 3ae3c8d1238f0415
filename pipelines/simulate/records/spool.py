"""The spool: sorts records by arrival, on disk if there are many."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pipelines.simulate.records.delivery import Delivery, file_at

_MOST: Final = 64 << 20
"""Characters that wait in memory."""


@dataclass
class Spool:
    """Collects the lines of each file, with bounded memory whatever the size of the fleet."""

    folder: str
    """An empty folder of this machine, for the spool alone."""
    most: int = _MOST
    _waiting: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _names: dict[str, int] = field(default_factory=dict)
    _size: int = 0
    _number: int = 0

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """Adds records; those that arrive at the same moment keep the order in which they were added."""
        for delivery in deliveries:
            self._number += 1
            line = f"{delivery.arrival:020}{self._number:012}{delivery.text}\n"
            self._waiting[file_at(delivery.file, delivery.arrival)].append(line)
            self._size += len(line)
            if self._size > self.most:
                self._put_down()

    def files(self) -> Iterator[tuple[str, str]]:
        """Each file's name and text, its lines in order of arrival."""
        self._put_down()
        for name in sorted(self._names):
            with open(self._path(name), encoding="utf-8", newline="\n") as file:
                yield name, "".join(line[32:] for line in sorted(file))

    def _put_down(self) -> None:
        for name, lines in self._waiting.items():
            with open(self._path(name), "a", encoding="utf-8", newline="\n") as file:
                file.writelines(lines)
        self._waiting.clear()
        self._size = 0

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, str(self._names.setdefault(name, len(self._names))))
