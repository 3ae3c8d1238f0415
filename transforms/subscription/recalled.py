"""What a stream knows before its first message: one shard of the source hands it over, and no shard reads until it is durable."""

from collections.abc import Iterator
from typing import Final, Literal, Protocol, TypeAlias

from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import TimestampedValue

from transforms.core.ledger.decisions import LedgerInput

RECALLED: Final = "recalled"
RecalledOutput: TypeAlias = TaggedOutput[Literal["recalled"], TimestampedValue]
FIRST_SHARD: Final = 0
"""The shard that hands over what is recalled."""


class Recalled(Protocol):
    """Where it comes from, and whether the stream has it. Asked by the workers."""

    def inputs(self) -> Iterator[tuple[str, LedgerInput]]:
        """The ledger's inputs, by key; the same ones again if a bundle is run again before it is durable."""

    def is_durable(self) -> bool:
        """Whether a checkpoint holds what the ledger has made of them."""

    def note_durable(self) -> None:
        """Takes note that one does."""


class NothingRecalled:
    """Of a stream that begins cold."""

    def inputs(self) -> Iterator[tuple[str, LedgerInput]]:
        """None."""
        yield from ()

    def is_durable(self) -> bool:
        """There is nothing to wait for."""
        return True

    def note_durable(self) -> None:
        """Nothing to note."""
