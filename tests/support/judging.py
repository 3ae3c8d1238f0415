"""The answer of an evaluator in the seconds of a timeline, asked for by what a rule speaks of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from schemas.policy import Policy
from schemas.time import HOUR, SECOND
from tests.support.build import EPOCH, Event, at
from tests.support.evaluators import evaluate
from tests.support.plain import Plain

Row = dict[str, Any]
Span = tuple[float, float]
_TIMES = ("start", "end", "onset", "limit", "operation_start", "operation_end", "cell")
DEFAULT = Policy()


@dataclass(frozen=True)
class Judged:
    """The three tables with times in seconds since the epoch of the timeline."""

    availability: list[Row]
    attributions: list[Row]
    operations: list[Row]

    def rows(self, instance: str | None) -> list[Row]:
        """The attribution rows of one instance, or of the set itself."""
        return [row for row in self.attributions if row["instance_id"] == instance]

    def row(self, instance: str | None = "1", number: int = 0) -> Row:
        return self.rows(instance)[number]

    def verdicts(self, instance: str | None = "1") -> list[tuple[float, float | None, str]]:
        """(start, end, verdict) of the rows of one instance."""
        return [(row["start"], row["end"], row["verdict"]) for row in self.rows(instance)]

    def verdict(self, instance: str | None = "1", number: int = 0) -> str:
        return self.row(instance, number)["verdict"]

    def spans(self, column: str, value: Any = 1) -> list[Span]:
        """Maximal time in which a column of the series has a value."""
        spans: list[Span] = []
        for row in self.availability:
            if row[column] == value:
                if spans and spans[-1][1] == row["start"]:
                    spans[-1] = spans[-1][0], row["end"]
                else:
                    spans.append((row["start"], row["end"]))
        return spans

    def at(self, seconds: float) -> Row:
        """The row of the series that holds at a moment."""
        return next(row for row in self.availability if row["start"] <= seconds < row["end"])

    def operation(self, key: str = "k", number: int = 0) -> Row:
        return [row for row in self.operations if row["operation_key"] == key][number]


Judge = Callable[..., Judged]
"""`judge` by one of the evaluators: what the fixture of that name gives."""


def judge(evaluator: str, *told: Event | Iterable[Event], until: float = HOUR // SECOND, policy: Policy = DEFAULT) -> Judged:
    """Evaluates events, told one by one or in lists, with T at second `until`."""
    events = [event for one in told for event in ([one] if isinstance(one, dict) else one)]
    return in_seconds(evaluate(evaluator, events, policy, at(until)))


def in_seconds(plain: Plain) -> Judged:
    """The same tables with every time in seconds of the timeline."""
    return Judged(*([_in_seconds(row) for row in rows] for rows in (plain.availability, plain.attributions, plain.operations)))


def _in_seconds(row: Row) -> Row:
    def seconds(micros: int) -> float:
        return (micros - EPOCH) / SECOND

    return {name: seconds(value) if name in _TIMES and value is not None else value for name, value in row.items()}
