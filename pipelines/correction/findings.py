"""Findings: what the graph learns of its input and the program must know, left in a folder while the graph runs.

A folder that the workers reach: one of this machine only where they are in this process.
"""

from typing import Final, NamedTuple

import pyarrow as pa

from pipelines.correction.published import LEFT_OUT
from pipelines.record.folder import put_over, read_all
from transforms.coders import batch_as_bytes, batch_from_bytes
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
    """Leaves the findings in a folder; a step that runs again leaves the same."""
    for name, batch in zip(_NAMES, (facts, left_out), strict=True):
        put_over(folder, name, batch_as_bytes(batch))


def leave_glance(glance: Glance, folder: str) -> None:
    """Leaves the glance at the whole input beside them."""
    put_over(folder, _GLANCE, as_bytes(glance))


def found(folder: str) -> Findings:
    """What a finished graph has left; without rows if its input had no events."""
    facts, left_out = (_read(folder, name, schema) for name, schema in zip(_NAMES, (FACTS, LEFT_OUT), strict=True))
    (glance,) = read_all(folder, _GLANCE)
    return Findings(facts, left_out, from_bytes(glance))


def _read(folder: str, name: str, schema: pa.Schema) -> pa.RecordBatch:
    return next((batch_from_bytes(content) for content in read_all(folder, name)), no_rows(schema))
