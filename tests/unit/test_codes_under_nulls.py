"""What stands under a null of a dictionary column is an index of the dictionary.

Arrow follows it when it unifies dictionaries: one that points outside reads foreign memory, and at the second time crashes.
"""

import numpy as np
import pyarrow as pa

from schemas.policy import Policy
from tests.fixtures.decoding import SETTINGS
from tests.fixtures.native import INSTANCE, SET, line, status_event
from tests.support.build import at, down, fault, op, signal, to_batch, up
from transforms.core.columns.batches import compact
from transforms.core.decode import decode_records
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.report.series import rows_of, table_of

_TYPES = {8: np.int8, 16: np.int16, 32: np.int32}


def outside(batch: pa.RecordBatch) -> list[str]:
    """The dictionary columns with an index, under a null or not, that is none of their dictionary."""
    columns = zip(batch.schema.names, batch.columns, strict=True)
    return [name for name, column in columns if pa.types.is_dictionary(column.type) and _is_outside(column)]


def _is_outside(column: pa.DictionaryArray) -> bool:
    indices = column.indices
    buffer = indices.buffers()[1]
    if buffer is None:
        return False
    raw = np.frombuffer(buffer, _TYPES[indices.type.bit_width])[indices.offset : indices.offset + len(indices)]
    return bool(((raw < 0) | (raw >= max(len(column.dictionary), 1))).any())


def test_decoded_events() -> None:
    records = [line(status_event(target=target)) for target in (SET, INSTANCE, SET)]
    assert outside(decode_records(records, "test", 1, SETTINGS).events) == []


def test_compacted_events() -> None:
    events = to_batch([*up(0, "1", "2"), signal(1, None, "Degraded"), op(2, "restart", "started", "1"), fault(3, None)])
    assert outside(compact(events.slice(1))) == []
    assert outside(compact(events.slice(2))) == []


def test_rows_of_all_tables() -> None:
    events = [*up(0, None, "1"), *down(9, None), *down(5, "1"), op(4000, "restart", "started", "1"), *down(4010, "2")]
    for rows in evaluate(to_batch(events), Policy(), at(7200))[:3]:
        assert outside(rows) == []


def test_series_of_a_report() -> None:
    rows = evaluate(to_batch([*up(0, "1"), op(10, "delete", "succeeded", "1")]), Policy(), at(7200)).availability
    assert rows.column("reported_state").null_count
    series = table_of(rows_of(pa.Table.from_batches([rows])))
    assert [name for batch in series.to_batches() for name in outside(batch)] == []
