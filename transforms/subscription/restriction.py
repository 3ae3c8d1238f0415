"""Where the shards of an endless source stand, as Beam wants to know it: coder, tracker, and watermark of a splittable DoFn."""

from typing import Final

from apache_beam.coders import Coder, StrUtf8Coder, TimestampCoder, TupleCoder, VarIntCoder
from apache_beam.io.iobase import RestrictionProgress, RestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.transforms.core import RestrictionProvider, WatermarkEstimatorProvider
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp

from transforms.core.subscription.acknowledgements import ShardPosition


class ShardPositionCoder(Coder):
    """One `ShardPosition`; its bytes are no pickle, since they lie in the state of a running job."""

    _pair: Final = TupleCoder((VarIntCoder(), StrUtf8Coder()))

    def encode(self, place: ShardPosition) -> bytes:
        """The number, then the attempt."""
        return bytes(self._pair.encode(tuple(place)))

    def decode(self, encoded: bytes) -> ShardPosition:
        """The place."""
        return ShardPosition(*self._pair.decode(encoded))

    def is_deterministic(self) -> bool:
        """Equal places have equal bytes."""
        return True

    def to_type_hint(self) -> type:
        """What it codes."""
        return ShardPosition

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class ShardPositionTracker(RestrictionTracker):
    """The rest of a shard from a place on: it has no end, and a bundle claims one place of it."""

    def __init__(self, place: ShardPosition) -> None:
        self._place = place
        self._claimed: ShardPosition | None = None
        self._split = False

    def current_restriction(self) -> ShardPosition:
        """The place from which the rest goes on."""
        return self._place

    def try_claim(self, position: ShardPosition) -> bool:
        """Claims the place, in the name of the attempt that reads there; once."""
        if self._split or self._claimed is not None:
            return False
        self._claimed = position
        return True

    def try_split(self, fraction_of_remainder: float) -> tuple[ShardPosition, ShardPosition] | None:
        """What is claimed, and the rest; there is no other split."""
        if fraction_of_remainder or self._split:
            return None
        self._split = True
        return self._place, self._place if self._claimed is None else self._claimed.next()

    def check_done(self) -> bool:
        """Nothing may be left but what was split off.

        Raises:
            ValueError: the rest was left without a split.
        """
        if not self._split:
            raise ValueError(f"the rest behind {self._place} was neither read nor deferred")
        return True

    def current_progress(self) -> RestrictionProgress:
        """Always as much left as done."""
        return RestrictionProgress(completed=1, remaining=1)

    def is_bounded(self) -> bool:
        """It has no end."""
        return False


class ShardPositionProvider(RestrictionProvider):
    """Shards begin at their first bundle."""

    def initial_restriction(self, element: int) -> ShardPosition:
        """The first place."""
        return ShardPosition(0, "")

    def create_tracker(self, restriction: ShardPosition) -> ShardPositionTracker:
        """The tracker of a rest."""
        return ShardPositionTracker(restriction)

    def restriction_size(self, element: int, restriction: ShardPosition) -> int:
        """All shards are alike."""
        return 1

    def restriction_coder(self) -> Coder:
        """The coder of places."""
        return ShardPositionCoder()


class WatermarkProvider(WatermarkEstimatorProvider):
    """A watermark that the source sets, and that its state remembers."""

    def initial_estimator_state(self, element: int, restriction: ShardPosition) -> Timestamp:
        """Nothing is known."""
        return MIN_TIMESTAMP

    def create_watermark_estimator(self, estimator_state: Timestamp) -> ManualWatermarkEstimator:
        """The estimator that goes on from there."""
        return ManualWatermarkEstimator(estimator_state)

    def estimator_state_coder(self) -> Coder:
        """Beam's default would be pickle."""
        return TimestampCoder()
