"""One process of a crew. Imports no Beam by itself: what Beam logs on import must find the level of the parent set."""

import logging
import multiprocessing
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from transforms.allocator import keep_freed_memory
from transforms.core.decode import DecodeResult, DecodeSettings

if TYPE_CHECKING:
    from transforms.files.shards import Shard

_SETTINGS: list[DecodeSettings] = []


def join(settings: DecodeSettings, level: int) -> None:
    """Takes what all shards are decoded with, and ends when the parent does, who may be killed while this one waits for work."""
    keep_freed_memory()
    logging.basicConfig(level=level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent answers it
    _SETTINGS[:] = [settings]
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def decoded(shard: "Shard") -> list[DecodeResult]:
    """The pieces of one shard."""
    from transforms.files.shards import read_shard

    return list(read_shard(shard, _SETTINGS[0]))


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
