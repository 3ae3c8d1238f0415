"""Messages that were handed over and are not acknowledged yet, and when they may be (steps: Source).

A message may be acknowledged when what it led to is durable. Two things are known of runners (measured on Flink): the
finalizer of a bundle runs when a checkpoint completes, also for bundles that ended after that checkpoint was cut; and a
process that survives a restart still holds what it had handed over in the attempt before. Therefore a bundle is acknowledged
one checkpoint late: when a bundle is finalized that was begun after the bundle itself had been. And everything is tied to an
attempt: a shard that resumes anywhere but right behind the last bundle of this process begins a new one, and what it held is
dropped, so that the server delivers it again.

>>> acknowledgements = Acknowledgements()
>>> place, dropped = acknowledgements.resume(0, ShardPosition(0, ""), "a")
>>> acknowledgements.take(0, place, ["x"])
>>> acknowledgements.finalize(0, place)
[]
>>> following, dropped = acknowledgements.resume(0, place.next(), "b")
>>> acknowledgements.take(0, following, ["y"])
>>> acknowledgements.finalize(0, following)
['x']
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class ShardPosition(NamedTuple):
    """The position of a shard: the number of its next bundle, and the attempt that did those before."""

    number: int
    attempt: str

    def next(self) -> "ShardPosition":
        """The position after this one."""
        return ShardPosition(self.number + 1, self.attempt)


@dataclass
class _Bundle:
    ids: list[str] = field(default_factory=list)
    finalized_at: int | None = None
    """The last bundle that the shard had begun when this one was finalized."""


@dataclass
class _ShardBundles:
    attempt: str
    last: int
    bundles: dict[int, _Bundle] = field(default_factory=dict)

    def drain(self) -> list[str]:
        """All ids held; none is afterwards."""
        ids = [one for bundle in self.bundles.values() for one in bundle.ids]
        self.bundles = {}
        return ids


class Acknowledgements:
    """The acknowledgement ids that one process holds, by shard, attempt and bundle. Not safe for threads by itself."""

    def __init__(self) -> None:
        self._shards: dict[int, _ShardBundles] = {}
        self.outstanding = 0
        """The number of ids held."""

    def resume(self, shard: int, place: ShardPosition, fresh: str) -> tuple[ShardPosition, list[str]]:
        """Begins the next bundle of a shard.

        Args:
            shard: which.
            place: where it stands.
            fresh: the name of the attempt that begins, if one does; used nowhere else.

        Returns:
            The place with the attempt that goes on, and the ids that were dropped since the attempt before has ended.
        """
        held = self._shards.get(shard)
        if held is not None and place == ShardPosition(held.last + 1, held.attempt):
            held.last += 1
            held.bundles[place.number] = _Bundle()
            return place, []
        dropped = self.drop(shard)
        self._shards[shard] = _ShardBundles(fresh, place.number, {place.number: _Bundle()})
        return ShardPosition(place.number, fresh), dropped

    def take(self, shard: int, place: ShardPosition, ids: Iterable[str]) -> None:
        """Adds ids that a bundle has handed over; does nothing if its attempt has ended."""
        held = self._of(shard, place)
        if held is not None:
            added = list(ids)
            held.bundles[place.number].ids += added
            self.outstanding += len(added)

    def finalize(self, shard: int, place: ShardPosition) -> list[str]:
        """The ids that may be acknowledged now that the runner calls a bundle final; each is given once."""
        held = self._of(shard, place)
        if held is None:
            return []
        done = [
            number
            for number, bundle in held.bundles.items()
            if bundle.finalized_at is not None and bundle.finalized_at < place.number
        ]
        ids = [one for number in done for one in held.bundles.pop(number).ids]
        for number, bundle in held.bundles.items():
            # A checkpoint that holds one bundle of a shard holds all before it: a finalizer that was lost does no harm.
            if number <= place.number and bundle.finalized_at is None:
                bundle.finalized_at = held.last
        self.outstanding -= len(ids)
        return ids

    def drop(self, shard: int) -> list[str]:
        """Forgets a shard; gives the ids that it held."""
        held = self._shards.pop(shard, None)
        ids = [] if held is None else held.drain()
        self.outstanding -= len(ids)
        return ids

    def _of(self, shard: int, place: ShardPosition) -> _ShardBundles | None:
        held = self._shards.get(shard)
        return held if held is not None and held.attempt == place.attempt and place.number in held.bundles else None
