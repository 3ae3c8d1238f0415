"""Event files: which, in which parts, and the events in each (contract: Files)."""

import os.path
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import pyarrow as pa

from schemas.wording import first_line
from transforms.core.decode import DecodeResult, DecodeSettings
from transforms.core.decode.blocks import DamagedText, begins_with_lines, decode_blocks, decode_pieces, lines_in
from transforms.core.decode.splitting.csv_text import csv_texts
from transforms.files.filesystems import ListedFile, matching_files, open_file
from transforms.files.tables import is_of_the_system, outline_of, read_avro, read_parquet

ENDINGS: Final = (".jsonl", ".ndjson", ".json", ".csv")
"""Of text, which may be compressed."""
CODECS: Final = {".gz": "gzip", ".zst": "zstd"}
_NAMES: Final = ".jsonl, .json, .ndjson, .csv (or one of these with .gz or .zst), .avro or .parquet"
SHARD: Final = 64 << 20
"""Bytes of a part of a large file."""
TABLE_SHARD: Final = 16 << 20
"""The same of Parquet, before compression: less than text, of which it holds as many events."""
_BLOCK: Final = 8 << 20
_STEP: Final = 64 << 10
"""Bytes that are decompressed at once: so much may be lost before the place where a file is damaged."""

Mode = Literal["text", "lines", "csv", "avro", "parquet", "log"]


class InputError(Exception):
    """An input cannot be had; the message is one sentence that names it."""


class Shard(NamedTuple):
    """A part of a file: of `lines` those that begin in the bytes [start, end), of `parquet` and `log` (Log Analytics in Parquet)
    these row groups, of others all."""

    path: str
    mode: Mode
    start: int
    end: int
    size: int


class FileVersion(NamedTuple):
    """By what a file that has changed is told from what it was: its bytes, and when it was written, in seconds."""

    size: int
    changed: float


class Plan(NamedTuple):
    """What is to be read: parts in the order of their paths, bytes, and how many names were skipped for their endings."""

    shards: tuple[Shard, ...]
    bytes: int
    files: int
    skipped: int
    versions: Mapping[str, FileVersion] = {}
    """Of every file that was found, by path; of those that are not read again, too."""


def plan_shards(patterns: Sequence[str], known: Mapping[str, FileVersion] = MappingProxyType({})) -> Plan:
    """The parts of all files that the patterns match, each file once; a directory stands for all that is below it.

    Args:
        patterns: paths, folders and globs.
        known: files that are not read where they are still the same.

    Raises:
        InputError: a pattern is empty, matches no file that holds events, or a file cannot be opened.
    """
    versions: dict[str, FileVersion] = {}
    skipped: set[str] = set()
    for pattern in patterns:
        found = _match(pattern)
        fitting = {meta.path: _version_of(meta) for meta in found if _mode(meta.path) is not None}
        if not fitting:
            seen = f"only {len(found)} of other names" if found else "none"
            raise InputError(f"{pattern}: a file named {_NAMES} must match, got {seen}")
        versions |= fitting
        skipped |= {meta.path for meta in found} - set(fitting)
    sizes = {path: version.size for path, version in versions.items() if known.get(path) != version}
    shards = [shard for path in sorted(sizes) for shard in _shards_of(path, sizes[path])]
    return Plan(tuple(shards), sum(sizes.values()), len(sizes), len(skipped), versions)


def _version_of(listed: ListedFile) -> FileVersion:
    return FileVersion(listed.size, listed.changed)


