"""Settled events on disk: those that a run took in and its standings do not keep, by what their copies are told
(rules: Accounted for; contract: Resume).

A standing itself tells the copies of a day. Files of earlier nights that are given again go back further: for those alone the
identities of what each run has settled are read. What a run leaves counts once its standings do, for the runs that go on from
there.
"""

import uuid
from collections.abc import Mapping, Set
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.record.folder import files, put, read, remove_folder
from schemas.time import DAY
from transforms.core.columns.arrow import one_batch
from transforms.core.standing.standing import DROPPED

REMEMBERED: Final = 90 * DAY
"""How long before T identities are kept: Azure itself keeps the Activity Log no longer."""
_FOLDER: Final = "_trueup/settled"


class RunChain(NamedTuple):
    """A chain of runs, each of which went on from the one before. `runs`: T of each by name, in microseconds."""

    root: str
    runs: Mapping[str, int]

    def of(self, sets: pa.Array, since: int) -> pa.RecordBatch:
        """DROPPED of some scale sets, from a moment on."""
        paths = [path for run, until in self.runs.items() if until > since for path in files(self.root, f"{_FOLDER}/{run}/*")]
        return one_batch([_rows(path, sets, since) for path in paths], DROPPED)


def leave_settled(root: str, run: str, settled: list[pa.RecordBatch]) -> None:
    """Writes batches of DROPPED to a file of a run; to none if they have no rows."""
    rows = one_batch(settled, DROPPED)
    if not len(rows):
        return
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_batches([rows]),
        sink,
        compression={"scale_set_id": "zstd", "time": "zstd", "identity": "none"},  # random bits, all of which are read
        use_dictionary=["scale_set_id"],
        column_encoding={"time": "DELTA_BINARY_PACKED", "identity": "PLAIN"},
        write_statistics=False,
    )
    put(root, f"{_FOLDER}/{run}/{uuid.uuid4().hex}.parquet", sink.getvalue())


def forget_settled(root: str, kept: Set[str], before: str) -> None:
    """Removes what runs have left whose names are earlier than one, but for those that are kept."""
    folders = {path.replace("\\", "/").split("/")[-2] for path in files(root, f"{_FOLDER}/*/*")}
    for run in folders - kept:
        if run < before:
            remove_folder(root, f"{_FOLDER}/{run}")


def _rows(path: str, sets: pa.Array, since: int) -> pa.RecordBatch:
    with read(path) as source:
        batches = pq.ParquetFile(source, read_dictionary=["scale_set_id"]).iter_batches()
        return one_batch([_wanted(batch, sets, since) for batch in batches], DROPPED)


def _wanted(batch: pa.RecordBatch, sets: pa.Array, since: int) -> pa.RecordBatch:
    ids = batch.column("scale_set_id")
    own = pc.is_in(ids.dictionary, sets).take(ids.indices)
    return batch.filter(pc.and_(own, pc.greater_equal(batch.column("time"), since))).cast(DROPPED)
