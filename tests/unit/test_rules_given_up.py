"""An overrun that has been silent for `max_open` is given up (rules: Given up)."""

from typing import Any

import pytest

from tests.support.build import degraded, down, fallen, fault, op, spanning, unknown, up
from tests.support.judging import Judge

DAY = 86400
WEEK = 7 * DAY
L = 20 + 900
"""The limit of an operation that ends at 20."""
G = L + WEEK
"""When what it explained is given up."""

FAILED = [op(10, "delete", "started", "1"), op(11, "delete", "progress"), op(20, "delete", "failed", "1")]
"""Nothing bears out that it took 1 away, but 1 is silent and the set is not bad."""


@pytest.mark.parametrize(
    ("more", "given_up"),
    [
        ([], True),
        (up(0, None), True),
        (degraded(G - 0.000001, None), False),
        (down(G - 0.000001, None), False),
        (unknown(G - 0.000001, None), True),
        (degraded(G, None), True),
        (degraded(L + 900, "1"), True),
        (degraded(L + 900.000001, "1"), False),
        (unknown(L + 900.000001, "1"), True),
        (down(G - 0.000001, "1"), False),
        (down(G, "1"), True),
        ([fault(G - 0.000001, "1")], False),
        ([fault(G, "1")], True),
        ([fault(500, "1")], False),
        ([op(L, "restart", "failed", "1", key="r")], False),
        ([op(L + 1, "restart", "failed", "1", key="r")], True),
        ([op(G, "update", "started", "1", key="u")], False),
        ([op(G + 0.000001, "update", "started", "1", key="u")], True),
    ],
    ids=[
        "no H",
        "a good set",
        "degraded set",
        "unavailable set",
        "unknown set",
        "bad only then",
        "a word within settle",
        "a word after settle",
        "unknown",
        "a last word",
        "a word only then",
        "a fault",
        "a fault only then",
        "a fault ended the excuse",
        "renewed",
        "renewed after the limit",
        "made anew",
        "made anew only later",
    ],
)
def test_given_up_after_max_open_of_silence_in_a_set_that_is_not_bad(judge: Judge, more: Any, given_up: bool) -> None:
    row = judge(fallen(FAILED, more), until=9 * DAY).row()
    assert (row["verdict"], row["end"]) == ("overrun", G if given_up else WEEK + 3600)


def test_what_is_given_up_was_counted_until_then(judge: Judge) -> None:
    judged = judge(fallen(FAILED), until=9 * DAY)
    assert (judged.row()["excused_seconds"], judged.row()["counted_seconds"]) == (L - 15, WEEK)
    assert (judged.spans("overrun"), judged.spans("raw_unavailable")) == ([(L, G)], [(15, G)])
    assert judged.at(G)["state"] == "Idle"


@pytest.mark.parametrize("until", [G - 920, G + 2680])
def test_it_is_not_given_up_before(judge: Judge, until: Any) -> None:
    assert judge(fallen(FAILED), until=until).row()["end"] == (G if until > G else None)


def test_only_a_kind_that_may_take_away_is_given_up(judge: Judge) -> None:
    assert judge(fallen(spanning(10, 20, "restart", "1")), until=9 * DAY).row()["end"] == WEEK + 3600


@pytest.mark.parametrize(
    ("more", "again"),
    [
        (up(G + 5, "1"), [(G + 5, "up")]),
        (down(G + 5, "1"), [(G + 5, "unavailable")]),
        (down(G, "1"), [(G, "unavailable")]),
        (unknown(G + 5, "1"), []),
        ([op(G + 5, "create", "started", "1", key="c")], [(G + 5 + 4500, "overrun"), (G + 5, "excused")]),
        ([op(G + 5, "create", "succeeded", "1", key="c")], [(G + 5 + 900, "overrun"), (G + 5, "excused")]),
        ([op(L + 600, "create", "succeeded", "1", key="c")], []),
    ],
    ids=["returns", "lives", "lives at once", "unknown", "made anew", "begun unseen before", "begun unseen by the limit"],
)
def test_what_is_given_up_is_absent_until_it_returns_or_lives_or_is_made_anew(judge: Judge, more: Any, again: Any) -> None:
    judged = judge(fallen(FAILED, more), until=9 * DAY)
    classes = ("up", "degraded", "unavailable", "overrun", "excused", "unknown", "removed")
    found = [(span[0], name) for name in classes for span in judged.spans(name) if span[0] >= G]
    assert found == again
