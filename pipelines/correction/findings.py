"""Findings: what the graph learns of its input and the program must know, left in a folder while the graph runs."""

import os
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from pipelines.correction.published import LEFT_OUT
from pipelines.record.batch_files import get_batch, put_batch
from transforms.core.columns.arrow import no_rows
from transforms.core.decode.glance import Glance, as_bytes, from_bytes
from transforms.core.ledger.input_facts import FACTS

_NAMES = ("facts", "left_out")
_GLANCE: Final = "glance"


class Findings(NamedTuple):
    """Of a whole input."""

    facts: pa.RecordBatch
    """FACTS."""
    left_out: pa.RecordBatch
    """LEFT_OUT: of these scale sets nothing was published."""
    glance: Glance
    """What the run must say of its input."""

    @property
    def all_left_out(self) -> bool:
        """Whether that is so of every scale set."""
        return 0 < len(self.facts) == len(self.left_out)


def leave(folder: str, facts: pa.RecordBatch, left_out: pa.RecordBatch) -> None:
    """Leaves the findings in a folder of this machine; a step that runs again leaves the same."""
    for name, batch in zip(_NAMES, (facts, left_out), strict=True):
        put_batch(os.path.join(folder, name), batch)


def leave_glance(glance: Glance, folder: str) -> None:
    """Leaves the glance at the whole input beside them."""
    Path(folder, _GLANCE).write_bytes(as_bytes(glance))


def found(folder: str) -> Findings:
    """What a finished graph has left; without rows if its input had no events."""
    facts, left_out = (_read(os.path.join(folder, name), schema) for name, schema in zip(_NAMES, (FACTS, LEFT_OUT), strict=True))
    return Findings(facts, left_out, from_bytes(Path(folder, _GLANCE).read_bytes()))


def _read(path: str, schema: pa.Schema) -> pa.RecordBatch:
    return get_batch(path) if os.path.exists(path) else no_rows(schema)
