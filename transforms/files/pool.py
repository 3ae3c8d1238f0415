"""A pool of processes that decode shards: text is decoded by one core a process, so a large input wants them all."""

import logging
import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor

from transforms.core.decode import DecodeResult, DecodeSettings
from transforms.files.pool_worker import decoded, join
from transforms.files.shards import Shard


class DecodePool:
    """Decodes shards in some processes; what they have found comes back in the order in which it was asked for."""

    def __init__(self, settings: DecodeSettings, processes: int) -> None:
        self._ahead = 2 * processes  # enough that none waits, few enough to bound what lies ready
        self._pending: deque[Future[list[DecodeResult]]] = deque()
        # Not fork: the threads of the runner may hold locks that a child would wait for.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(processes, context, join, (settings, logging.getLogger().level))

    def decode(self, shard: Shard) -> Iterator[DecodeResult]:
        """Asks for a shard; gives what is due of those before it.

        Raises:
            InputError: a file cannot be read.
        """
        self._pending.append(self._pool.submit(decoded, shard))
        while len(self._pending) > self._ahead:
            yield from self._pending.popleft().result()

    def rest(self) -> Iterator[DecodeResult]:
        """All that was asked for and has not come yet."""
        while self._pending:
            yield from self._pending.popleft().result()

    def leave(self) -> None:
        """Ends the processes."""
        self._pool.shutdown(wait=False, cancel_futures=True)
