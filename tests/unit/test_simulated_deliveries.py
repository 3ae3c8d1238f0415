"""Lags, duplicates and files of simulated records."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.simulate.given.draws import Draws
from pipelines.simulate.records.delivery import ADMINISTRATIVE, AUTOSCALE, EVENT_GRID, HEALTH, Delivery, Post, lag, stamp
from pipelines.simulate.records.spool import Spool
from schemas.time import DAY, HOUR, SECOND
from schemas.timestamp import parse_time


def lags(kind: str) -> list[float]:
    draws = Draws("test", kind)
    return [lag(draws, kind) / SECOND for _ in range(5000)]


@pytest.mark.parametrize(
    ("kind", "least", "median", "most"),
    [(EVENT_GRID, 0.5, 4, 1400), (ADMINISTRATIVE, 13, 17, 84), (AUTOSCALE, 0.3, 0.6, 0.9), (HEALTH, 122, 156, 1398)],
)
def test_records_arrive_as_late_as_they_have_been_seen_to(kind: str, least: float, median: float, most: float) -> None:
    found = lags(kind)
    assert min(found) >= least
    assert max(found) <= most
    assert np.median(found) == pytest.approx(median, rel=0.1)


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_so_many_records_come_twice(share: float) -> None:
    post = Post(Draws("test"), share)
    for number in range(2000):
        post.send({"id": number}, 0, HEALTH, "x")
    texts = [delivery.text for delivery in post.deliveries]
    assert post.counts["duplicates"] / 2000 == pytest.approx(share, abs=0.03)
    assert len(texts) - len(set(texts)) == post.counts["duplicates"]
    assert (post.counts["records"], post.counts["broken"]) == (2000, 0)


def test_a_piece_is_broken_now_and_then() -> None:
    post = Post(Draws("test"), 0)
    for number in range(20_000):
        post.send({"id": number, "type": "a"}, 0, EVENT_GRID, "x")
    broken = [delivery.text for delivery in post.deliveries if not delivery.text.endswith("}")]
    assert 0 < len(broken) == post.counts["broken"] < 20
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken[0])


@pytest.mark.parametrize("most", [1, 5_000, 10**9])
def test_files_are_of_the_hour_of_arrival_and_in_its_order(most: int, tmp_path: Path) -> None:
    post = Post(Draws("test"), 0)
    for number in range(500):
        post.send({"id": number}, (number * 997 % 500) * 40 * SECOND, ADMINISTRATIVE, "d=%d/h=%H")
    spool = Spool(str(tmp_path), most)
    spool.take(post.deliveries)
    found = dict(spool.files())
    arrival = {json.loads(delivery.text)["id"]: delivery.arrival for delivery in post.deliveries}
    assert list(found) == [f"d=01/h={hour:02}" for hour in range(6)]
    assert sum(text.count("\n") for text in found.values()) == 500
    for name, text in found.items():
        times = [arrival[json.loads(line)["id"]] for line in text.splitlines()]
        assert times == sorted(times)
        assert {time % DAY // HOUR for time in times} == {int(name[-2:])}


def test_of_one_moment_the_first_stays_the_first(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), 1)
    spool.take([Delivery(5, "x", text) for text in "cab"])
    spool.take([Delivery(4, "x", "z")])
    assert list(spool.files()) == [("x", "z\nc\na\nb\n")]


@pytest.mark.parametrize("time", [0, 1_000, 1_500_000, 1_790_845_210_123_000])
def test_a_stamp_is_read_back(time: int) -> None:
    assert parse_time(stamp(time)) == time
