"""How far one shard of a source of messages without order knows event time to have come (steps: Source).

The watermark of a shard is the earliest event time that it has handed over within the last `span`. It stands still while an
attempt is younger than `span`: what a reader that died had leased, and had not acknowledged, comes again within that time,
and would be late. A shard that has found nothing for `idle` goes on with the present less `delay`, so that a quiet
subscription holds back nobody.

>>> rule = WatermarkRule(span=30, idle=60, delay=5)
>>> shard = begin(watermark=0, now=100)
>>> shard = advance(handed_over(shard, [40, 90, 10**6], published=100, now=100, rule=rule), rule, now=100)
>>> shard.watermark, advance(shard, rule, now=129).watermark
(0, 0)
>>> shard = handed_over(shard, [70], published=129, now=129, rule=rule)
>>> advance(shard, rule, now=130).watermark
70
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class WatermarkRule:
    """Lengths of time in microseconds."""

    span: int
    """How long what was handed over holds the watermark; longer than any lease."""
    idle: int
    """How long a shard finds nothing before it is idle."""
    delay: int
    """How far an idle shard stays behind the present."""


class ShardClock(NamedTuple):
    """What one shard knows of event time. Microseconds."""

    begun: int
    """When the attempt began."""
    watermark: int
    lows: tuple[tuple[int, int], ...] = ()
    """When something was handed over, and the earliest event time in it; the latest last."""
    quiet_since: int | None = None
    """Since when nothing that tells the time has come, as far as the server says."""


def begin(watermark: int, now: int) -> ShardClock:
    """A shard at the beginning of an attempt, with the watermark that it had reached before."""
    return ShardClock(begun=now, watermark=watermark)


def handed_over(shard: ShardClock, times: Iterable[int], published: int, now: int, rule: WatermarkRule) -> ShardClock:
    """The shard after it has handed over messages.

    Args:
        shard: before.
        times: the event times in them. One after the present says nothing.
        published: when the first of them reached the server: if none tells a time, they are a sign of quiet, unless they are of a
            backlog.
        now: the present.
        rule: the lengths of time.
    """
    known = [moment for moment in times if moment <= now]
    if not known:
        return found_nothing(shard, now) if published >= now - rule.delay else held_up(shard)
    recent = tuple(entry for entry in shard.lows if entry[0] > now - rule.span)
    return shard._replace(lows=(*recent, (now, min(known))), quiet_since=None)


def found_nothing(shard: ShardClock, now: int) -> ShardClock:
    """The shard after the server had nothing for it."""
    return shard if shard.quiet_since is not None else shard._replace(quiet_since=now)


def held_up(shard: ShardClock) -> ShardClock:
    """The shard after it could not ask: whether there is anything is not known, so it is not idle."""
    return shard._replace(quiet_since=None)


def advance(shard: ShardClock, rule: WatermarkRule, now: int) -> ShardClock:
    """The shard with its watermark as far as it has come by now; it never goes back."""
    return shard._replace(watermark=max(shard.watermark, _reached(shard, rule, now)))


def _reached(shard: ShardClock, rule: WatermarkRule, now: int) -> int:
    if now < shard.begun + rule.span:
        return shard.watermark
    recent = [low for moment, low in shard.lows if moment > now - rule.span]
    if recent:
        return min(recent)
    idle = shard.quiet_since is not None and now - shard.quiet_since >= rule.idle
    return now - rule.delay if idle else shard.watermark
