"""Memory: how much an input needs, and into how many parts it must be cut to fit a budget (contract.md `--memory`)."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.files import CODECS, Plan

BASE: Final = 450_000_000
"""Bytes of the process before it has read anything: Beam, Arrow, compiled kernels."""
BYTES_OF_EVENT: Final = 1_400
"""Bytes at the peak for each event that is in memory at once (measured: tests/bench)."""
GROUP_EVENTS: Final = 2_000_000
"""Events that are worked on together: enough for large row groups, few enough for their results to fit beside them."""


BYTES_IN_PARQUET: Final = 50
BYTES_IN_TEXT: Final = 600
BYTES_IN_COMPRESSED_TEXT: Final = 40
"""Bytes of input an event, as its file holds it: canonical events are smaller, native records larger."""


def events_of(plan: Plan) -> int:
    """About how many events an input has, from the size of its files."""
    return sum(shard.size // _bytes_of_event(shard.path) for shard in plan.shards)


def _bytes_of_event(path: str) -> int:
    if path.lower().endswith(".parquet"):
        return BYTES_IN_PARQUET
    return BYTES_IN_COMPRESSED_TEXT if path.lower().endswith(tuple(CODECS)) else BYTES_IN_TEXT


def partitions_for(events: int, budget: int) -> int:
    """In how many parts so many events fit into a budget of bytes; 1: as they are.

    >>> partitions_for(1_000, 2**30), partitions_for(10_000_000, 2**32)
    (1, 4)
    """
    room = max(budget - BASE, BASE // 2)
    return max(1, -(-events * BYTES_OF_EVENT // room))


def groups_for(events: int) -> int:
    """In how many groups so many events are worked on, one after the other.

    >>> groups_for(10), groups_for(5_000_000)
    (1, 3)
    """
    return max(1, -(-events // GROUP_EVENTS))


def sets_beyond(facts: pa.RecordBatch, budget: int) -> tuple[str, ...]:
    """The scale sets of FACTS of which each alone needs more than a budget of bytes."""
    room = max(budget - BASE, 0)
    beyond = pc.greater(pc.multiply(facts.column("events"), BYTES_OF_EVENT), room)
    return tuple(facts.column("scale_set_id").filter(beyond).to_pylist())
