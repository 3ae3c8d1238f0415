"""What a stream tells Prometheus: scraped from a real port, read by the parser of Prometheus' own client."""

import socket
from collections import Counter
from typing import Any
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.failures import RunError
from runners.engines import metrics
from runners.engines.metrics import scraped


class Reader:
    """A reader that has come as far as it is told."""

    outstanding = 7

    def __init__(self, watermark: int | None) -> None:
        self.watermark = watermark


@pytest.fixture(autouse=True)
def counts(monkeypatch: pytest.MonkeyPatch) -> None:
    live = {"in": 20, "used": 9, "duplicate": 3, "ignored/a": 1, "ignored/b": 2, "rejected/late": 4, "rejected/not_json": 1}
    monkeypatch.setattr(metrics, "LIVE", Counter({**live, "cells/first": 5, "cells/late": 2, "looks": 6, "unchanged": 8}))
    monkeypatch.setattr(metrics, "present", lambda: 1_000_000_000)


def scrape(reader: Any) -> dict[tuple[str, ...], float]:
    with scraped(reader, "127.0.0.1", 0) as address, urlopen(address, timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = (sample for family in families if family.name.startswith("trueup_") for sample in family.samples)
    return {(sample.name.removeprefix("trueup_stream_"), *sample.labels.values()): sample.value for sample in samples}


def test_counters_and_event_time_are_told() -> None:
    assert scrape(Reader(997_500_000)) == {
        ("received_records_total",): 20,
        ("records_total", "used"): 9,
        ("records_total", "duplicate"): 3,
        ("records_total", "ignored"): 3,
        ("records_total", "late"): 4,
        ("records_total", "rejected"): 1,
        ("cells_total", "first"): 5,
        ("cells_total", "late"): 2,
        ("looks_total",): 6,
        ("outstanding_messages",): 7,
        ("watermark_timestamp_seconds",): 997.5,
        ("watermark_lag_seconds",): 2.5,
    }


@pytest.mark.parametrize("watermark", [None, -1])
def test_before_a_message_tells_a_time_there_is_no_watermark(watermark: int | None) -> None:
    assert not [name for name in scrape(Reader(watermark)) if name[0].startswith("watermark")]


def test_a_watermark_in_the_future_is_not_behind() -> None:
    assert scrape(Reader(1_000_000_001))["watermark_lag_seconds",] == 0


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(RunError, match=f"--metrics-port: a port of 127.0.0.1 that is free is required, got {port}: Address"),
            scraped(Reader(None), "127.0.0.1", port),  # type: ignore[arg-type]
        ):
            pass
