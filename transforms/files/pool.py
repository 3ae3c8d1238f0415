"""A pool that decodes shards: text is decoded by one core a process, so a large input wants them all; Parquet by threads."""

import logging
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

from transforms.core.decode import DecodeResult, DecodeSettings
from transforms.files.pool_worker import decoded, join
from transforms.files.shards import Shard, read_shard


class DecodePool:
    """Decodes shards, some at once; what they have found comes back in the order in which it was asked for."""

    def __init__(self, settings: DecodeSettings, size: int, threads: bool = False) -> None:
        self._ahead = 2 * size  # enough that none waits, few enough to bound what lies ready
        self._pending: deque[Future[list[DecodeResult]]] = deque()
        self._decoded: Callable[[Shard], list[DecodeResult]] = partial(pieces_of, settings=settings) if threads else decoded
        self._pool: Executor
        if threads:
            self._pool = ThreadPoolExecutor(size, "decode")
        else:
            # Not fork: the threads of the runner may hold locks that a child would wait for.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(size, context, join, (settings, logging.getLogger().level))

    def decode(self, shard: Shard) -> Iterator[DecodeResult]:
        """Asks for a shard; gives what is due of those before it.

        Raises:
            InputError: a file cannot be read.
        """
        self._pending.append(self._pool.submit(self._decoded, shard))
        while len(self._pending) > self._ahead:
            yield from self._pending.popleft().result()

    def rest(self) -> Iterator[DecodeResult]:
        """All that was asked for and has not come yet."""
        while self._pending:
            yield from self._pending.popleft().result()

    def leave(self) -> None:
        """Ends the processes or threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def pieces_of(shard: Shard, settings: DecodeSettings) -> list[DecodeResult]:
    """The pieces of one shard."""
    return list(read_shard(shard, settings))
