"""Columns of resource ids to scale sets and instances: each text of a chunk is parsed once."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from schemas.azure.inventory import Inventory
from schemas.azure.resource import Place, parse_resource
from transforms.core.columns.arrow import dictionary_column

PLACED: Final = 0
OTHER: Final = 1
UNPLACED: Final = 2
ABSENT: Final = 3
_MACHINE: Final = 4


_parse: Final = lru_cache(1 << 16)(parse_resource)
"""Of scale sets, which are the same in all chunks of an input."""


class TargetColumns(NamedTuple):
    """The targets of records, one row each: the kind (PLACED, OTHER, UNPLACED, ABSENT), and codes of `Places`, -1 for none."""

    found: np.ndarray
    sets: np.ndarray
    instances: np.ndarray


class Places:
    """The scale sets and instances of one chunk, numbered in the order in which they are met."""

    def __init__(self, inventory: Inventory | None) -> None:
        self._inventory = inventory
        self._sets: dict[str, int] = {}
        self._instances: dict[str, int] = {}

    def resolve(self, targets: Sequence[str | None], micros: np.ndarray) -> TargetColumns:
        """Where each target belongs at its time (microseconds)."""
        index: dict[str | None, int] = {}
        codes = np.fromiter((index.setdefault(target, len(index)) for target in targets), np.int64, len(targets))
        known = list(chain.from_iterable(map(self._parse, index)))
        found, sets, instances = np.array(known, np.int32).reshape(-1, 3)[codes].T.copy()
        for row in np.flatnonzero(found == _MACHINE).tolist():
            found[row], sets[row], instances[row] = self._owner(targets[row], int(micros[row]))
        return TargetColumns(found, sets, instances)

    def set_ids(self, codes: np.ndarray) -> pa.DictionaryArray:
        """Scale set ids of codes."""
        return _dictionary(codes, self._sets)

    def instance_ids(self, codes: np.ndarray) -> pa.DictionaryArray:
        """Instance ids of codes; null where a code is -1."""
        return _dictionary(codes, self._instances)

    def instance_names(self) -> list[str]:
        """Instance ids by code."""
        return list(self._instances)

    def _parse(self, target: str | None) -> tuple[int, int, int]:
        if target is None:
            return ABSENT, -1, -1
        folded = target.casefold()
        scale_set_id, is_below, name = folded.rpartition("/virtualmachines/")
        if name and "/" not in name and _parse(scale_set_id) == (scale_set_id, None):
            return self._codes(Place(scale_set_id, name))
        resource = parse_resource(folded) if is_below else _parse(folded)
        if resource is None:
            return OTHER, -1, -1
        if isinstance(resource, Place):
            return self._codes(resource)
        known = self._inventory is not None and self._inventory.rows_of(resource.vm_id)
        return (_MACHINE if known else UNPLACED), -1, -1

    def _owner(self, target: str | None, time: int) -> tuple[int, int, int]:
        machine = parse_resource(target or "")
        assert self._inventory is not None
        assert machine is not None
        place = self._inventory.place(machine[0], time)
        return (UNPLACED, -1, -1) if place is None else self._codes(place)

    def _codes(self, place: Place) -> tuple[int, int, int]:
        scale_set = self._sets.setdefault(place.scale_set_id, len(self._sets))
        if place.instance_id is None:
            return PLACED, scale_set, -1
        return PLACED, scale_set, self._instances.setdefault(place.instance_id, len(self._instances))


def _dictionary(codes: np.ndarray, index: dict[str, int]) -> pa.DictionaryArray:
    return dictionary_column(codes, pa.array(list(index), pa.string()), codes < 0)
