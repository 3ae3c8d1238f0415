"""Spans: growing lists of half-open intervals of one line, and their union.

A list is an array of (start, end) of which the first n are in use; the rest is room. `push_span` may give back another array,
since compiled code cannot grow one in place. `merge_spans` sorts by insertion (lists are short and nearly sorted) and then
joins:

    [0, 3) [5, 9) [2, 4)  ->  [0, 3) [2, 4) [5, 9)  ->  [0, 4) [5, 9)
"""

import numpy as np

from transforms.core.columns.kernel import NEVER, Ints, array_kernel, inner_kernel


@array_kernel
def push_span(spans: Ints, n: int, x: int, y: int) -> Ints:
    """Writes [x, y) at place n, making room if there is none."""
    if n == len(spans):
        more = np.empty((2 * n + 4, 2), np.int64)
        for k in range(n):
            more[k, 0], more[k, 1] = spans[k, 0], spans[k, 1]
        spans = more
    spans[n, 0], spans[n, 1] = x, y
    return spans


@inner_kernel
def merge_spans(spans: Ints, n: int) -> int:
    """Makes the first n spans, in place, their union: disjoint, ascending, touching ones one. Gives their number."""
    for k in range(1, n):
        x, y = spans[k, 0], spans[k, 1]
        while k > 0 and spans[k - 1, 0] > x:
            spans[k, 0], spans[k, 1] = spans[k - 1, 0], spans[k - 1, 1]
            k -= 1
        spans[k, 0], spans[k, 1] = x, y
    last = 0
    for k in range(1, n):
        if spans[k, 0] <= spans[last, 1]:
            spans[last, 1] = max(spans[last, 1], spans[k, 1])
        else:
            last += 1
            spans[last, 0], spans[last, 1] = spans[k, 0], spans[k, 1]
    return last + 1 if n else 0


@inner_kernel
def end_of_long(spans: Ints, n: int, length: int) -> int:
    """When the first of n disjoint spans has lasted for `length`; NEVER if none does."""
    for k in range(n):
        if spans[k, 1] - spans[k, 0] >= length:
            return spans[k, 0] + length
    return NEVER
