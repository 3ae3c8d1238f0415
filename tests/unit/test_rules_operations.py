"""Copies of an event, and records folded into operations (rules: Copies, Folding, Later records, Limit)."""

from typing import Any

import pytest

from schemas.policy import parse_policy
from tests.support.build import degraded, down, op, signal, spanning, unknown, up
from tests.support.judging import Judge


def test_of_copies_that_differ_the_smallest_text_counts(judge: Judge) -> None:
    copies = [signal(9, "1", state, event_id="same") for state in ("Degraded", "Available", "Unknown")]
    assert judge(up(0, "1"), copies).spans("raw_available") == [(0, 3600)]


def test_null_is_smaller_than_any_value_of_a_copy(judge: Judge) -> None:
    copies = [signal(9, instance, "Unknown", event_id="same") for instance in ("1", None)]
    judged = judge(up(0, "1"), copies)
    assert (judged.spans("raw_unknown"), judged.spans("reported_state", "Unknown")) == ([], [(9, 3600)])


def test_lists_of_copies_are_compared_sorted(judge: Judge) -> None:
    copies = [op(9, "stop", "started", names, event_id="same") for names in ("3 1", "2 1", "9 2")]
    assert judge(copies).operation()["instance_ids"] == ["1", "2"]


def test_the_time_belongs_to_the_identity_of_an_event(judge: Judge) -> None:
    assert judge(up(0, "1"), [signal(t, "1", "Degraded", event_id="same") for t in (5, 6)]).row()["start"] == 5


def test_records_of_one_key_and_verb_are_one_operation(judge: Judge) -> None:
    judged = judge(op(10, "stop", "started", "1"), op(20, "start", "started", "1"), op(30, "stop", "succeeded", "1"))
    assert [(r["verb"], r["start"], r["end"]) for r in judged.operations] == [("stop", 10, 30), ("start", 20, None)]


def test_of_one_time_started_comes_first(judge: Judge) -> None:
    judged = judge(op(10, "stop", "succeeded", "1", event_id="a"), op(10, "stop", "started", "1", event_id="b"))
    assert [(r["start"], r["end"]) for r in judged.operations] == [(10, 10)]


def test_of_one_time_succeeded_comes_before_failed(judge: Judge) -> None:
    judged = judge(op(10, "stop", "failed", "1", event_id="a"), op(10, "stop", "succeeded", "1", event_id="b"))
    assert [r["outcome"] for r in judged.operations] == ["succeeded"]


def test_of_one_time_announced_comes_before_failed(judge: Judge) -> None:
    judged = judge(op(10, "stop", "failed", "1", event_id="a"), op(10, "stop", "announced", "1", event_id="b"))
    assert [r["outcome"] for r in judged.operations] == ["succeeded"]


def test_of_one_time_and_phase_the_smallest_event_id_comes_first(judge: Judge) -> None:
    judged = judge(op(10, "stop", "started", "1", by="autoscale", event_id="b"), op(10, "stop", "started", "1", event_id="a"))
    assert judged.operation()["initiator"] == "customer"


@pytest.mark.parametrize(
    ("phase", "onset", "verdict"),
    [
        ("started", 1880, "explained"),
        ("started", 1879.999999, "unexplained"),
        ("announced", 1880, "explained"),
        ("announced", 1879.999999, "unexplained"),
        ("failed", 1880, "explained"),
        ("failed", 1879.999999, "unexplained"),
        ("succeeded", 1280, "explained"),
        ("succeeded", 1279.999999, "unexplained"),
    ],
)
def test_only_of_a_first_record_that_succeeded_the_begin_was_not_seen(
    judge: Judge, phase: str, onset: float, verdict: str
) -> None:
    assert judge(up(0, "1"), op(2000, "restart", phase, "1"), down(onset, "1"), up(2010, "1")).verdict() == verdict


@pytest.mark.parametrize(("phase", "outcome"), [("announced", "succeeded"), ("succeeded", "succeeded"), ("failed", "failed")])
def test_the_first_closing_record_closes(judge: Judge, phase: str, outcome: str) -> None:
    judged = judge(op(10, "stop", "started"), op(20, "stop", phase), op(30, "stop", "succeeded"), op(31, "stop", "failed"))
    assert [(r["start"], r["end"], r["outcome"]) for r in judged.operations] == [(10, 20, outcome)]


