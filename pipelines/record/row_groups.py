"""Reads of one Parquet file: only row groups whose statistics admit a wanted scale set, and of these only some columns."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.failures import RunError
from pipelines.record.folder import read
from schemas.wording import first_line

Ids = npt.NDArray[np.object_]
"""Ids of scale sets, ascending."""
_DICTIONARIES: Final = frozenset(
    ("scale_set_id", "reported_state", "state", "instance_id", "verb", "verdict", "worst_state", "initiator", "policy")
)


class ReadVolume(NamedTuple):
    """How much of a file was read, for measurements."""

    row_groups: int
    of_row_groups: int
    bytes: int


class RowGroups(NamedTuple):
    """What was read of a file."""

    rows: pa.Table
    volume: ReadVolume


def read_row_groups(path: str, columns: Sequence[str], ids: Ids | None) -> RowGroups:
    """The rows of all row groups that may hold one of some scale sets (None: of any), other sets' rows among them.

    Raises:
        RunError: the file is damaged, or lacks a column.
        FileNotFoundError: it has gone.
    """
    with read(path) as source:
        try:
            file = _opened(path, source, columns)
            groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
            names = [file.metadata.schema.column(place).path.split(".")[0] for place in range(file.metadata.num_columns)]
            place = names.index("scale_set_id")
            wanted = [number for number, group in enumerate(groups) if ids is None or _may_hold(group.column(place), ids)]
            rows = file.read_row_groups(wanted, columns=list(columns), use_threads=False).combine_chunks()
        except (pa.ArrowInvalid, OSError) as error:
            raise RunError(f"{path}: a whole Parquet file is required, and this one is damaged ({first_line(error)}).") from error
        places = [place for place, name in enumerate(names) if name in columns]
        size = sum(groups[number].column(place).total_compressed_size for number in wanted for place in places)
        return RowGroups(rows, ReadVolume(len(wanted), len(groups), size))


def _opened(path: str, source: pa.NativeFile, columns: Sequence[str]) -> pq.ParquetFile:
    metadata = pq.read_metadata(source)
    lacking = sorted(set(columns).difference(metadata.schema.to_arrow_schema().names))
    if lacking:
        raise RunError(f"{path}: a column {lacking[0]} is required, and there is none.")
    return pq.ParquetFile(source, metadata=metadata, read_dictionary=[name for name in columns if name in _DICTIONARIES])


def _may_hold(chunk: pq.ColumnChunkMetaData, ids: Ids) -> bool:
    """Whether one of the ids lies between the least and the greatest of a row group."""
    statistics = chunk.statistics
    if statistics is None or not statistics.has_min_max:
        return True
    first = np.searchsorted(ids, statistics.min)
    return bool(first < len(ids) and ids[first] <= statistics.max)
