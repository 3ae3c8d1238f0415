"""Records of event files in the order in which they would have arrived: of a file in its order, of several by event time."""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Any, NamedTuple

import pyarrow as pa

from pipelines.failures import RunError
from schemas.time import format_time
from schemas.wording import first_line
from transforms.core.decode.blocks import DamagedText, lines_in, texts_in
from transforms.core.decode.log_table import log_texts
from transforms.core.decode.outline import Outline, outline_of
from transforms.core.decode.splitting.csv_text import csv_texts
from transforms.core.decode.splitting.split import texts_in_line, texts_of, within
from transforms.core.decode.splitting.texts import RecordTexts
from transforms.core.decode.terms.text import DEEPEST
from transforms.files.shards import Shard, bytes_of, text_of
from transforms.files.tables import batches_of, bodies_of


class Outgoing(NamedTuple):
    """One record, as it stands in its file, and which of its records it is, from 1."""

    path: str
    number: int
    text: bytes
    outline: Outline


def replayed(shards: Sequence[Shard], behind: Mapping[str, int]) -> Iterator[Outgoing]:
    """The records of all files.

    A record is due at the latest time that its file has told so far: one that arrived late in a file stays where it stands.

    Args:
        shards: parts of files, those of one file side by side.
        behind: how many records of a file, by path, to leave out at its beginning.

    Raises:
        RunError: a file cannot be read, or is damaged.
    """
    files = {path: tuple(parts) for path, parts in groupby(shards, lambda shard: shard.path)}
    heads = [_Head(0, index, path, None) for index, path in enumerate(files)]
    heap = [found for head in heads if (found := _first(head, files[head.path], behind)) is not None]
    heapq.heapify(heap)
    opened: dict[str, Iterator[Outgoing]] = {}
    while heap:
        head = heapq.heappop(heap)
        records = opened.setdefault(head.path, _records(files[head.path], behind.get(head.path, 0)))
        record = next(records) if head.record is None else head.record
        yield record
        following = next(records, None)
        if following is None:
            del opened[head.path]
        else:
            heapq.heappush(heap, head.moved(following.outline.time)._replace(record=following))


class _Head(NamedTuple):
    due: int
    file: int
    path: str
    record: Outgoing | None
    """The next one of its file; None: the file is not open, since there may be more of them than can be."""

    def moved(self, told: int | None) -> "_Head":
        return self if told is None else self._replace(due=max(self.due, told))


def _first(head: _Head, shards: Sequence[Shard], behind: Mapping[str, int]) -> _Head | None:
    """When the first record of a file is due; None if it has none."""
    record = next(_records(shards, behind.get(head.path, 0)), None)
    return None if record is None else head.moved(record.outline.time)


def _records(shards: Sequence[Shard], behind: int) -> Iterator[Outgoing]:
    path = shards[0].path
    try:
        texts = (text for shard in shards for text in _texts(shard))
        for number, text in islice(enumerate(texts, 1), behind, None):
            yield Outgoing(path, number, text, outline_of(text))
    except DamagedText as damage:
        raise RunError(f"{path}: {damage}.") from None
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{path}: a readable file is required: {first_line(error)}.") from None


def _texts(shard: Shard) -> Iterator[bytes]:
    if shard.mode == "parquet":
        return _rows(shard)
    return (text for found in _pieces(shard) for text in _opened(found))


def _pieces(shard: Shard) -> Iterator[RecordTexts]:
    if shard.mode == "lines":
        return lines_in(bytes_of(shard))
    if shard.mode == "csv":
        return csv_texts(text_of(shard.path))
    if shard.mode == "avro":
        return (texts_of(body) for bodies in bodies_of(shard.path) for _, body in bodies)
    if shard.mode == "log":
        return (log_texts(batch.rows, batch.first) for batch in batches_of(shard.path, "log", range(shard.start, shard.end)))
    return texts_in(partial(text_of, shard.path))


def _opened(found: RecordTexts) -> Iterator[bytes]:
    """The records in texts, out of their envelopes; what is broken as it stands, so that it is rejected where it arrives."""
    for text in found.texts:
        inner = texts_in_line(text) if found.word == "line" and not found.is_measured else within(text)
        if inner is None or inner.depth + found.depth > DEEPEST:
            yield text
        else:
            yield from _opened(inner._replace(depth=inner.depth + found.depth))
    yield from (fault.text for fault in found.faults)


def _rows(shard: Shard) -> Iterator[bytes]:
    """Canonical rows as canonical JSON."""
    for batch in batches_of(shard.path, "parquet", range(shard.start, shard.end)):
        for row in _plain(batch.rows).to_pylist():
            yield json.dumps({name: _as_json(name, value) for name, value in row.items() if value is not None}).encode()


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows, their times in microseconds."""
    at = batch.schema.get_field_index("time")
    if at < 0 or not pa.types.is_timestamp(batch.schema.field(at).type):
        return batch
    times = batch.column(at).cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
    return batch.set_column(at, "time", times)


def _as_json(name: str, value: Any) -> Any:
    return format_time(value) if name == "time" and isinstance(value, int) else value
