"""The command line as a program that also tells what it counts: `python -m tests.support.observed FILE COMMAND ...`.

FILE holds the counters of the process (`transforms.counters.LIVE`) as one JSON object, some tenths of a second old.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from runners.cli import main
from transforms.counters import LIVE

_EVERY = 0.2


def keep_telling(path: Path) -> None:
    """Writes the counters down for as long as the process lives."""
    while True:
        tell(path, dict(LIVE))
        time.sleep(_EVERY)


def tell(path: Path, counts: Mapping[str, int]) -> None:
    """Puts counters into a file, whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(counts))
    os.replace(unfinished, path)


if __name__ == "__main__":
    threading.Thread(target=keep_telling, args=(Path(sys.argv.pop(1)),), daemon=True).start()
    main()
