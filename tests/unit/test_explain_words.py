"""How an explanation words the history of an answer, and times, lengths and names."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runners.explain.story import history_lines
from runners.explain.words import TIED, Clock, instances, length, seconds
from schemas.time import HOUR, SECOND
from transforms.core.explain.history import AnswerRevision, Change, InstanceAnswer
from transforms.core.explain.moment import Moment, State

CLOCK = Clock(ZoneInfo("UTC"))
UNEXPLAINED = InstanceAnswer("unexplained", None, None, None, None)
EXPLAINED = InstanceAnswer("explained", "reimage", "customer", 5 * HOUR, 6 * HOUR, "k")
EXPLAINED_BY = "explained by a reimage by the customer"


def moment(*history: AnswerRevision) -> Moment:
    state = State(None, 0, 1, "Idle", {}, {})
    return Moment(0, state, (), {}, None, None, None, None, history)


def published(cause: str, *changes: Change, same: int = 0) -> AnswerRevision:
    return AnswerRevision(HOUR, (cause,), 0, ("Degraded", "Degraded"), 1, changes, same)


def lines(*history: AnswerRevision) -> list[str]:
    return [text.replace(TIED, " ") for _, text in history_lines(moment(*history), CLOCK)]


FIRST = published("first", Change(False, ("1",), None, UNEXPLAINED))


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        ("late", "published again, since records had come in that were older than what was published: "),
        ("progress", "published again, since more had come in: "),
        ("backfill", "published again, by a backfill: "),
    ],
)
def test_why_a_version_came_is_told(cause: str, says: str) -> None:
    first, then = lines(FIRST, published(cause, Change(False, ("1",), UNEXPLAINED, EXPLAINED)))
    assert first == "first published: instance 1: unexplained, still open."
    assert then == f"{says}instance 1: explained by a reimage by the customer, was unexplained."


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (UNEXPLAINED, UNEXPLAINED._replace(end=5 * HOUR), "still unexplained, ended at 1970-01-01 05:00:00"),
        (EXPLAINED, EXPLAINED._replace(end=6 * HOUR), f"still {EXPLAINED_BY}, now ended at 1970-01-01 06:00:00"),
        (EXPLAINED, EXPLAINED._replace(end=None), f"still {EXPLAINED_BY}, open again"),
        (EXPLAINED, EXPLAINED._replace(key="l"), f"still {EXPLAINED_BY}, but another one"),
        (EXPLAINED, EXPLAINED._replace(limit=HOUR), f"still {EXPLAINED_BY}, with its limit at 1970-01-01 01:00:00"),
        (EXPLAINED, EXPLAINED._replace(verdict="overrun"), f"an overrun of a reimage by the customer, was {EXPLAINED_BY}"),
        (EXPLAINED, None, f"nothing to explain any more, was {EXPLAINED_BY}"),
    ],
)
def test_what_changed_is_told(before: InstanceAnswer, after: InstanceAnswer | None, says: str) -> None:
    assert lines(FIRST, published("late", Change(True, (), before, after)))[1].endswith(f": the scale set itself: {says}.")


def test_instances_of_which_the_same_is_told_are_told_together() -> None:
    ends: list[Any] = [Change(False, (name,), None, EXPLAINED._replace(end=n)) for n, name in enumerate("12")]
    assert lines(published("first", *ends)) == ["first published: instances 1 and 2: explained by a reimage by the customer."]


def test_versions_that_told_the_same_are_counted() -> None:
    assert lines(FIRST._replace(same=2))[0].endswith(" 2 later versions told the same.")


def test_names_are_in_the_order_in_which_people_count() -> None:
    assert instances(["10", "9", "2"]) == "instances 2, 9 and 10"
    assert instances(["\x1b[31m", "a"]) == r"instances a and \x1b[31m"
    assert instances(["n" * 200]).count("n") < 45


def test_lengths_are_cut_to_two_units() -> None:
    told = [length(n * SECOND).replace(TIED, " ") for n in (1, 59, 60, 3_600, 3_661, 86_400, 90_061)]
    assert told == ["1 s", "59 s", "1 min", "1 h", "1 h 1 min", "1 d", "1 d 1 h"]
    assert [seconds(n).replace(TIED, " ") for n in (0, 0.5, 90)] == ["nothing", "less than 1 s", "1 min 30 s"]


def test_a_time_on_another_day_has_its_date() -> None:
    assert [CLOCK.then(t, 23 * HOUR).replace(TIED, " ") for t in (23 * HOUR, 24 * HOUR)] == ["23:00:00", "1970-01-02 00:00:00"]
