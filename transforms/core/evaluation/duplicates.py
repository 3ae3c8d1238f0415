"""Duplicates: events of one (kind, scale_set_id, event_id, time) are one event; the smallest copy counts (rules: Copies).

A hash of the four fields, computed row by row, finds the few rows that may be copies; only those are compared by their values:

    rows       0  1  2  3  4  5         hash of 1 = hash of 4
    compared      1        4            sorted by identity and fields; all but the first of an identity are dropped

Invariant: equal identities have equal hashes, so no copy is missed; two identities that share a hash are told apart afterwards.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.event import COMPARED
from transforms.core.columns.arrow import codes_of, micros
from transforms.core.columns.hashing import mix, text_hashes
from transforms.core.columns.kernel import Ints, Words, kernel
from transforms.core.columns.text_order import rank_of


class Originals(NamedTuple):
    """Events without duplicates, in order of arrival."""

    events: pa.RecordBatch
    used: int
    """How many records were used."""
    duplicates: int
    """How many records were duplicates."""
    identities: Words
    """`identities` of the events."""


def remove_duplicates(events: pa.RecordBatch) -> Originals:
    """Removes the duplicates among events.

    Args:
        events: A batch of `schemas.event.EVENTS`.
    """
    records = events.num_rows - int(pc.sum(events["second"]).as_py() or 0)
    hashes = identities(events)
    dropped = _later_copies(events, hashes)
    if not len(dropped):
        return Originals(events, records, 0, hashes)
    keep = np.ones(events.num_rows, np.bool_)
    keep[dropped] = False
    kept = events.filter(pa.array(keep))
    second = events["second"].to_numpy(zero_copy_only=False)
    again = int(np.count_nonzero(~second[dropped]))
    return Originals(kept, records - again, again, hashes[keep])


@kernel
def _identity(kind: Ints, scale_set: Ints, time: Ints, event: Words) -> Words:
    out = np.empty(len(time), np.uint64)
    for row in range(len(time)):
        out[row] = mix(mix(mix(event[row], np.uint64(time[row])), np.uint64(kind[row])), np.uint64(scale_set[row]))
    return out


def identities(events: pa.RecordBatch) -> Words:
    """A hash of (kind, scale_set_id, event_id, time) of each event, the same in every batch and process."""
    ids = events["scale_set_id"]
    of_set = text_hashes(ids.dictionary)[ids.indices.to_numpy()].view(np.int64)
    return _identity(codes_of(events["kind"]), of_set, micros(events, "time"), text_hashes(events["event_id"]))


def later_copies(events: pa.RecordBatch) -> Ints:
    """The rows that are copies of another that counts; of equal ones, the first counts."""
    return _later_copies(events, identities(events))


def _later_copies(events: pa.RecordBatch, hashes: Words) -> Ints:
    order = np.argsort(hashes)
    same = hashes[order][1:] == hashes[order][:-1]
    if not same.any():
        return np.empty(0, np.int64)
    alike = np.zeros(len(order), np.bool_)
    alike[1:] |= same
    alike[:-1] |= same
    rows = np.sort(order[alike])
    return rows[_behind_another(events.take(pa.array(rows)))]


def _behind_another(events: pa.RecordBatch) -> Ints:
    """Among a few events the rows that follow another of the same identity, in order of their fields (and `second` last)."""
    ids = events["event_id"].dictionary_encode()
    identity = (codes_of(ids), micros(events, "time"), codes_of(events["scale_set_id"]), codes_of(events["kind"]))
    second = events["second"].to_numpy(zero_copy_only=False).astype(np.int64)
    fields = [_field_ranks(events[name]) for name in COMPARED]
    order = np.lexsort((second, *fields[::-1], *identity))
    same = np.logical_and.reduce([code[order][1:] == code[order][:-1] for code in identity])
    return order[1:][same]


def _field_ranks(column: pa.Array) -> Ints:
    """Ranks that compare as copies do (rules: Copies): null before any value, text by code point, lists as sorted lists."""
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    if pa.types.is_list(column.type):
        column = _sorted_lists(column)
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    ranks = np.r_[rank_of(coded.dictionary), -1]
    return ranks[codes_of(coded)]


def _sorted_lists(column: pa.ListArray) -> pa.StringArray:
    """Each list as the text of its sorted values; null stays null."""
    joined = pc.binary_join(column, "\0").dictionary_encode()
    texts = ["\0".join(sorted(set(text.split("\0")))) for text in joined.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(joined.indices, pa.array(texts, pa.string())).cast(pa.string())
