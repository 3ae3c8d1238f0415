"""Deliveries: when a record arrives, how often, and in which file it is written (lags as facts about the sources tell them)."""

import json
from typing import Any, Final, NamedTuple

from pipelines.simulate.given.draws import Draws
from schemas.time import HOUR, MICROSECOND, SECOND, floor_to, format_time, from_micros

EVENT_GRID: Final = "eventgrid"
ADMINISTRATIVE: Final = "administrative"
AUTOSCALE: Final = "autoscale"
HEALTH: Final = "health"
BROKEN_SHARE: Final = 0.0002
"""Of the records of Event Grid, those of which a piece is delivered besides: a collector that was cut off."""
_AGAIN: Final = 900
_COUNTED: Final = ("records", "duplicates", "broken")


class Delivery(NamedTuple):
    """A record on its way."""

    arrival: int
    file: str
    """Below the folder of events; the hour is put in its place by `file_at`."""
    text: str


class Post:
    """Collects and counts the records that a part of the fleet sends."""

    def __init__(self, draws: Draws, duplicate_share: float) -> None:
        self._draws, self._duplicates = draws, duplicate_share
        self.deliveries: list[Delivery] = []
        self.counts = dict.fromkeys(_COUNTED, 0)

    def send(self, record: dict[str, Any], time: int, kind: str, file: str) -> None:
        """Sends the record of an event: late, perhaps twice, perhaps followed by a broken one."""
        text = json.dumps(record, separators=(",", ":"))
        arrival = time + lag(self._draws, kind)
        self._deliver(arrival, file, text, "records")
        if self._draws.chance(self._duplicates):
            self._deliver(arrival + self._draws.span(1, _AGAIN), file, text, "duplicates")
        if kind == EVENT_GRID and self._draws.chance(BROKEN_SHARE):
            self._deliver(arrival + SECOND, file, text[: len(text) // 2], "broken")

    def _deliver(self, arrival: int, file: str, text: str, counter: str) -> None:
        self.counts[counter] += 1
        self.deliveries.append(Delivery(arrival, file, text))


def lag(draws: Draws, kind: str) -> int:
    """The delay, in microseconds, between an event and the arrival of its record.

    Event Grid: seconds, now and then minutes. Activity Log: what is administrative in 13 to 84 seconds, autoscale in less
    than one, health in two to three minutes and now and then in 23.
    """
    if kind == EVENT_GRID:
        return draws.span(60, 1400) if draws.chance(0.01) else draws.lognormal(4, 1.0, 0.5, 120)
    if kind == AUTOSCALE:
        return draws.span(0.3, 0.9)
    if kind == HEALTH:
        return draws.span(185, 1398) if draws.chance(0.05) else draws.span(122, 186)
    return draws.span(20, 84) if draws.chance(0.1) else draws.span(13, 20)


def file_at(pattern: str, arrival: int) -> str:
    """The file of a pattern like `a/%Y/%H.json` at an arrival.

    >>> file_at("a/y=%Y/h=%H.json", 0)
    'a/y=1970/h=00.json'
    """
    return from_micros(floor_to(arrival, HOUR)).strftime(pattern)


def stamp(time: int) -> str:
    """A moment as most records write it: seven digits, of which three say something.

    >>> stamp(1_500_000)
    '1970-01-01T00:00:01.5000000Z'
    """
    whole, part = divmod(time, SECOND)
    return f"{format_time(whole * SECOND).removesuffix('Z')}.{part // MICROSECOND:06}0Z"
