"""The sentences of an explanation: a scale set's stretches of trouble, the answer for a moment, and how that answer changed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from runners.explain.words import MOST_NAMES, Clock, capital, distinct, instances, length, listed, name, operation_phrase, seconds
from runners.words.quantity import quantity
from transforms.core.explain.explanation import COUNTED, Part, Stretch
from transforms.core.explain.history import AnswerRevision, Change, InstanceAnswer
from transforms.core.explain.moment import Explanation, Moment, State

_CAUSES: Final = {
    "first": "with a cell that had not been there",
    "progress": "since more had come in",
    "late": "since records had come in that were older than what was published",
    "backfill": "by a backfill",
}
_JOINED: Final = {
    "explained": "explained by",
    "removed": "removed by",
    "presumed_removed": "presumed removed by",
    "overrun": "an overrun of",
    "unexcused": "unexcused, caused by",
    "fault": "a fault",
    "unexplained": "unexplained",
}


def verdict_line(stretch: Stretch) -> str:
    """A few words on whether a stretch of trouble was real."""
    parts = [part for part in stretch.parts if not part.own] or list(stretch.parts)
    kinds = {part.verdict in COUNTED for part in parts}
    if kinds == {False}:
        return "expected"
    return "real" if kinds == {True} and all(part.verdict != "overrun" for part in parts) else "partly real"


def stretch_lines(stretch: Stretch) -> Iterator[str]:
    """A sentence or two on what a stretch of trouble was."""
    parts = [part for part in stretch.parts if not part.own] or list(stretch.parts)
    counted, expected = ([part for part in parts if (part.verdict in COUNTED) is real] for real in (True, False))
    for why in distinct(map(_why, counted)):
        alike = [part for part in counted if _why(part) == why]
        yield f"{capital(_subject(alike))}: {why}; counted: {_counted(alike)}."
    if expected:
        yield f"{capital(_subject(expected))}: {_explained_by(expected)}; nothing of it counts."


def _subject(parts: Iterable[Part]) -> str:
    ids = sorted({one for part in parts for one in part.instances})
    return instances(ids) if ids else "the scale set itself"


def _counted(parts: list[Part]) -> str:
    total, still = sum(part.counted for part in parts), any(part.open for part in parts)
    if still:
        return f"{seconds(total)} and what is still open" if total else "known when it has ended"
    return seconds(total)


def _why(part: Part) -> str:
    if part.cause is None:
        return "nothing explains it" if part.verdict == "unexplained" else "the platform reported a fault"
    told = operation_phrase(part.cause.verb, part.cause.initiator)
    return f"{told} did not bring it back in time" if part.verdict == "overrun" else f"{told} caused it, which excuses nothing"


def _explained_by(parts: list[Part]) -> str:
    causes = [part.cause for part in sorted(parts, key=lambda part: part.onset) if part.cause is not None]
    told = distinct(operation_phrase(cause.verb, cause.initiator) for cause in causes)
    shown = (
        told if len(told) <= MOST_NAMES else [*told[: MOST_NAMES - 1], f"{len(told) - MOST_NAMES + 1} kinds of operations more"]
    )
    return f"{listed(shown)} explain{'s' * (len(told) == 1)} it"


def answer(moment: Moment, clock: Clock) -> Iterator[str]:
    """The answer for a moment in a sentence or two: whether the trouble was real."""
    state, own = moment.state, next((part for part in moment.parts if part.own), None)
    excused = state.classes["excused"]
    if state.bad:
        yield f"It was real: {_of(state.bad, state)} counted as not available."
        if excused:
            yield f"{quantity(excused, 'other')} {_was(excused)} excused."
    elif excused:
        yield f"It was expected: {_of(excused, state)} {_was(excused)} excused, since operations explain it, and nothing counted."
        yield from _later(moment, clock)
    elif not state.present and own is not None and own.verdict in COUNTED and state.corrected not in ("Available", "Planned"):
        yield f"It was real, as far as the scale set's own reports tell: it was {state.corrected}. No instance of it was there."
    elif state.reported not in ("Available", None) and state.corrected in ("Available", "Planned", "Idle"):
        yield _only_reported(state, own)
    else:
        yield from _nothing_wrong(state)
    if state.classes["unknown"]:
        yield f"Of {quantity(state.classes['unknown'], 'instance')} nothing was known; such time is not counted."


def _later(moment: Moment, clock: Clock) -> Iterator[str]:
    limits = [part.limit[0] for part in moment.parts if part.verdict == "overrun" and not part.own and part.limit is not None]
    if limits:
        yield f"It was not over in time, though: from {clock.then(min(limits), moment.at)} on it was real."


def _only_reported(state: State, own: Part | None) -> str:
    if own is not None and own.verdict in ("explained", "overrun"):
        return f"It was expected: the scale set reported {state.reported}, since an operation was at work, and nothing counted."
    if own is None and (removed := state.classes["removed"]):
        return f"It was expected: {_of(removed, state)} had been taken away by operations, and nothing counted."
    if up := state.classes["up"]:
        return f"Nothing counted: the scale set reported {state.reported}, but {_all(up)} up of those that count."
    return f"Nothing counted: the scale set reported {state.reported}, but no instance of it was there that counts."


def _nothing_wrong(state: State) -> Iterator[str]:
    up, removed = state.classes["up"], state.classes["removed"]
    if state.present and up == state.present:
        yield f"Nothing was wrong: {_all(up)} up."
    elif state.present:
        yield f"Nothing was wrong: {_of(up, state)} {_was(up)} up."
    else:
        yield f"Nothing was wrong: no instance was there, and the scale set was {state.corrected}."
    if removed:
        yield f"{quantity(removed, 'instance')} had been taken away by operations."


def _all(count: int) -> str:
    return "the one instance was" if count == 1 else f"all {count:,} instances were"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _of(count: int, state: State) -> str:
    return f"{count:,} of {quantity(state.present, 'instance')}"


def state_lines(state: State, clock: Clock) -> Iterator[tuple[str, str]]:
    """The reported and the corrected state, as names and values."""
    reported = "nothing" if state.reported is None else state.reported
    yield "reported", f"{reported}, from {clock.span(state.since, state.until)}"
    yield "", _counts({name.removeprefix("raw_").capitalize(): count for name, count in state.raw.items()})
    yield "corrected", state.corrected
    yield "", _counts(state.classes)


def _counts(counts: Mapping[str, int]) -> str:
    told = [f"{count:,} {word}" for word, count in counts.items() if count]
    return f"instances: {', '.join(told)}" if told else "no instances"


def neighbours(moment: Moment, clock: Clock) -> Iterator[str]:
    """The stretches of trouble around a moment."""
    if moment.stretch is not None:
        stretch = moment.stretch
        begun = f"begun at {clock.moment(stretch.start)} and still {'away' if stretch.away else 'open'}"
        end = begun if stretch.open else f"from {clock.span(stretch.start, stretch.end)}"
        yield f"This is part of a stretch of trouble {end}."
    if moment.before is not None:
        stretch = moment.before
        gap = length(moment.at - stretch.end)
        yield f"The last one before: {clock.span(stretch.start, stretch.end)}, {gap} earlier, {verdict_line(stretch)}."
    if moment.after is not None:
        stretch = moment.after
        end = f"still {'away' if stretch.away else 'open'}" if stretch.open else f"to {clock.then(stretch.end, stretch.start)}"
        gap = length(stretch.start - moment.at)
        yield f"The next one: {clock.moment(stretch.start)} {end}, {gap} later, {verdict_line(stretch)}."
    if moment.stretch is moment.before is moment.after is None:
        yield "There is no trouble in all that is published of it."


def history_lines(moment: Moment, clock: Clock) -> Iterator[tuple[str, str]]:
    """How the answer came about: when each version that changed it was published, and what it told."""
    for place, published in enumerate(moment.history):
        yield clock.moment(published.as_of), _publication(published, place, clock)


def _publication(published: AnswerRevision, place: int, clock: Clock) -> str:
    if place == 0:
        why = "first published, by a backfill" if published.causes == ("backfill",) else "first published"
    else:
        why = f"published again, {' and '.join(_CAUSES.get(cause, name(cause)) for cause in published.causes)}"
    told = [f"{who}: {what}" for who, what in _changes(published.changes, clock)]
    if not told:
        told = [f"corrected state {published.states[1]}{', nothing to explain' if place == 0 else ''}"]
    same = f" {quantity(published.same, 'later version')} told the same." if published.same else ""
    return f"{why}: {'; '.join(told)}.{same}"


def _changes(changes: Iterable[Change], clock: Clock) -> Iterator[tuple[str, str]]:
    """How the verdicts of instances changed; instances that changed alike are told together."""
    told: dict[tuple[bool, str], list[str]] = {}
    for change in changes:
        told.setdefault((change.own, _change(change.before, change.after, clock)), []).extend(change.instances)
    for (own, what), ids in told.items():
        yield "the scale set itself" if own else instances(ids), what


def _change(was: InstanceAnswer | None, now: InstanceAnswer | None, clock: Clock) -> str:
    if now is None or was is None:
        gone = "nothing to explain any more" if was is None else f"nothing to explain any more, was {_told(was)}"
        return gone if now is None else f"{_told(now)}{'' if now.end is not None else ', still open'}"
    if was[:3] != now[:3]:
        return f"{_told(now)}, was {_told(was)}"
    if was.end != now.end:
        ended = "open again" if now.end is None else f"{'ended' if was.end is None else 'now ended'} at {clock.moment(now.end)}"
        return f"still {_told(now)}, {ended}"
    if was.key != now.key:
        return f"still {_told(now)}, but another one"
    limit = "no limit" if now.limit is None else f"its limit at {clock.moment(now.limit)}"
    return f"still {_told(now)}, with {limit}"


def _told(told: InstanceAnswer) -> str:
    joined = _JOINED.get(told.verdict, name(told.verdict))
    return joined if told.verb is None or told.initiator is None else f"{joined} {operation_phrase(told.verb, told.initiator)}"


def introduction(told: Explanation, label: str, clock: Clock) -> str:
    """Which scale set is explained, and for which time."""
    return f"{label}, times in {clock.zone.key}. Published: {clock.span(*told.known)}."
