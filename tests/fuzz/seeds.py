"""What fuzzing begins with: records of every form, wrapped and packed in every way; and words that decoding looks for."""

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from tests.fixtures.forms import avro_of, csv_of, log_row, parquet_of, table_of
from tests.fixtures.native import graph_row, line, rest, signal, state
from tests.fixtures.records import RECORDS
from tests.fuzz.targets import ENDINGS

_TWO: Final = [signal(), rest()]
_ROWS: Final = [graph_row(state()), graph_row(state(), note='a "quoted", text')]
_WRAPPED: Final[list[Any]] = [
    _TWO,
    {"records": _TWO},
    {"value": _TWO, "nextLink": "x"},
    {"data": table_of(_ROWS)},
    {"tables": [table_of(_ROWS)]},
    {"content": line(_TWO).decode()},
    {"body": base64.b64encode(line(rest())).decode()},
    {"messageText": {"records": [{"body": line(rest()).decode()}]}},
    [{"value": [{"value": _TWO}]}, {"data": {"columns": [], "rows": []}}],
]
WORDS: Final = sorted(
    {
        *(f'"{name}":' for record in RECORDS for name in record),
        *(f'"{name}":[' for name in ("records", "value", "data", "tables", "rows", "columns")),
        *(f'"{name}":"' for name in ("content", "messageText", "body", "Content", "Value")),
        *(
            '"name":',
            '{"kind":"signal"',
            "\\ud800",
            "\\u0041",
            "\\\\",
            "[[",
            "]]",
            "},{",
            '",""',
            "\r\n",
            "1e999",
            "null",
            "\ufeff",
        ),
    }
)


def seeds(target: str) -> Iterator[bytes]:
    """Inputs for a target, with what it has failed at."""
    yield from _SEEDS[target]()
    yield from (data for name, data in FINDINGS.items() if name.startswith(target))


def _texts() -> Iterator[bytes]:
    yield from (line(record) for record in RECORDS)
    yield from (line(value) for value in _WRAPPED)
    yield from (json.dumps(value, indent=1).encode() for value in _WRAPPED)
    yield from (line(value)[: -len(line(value)) // 3] for value in _WRAPPED)
    yield b"\n".join(line(record) for record in RECORDS[:4])
    yield b"[\n" + b",\n".join(line(record) for record in _TWO) + b",\nx\n]"
    yield base64.b64encode(line(_TWO))


def _csv() -> Iterator[bytes]:
    yield csv_of([log_row(rest())])
    yield csv_of(_ROWS)
    yield csv_of(_ROWS)[:-9]


def _files() -> Iterator[bytes]:
    text = line(rest())
    packed = [
        avro_of(text, None),
        parquet_of([log_row(rest())]),
        gzip.compress(text),
        pa.compress(csv_of(_ROWS), "zstd", asbytes=True),
        text,
    ]
    yield from (bytes([number]) + data for number, data in enumerate(packed[: len(ENDINGS)]))


_SEEDS: Final = {"lines": _texts, "text": _texts, "long": _texts, "csv": _csv, "files": _files}

_TABLE: Final = parquet_of([log_row(rest())])
_DEEP: Final = b'{"value":' * 2_200
FINDINGS: Final = {
    "text: nested envelopes": _DEEP + b"{}" + b"}" * 2_200,
    "text: nested envelopes that break off": _DEEP,
    "long: nested envelopes in arrays": b'[{"value":' * 2_000,
    "files: Parquet with a text that is no UTF-8": b"\1" + _TABLE.replace(b"ScaleSets", b"Sca\xdfeSets"),
    "files: Parquet with a column whose name is no UTF-8": b"\1" + _TABLE.replace(b"CategoryValue", b"Cat\xe5goryValue"),
}
"""What has failed once: the target, and what it was."""
