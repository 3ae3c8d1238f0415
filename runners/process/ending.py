"""Ends the process on a signal: at once, with one sentence, and with nothing left in the temporary folder.

Not by an exception: raised in the midst of the embedded runner, it would wait for threads that wait for it (seen with SIGTERM).
"""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_FOLDERS: Final[set[str]] = set()
_CURSOR: Final = b"\r\x1b[K\x1b[?25h"
"""Clears the line of the progress display and shows the cursor again."""
_WORDS: Final = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}


def end_on_signals() -> None:
    """Makes Ctrl-C and SIGTERM end the process; its exit status is the one that shells know, 128 and the signal's number."""
    for number in _WORDS:
        signal.signal(number, _end)


@contextmanager
def temporary_folder() -> Iterator[str]:
    """A temporary folder that is removed even if a signal ends the process; Beam puts its own temporary files there, too."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="trueup-", ignore_cleanup_errors=True) as folder:
        _FOLDERS.add(folder)
        tempfile.tempdir = folder
        try:
            yield folder
        finally:
            tempfile.tempdir = before
            _FOLDERS.discard(folder)


def _end(number: int, frame: object) -> None:
    for folder in _FOLDERS:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    os.write(2, _CURSOR if os.isatty(2) else b"")
    os.write(2, f"trueup: {_WORDS[signal.Signals(number)]}; what was published so far stays.\n".encode())
    os._exit(128 + number)
