"""Rules of acknowledgement: one checkpoint late, and tied to an attempt."""

from transforms.core.subscription.acknowledgements import Acknowledgements, ShardPosition

START = ShardPosition(0, "")


def bundle(stash: Acknowledgements, place: ShardPosition, *ids: str, shard: int = 0, fresh: str = "a") -> ShardPosition:
    """Begins a bundle and hands over messages; gives its place."""
    at, _ = stash.resume(shard, place, fresh)
    stash.take(shard, at, ids)
    return at


def test_the_first_bundle_begins_an_attempt_that_the_next_one_continues() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START, "x")
    assert first == ShardPosition(0, "a")
    assert stash.resume(0, first.next(), "b") == (ShardPosition(1, "a"), [])


def test_a_bundle_is_acknowledged_when_one_that_began_after_it_was_final_is_final() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START, "x")
    assert stash.finalize(0, first) == []
    second = bundle(stash, first.next(), "y")
    assert stash.finalize(0, second) == ["x"]
    assert stash.outstanding == 1


def test_bundles_that_one_checkpoint_calls_final_do_not_acknowledge_each_other() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START, "x")
    second = bundle(stash, first.next(), "y")
    third = bundle(stash, second.next(), "z")
    assert [stash.finalize(0, place) for place in (first, second, third)] == [[], [], []]
    fourth = bundle(stash, third.next())
    assert stash.finalize(0, fourth) == ["x", "y", "z"]


def test_a_bundle_that_began_before_another_was_final_does_not_acknowledge_it() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START, "x")
    second = bundle(stash, first.next(), "y")
    stash.finalize(0, first)
    assert stash.finalize(0, second) == []


def test_a_bundle_that_was_under_way_when_one_before_it_was_final_is_not_final_with_it() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START, "x")
    second = bundle(stash, first.next(), "y")
    stash.finalize(0, first)
    third = bundle(stash, second.next())
    assert stash.finalize(0, third) == ["x"]
    assert stash.finalize(0, bundle(stash, third.next())) == ["y"]


def test_nothing_is_acknowledged_twice() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START, "x")
    stash.finalize(0, first)
    second = bundle(stash, first.next())
    assert stash.finalize(0, second) == ["x"]
    assert stash.finalize(0, second) == []
    assert stash.finalize(0, first) == []


def test_a_lost_finalizer_is_made_up_for_by_a_later_one() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START, "x")
    second = bundle(stash, first.next(), "y")
    stash.finalize(0, second)
    third = bundle(stash, second.next())
    assert stash.finalize(0, third) == ["x", "y"]


def test_a_shard_that_resumes_from_an_older_place_drops_what_it_held() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START, "x")
    second = bundle(stash, first.next(), "y")
    stash.finalize(0, first)
    again, dropped = stash.resume(0, first.next(), "b")
    assert (again, dropped, stash.outstanding) == (ShardPosition(1, "b"), ["x", "y"], 0)
    assert stash.finalize(0, second) == []


def test_a_bundle_that_is_run_again_drops_what_its_first_run_had() -> None:
    stash = Acknowledgements()
    bundle(stash, START, "x")
    assert stash.resume(0, START, "b") == (ShardPosition(0, "b"), ["x"])


def test_the_right_number_of_another_attempt_is_no_continuation() -> None:
    stash = Acknowledgements()
    bundle(stash, START, "x")
    assert stash.resume(0, ShardPosition(1, "elsewhere"), "b") == (ShardPosition(1, "b"), ["x"])


def test_a_shard_that_was_ahead_elsewhere_drops_what_it_held() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START, "x")
    assert stash.resume(0, ShardPosition(2, first.attempt), "b") == (ShardPosition(2, "b"), ["x"])


def test_a_bundle_of_an_attempt_that_has_ended_takes_nothing_in() -> None:
    stash = Acknowledgements()
    first = bundle(stash, START)
    stash.resume(0, START, "b")
    stash.take(0, first, ["x"])
    assert stash.outstanding == 0


def test_shards_do_not_concern_each_other() -> None:
    stash = Acknowledgements()
    one = bundle(stash, START, "x", shard=0)
    stash.finalize(0, one)
    other = bundle(stash, START, "y", shard=1)
    assert stash.finalize(1, other) == []
    bundle(stash, START, shard=1, fresh="b")
    assert stash.finalize(0, bundle(stash, one.next())) == ["x"]


def test_a_dropped_shard_holds_nothing() -> None:
    stash = Acknowledgements()
    bundle(stash, START, "x", "y")
    assert (stash.outstanding, stash.drop(0), stash.outstanding) == (2, ["x", "y"], 0)
    assert stash.drop(0) == []
