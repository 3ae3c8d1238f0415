"""Versions: which of each cell is current, read from the `revisions` files of a folder (contract: Current rows)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.record.folder import files, read
from pipelines.record.tables import day_number
from schemas.time import DAY
from transforms.core.columns.arrow import Ints, micros, no_rows, one_batch
from transforms.core.ledger.changes import PUBLISHED, ROWS
from transforms.core.ledger.digests import from_text

_COLUMNS: Final = ["scale_set_id", "cell", "as_of", "revision", *ROWS, "digest"]
_THREADS: Final = 4


def current_versions(root: str, sets: pa.StringArray, since: int | None, until: int) -> pa.RecordBatch:
    """PUBLISHED: the current version of each cell in [since, until), in microseconds, of some scale sets.

    Args:
        root: the folder of the tables.
        sets: ids of scale sets, each once.
        since: None for all that is older than `until`.
        until: end of the last cell.
    """
    first = -(2**31) if since is None else since // DAY
    paths = [path for path in files(root, "revisions/day=*/*.parquet") if first <= day_number(path) <= until // DAY]
    with ThreadPoolExecutor(_THREADS) as pool:
        batches = [batch for batch in pool.map(lambda path: _versions(path, sets, since, until), paths) if len(batch)]
    return latest(one_batch(batches, PUBLISHED)) if batches else no_rows(PUBLISHED)


def latest(versions: pa.RecordBatch) -> pa.RecordBatch:
    """Of the versions of each cell the one with the latest as_of; of exact copies one."""
    code: Ints = versions.column("scale_set_id").indices.to_numpy()
    cell = micros(versions, "cell")
    order = np.lexsort((micros(versions, "as_of"), cell, code))
    last = np.ones(len(order), np.bool_)
    last[:-1] = (np.diff(code[order]) != 0) | (np.diff(cell[order]) != 0)
    return versions if last.all() else versions.take(pa.array(order[last]))


def _versions(path: str, sets: pa.StringArray, since: int | None, until: int) -> pa.RecordBatch:
    with read(path) as source:
        table = pq.read_table(source, columns=_COLUMNS, read_dictionary=["scale_set_id"], use_threads=False)
    rows = one_batch(table.to_batches(), table.schema)
    return _known(rows.filter(pa.array(_asked(rows, sets, since, until))))


def _asked(rows: pa.RecordBatch, sets: pa.StringArray, since: int | None, until: int) -> npt.NDArray[np.bool_]:
    ids, cell = rows.column("scale_set_id"), micros(rows, "cell")
    asked: npt.NDArray[np.bool_] = pc.is_in(ids.dictionary, sets).to_numpy(zero_copy_only=False)[ids.indices.to_numpy()]
    return asked & (cell < until) & (cell >= (cell if since is None else since))


def _known(rows: pa.RecordBatch) -> pa.RecordBatch:
    total = sum(rows.column(name).to_numpy() for name in ROWS)
    digest = pa.array(from_text(rows.column("digest")))
    columns = [*(rows.column(name) for name in ("scale_set_id", "cell", "as_of", "revision")), pa.array(total), digest]
    return pa.RecordBatch.from_arrays(columns, schema=PUBLISHED)
