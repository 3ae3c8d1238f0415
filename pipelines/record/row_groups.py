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
            wanted = [number for number, group in enumerate(groups) if ids is None or _may_hold(group, ids)]
            rows = file.read_row_groups(wanted, columns=list(columns), use_threads=False)
        except (pa.ArrowInvalid, OSError) as error:
            raise RunError(f"{path}: a whole Parquet file is required, and this one is damaged ({first_line(error)}).") from error
        return RowGroups(rows, ReadVolume(len(wanted), len(groups), _size([groups[number] for number in wanted], columns)))


def _opened(path: str, source: pa.NativeFile, columns: Sequence[str]) -> pq.ParquetFile:
    metadata = pq.read_metadata(source)
    lacking = sorted(set(columns).difference(metadata.schema.to_arrow_schema().names))
    if lacking:
        raise RunError(f"{path}: a column {lacking[0]} is required, and there is none.")
    return pq.ParquetFile(source, metadata=metadata, read_dictionary=[name for name in columns if name in _DICTIONARIES])


def _may_hold(group: pq.RowGroupMetaData, ids: Ids) -> bool:
    """Whether one of the ids lies between the least and the greatest of a row group."""
    names = (group.column(place).path_in_schema for place in range(group.num_columns))
    place = next(place for place, name in enumerate(names) if name == "scale_set_id")
    statistics = group.column(place).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    first = np.searchsorted(ids, statistics.min)
    return bool(first < len(ids) and ids[first] <= statistics.max)


def _size(groups: Sequence[pq.RowGroupMetaData], columns: Sequence[str]) -> int:
    chunks = (group.column(place) for group in groups for place in range(group.num_columns))
    return sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in columns)
