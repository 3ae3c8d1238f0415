"""Records of event files in the order in which they would have arrived: of a file in its order, of several by event time."""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError

from pipelines.failures import RunError
from schemas.event import CANONICAL
from schemas.time import format_time
from transforms.core.decode import is_lines
from transforms.core.decode.blocks import Damaged
from transforms.core.decode.messages import record_texts
from transforms.core.decode.split import Broken
from transforms.core.outline import Outline, outline_of
from transforms.files import Shard, bytes_of, open_file, text_of

_BLANKS: Final = b" \t\r\n"
_ROWS: Final = 10_000


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
    except Damaged as damage:
        raise RunError(f"{path}: {damage}.") from None
    except (OSError, BeamIOError, pa.ArrowException) as error:
        raise RunError(f"{path}: a readable file is required: {(str(error).splitlines() or ['it is none'])[0]}.") from None


def _texts(shard: Shard) -> Iterator[bytes]:
    if shard.mode == "parquet":
        return _rows(shard)
    return _lines_or_value(bytes_of(shard) if shard.mode == "lines" else text_of(shard.path))


def _lines_or_value(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The texts in a text: its lines as soon as one is an object by itself, else all of it at its end."""
    rest, as_lines = b"", False
    for block in blocks:
        *lines, last = (rest + block).split(b"\n")
        as_lines = as_lines or is_lines(lines)
        if as_lines:
            yield from (line.strip(_BLANKS) for line in lines if line.strip(_BLANKS))
        rest = last if as_lines else rest + block
    if as_lines:
        yield from [rest.strip(_BLANKS)] if rest.strip(_BLANKS) else []
    else:
        yield from _of_value(rest)


def _of_value(text: bytes) -> list[bytes]:
    """The records of a whole text; one that is broken as it stands, so that it is rejected where it arrives."""
    try:
        return [record.strip(_BLANKS) for record in record_texts(text)[1] if record.strip(_BLANKS)]
    except Broken:
        return [text]


def _rows(shard: Shard) -> Iterator[bytes]:
    """Canonical rows as canonical JSON."""
    with open_file(shard.path) as handle:
        file = pq.ParquetFile(pa.PythonFile(handle, "r"))
        known = [name for name in file.schema_arrow.names if name in CANONICAL.names]
        for batch in file.iter_batches(_ROWS, row_groups=range(shard.start, shard.end), columns=known):
            for row in _plain(batch).to_pylist():
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
