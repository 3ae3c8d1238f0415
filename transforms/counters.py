"""Counters: every record that comes in is used, duplicate, ignored or rejected, and the numbers add up (rules: Accounted for)."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final

from apache_beam.metrics import Metrics, MetricsFilter
from apache_beam.runners.runner import PipelineResult

NAMESPACE: Final = "trueup"

LIVE: Final[Counter[str]] = Counter()
"""What this process has counted so far: for a progress display only, since a bundle that is run again counts twice here."""

MOST: Final = 1_000
"""Counters of a process. The kinds of ignored records beyond them are counted together: records may have any."""

_LOCK: Final = threading.Lock()


def count(name: str, number: int = 1) -> None:
    """Adds to a counter: `in`, `used`, `duplicate`, `ignored/KIND`, `rejected/REASON`, `cells/CAUSE`, `unchanged`, ..."""
    if number:
        with _LOCK:  # two threads that add at the same time would lose one of the numbers
            if name not in LIVE and len(LIVE) >= MOST and name.startswith("ignored/"):
                name = "ignored/others"
            LIVE[name] += number
        Metrics.counter(NAMESPACE, name).inc(number)


def counted(result: PipelineResult) -> Counter[str]:
    """The counters of a finished run, committed where the runner says so."""
    found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    totals: Counter[str] = Counter()
    for metric in found:
        totals[metric.key.metric.name] += metric.committed if metric.committed is not None else metric.attempted
    return totals


def total(counts: Mapping[str, int], family: str) -> int:
    """The sum of all counters of one family.

    >>> total({"rejected/late": 1, "rejected/not_json": 2, "used": 5}, "rejected")
    3
    """
    return sum(number for name, number in counts.items() if name.startswith(f"{family}/"))


def unaccounted(counts: Mapping[str, int]) -> int:
    """Records that came in less those used, duplicate, ignored or rejected: 0, or there is a mistake.

    >>> unaccounted({"in": 3, "used": 1, "rejected/late": 2})
    0
    """
    outcomes = counts.get("used", 0) + counts.get("duplicate", 0) + total(counts, "ignored") + total(counts, "rejected")
    return counts.get("in", 0) - outcomes
