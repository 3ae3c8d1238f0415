"""Versions that would be published together: one a cell is left, the newest, whole."""

from typing import Any

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.support.build import at, signal
from tests.support.graph import Keeping
from tests.support.versions import EVENTS, told, versions
from transforms.core.ledger.supersede import newest_versions


def test_what_nobody_saw_before_is_first_and_has_revision_0() -> None:
    assert told(newest_versions(versions(EVENTS))) == [(0, 0, "first"), (1, 0, "first")]


def test_the_number_of_the_newest_stays_where_there_was_one_before() -> None:
    assert told(newest_versions(versions(EVENTS[:3])[1:])) == [(0, 2, "progress")]


def test_late_says_more_than_progress_whichever_is_newer() -> None:
    _, progress, late = versions(EVENTS[:3], final=at(3_600))
    assert told(late) == [(0, 2, "late")]
    assert told(newest_versions([progress, late])) == told(newest_versions([late, progress])) == [(0, 2, "late")]
    first, *again = versions([*EVENTS[:2], signal(90, "1", "Available"), EVENTS[2]])
    assert told(newest_versions([first, *again])) == [(0, 0, "first")]


def test_a_single_change_stays_as_it_is() -> None:
    (change,) = versions(EVENTS[:1])
    assert newest_versions([change]) is change


def rows_of(sink: Keeping) -> dict[str, list[dict[str, Any]]]:
    return sink.current()


@examples(max_examples=30)
@given(
    moments=st.lists(
        st.tuples(
            st.integers(0, 10_000), st.sampled_from("12"), st.sampled_from(["Available", "Degraded"]), st.sampled_from("ab")
        )
    ),
    cuts=st.sets(st.integers(1, 8)),
)
def test_current_rows_are_those_of_all_versions(moments: list[tuple[int, str, str, str]], cuts: set[int]) -> None:
    events = [signal(0, "1", "Available"), *(signal(s, i, state, scale_set=name) for s, i, state, name in moments)]
    published, every, some, start = versions(events), Keeping(), Keeping(), 0
    every.publish(published)
    for end in [*sorted(cut for cut in cuts if cut < len(published)), len(published)]:
        some.publish([newest_versions(published[start:end])])
        start = end
    assert rows_of(some) == rows_of(every)
    assert len(some.revisions) == len({(row["scale_set_id"], row["cell"], row["as_of"]) for row in some.revisions})
