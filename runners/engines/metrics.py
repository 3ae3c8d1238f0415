"""What a stream tells Prometheus of itself (`--metrics-port`; contract: trueup stream)."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipelines.failures import RunError
from transforms.counters import LIVE, total
from transforms.subscription.reader import Reader
from transforms.subscription.source import present


class StreamFigures(Collector):
    """The counters of this process, and how far event time has come, as they are when Prometheus asks."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        live = dict(LIVE)
        late = live.get("rejected/late", 0)
        outcomes = {
            "used": live.get("used", 0),
            "duplicate": live.get("duplicate", 0),
            "ignored": total(live, "ignored"),
            "late": late,
            "rejected": total(live, "rejected") - late,
        }
        causes = {name.removeprefix("cells/"): number for name, number in live.items() if name.startswith("cells/")}
        yield CounterMetricFamily("trueup_stream_received_records", "records that came in", live.get("in", 0))
        yield _counter("trueup_stream_records", "records by what became of them", "outcome", outcomes)
        yield _counter("trueup_stream_cells", "versions of cells that were published", "cause", causes)
        yield CounterMetricFamily("trueup_stream_looks", "evaluations of some scale sets", live.get("looks", 0))
        outstanding = self._reader.outstanding
        yield GaugeMetricFamily("trueup_stream_outstanding_messages", "messages read and not acknowledged", outstanding)
        yield from self._event_time()

    def _event_time(self) -> Iterator[Metric]:
        """Nothing before a message has told a time."""
        reached = self._reader.watermark or 0
        if reached > 0:
            lag = max(0, present() - reached) / 1e6
            yield GaugeMetricFamily("trueup_stream_watermark_timestamp_seconds", "how far event time has come", reached / 1e6)
            yield GaugeMetricFamily("trueup_stream_watermark_lag_seconds", "how far that is behind the present", lag)


def _counter(name: str, meaning: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


@contextmanager
def scraped(reader: Reader, host: str, port: int) -> Iterator[str]:
    """Answers Prometheus while the block runs; gives the address.

    Raises:
        RunError: the port is taken, or not allowed.
    """
    registry = CollectorRegistry()
    registry.register(StreamFigures(reader))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"--metrics-port: a port of {host} that is free is required, got {port}: {reason}.") from None
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
