"""Findings: what the graph learns of its input and the program must know, left in a folder while the graph runs."""

import os
from typing import NamedTuple

import pyarrow as pa

from pipelines.known import REFUSED
from transforms.core.columns import no_rows
from transforms.core.facts import FACTS

_NAMES = ("facts", "refused")


class Findings(NamedTuple):
    """Of a whole input."""

    facts: pa.RecordBatch
    """FACTS."""
    refused: pa.RecordBatch
    """REFUSED: where it has rows, nothing was published."""


def leave(folder: str, facts: pa.RecordBatch, refused: pa.RecordBatch) -> None:
    """Leaves the findings in a folder of this machine; a step that runs again leaves the same."""
    for name, batch in zip(_NAMES, (facts, refused), strict=True):
        with pa.OSFile(os.path.join(folder, name), "wb") as file, pa.ipc.new_stream(file, batch.schema) as stream:
            stream.write_batch(batch)


def found(folder: str) -> Findings:
    """What a finished graph has left; without rows if its input had no events."""
    facts, refused = (_read(os.path.join(folder, name), schema) for name, schema in zip(_NAMES, (FACTS, REFUSED), strict=True))
    return Findings(facts, refused)


def _read(path: str, schema: pa.Schema) -> pa.RecordBatch:
    if not os.path.exists(path):
        return no_rows(schema)
    with pa.OSFile(path) as file, pa.ipc.open_stream(file) as stream:
        return stream.read_next_batch()
