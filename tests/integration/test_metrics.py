"""`trueup stream --metrics-port`, scraped while it runs."""

import re
import uuid
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.emulator import Emulator
from tests.support.files import two_days
from tests.support.live import bodies, hour, recent, send, wait
from tests.support.streaming import observed

pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.depends_on_speed("a stream whose figures must come within two minutes"),
]


def test_a_running_stream_tells_its_counts_and_how_far_it_is(pubsub: Emulator, tmp_path: Path) -> None:
    topic, subscription = pubsub.open(f"metrics-{uuid.uuid4().hex}")
    events = recent(list(two_days()), hour())
    send(pubsub, topic, [*bodies(events), b"{broken"])
    found: dict[str, float] = {}

    def scraped() -> bool:
        told = re.search(r"metrics at (\S+)", running.said.read_text())
        if told is None:
            return False
        with urlopen(told[1], timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        for sample in (sample for family in families for sample in family.samples):
            found["/".join([sample.name, *sample.labels.values()])] = sample.value
        return found.get("trueup_stream_watermark_lag_seconds", 1e9) < 3600 and "trueup_stream_cells_total/first" in found

    with observed(subscription, tmp_path / "record", "--idle", "5s", "--metrics-port", "0") as running:
        wait(120, lambda: running.check() or scraped(), "the figures")
    assert found["trueup_stream_received_records_total"] == len(events) + 1
    assert found["trueup_stream_records_total/used"] == len(events)
    assert found["trueup_stream_records_total/rejected"] == 1
    assert found["trueup_stream_looks_total"] > 0
    assert found["process_resident_memory_bytes"] > 1e7
