"""What decoding is told, and what it answers (contract: Input)."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from schemas.azure.inventory import Inventory
from schemas.policy import Policy
from transforms.core.decode.terms.unread import Unread

FORMATS: Final = ("auto", "eventgrid", "activitylog", "resourcegraph", "canonical")


@dataclass(frozen=True)
class DecodeSettings:
    """`now` in microseconds, injected; `format` one of FORMATS; `keep_payload` keeps the text of rejected records."""

    policy: Policy
    now: int
    inventory: Inventory | None = None
    format: str = "auto"
    keep_payload: bool = False

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {self.format!r}")

    @cached_property
    def context(self) -> dict[str, Any]:
        """What the models of canonical events need to know."""
        return {"now": self.now, "verbs": frozenset(self.policy.verbs)}


@dataclass
class Counts:
    """Counts of records; they add up: records = decoded + ignored + rejected.

    `decoded` is by (format, kind of the first event), `ignored` by kind, `rejected` by reason. `health` counts the health
    records of a known kind that are not rejected, `unplaced` those of them whose machine no inventory row places. `earliest`
    and `latest` are times of accepted events in microseconds, `latest` of those at or before now: what lies after now does
    not move T.
    """

    records: int = 0
    decoded: Counter[tuple[str, str]] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    health: int = 0
    unplaced: int = 0
    earliest: int | None = None
    latest: int | None = None
    unread: Unread = field(default_factory=Unread)
    """Those of the ignored ones that are of no format."""

    def note_times(self, micros: np.ndarray, now: int) -> None:
        """Takes in the times of accepted events (microseconds)."""
        if not len(micros):
            return
        own = Counts(earliest=int(micros.min()))
        known = micros[micros <= now]
        own.latest = int(known.max()) if len(known) else None
        self.earliest, self.latest = _outermost(min, self.earliest, own.earliest), _outermost(max, self.latest, own.latest)

    def note_time(self, micros: int, now: int) -> None:
        """Takes in the time of one accepted event (microseconds)."""
        self.earliest = _outermost(min, self.earliest, micros)
        if micros <= now:
            self.latest = _outermost(max, self.latest, micros)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.records + other.records,
            self.decoded + other.decoded,
            _most(self.ignored + other.ignored),
            self.rejected + other.rejected,
            self.health + other.health,
            self.unplaced + other.unplaced,
            _outermost(min, self.earliest, other.earliest),
            _outermost(max, self.latest, other.latest),
            self.unread + other.unread,
        )


MOST: Final = 1_000
"""Kinds of ignored records that are told apart."""


def _most(kinds: Counter[str]) -> Counter[str]:
    """The first kinds by name, which come to the same whatever is added up first; those beyond them together."""
    if len(kinds) > MOST:
        beyond = {kind: kinds.pop(kind) for kind in sorted(kinds.keys() - {"others"})[MOST:]}
        kinds["others"] += sum(beyond.values())
    return kinds


class DecodeResult(NamedTuple):
    """Events (EVENTS, compact), rejects (REJECTS) and counts of a piece of input."""

    events: pa.RecordBatch
    rejects: pa.RecordBatch
    counts: Counts


def _outermost(choose: Any, one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return choose(known) if known else None
