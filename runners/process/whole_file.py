"""Files for people that appear whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from pipelines.failures import RunError


def write_whole(path: str, text: str, option: str) -> None:
    """Writes a text file of this machine in place of what was there.

    Raises:
        RunError: it cannot be written; the sentence names the option that asks for it.
    """
    target = Path(path)
    unfinished = target.parent / f".{target.name}.{os.getpid()}"
    try:
        unfinished.write_text(text, "utf-8")
        unfinished.replace(target)
    except OSError as error:
        raise RunError(f"{option}: a file that can be written is required, got {path}: {error.strerror}.") from None
    finally:
        with suppress(OSError):
            unfinished.unlink()
