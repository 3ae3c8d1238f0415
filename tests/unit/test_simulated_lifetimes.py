"""The shipped quantiles are those of the trace that they name; this is how they were computed."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from pipelines.simulate.given.lifetimes import Quantiles, read_quantiles

TRACE = Path(__file__).parents[3] / "shared" / "data" / "azure_v1_vm_lifetimes"
FILES = ("v1.dev.c2100000.txt", "v1.test.c2591400.txt")
LARGE = 2
"""Machines of a batch from which on its lifetimes are compared."""


class Batch(NamedTuple):
    """Machines that one customer created in the same five minutes; `bins` of a machine that outlived the trace are negative."""

    second: int
    bins: list[int]


def batches() -> Iterator[Batch]:
    for name in FILES:
        for line in (TRACE / name).read_text().splitlines():
            second, _, rest = line.partition(" ")
            for group in rest.split("|"):
                marks = [mark for mark in group.split(",") if mark.strip()]
                if marks:
                    yield Batch(int(second), [int(m.strip()[1:]) if "U" in m else -1 - int(m.strip()[1:]) for m in marks])


def upper_minutes() -> list[float]:
    """The longest lifetime of each bin."""
    rows = [line.split() for line in (TRACE / "v1.interval_map.txt").read_text().splitlines()]
    longest = {int(bin_): int(second) / 60 for second, bin_ in rows}
    return [longest[bin_] for bin_ in sorted(longest)]


def lived_shares(bins: list[int]) -> list[float]:
    """Of each bin, the share of machines that live no longer (Kaplan and Meier: some outlive the trace)."""
    ended, open_ = Counter(b for b in bins if b >= 0), Counter(-1 - b for b in bins if b < 0)
    at_risk, alive, shares = len(bins), 1.0, []
    for bin_ in range(len(upper_minutes())):
        alive *= 1 - ended[bin_] / at_risk if at_risk else 1
        at_risk -= ended[bin_] + open_[bin_]
        shares.append(1 - alive)
    return shares


@pytest.fixture(scope="module")
def trace() -> list[Batch]:
    if not TRACE.exists():
        pytest.skip(f"{TRACE} is not here")
    return list(batches())


def test_lifetimes_are_those_of_the_trace(trace: list[Batch]) -> None:
    shares = lived_shares([b for batch in trace for b in batch.bins])
    for share, minutes in read_quantiles("lifetime_minutes").points():
        bin_ = int(np.searchsorted(upper_minutes(), minutes))
        assert share == pytest.approx(shares[bin_], abs=1e-4)


def test_batch_sizes_are_those_of_the_trace(trace: list[Batch]) -> None:
    sizes = np.array([len(batch.bins) for batch in trace])
    for share, size in read_quantiles("batch_machines").points():
        assert share == pytest.approx(float((sizes <= size).mean()), abs=1e-4)


def test_arrivals_are_those_of_the_trace(trace: list[Batch]) -> None:
    counts = np.array(sorted(Counter(batch.second for batch in trace).values()))
    for share, ratio in read_quantiles("arrivals_over_mean").points():
        assert ratio == pytest.approx(float(np.quantile(counts, share) / counts.mean()), abs=1e-3)


def test_the_share_of_batches_that_end_together_is_that_of_the_trace(trace: list[Batch]) -> None:
    from pipelines.simulate.given.lifetimes import END_TOGETHER

    large = [batch for batch in trace if len(batch.bins) >= LARGE]
    assert pytest.approx(np.mean([len(set(batch.bins)) == 1 for batch in large]), abs=0.01) == END_TOGETHER


def test_a_draw_lies_between_the_points_around_its_share() -> None:
    quantiles = Quantiles(((0.0, 1.0), (0.5, 3.0), (1.0, 9.0)))
    assert [quantiles.at(share) for share in (0, 0.25, 0.5, 1)] == [1.0, 2.0, 3.0, 9.0]


def test_half_of_all_machines_live_no_longer_than_half_an_hour() -> None:
    assert 20 < read_quantiles("lifetime_minutes").at(0.5) < 30
    assert read_quantiles("batch_machines").at(0.5) == 1