def read_shard(shard: Shard, settings: DecodeSettings) -> Iterator[DecodeResult]:
    """The events of one part, in pieces of about 32 MB of text.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        for piece in _read(shard, settings):
            piece.counts.unread = piece.counts.unread.of_file(shard.path)
            yield piece
    except OSError as error:
        raise _unreadable(shard.path, error) from None


def _read(shard: Shard, settings: DecodeSettings) -> Iterator[DecodeResult]:
    if shard.mode == "parquet" or shard.mode == "log":
        return read_parquet(shard.path, shard.mode, range(shard.start, shard.end), settings)
    if shard.mode == "avro":
        return read_avro(shard.path, settings)
    if shard.mode == "csv":
        return decode_pieces(csv_texts(text_of(shard.path)), shard.path, settings)
    if shard.mode == "lines":
        return _read_lines(shard, settings)
    return decode_blocks(partial(text_of, shard.path), shard.path, settings)


def _match(pattern: str) -> list[ListedFile]:
    if not pattern.strip():
        raise InputError("an input must be a path or a pattern, got an empty one")
    below = pattern.rstrip("/") + "/**"
    try:
        listed = matching_files(pattern) + matching_files(below)
    except (OSError, ValueError) as error:
        raise _unreadable(pattern, error) from None
    found = {meta.path: meta for meta in listed}
    folders = {path.rpartition("/")[0] for path in found}
    return [meta for path, meta in found.items() if path not in folders and not os.path.isdir(path)]


def _mode(path: str) -> Mode | None:
    name = path.rpartition("/")[2].lower()
    if name.endswith((".parquet", ".avro")):
        return "avro" if name.endswith(".avro") else "parquet"
    bare = name.removesuffix(next((ending for ending in CODECS if name.endswith(ending)), ""))
    return "csv" if bare.endswith(".csv") else "text" if bare.endswith(ENDINGS) else None


def _codec(path: str) -> str | None:
    return next((codec for ending, codec in CODECS.items() if path.lower().endswith(ending)), None)


def _shards_of(path: str, size: int) -> list[Shard]:
    try:
        mode = _mode(path) or "text"
        if mode == "parquet":
            return _row_groups(path, size)
        if mode == "text" and size > SHARD and _codec(path) is None and _begins_with_lines(path):
            return _ranges(path, size)
    except OSError as error:
        raise _unreadable(path, error) from None
    return [Shard(path, mode, 0, size, size)] if size else []


def _ranges(path: str, size: int) -> list[Shard]:
    parts = -(-size // SHARD)
    edges = [size * part // parts for part in range(parts + 1)]
    return [Shard(path, "lines", start, end, end - start) for start, end in pairwise(edges)]


def _begins_with_lines(path: str) -> bool:
    with open_file(path) as file:
        return begins_with_lines(file.read(_BLOCK))


def _row_groups(path: str, size: int) -> list[Shard]:
    """Row groups, small ones together; a file that is no Parquet is one part, whose reader says so."""
    found = outline_of(path)
    if found is None:
        return [Shard(path, "parquet", 0, 1, size)]
    shards, start, mode, sizes = [], 0, found.mode, found.sizes
    for group in range(len(sizes)):
        if sum(sizes[start : group + 1]) >= TABLE_SHARD or group == len(sizes) - 1:
            shards.append(Shard(path, mode, start, group + 1, sum(sizes[start : group + 1])))
            start = group + 1
    return shards


def _read_lines(shard: Shard, settings: DecodeSettings) -> Iterator[DecodeResult]:
    """Lines of a byte range; only where one is rejected is it worth counting the lines before the range."""
    counted: int | None = 1 if shard.start == 0 else None
    pieces = decode_pieces(lines_in(bytes_of(shard)), shard.path, settings)
    for piece in pieces:
        if piece.rejects.num_rows and counted is None:
            counted = 1 + _newlines_before(shard)
        yield piece if counted in (None, 1) else _further(piece, counted - 1)


def _further(piece: DecodeResult, lines: int) -> DecodeResult:
    """The same piece with its rejects so many lines further down."""
    at = piece.rejects.schema.get_field_index("location")
    moved = [_moved(location, lines) for location in piece.rejects.column(at).to_pylist()]
    return piece._replace(rejects=piece.rejects.set_column(at, piece.rejects.schema.field(at), pa.array(moved, pa.string())))


def _moved(location: str, lines: int) -> str:
    word, _, rest = location.partition(" ")
    number, comma, inner = rest.partition(",")
    return f"{word} {int(number) + lines}{comma}{inner}"


def _newlines_before(shard: Shard) -> int:
    """Newlines before the first line that begins in a range."""
    count, left = 0, shard.start
    with open_file(shard.path) as file:
        while left and (block := file.read(min(_BLOCK, left))):
            count, left = count + block.count(b"\n"), left - len(block)
        file.seek(shard.start - 1)
        return count if file.read(1) == b"\n" else count + 1


def bytes_of(shard: Shard) -> Iterator[bytes]:
    """The bytes of the lines that begin in [start, end)."""
    with open_file(shard.path) as file:
        position = max(shard.start - 1, 0)
        file.seek(position)
        skipping = shard.start > 0
        while block := file.read(_BLOCK):
            begin = 0
            if skipping:
                found = block.find(b"\n")
                position, begin = position + len(block), found + 1
                if found < 0:
                    continue
                skipping = False
                position -= len(block)
            if position + begin >= shard.end and begin:
                return
            until = _last_end(block, position, shard.end)
            yield block[begin:until]
            if until is not None:
                return
            position += len(block)


def _last_end(block: bytes, position: int, end: int) -> int | None:
    """Where in a block the last line that begins before `end` ends; None if not in this one."""
    if position + len(block) < end:
        return None
    newline = block.find(b"\n", max(end - 1 - position, 0))
    return None if newline < 0 else newline + 1


def text_of(path: str) -> Iterator[bytes]:
    """The text of a file, decompressed."""
    codec = _codec(path)
    with open_file(path) as file:
        if codec is None:
            while block := file.read(_BLOCK):
                yield block
            return
        try:
            with pa.CompressedInputStream(pa.PythonFile(file, "r"), codec) as stream:
                while block := stream.read(_STEP):
                    yield block
        except (OSError, pa.ArrowException) as error:
            if is_of_the_system(error):
                raise
            raise DamagedText(f"a whole {codec} file is required, and this one is damaged: {first_line(error)}") from None


def _unreadable(path: str, error: Exception) -> InputError:
    return InputError(f"{path}: the input cannot be read: {first_line(error)}")
