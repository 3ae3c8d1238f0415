"""Memory: how much an input needs, and into how many parts it must be cut to fit a budget (contract: Options)."""

from typing import Final, NamedTuple

import pyarrow as pa

from pipelines.record.folder import head
from transforms.files.shards import CODECS, Plan
from transforms.ledger import part_events
from transforms.publish import FLUSH_ROWS
from transforms.side_by_side import cores

BASE: Final = 350_000_000
"""Bytes of the process before it has read anything: Beam, Arrow, compiled kernels."""
BYTES_OF_EVENT: Final = 200
"""Bytes for each event that lies between the steps: 120 in columns, by reference, and room for what decodes them."""
BYTES_OF_EVALUATION: Final = 1_300
"""Bytes at the peak for each event that is evaluated, its results included."""
BYTES_OF_RESULT: Final = 350
"""Bytes for each row that waits to be written, or is being written; an event gives about one."""
GROUP_EVENTS: Final = 2_000_000
"""Events of a group elsewhere: enough for large row groups, few enough for their results to fit beside them."""
FEWEST: Final = 20_000
"""Events of a group where memory is short: a smaller one costs more than it saves."""
MOST_PARTITIONS: Final = 256
"""Beyond, files become so small that opening them costs more than they save."""
BYTES_IN_PARQUET: Final = 100
BYTES_IN_TEXT: Final = 400
BYTES_IN_COMPRESSED_TEXT: Final = 60
"""Bytes of input an event: of Parquet before compression; of text where its lines do not tell."""
MUCH_TEXT: Final = 300_000_000
"""Bytes from which a second process decodes more than its start costs."""
_SAMPLED: Final = 5
_SAMPLE: Final = 1 << 18


def events_of(plan: Plan) -> int:
    """About how many events an input has, from the size of its files and the length of some lines."""
    texts = [shard for shard in plan.shards if _is_text(shard.path)]
    line = _bytes_of_line([shard.path for shard in texts[:: -(-len(texts) // _SAMPLED) or 1]])
    return sum(shard.size // (line if _is_text(shard.path) else _bytes_of_event(shard.path)) for shard in plan.shards)


def _is_text(path: str) -> bool:
    return not path.lower().endswith((".parquet", ".avro", *CODECS))


def _bytes_of_event(path: str) -> int:
    return BYTES_IN_PARQUET if path.lower().endswith(".parquet") else BYTES_IN_COMPRESSED_TEXT


def _bytes_of_line(paths: list[str]) -> int:
    samples = [head(path, _SAMPLE) for path in paths]
    lines = sum(sample.count(b"\n") for sample in samples)
    return max(1, sum(map(len, samples)) // lines) if lines else BYTES_IN_TEXT


def bytes_for(events: int) -> int:
    """Bytes at the peak of a run over so many events, if no scale set alone has more than a part of the ledger: all of them lie
    between stages, each core evaluates a part, and the results of earlier ones are held until they are enough for a file."""
    evaluated, held = min(events, cores() * part_events(events)), min(events, FLUSH_ROWS)
    return BASE + events * BYTES_OF_EVENT + evaluated * BYTES_OF_EVALUATION + held * BYTES_OF_RESULT


def partitions_for(events: int, budget: int) -> int:
    """In how many parts so many events fit into a budget of bytes; 1: as they are.

    >>> partitions_for(1_000, 2**30), partitions_for(1_000_000, 600_000_000)
    (1, 8)
    """
    fitting = (parts for parts in range(1, MOST_PARTITIONS) if bytes_for(-(-events // parts)) <= budget)
    return next(fitting, MOST_PARTITIONS)


def groups_for(events: int, budget: int) -> int:
    """In how many groups workers elsewhere, each with a budget of bytes, take so many events.

    >>> groups_for(10, 2**32), groups_for(5_000_000, 2**32), groups_for(5_000_000, 2**30)
    (1, 3, 11)
    """
    fitting = (budget - BASE) // (BYTES_OF_EVENT + BYTES_OF_EVALUATION)
    return max(1, -(-events // min(GROUP_EVENTS, max(FEWEST, fitting))))


class Crew(NamedTuple):
    """Who decodes."""

    size: int
    threads: bool
    """Threads of this process, not processes."""


ALONE: Final = Crew(1, threads=False)
"""A worker that decodes by itself: there are others like it."""


def crew_for(plan: Plan) -> Crew:
    """Who decodes: a process a core for much text, this one for little; threads for Parquet, which leaves Python alone."""
    text = sum(shard.size for shard in plan.shards if shard.mode != "parquet")
    tables = all(shard.mode == "parquet" for shard in plan.shards)
    return Crew(min(cores(), len(plan.shards)) if tables or text >= MUCH_TEXT else 1, threads=tables)


def sets_beyond(facts: pa.RecordBatch, budget: int) -> tuple[str, ...]:
    """The scale sets of FACTS of which each alone needs more than a budget of bytes: one is evaluated whole, however large."""
    needed = BASE + facts.column("events").to_numpy() * (BYTES_OF_EVENT + BYTES_OF_EVALUATION)
    return tuple(facts.column("scale_set_id").filter(pa.array(needed > budget)).to_pylist())
