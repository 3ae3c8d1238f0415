"""What was said of bad times, kept in a file from run to run (contract: trueup watch)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipelines.failures import RunError, UsageError
from transforms.core.alarms.decisions import AlarmKey, Said

ALARMS: Final = Path("_trueup", "alarms")
"""Below the folder of the tables: where it is, unless another file is named."""
_VERSION: Final = 1


class AlarmCursor:
    """The bad times that were spoken of, and since when; in a file that is written as a whole or not at all.

    Raises:
        UsageError: the file is none of a watch.
    """

    def __init__(self, path: Path, since: int) -> None:
        """Reads the file; where there is none, nothing has been said, and what had ended by `since` (microseconds) is past."""
        self._path = path
        self.since, self.said = self._read(since)

    def begin(self) -> None:
        """Puts on disk since when it is looked, if nothing is there: what ends before the next start is not past then.

        Raises:
            RunError: the file cannot be written.
        """
        if not self._path.exists():
            self.write()

    def note(self, key: AlarmKey, said: Said) -> None:
        """Takes note of what has been said, on disk.

        Raises:
            RunError: the file cannot be written.
        """
        self.said[key] = said
        self.write()

    def forget(self, before: int) -> None:
        """Forgets bad times that began before a moment and are over: they are not looked for any more."""
        self.since = max(self.since, before)
        self.said = {key: said for key, said in self.said.items() if key.start >= before or said.saying in ("begun", "goes_on")}

    def write(self) -> None:
        """Writes the file.

        Raises:
            RunError: it cannot be written.
        """
        said = [[*key, *last] for key, last in sorted(self.said.items())]
        unfinished = self._path.with_name(self._path.name + ".unfinished")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps({"version": _VERSION, "since": self.since, "said": said}))
            unfinished.replace(self._path)
        except OSError as error:
            raise RunError(f"{self._path}: a file that can be written is required: {error.strerror}.") from None

    def _read(self, since: int) -> tuple[int, dict[AlarmKey, Said]]:
        if not self._path.exists():
            return since, {}
        try:
            held: Mapping[str, Any] = json.loads(self._path.read_text())
            if held["version"] != _VERSION:
                raise ValueError(held["version"])
            return int(held["since"]), {AlarmKey(*each[:3]): Said(*each[3:]) for each in held["said"]}
        except (OSError, ValueError, KeyError, TypeError):
            raise UsageError(f"{self._path}: a file that an earlier `trueup watch` has left is required, got another.") from None
