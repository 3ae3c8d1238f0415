"""Event files of rows: Parquet of canonical events and of Log Analytics, Avro of Event Hubs Capture (contract: Input)."""

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.event import CANONICAL
from schemas.wording import first_line
from transforms.core.decode import DecodeResult, DecodeSettings, decode_log_table, decode_table, reject_whole
from transforms.core.decode.blocks import PIECE, DamagedText
from transforms.core.decode.log_table import MARK
from transforms.core.decode.messages import decode_messages
from transforms.files.filesystems import open_file

_ROWS: Final = {"parquet": 1 << 19, "log": 1 << 13}
"""Rows that are decoded at once; those of a Log Analytics table have a kilobyte or two."""
_REPEATING: Final = [
    name for name in CANONICAL.names if CANONICAL.field(name).type == pa.string() and name not in ("event_id", "operation_key")
]
"""Canonical columns of few different texts, which stay codes from the file on."""
_UNREADABLE: Final = (OSError, pa.ArrowException, UnicodeError)
"""What Arrow raises of a file that it cannot read; the last one, of names of columns."""


class TableOutline(NamedTuple):
    """Which table a Parquet file holds, and the bytes of its row groups before compression."""

    mode: Literal["parquet", "log"]
    sizes: list[int]


def outline_of(path: str) -> TableOutline | None:
    """The outline of a Parquet file; None if it is none.

    Raises:
        OSError: it cannot be opened.
    """
    with open_file(path) as handle:
        try:
            file = pq.ParquetFile(pa.PythonFile(handle, "r"))
        except _UNREADABLE as error:
            if is_of_the_system(error):
                raise
            return None
        groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
        return TableOutline("log" if MARK in file.schema_arrow.names else "parquet", [group.total_byte_size for group in groups])


def read_parquet(path: str, mode: Literal["parquet", "log"], groups: range, settings: DecodeSettings) -> Iterator[DecodeResult]:
    """The events of some row groups; what is no Parquet, or has neither events nor operations, costs one row.

    Raises:
        OSError: the file cannot be read.
    """
    decode = decode_log_table if mode == "log" else decode_table
    try:
        for batch in batches_of(path, mode, groups):
            yield decode(batch.rows, path, batch.first, settings)
    except DamagedText as damage:
        yield reject_whole(path, "not_json", str(damage), settings)


class TableSlice(NamedTuple):
    """Rows of a file, and the number of the first of them."""

    rows: pa.RecordBatch
    first: int


def batches_of(path: str, mode: Literal["parquet", "log"], groups: range) -> Iterator[TableSlice]:
    """Rows of some row groups, a batch at a time.

    Raises:
        DamagedText: after the rows before it; or the table is another one.
        OSError: the file cannot be read.
    """
    with open_file(path) as handle:
        try:
            source = pa.PythonFile(handle, "r")
            file = pq.ParquetFile(source)
            names = file.schema_arrow.names
            if mode == "parquet" and "kind" not in names:
                raise pa.ArrowInvalid(f"it has neither the column kind nor {MARK}")
            known = None if mode == "log" else [name for name in names if name in CANONICAL.names]
            if known is not None:
                texts = [name for name in _REPEATING if name in known and pa.types.is_string(file.schema_arrow.field(name).type)]
                file = pq.ParquetFile(source, metadata=file.metadata, read_dictionary=texts)
            first = 1 + sum(file.metadata.row_group(group).num_rows for group in range(groups.start))
            for batch in file.iter_batches(_ROWS[mode], row_groups=groups, columns=known):
                batch.validate(full=True)  # no reader looks whether texts are UTF-8
                yield TableSlice(batch, first)
                first += batch.num_rows
        except _UNREADABLE as error:
            if is_of_the_system(error):
                raise
            raise DamagedText(f"Parquet is required, and this cannot be read: {first_line(error)}") from None


def read_avro(path: str, settings: DecodeSettings) -> Iterator[DecodeResult]:
    """The events of an Event Hubs Capture file, whose bodies are messages; damage costs one row more.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        for bodies in bodies_of(path):
            yield decode_messages([(f"row {number}", body) for number, body in bodies], path, settings)
    except DamagedText as damage:
        yield reject_whole(path, "not_json", str(damage), settings)


def bodies_of(path: str) -> Iterator[list[tuple[int, bytes]]]:
    """The bodies of captured events with their numbers, a piece at a time; one that is null is empty.

    Raises:
        DamagedText: after the bodies before it: the file is no Avro, not whole, or of something else.
        OSError: the file cannot be read.
    """
    bodies, size = list[tuple[int, bytes]](), 0
    damage: DamagedText | None = None
    with open_file(path) as handle:
        try:
            for number, row in enumerate(fastavro.reader(handle), 1):
                bodies.append((number, _body(row)))
                size += len(bodies[-1][1])
                if size >= PIECE:
                    yield bodies
                    bodies, size = [], 0
        # Of bytes that are no Avro its reader raises whatever comes of them: KeyError, EOFError, MemoryError, zlib.error, ...
        except Exception as error:
            if is_of_the_system(error):
                raise
            damage = DamagedText(f"Avro of Event Hubs Capture is required, and this cannot be read: {first_line(error)}")
    if bodies:
        yield bodies
    if damage is not None:
        raise damage


def _body(row: Any) -> bytes:
    body = row["Body"]
    if body is not None and not isinstance(body, bytes):
        raise ValueError("its Body is no bytes")
    return body or b""


def is_of_the_system(error: Exception) -> bool:
    """Whether an error is the file system's: Arrow's own about what it reads have no number."""
    return isinstance(error, OSError) and error.errno is not None
