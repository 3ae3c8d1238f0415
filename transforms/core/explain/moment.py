"""A moment of a scale set: what was reported, what counts, and what is behind it (contract: trueup explain)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import pyarrow as pa

from schemas.tables.availability import CLASSES, RAW
from schemas.time import DAY
from transforms.core.explain.explanation import COUNTED, Part, Stretch, micros_or_none
from transforms.core.explain.history import AnswerRevision

SERIES: Final = ("start", "end", "reported_state", "state", *RAW, *CLASSES)
"""Columns of table `availability` that an explanation reads."""
OPERATIONS: Final = (
    "scale_set_id", "operation_key", "verb", "initiator", "outcome", "target", "instance_ids", "start", "end", "limit", "excuses",
)  # fmt: skip
"""Columns of table `operations` that an explanation reads."""


class State(NamedTuple):
    """A row of the series that holds the moment."""

    reported: str | None
    since: int
    """From when on the same was reported, as far as was read; microseconds."""
    until: int
    corrected: str
    raw: Mapping[str, int]
    """Instances by reported state, in the names of RAW."""
    classes: Mapping[str, int]
    """Instances by class."""

    @property
    def bad(self) -> int:
        """Instances that count as bad."""
        return sum(self.classes[name] for name in ("degraded", "unavailable", "overrun"))

    @property
    def present(self) -> int:
        """Instances that are there at all."""
        return sum(self.classes.values())


class OperationRow(NamedTuple):
    """A row of table `operations`; times in microseconds."""

    key: str
    verb: str
    initiator: str
    outcome: str
    target: str
    named: tuple[str, ...]
    start: int
    end: int | None
    limit: int
    excuses: bool


class NearestOperations(NamedTuple):
    """The operations nearest to the beginning of an unexplained episode; None if there is none within a day."""

    before: OperationRow | None
    """The one whose limit is the last before it."""
    after: OperationRow | None
    """The first that began too late to have caused it."""


class Moment(NamedTuple):
    """What is told of a moment; times in microseconds."""

    at: int
    state: State
    parts: tuple[Part, ...]
    """Of the attributions that cover it."""
    operations: Mapping[tuple[str, str, int], OperationRow]
    """Those that the parts name, by key, verb and start."""
    near: NearestOperations | None
    """Of the first unexplained part."""
    stretch: Stretch | None
    """The stretch that it lies in."""
    before: Stretch | None
    """The last one that had ended."""
    after: Stretch | None
    """The next one."""
    history: tuple[AnswerRevision, ...]
    """How what is told came about, the first version first."""


class Explanation(NamedTuple):
    """What is told of a scale set; times in microseconds."""

    scale_set_id: str
    known: tuple[int, int]
    """From when to when anything is known of it; the end is T."""
    policy: Mapping[str, Any]
    """The one that the rows were made with (schemas.policy.Policy, as plain values)."""
    stretches: tuple[Stretch, ...]
    """The latest ones, in order of time; empty if a moment is told."""
    earlier: bool
    """Whether there are earlier ones."""
    moment: Moment | None


def state_at(series: pa.Table, at: int) -> State:
    """The state at a moment, and how long the reported one lasts.

    Args:
        series: current rows of one scale set in order of `start`, one of which holds the moment.
        at: microseconds.
    """
    start, end = (series.column(name).cast(pa.int64()).to_pylist() for name in ("start", "end"))
    reported = series.column("reported_state").to_pylist()
    first = last = next(k for k in range(len(start)) if start[k] <= at < end[k])
    row = series.slice(first, 1).to_pylist()[0]
    while first > 0 and reported[first - 1] == reported[last] and end[first - 1] == start[first]:
        first -= 1
    while last + 1 < len(start) and reported[last + 1] == reported[first] and start[last + 1] == end[last]:
        last += 1
    counts = ({name: row[name] for name in names} for names in (RAW, CLASSES))
    return State(row["reported_state"], start[first], end[last], row["state"], *counts)


def operations_of(rows: pa.Table) -> list[OperationRow]:
    """Rows of table `operations` as they are told."""
    return [
        OperationRow(
            row["operation_key"],
            row["verb"],
            row["initiator"],
            row["outcome"],
            row["target"],
            tuple(row["instance_ids"] or ()),
            micros_or_none(row["start"]) or 0,
            micros_or_none(row["end"]),
            micros_or_none(row["limit"]) or 0,
            row["excuses"],
        )
        for row in rows.to_pylist()
    ]


def nearest(operations: Iterable[OperationRow], part: Part, skew: int) -> NearestOperations:
    """Which operations came nearest to explaining what none explains (rules: Candidates).

    Args:
        operations: of the scale set.
        part: of verdict unexplained.
        skew: by how much clocks differ, in microseconds.
    """
    onset = part.onset[0]
    near = [one for one in operations if part.own or (_targets(one, part.instances) and abs(one.start - onset) < DAY)]
    before = max((one for one in near if one.limit <= onset), key=lambda one: (one.limit, one.key), default=None)
    after = min((one for one in near if one.start - skew > onset), key=lambda one: (one.start, one.key), default=None)
    return NearestOperations(before, after)


def _targets(operation: OperationRow, instances: tuple[str, ...]) -> bool:
    return operation.target != "named" or bool(set(operation.named) & set(instances))


def counts(parts: Iterable[Part]) -> bool:
    """Whether anything of some parts counts."""
    return any(part.verdict in COUNTED for part in parts)
