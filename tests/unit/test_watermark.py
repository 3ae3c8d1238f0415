"""Rules of a shard's watermark, each at its boundary. Moments are plain numbers."""

from collections.abc import Iterable

from transforms.core.subscription.watermark import ShardClock, WatermarkRule, advance, begin, found_nothing, handed_over, held_up

RULE = WatermarkRule(span=30, idle=60, delay=5)


def old() -> ShardClock:
    """A shard at watermark 0 whose attempt began long before 1,000."""
    return begin(watermark=0, now=0)


def told(shard: ShardClock, times: Iterable[int], now: int, published: int | None = None) -> ShardClock:
    return handed_over(shard, times, now if published is None else published, now, RULE)


def reached(shard: ShardClock, now: int) -> int:
    return advance(shard, RULE, now).watermark


def test_the_watermark_is_the_earliest_time_handed_over() -> None:
    assert reached(told(old(), [970, 960, 980], 1000), 1000) == 960


def test_an_earlier_batch_holds_it_until_it_is_a_span_old() -> None:
    shard = told(told(old(), [500], 1000), [900], 1020)
    assert reached(shard, 1029) == 500
    assert reached(shard, 1030) == 900


def test_a_batch_still_counts_when_another_one_comes_a_moment_before_its_span_is_over() -> None:
    assert reached(told(told(old(), [500], 1000), [900], 1029), 1029) == 500
    assert reached(told(told(old(), [500], 1000), [900], 1030), 1030) == 900


def test_a_time_of_the_present_counts_and_one_after_it_says_nothing() -> None:
    assert reached(told(old(), [1000], 1000), 1000) == 1000
    assert reached(told(old(), [1001], 1000), 1000) == 0
    assert reached(told(old(), [1001, 400], 1000), 1000) == 400


def test_an_old_time_does_not_pull_it_back() -> None:
    shard = advance(told(old(), [900], 1000), RULE, 1000)
    assert reached(told(shard, [100], 1031), 1031) == 900


def test_it_stands_still_until_the_attempt_is_a_span_old() -> None:
    shard = told(begin(watermark=7, now=1000), [1029], 1029)
    assert reached(shard, 1029) == 7
    assert reached(shard, 1030) == 1029


def test_a_shard_is_idle_after_a_time_without_messages() -> None:
    shard = found_nothing(old(), 1000)
    assert reached(shard, 1059) == 0
    assert reached(shard, 1060) == 1055


def test_quiet_is_counted_from_its_beginning() -> None:
    assert reached(found_nothing(found_nothing(old(), 1000), 1059), 1060) == 1055


def test_an_idle_shard_does_not_go_back_to_the_present_less_the_delay() -> None:
    shard = advance(told(old(), [1000], 1000), RULE, 1000)
    assert reached(found_nothing(shard, 1000), 1060) == 1055
    assert reached(found_nothing(shard._replace(watermark=1058), 1000), 1060) == 1058


def test_an_idle_shard_whose_attempt_is_young_stands_still() -> None:
    rule = WatermarkRule(span=100, idle=60, delay=5)
    shard = found_nothing(begin(watermark=0, now=1000), 1000)
    assert advance(shard, rule, 1099).watermark == 0
    assert advance(shard, rule, 1100).watermark == 1095


def test_messages_end_a_quiet_time() -> None:
    shard = advance(told(found_nothing(old(), 1000), [10], 1050), RULE, 1050)
    assert reached(shard, 1085) == 10
    assert reached(found_nothing(shard, 1085), 1144) == 10
    assert reached(found_nothing(shard, 1085), 1145) == 1140


def test_not_being_able_to_ask_is_no_sign_of_quiet() -> None:
    assert reached(held_up(found_nothing(old(), 1000)), 2000) == 0


def test_messages_without_a_time_are_a_sign_of_quiet_if_they_are_fresh() -> None:
    assert reached(told(old(), [], 1000, published=995), 1060) == 1055
    assert reached(told(old(), [], 1000, published=994), 1060) == 0


def test_messages_of_a_backlog_without_a_time_end_a_quiet_time() -> None:
    assert reached(told(found_nothing(old(), 900), [], 1000, published=0), 1060) == 0


def test_what_is_remembered_is_bounded_by_the_span() -> None:
    shard = old()
    for now in range(1000, 1300):
        shard = told(shard, [now], now)
    assert len(shard.lows) == RULE.span