@pytest.mark.parametrize("phase", ["announced", "succeeded", "failed"])
def test_an_opening_record_may_close(judge: Judge, phase: str) -> None:
    row = judge(op(10, "stop", phase)).operation()
    assert (row["start"], row["end"], row["limit"]) == (10, 10, 910)


def test_progress_closes_nothing(judge: Judge) -> None:
    row = judge(op(10, "stop", "progress"), op(20, "stop", "progress")).operation()
    assert (row["end"], row["outcome"], row["limit"]) == (None, "unfinished", 10 + 3600 + 900)


@pytest.mark.parametrize("phase", ["progress", "announced", "succeeded", "failed"])
@pytest.mark.parametrize(("time", "operations"), [(1000, 1), (1000.000001, 2)])
def test_a_record_within_settle_after_the_close_still_belongs(judge: Judge, phase: str, time: float, operations: int) -> None:
    judged = judge(spanning(10, 100, "stop"), op(time, "stop", phase))
    assert len(judged.operations) == operations


def test_a_record_within_settle_belongs_whatever_the_deadline(judge: Judge) -> None:
    assert len(judge(spanning(0, 3600, "stop"), op(4500, "stop", "succeeded"), until=7200).operations) == 1


def test_a_started_record_after_the_close_opens_another(judge: Judge) -> None:
    judged = judge(spanning(10, 100, "stop"), op(100.000001, "stop", "started"))
    assert [r["start"] for r in judged.operations] == [10, 100.000001]


@pytest.mark.parametrize(("time", "operations"), [(130, 1), (130.000001, 2)])
def test_a_start_within_skew_after_a_first_end_still_belongs(judge: Judge, time: float, operations: int) -> None:
    judged = judge(op(10, "stop", "succeeded"), op(time, "stop", "started"))
    assert len(judged.operations) == operations


@pytest.mark.parametrize(("time", "operations"), [(70, 1), (70.000001, 2)])
def test_a_start_after_a_first_end_is_within_settle_too(judge: Judge, time: float, operations: int) -> None:
    judged = judge(op(10, "stop", "succeeded"), op(time, "stop", "started"), policy=parse_policy('settle = "1m"'))
    assert len(judged.operations) == operations


@pytest.mark.parametrize("phase", ["announced", "failed"])
def test_a_start_after_another_first_end_opens_another(judge: Judge, phase: str) -> None:
    assert len(judge(op(10, "stop", phase), op(11, "stop", "started")).operations) == 2


def test_a_start_is_measured_from_the_first_record_of_its_operation(judge: Judge) -> None:
    judged = judge(op(10, "stop", "succeeded"), op(200, "stop", "succeeded"), op(201, "stop", "started"))
    assert [r["start"] for r in judged.operations] == [10, 201]


def test_what_follows_the_close_tells_only_targets_and_count(judge: Judge) -> None:
    row = judge(
        op(10, "stop", "succeeded", "1", by="platform"), op(11, "stop", "started", "2"), op(12, "stop", "failed", "3")
    ).operation()
    told = [row[name] for name in ("initiator", "excuses", "outcome", "end", "instance_ids")]
    assert told == ["platform", False, "succeeded", 10, ["1", "2", "3"]]


@pytest.mark.parametrize(("time", "operations"), [(3610, 1), (3610.000001, 2)])
def test_a_record_later_than_the_deadline_opens_another(judge: Judge, time: float, operations: int) -> None:
    judged = judge(op(10, "stop", "started"), op(time, "stop", "succeeded"), until=7200)
    assert [r["outcome"] for r in judged.operations] == ["succeeded"] if operations == 1 else ["unfinished", "succeeded"]


def test_an_operation_that_opens_late_may_itself_be_continued(judge: Judge) -> None:
    judged = judge(op(0, "stop", "started"), op(3601, "stop", "progress"), op(7200, "stop", "succeeded"), until=10800)
    assert [(r["start"], r["end"]) for r in judged.operations] == [(0, None), (3601, 7200)]


