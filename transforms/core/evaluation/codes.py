"""Codes: events with their ids as integers whose order is that of the texts, split by kind, as the kernels take them."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import KINDS
from transforms.core.columns.arrow import Ints, codes_of, micros
from transforms.core.columns.text_order import rank_of
from transforms.core.rules.lines import Signals
from transforms.core.rules.operations import Records

_SIGNAL, _FAULT, _OPERATION = range(len(KINDS))


class CodeTexts(NamedTuple):
    """The texts of the codes of a batch, each sorted by code point (verbs in order of their codes)."""

    set_ids: pa.StringArray
    instance_ids: pa.StringArray
    keys: pa.StringArray
    verbs: list[str]


class CodedEvents(NamedTuple):
    """Events as codes: sorted texts, and the codes of signals, fault notices and operation records."""

    texts: CodeTexts
    signals: Signals
    faults: Signals
    records: Records


def _sorted_codes(column: pa.DictionaryArray, more: pa.StringArray | None = None) -> tuple[pa.StringArray, Ints, Ints]:
    """Sorted texts of a dictionary column (and of `more`), the code of each row (-1: null) and of each of `more`."""
    own = column.dictionary.cast(pa.string())
    encoded = pa.chunked_array([own] if more is None else [own, more]).dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    rank = rank_of(encoded.dictionary)
    place = rank[encoded.indices.to_numpy()]
    texts = encoded.dictionary.take(pa.array(np.argsort(rank)))
    codes = np.append(place[: len(own)], -1)[codes_of(column)]
    return texts, codes, place[len(own) :]


def encode(events: pa.RecordBatch, more_sets: pa.StringArray | None = None) -> CodedEvents:
    """Splits events by kind and turns ids into codes whose order is that of the texts (code point order).

    Args:
        events: EVENTS.
        more_sets: scale sets that have codes though they may have no events.
    """
    kind = codes_of(events["kind"])
    operations = events.filter(pa.array(kind == _OPERATION))
    lists = operations["instance_ids"]
    named = lists.flatten()
    set_ids, of_set, _ = _sorted_codes(events["scale_set_id"], more_sets)
    instance_ids, of_instance, of_named = _sorted_codes(events["instance_id"], named)
    time = micros(events, "time")
    state = codes_of(events["state"])

    def signals(which: int) -> Signals:
        rows = np.flatnonzero(kind == which)
        return Signals(of_set[rows], of_instance[rows] + 1, time[rows], state[rows], events["event_id"], rows)

    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    keys, of_key, _ = _sorted_codes(operations["operation_key"])
    verbs = operations["verb"].dictionary.to_pylist()
    records = Records(
        of_set[kind == _OPERATION], time[kind == _OPERATION], of_key, codes_of(operations["verb"]), codes_of(operations["phase"]),
        codes_of(operations["initiator"]), codes_of(operations["target"]),
        operations["count"].fill_null(-1).to_numpy(zero_copy_only=False), operations["event_id"], keys, verbs,
        np.repeat(np.arange(len(lengths)), lengths), of_named + 1,
    )  # fmt: skip
    return CodedEvents(CodeTexts(set_ids, instance_ids, keys, verbs), signals(_SIGNAL), signals(_FAULT), records)
