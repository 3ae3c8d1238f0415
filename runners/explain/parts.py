"""Puts verdicts into sentences: each says what its rule says, and no more (rules: Episodes)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from runners.explain.words import Clock, capital, instances, length, operation_phrase, seconds, with_article
from runners.words.quantity import quantity
from transforms.core.explain.explanation import Cause, Part
from transforms.core.explain.moment import Explanation, Moment, NearestOperations, OperationRow
from transforms.core.explain.reasons import Reason, reason_of

_REASONS: Final = {
    Reason.OWN: "the end of the operation, and {settle} to settle",
    Reason.DEADLINE: "{deadline} that {verb} may take, since its end is not known, and {settle} to settle",
    Reason.POSSIBLE: "{possible} is the most that an operation excuses that does not say on which instances it is",
    Reason.LONGEST: "{longest} is the most that operations excuse together",
    Reason.EXTENDED: "extended by an operation that belongs to it or followed it",
    Reason.FAULT: "then the platform reported failing hardware, network or guest",
}


class Teller:
    """Describes the episodes that hold at a moment."""

    def __init__(self, told: Explanation, moment: Moment, clock: Clock) -> None:
        self._moment, self._clock, self._policy, self._known = moment, clock, told.policy, told.known[1]
        self._verdicts: Mapping[str, Callable[[Part], Iterator[str]]] = {
            "explained": self._explained,
            "overrun": self._overrun,
            "unexcused": self._unexcused,
            "fault": self._fault,
            "unexplained": self._unexplained,
            "removed": self._removed,
            "presumed_removed": self._presumed,
        }

    def paragraph(self, part: Part) -> str:
        """The sentences about one episode or removed stretch."""
        return " ".join((self._when(part), *self._verdicts[part.verdict](part), *self._others(part), *self._for_now(part)))

    def evidence(self, part: Part) -> Iterator[tuple[str, str]]:
        """What to look for in Azure's own records: names and values."""
        if part.cause is not None:
            pieces = part.cause.key.split("|")
            of_log = len(pieces) == 3 and pieces[2].startswith("/")
            yield ("correlation id", pieces[0]) if of_log else ("operation key", part.cause.key)
        if part.signals:
            more = len(part.signals) - 1
            yield "first signal", part.signals[0] + (f" (and {more:,} more)" if more else "")

    def _when(self, part: Part) -> str:
        who = "the scale set itself" if part.own else instances(part.instances)
        verb = "were" if len(part.instances) > 1 else "was"
        what = "away" if part.verdict == "removed" else f"not Available ({part.worst} at worst)"
        return f"{capital(who)} {verb} {what} {self._from_to(part)}."

    def _from_to(self, part: Part) -> str:
        clock, first = self._clock, part.onset[0]
        alone = len(part.instances) < 2
        begin, known = clock.moment(first), clock.then(self._known, first)
        begin += "" if alone else " (the first)"
        if part.end is None or part.open:
            who = "" if part.end is None else f"{part.open:,} of them "
            return f"from {begin} on, and {who}still at {known}, where what is known ends"
        end = clock.then(part.end[1], first)
        return f"from {begin} to {end} ({length(part.end[1] - first) if alone else 'the last'})"

    def _explained(self, part: Part) -> Iterator[str]:
        yield f"{capital(self._operation(part))} explains it; it began {self._lag(part)}."
        if part.open:
            yield f"It is excused until {self._limit(part)}; what is not over by then will count from there on."
        else:
            yield f"It was over before it would have counted, which is from {self._limit(part)} on. {self._sums(part)}"

    def _overrun(self, part: Part) -> Iterator[str]:
        yield f"{capital(self._operation(part))} explains how it began, {self._lag(part)}, but not how long it took."
        yield f"It is excused until {self._limit(part)}, and an outage from there on."
        if part.end is not None:
            yield self._sums(part)
            if not part.open and part.limit is not None and part.end[1] - part.limit[1] == self._policy["max_open"]:
                yield f"After {length(self._policy['max_open'])} without a sign of it, it was given up: taken to be gone."

    def _unexcused(self, part: Part) -> Iterator[str]:
        assert part.cause is not None  # only fault and unexplained have none
        yield f"{capital(self._operation(part))} caused it; it began {self._lag(part)}."
        cause = operation_phrase(part.cause.verb, part.cause.initiator)
        yield f"The policy does not excuse {cause}: it counts as it was reported."
        yield from self._sums_at_end(part)

    def _fault(self, part: Part) -> Iterator[str]:
        yield (
            f"It was real: within {length(self._policy['skew'])} of its beginning the platform itself reported failing hardware, "
            "network or guest, and no operation explains what comes with such a notice."
        )
        yield from self._sums_at_end(part)

    def _unexplained(self, part: Part) -> Iterator[str]:
        yield "Nothing explains it: it was real. No operation on it was under way or settling when it began."
        if self._moment.near is not None and part is next(p for p in self._moment.parts if p.verdict == "unexplained"):
            yield from self._near(self._moment.near, part.onset[0])
        yield from self._sums_at_end(part)

    def _near(self, near: NearestOperations, onset: int) -> Iterator[str]:
        if near.before is None and near.after is None:
            yield "None is known within a day of it."
        if near.before is not None:
            limit, gap = self._clock.then(near.before.limit, onset), length(onset - near.before.limit)
            yield f"The last one before, {self._told(near.before)}, explains what begins until {limit}; this was {gap} later."
        if near.after is not None:
            yield f"The next one, {self._told(near.after)}, began {length(near.after.start - onset)} after it."

    def _removed(self, part: Part) -> Iterator[str]:
        they = "them" if len(part.instances) > 1 else "it"
        yield f"{capital(self._operation(part))} took {they} away. Such time is not counted anywhere."

    def _presumed(self, part: Part) -> Iterator[str]:
        many = len(part.instances) > 1
        they, it = ("they are", "them") if many else ("it is", "it")
        yield f"{capital(self._operation(part))} explains it; it began {self._lag(part)}. {self._unproved(part, it)}"
        yield f"Nothing more was heard of {it}, so from {self._limit(part)} on {they} presumed to be gone. {self._sums(part)}"
        settled = part.onset[1] + self._policy["presume_after"]
        if self._known < settled:
            yield f"Until {self._clock.then(settled, part.onset[0])} a sign of life would still take that back."

    def _unproved(self, part: Part, it: str) -> str:
        assert part.cause is not None  # as above
        operation = self._moment.operations.get((part.cause.key, part.cause.verb, part.cause.start))
        if operation is None or operation.target == "unnamed":
            return "Its records do not say which instances it took away."
        return f"No record says that it succeeded in taking {it} away."

    def _others(self, part: Part) -> Iterator[str]:
        more = part.candidates[1] - 1
        up_to = "up to " if part.candidates[0] != part.candidates[1] else ""
        if part.verdict == "fault" and part.candidates[1]:
            told = capital(up_to + quantity(part.candidates[1], "operation"))
            yield f"{told} would have been there to explain it, were it not for that notice."
        elif part.verdict != "fault" and more > 0:
            kept = "kept it away too" if part.verdict == "removed" else "could have explained it too"
            yield f"{capital(up_to + quantity(more, 'other operation'))} {kept}."

    def _for_now(self, part: Part) -> Iterator[str]:
        if part.open and part.verdict not in ("removed", "presumed_removed"):
            yield "It is open, so this can still change; how much of it counts is told when it has ended."
        early = part.onset[1] + self._policy["skew"] + self._policy["unseen"]
        if part.verdict == "unexplained" and self._known < early:
            until = self._clock.moment(early)
            yield f"It began just before what is known ends: an operation that ends by {until} can still explain it."

    def _operation(self, part: Part) -> str:
        assert part.cause is not None  # as above
        return f"{operation_phrase(part.cause.verb, part.cause.initiator)} ({self._times(part.cause, part.onset[0])})"

    def _times(self, cause: Cause, near: int) -> str:
        operation = self._moment.operations.get((cause.key, cause.verb, cause.start))
        start = self._clock.then(cause.start, near)
        failed = ", failed" if operation is not None and operation.outcome == "failed" else ""
        if cause.end is None:
            return f"begun at {start}, its end was never reported"
        return f"at {start}{failed}" if cause.end == cause.start else f"{start} to {self._clock.then(cause.end, near)}{failed}"

    def _told(self, operation: OperationRow) -> str:
        return f"{operation_phrase(operation.verb, operation.initiator)} at {self._clock.moment(operation.start)}"

    def _lag(self, part: Part) -> str:
        assert part.lag is not None  # as above
        low, high = part.lag
        if high < 0:
            return f"{seconds(-low)} before its first record (clocks differ, or only its end was reported)"
        each = "" if seconds(low) == seconds(high) else "up to "
        return f"{each}{seconds(high)} after the operation" if high else "with the operation"

    def _limit(self, part: Part) -> str:
        assert part.limit is not None  # only fault, unexplained and unexcused have none
        low, high = part.limit
        if low != high:
            first, last = self._clock.then(low, part.onset[0]), self._clock.then(high, low)
            return f"the limit of each, the first {first} and the last {last},"
        return f"{self._clock.then(high, part.onset[0])} ({self._reason(part)})"

    def _reason(self, part: Part) -> str:
        assert part.cause is not None  # as above
        verb: Mapping[str, Any] = self._policy["verbs"].get(part.cause.verb, {"deadline": 0})
        lengths = {
            "settle": self._policy["settle"],
            "deadline": verb["deadline"],
            "possible": self._policy["possible_excuse"],
            "longest": self._policy["max_excuse"],
        }
        words = {name: length(micros) for name, micros in lengths.items()}
        return _REASONS[reason_of(part, self._policy)].format(verb=with_article(part.cause.verb), **words)

    def _sums(self, part: Part) -> str:
        if part.own:
            return "This is what the set says of itself as a whole; seconds are counted of its instances."
        all_ = " in all" if len(part.instances) > 1 else ""
        since = "" if part.start <= part.onset[1] else f" (of what lies after {self._clock.moment(part.start)})"
        if part.verdict in ("fault", "unexcused", "unexplained"):
            return f"Counted{all_}: {seconds(part.counted)}{since}."
        return f"Excused{all_}: {seconds(part.excused)}; counted: {seconds(part.counted)}{since}."

    def _sums_at_end(self, part: Part) -> Iterator[str]:
        if part.end is not None:
            yield self._sums(part)
