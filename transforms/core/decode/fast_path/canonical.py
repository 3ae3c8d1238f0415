"""Canonical rows by columns: which of them are plainly right, and their EVENTS (contract: Canonical fields)."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import CANONICAL, COMPARED, ENUMS, KINDS
from transforms.core.columns.arrow import Ints
from transforms.core.decode.fast_path.shapes import Record
from transforms.core.decode.fast_path.times import micros_of
from transforms.core.decode.slow_path.build import CODES, events_of
from transforms.core.decode.terms.settings import Counts, DecodeSettings

Columns = Mapping[str, pa.Array]
"""The canonical columns as strings, plain or coded by int32 (contract: Canonical fields); `time` as int64 microseconds, null if
unacceptable."""

TEXTS = ("kind", "event_id", "scale_set_id", *(name for name in COMPARED if CANONICAL.field(name).type == pa.string()))
_SIGNAL, _FAULT, _OPERATION = range(len(KINDS))
_NEEDED = {
    _SIGNAL: ("state",),
    _FAULT: ("annotation",),
    _OPERATION: ("operation_key", "verb", "phase", "initiator", "target"),
}
_OWN = {
    "state": (_SIGNAL,),
    "annotation": (_FAULT,),
    "instance_id": (_SIGNAL, _FAULT),
    **dict.fromkeys((*_NEEDED[_OPERATION], "instance_ids", "count"), (_OPERATION,)),
}


def columns_of_records(records: Sequence[Record], now: int) -> dict[str, pa.Array]:
    """The columns of JSON records."""
    columns = {name: pa.array([getattr(record, name) or None for record in records], pa.string()) for name in TEXTS}
    micros, timely = micros_of([record.time for record in records], now)
    columns["time"] = pa.array(micros, mask=~timely)
    columns["instance_ids"] = pa.array([record.instance_ids for record in records], pa.list_(pa.string()))
    columns["count"] = pa.array([_small(record.count) for record in records], pa.int64())
    return columns


def canonical_events(columns: Columns, settings: DecodeSettings) -> tuple[pa.RecordBatch, np.ndarray]:
    """EVENTS of the rows that are plainly right, and which rows those are."""
    codes = {name: _enum_codes(columns[name], name) for name in ENUMS}
    kind = codes["kind"]
    good = (kind >= 0) & _valid(columns["event_id"]) & _valid(columns["scale_set_id"]) & _valid(columns["time"])
    for code, needed in _NEEDED.items():
        own = kind == code
        for name in needed:
            good &= ~own | (codes[name] >= 0 if name in codes else _valid(columns[name]))
    operation, named = kind == _OPERATION, codes["target"] == CODES["target"]["named"]
    good &= ~operation | (_known_verbs(columns["verb"], settings) & ~(_numbers(columns["count"]) < 0))
    ids = _instance_ids(columns["instance_ids"], good & operation & named)
    good &= ~(operation & named) | _valid(ids)
    keep = None if good.all() else pa.array(good)
    own_kinds = kind[good]
    return events_of(len(own_kinds), {name: _take(name, columns, codes, ids, keep, own_kinds) for name in _EVENTS}), good


_EVENTS = (*TEXTS, "time", "instance_ids", "count", "second")


def canonical_counts(events: pa.RecordBatch, now: int) -> Counts:
    """Counts of decoded canonical records; `now` in microseconds."""
    kinds = Counter(events["kind"].to_pylist()) if events.num_rows < 64 else _tally(events["kind"])
    counts = Counts(records=events.num_rows, health=kinds["signal"] + kinds["fault"])
    counts.decoded.update({("canonical", kind): number for kind, number in kinds.items() if number})
    counts.note_times(events["time"].cast(pa.int64()).to_numpy(zero_copy_only=False), now)
    return counts


def _tally(kinds: pa.DictionaryArray) -> Counter[str]:
    return Counter(dict(zip(KINDS, np.bincount(kinds.indices.to_numpy(), minlength=len(KINDS)).tolist(), strict=True)))


def _take(
    name: str, columns: Columns, codes: Mapping[str, np.ndarray], ids: pa.Array, keep: pa.Array | None, kinds: np.ndarray
) -> pa.Array:
    """A column of the rows to keep; None: of all."""
    if name == "second":
        return pa.array(np.zeros(len(kinds), bool))
    whole = pa.array(codes[name]) if name in codes else ids if name == "instance_ids" else columns[name]
    array = whole if keep is None else whole.filter(keep)
    if name == "time":
        return array.cast(pa.timestamp("us", "UTC"))
    if name in _OWN:
        array = _only(array, pa.array(np.isin(range(len(KINDS)), _OWN[name])[kinds]))
    return _fold(array) if name in ("scale_set_id", "instance_id") else array


def _only(column: pa.Array, some: pa.BooleanArray) -> pa.Array:
    """The values of some rows; null for the others, which as a rule have none."""
    if not pc.any(pc.and_not(column.is_valid(), some)).as_py():
        return column
    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(_only(column.indices, some), column.dictionary)
    return pc.if_else(some, column, pa.scalar(None, column.type))


def _coded(column: pa.Array) -> tuple[pa.StringArray, Ints]:
    """The values of a column, and for each row which it has; -1 for null."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return coded.dictionary, coded.indices.fill_null(-1).to_numpy()


def _enum_codes(column: pa.Array, name: str) -> np.ndarray:
    values, rows = _coded(column)
    codes = pc.index_in(values, pa.array(ENUMS[name])).fill_null(-1).to_numpy()
    return np.append(codes, -1).astype(np.int8)[rows]


def _valid(column: pa.Array) -> np.ndarray:
    valid: np.ndarray = column.is_valid().to_numpy(zero_copy_only=False)
    return valid


def _numbers(column: pa.Array) -> np.ndarray:
    numbers: np.ndarray = column.fill_null(0).to_numpy(zero_copy_only=False)
    return numbers


def _known_verbs(column: pa.Array, settings: DecodeSettings) -> np.ndarray:
    values, rows = _coded(column)
    known = pc.is_in(values, pa.array(list(settings.policy.verbs), pa.string()))
    return np.append(known.to_numpy(zero_copy_only=False), False).astype(bool)[rows]


def _fold(column: pa.Array) -> pa.DictionaryArray:
    """Case-folded values as a dictionary with each value once."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    folded = pa.array([text.casefold() for text in coded.dictionary.to_pylist()], pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(folded.indices.take(coded.indices), folded.dictionary)


def _instance_ids(column: pa.ListArray, wanted: np.ndarray) -> pa.ListArray:
    """The ids of the wanted rows as sorted lists of folded ids, each once; null for the others, and where none is left."""
    rows = np.flatnonzero(wanted)
    lists = column.take(pa.array(rows))
    values, of_value = _coded(lists.flatten())
    folded = [text.casefold() for text in values.to_pylist()]
    names = sorted({*folded} - {""})
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([*(place.get(name, -1) for name in folded), -1])[of_value]
    of_list = np.repeat(rows, pc.list_value_length(lists).fill_null(0).to_numpy())
    listed = np.unique((of_list * len(names) + codes)[codes >= 0])
    lengths: Ints = np.bincount(listed // max(len(names), 1), minlength=len(column))
    offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
    ids = pa.array(names, pa.string()).take(pa.array(listed % max(len(names), 1)))
    return pa.ListArray.from_arrays(pa.array(offsets), ids, mask=pa.array(lengths == 0))


def _small(count: int | None) -> int | None:
    """A count that fits; one that does not is negative here, and so left to the record's own reading."""
    return count if count is None or count < 2**63 else -1
