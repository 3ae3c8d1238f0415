"""What is fuzzed: each target takes any bytes, and fails where decoding them breaks a rule of hostile input: it costs rows in
`rejects`, no record is unaccounted for, and what is fast says what is slow, however the bytes are cut."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from pathlib import Path
from typing import Final
from unittest import mock

from schemas.tables.reject import REASONS
from tests.fixtures import decoding
from tests.fixtures.decoding import told
from tests.fixtures.records import INVENTORY
from transforms.core.columns.batches import concat
from transforms.core.decode import Counts, DecodeResult, DecodeSettings, decode_text
from transforms.core.decode.blocks import decode_blocks, decode_pieces
from transforms.core.decode.outline import outline_of
from transforms.core.decode.slow_path.build import joined
from transforms.core.decode.splitting.csv_text import csv_texts
from transforms.files.shards import plan_shards, read_shard

Target = Callable[[bytes], None]
BY: Final = decoding.settings(INVENTORY)
ENDINGS: Final = (".avro", ".parquet", ".jsonl.gz", ".csv.zst", ".json")
_LONGEST_DETAIL: Final = 400
"""Characters of a sentence: no more of a record gets into it than `shown` lets."""


def check_lines(data: bytes) -> None:
    """By columns and one by one, each line says the same."""
    _check(decoding.decode(*data.split(b"\n"), by=BY))
    outline_of(data)


def check_text(data: bytes) -> None:
    """A text that is held whole says what it says block by block."""
    whole = decode_text(data, "test", BY)
    _check(whole)
    pieces = decode_blocks(lambda: _cut(data, 61), "test", BY)
    assert told(_together(pieces)) == told(whole)


def check_long(data: bytes) -> None:
    """A text that is too long to hold, whatever it is."""
    with mock.patch("transforms.core.decode.blocks.PIECE", 256):
        _check(_together(decode_blocks(lambda: _cut(data, 61), "test", BY)))


def check_csv(data: bytes) -> None:
    """Rows of CSV are the same however their blocks are cut."""
    whole, cut = (_together(decode_pieces(csv_texts(blocks), "test", BY)) for blocks in ([data], _cut(data, 7)))
    _check(whole)
    assert told(whole) == told(cut)


def check_files(data: bytes) -> None:
    """A file that is packed or has tables; its first byte says which."""
    by = DecodeSettings(BY.policy, BY.now)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a" + ENDINGS[(data[:1] or b"\0")[0] % len(ENDINGS)])
        path.write_bytes(data[1:])
        plan = plan_shards([str(path)])
        _check(_together(piece for shard in plan.shards for piece in read_shard(shard, by)))


TARGETS: Final[dict[str, Target]] = {
    "lines": check_lines,
    "text": check_text,
    "long": check_long,
    "csv": check_csv,
    "files": check_files,
}


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def _together(pieces: Iterable[DecodeResult]) -> DecodeResult:
    found = list(pieces)
    return DecodeResult(
        concat([piece.events for piece in found]) if found else decode_text(b"", "test", BY).events,
        joined([piece.rejects for piece in found]),
        reduce(Counts.__add__, (piece.counts for piece in found), Counts()),
    )


def _check(decoded: DecodeResult) -> None:
    counts, rejects = decoded.counts, decoded.rejects.to_pylist()
    assert counts.records == counts.decoded.total() + counts.ignored.total() + counts.rejected.total()
    assert counts.rejected.total() == len(rejects)
    for reject in rejects:
        assert reject["reason"] in REASONS
        assert "\n" not in reject["detail"]
        assert len(reject["detail"]) <= _LONGEST_DETAIL
