"""How a table's rows become a Parquet file."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.record.tables import parquet, row_group_size
from transforms.core.columns.arrow import dictionary_column

ROWS = 160_000
GROUPS = ROWS // row_group_size(ROWS)


@pytest.mark.parametrize("ids", [1, 100, ROWS // 2, ROWS])
def test_no_row_group_carries_ids_that_it_has_not(ids: int) -> None:
    names = pa.array([f"{number:0200}" for number in range(ids)])
    codes = pa.array(range(ROWS)).to_numpy() % min(ids, 50)
    file = parquet(pa.RecordBatch.from_arrays([dictionary_column(codes, names)], ["scale_set_id"]))
    read = pq.ParquetFile(pa.BufferReader(file))
    assert read.read().column(0).combine_chunks().equals(names.take(pa.array(codes)))
    sizes = [read.metadata.row_group(group).column(0).total_uncompressed_size for group in range(read.num_row_groups)]
    assert len(sizes) == GROUPS == 8
    assert max(sizes) < 50_000, "a hundred ids of 200 bytes, and codes"
