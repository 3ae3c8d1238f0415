"""Work on all cores by threads: kernels, Arrow and most of numpy let others go on while they compute."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(work: Callable[[T], R], items: Iterable[T], threads: int, long: Iterable[T] = ()) -> Iterator[R]:
    """What the work gives for each item, in their order; as many results wait at most as there are threads.

    Args:
        work: what is done.
        items: on which.
        threads: how many work at a time.
        long: more items, which take so much longer that they are begun before all others; what they give comes last.

    >>> list(side_by_side(abs, [-3, 2, -1], 2, long=[-1000]))
    [3, 2, 1, 1000]
    """
    with ThreadPoolExecutor(threads, "side-by-side") as pool:
        last, begun = [pool.submit(work, item) for item in long], deque[Future[R]]()
        try:
            for item in items:
                begun.append(pool.submit(work, item))
                if len(begun) > threads:
                    yield begun.popleft().result()
            begun.extend(last)
            while begun:
                yield begun.popleft().result()
        finally:
            for future in (*begun, *last):
                future.cancel()