def test_targets_are_the_union_of_what_is_named(judge: Judge) -> None:
    row = judge(op(0, "stop", "started", "10 2"), op(1, "stop", "progress"), op(2, "stop", "progress", "2 1")).operation()
    assert (row["target"], row["instance_ids"]) == ("named", ["1", "10", "2"])


def test_one_record_that_says_all_makes_it_all(judge: Judge) -> None:
    row = judge(op(0, "stop", "started", "1"), op(1, "stop", "succeeded", everything=True)).operation()
    assert (row["target"], row["instance_ids"]) == ("all", [])


def test_without_names_it_is_unnamed(judge: Judge) -> None:
    row = judge(spanning(0, 1, "stop")).operation()
    assert (row["target"], row["instance_ids"]) == ("unnamed", [])


@pytest.mark.parametrize(
    ("initiators", "reported"),
    [(("unknown", "autoscale", "customer"), "autoscale"), (("unknown", "unknown", "unknown"), "unknown")],
)
def test_the_first_initiator_that_is_known_is_reported(judge: Judge, initiators: Any, reported: str) -> None:
    records = [op(t, "stop", "progress", by=by) for t, by in enumerate(initiators)]
    assert judge(records).operation()["initiator"] == reported


@pytest.mark.parametrize(
    ("verb", "initiators", "excuses"),
    [
        ("stop", ("platform",), False),
        ("stop", ("customer",), True),
        ("stop", ("autoscale",), True),
        ("stop", ("unknown",), True),
        ("stop", ("platform", "customer"), True),
        ("maintenance", ("platform",), False),
        ("maintenance", ("customer",), True),
        ("evict", ("platform",), True),
    ],
)
def test_it_excuses_by_any_initiator_up_to_its_close_or_by_its_verb(
    judge: Judge, verb: str, initiators: Any, excuses: bool
) -> None:
    records = [op(t, verb, "progress", by=by) for t, by in enumerate(initiators)]
    assert judge(records, op(5, verb, "succeeded", by="platform")).operation()["excuses"] is excuses


def test_the_initiator_of_the_closing_record_counts(judge: Judge) -> None:
    judged = judge(op(0, "stop", "started", by="platform"), op(5, "stop", "succeeded", by="customer"))
    assert judged.operation()["excuses"] is True


@pytest.mark.parametrize(
    ("verbs", "effect", "deadline"),
    [
        ("delete scale_in deallocate stop evict", "removes", 3600),
        ("create reimage redeploy scale_out", "renews", 3600),
        ("start restart", "renews", 1800),
        ("upgrade maintenance", "renews", 21600),
        ("update", "may_remove", 7200),
    ],
)
def test_every_verb_has_its_effect_and_deadline(judge: Judge, verbs: str, effect: str, deadline: int) -> None:
    rows = judge([op(0, verb, "started", key=verb) for verb in verbs.split()]).operations
    assert [(r["effect"], r["limit"]) for r in rows] == [(effect, deadline + 900)] * len(verbs.split())


def test_the_limit_is_settle_after_the_end(judge: Judge) -> None:
    assert judge(spanning(10, 100, "upgrade")).operation()["limit"] == 1000


@pytest.mark.parametrize(("verb", "gone"), [("delete", 1), ("scale_in", 1), ("deallocate", 0), ("stop", 0), ("evict", 0)])
def test_only_of_some_verbs_nothing_is_left(judge: Judge, verb: str, gone: int) -> None:
    judged = judge(up(0, "1", "2"), spanning(10, 20, verb, "1"))
    assert judged.at(3000)["raw_available"] == 2 - gone


def test_every_episode_that_names_an_operation_is_counted_once(judge: Judge) -> None:
    judged = judge(
        up(0, "1", "2", None),
        spanning(10, 20, "upgrade", by="platform"),
        down(15, "1"),
        unknown(16, None),
        up(17, "1", None),
        degraded(18, "1"),
        until=8 * 86400,
    )
    assert judged.operation()["episodes"] == 3
    assert len(judged.attributions) == 4


def test_removed_stretches_are_no_episodes_of_an_operation(judge: Judge) -> None:
    judged = judge(up(0, "1"), spanning(10, 20, "stop", "1"))
    assert (judged.verdict(), judged.operation()["episodes"]) == ("removed", 0)
