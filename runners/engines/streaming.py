"""Runs a stream until it is stopped, and ends it in order."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import apache_beam as beam
import click
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import create_runner

from pipelines.failures import RunError
from pipelines.record.folder import absolute
from pipelines.record.store import Store
from pipelines.stream.process import StreamProcess
from pipelines.stream.steps import ProcessSink
from pipelines.stream.stream import Stream, StreamSettings
from runners.engines.alarming import alarming
from runners.engines.compacting import compacting
from runners.engines.delivery import to_topic
from runners.engines.prism import prism
from runners.engines.pubsub import publisher, sentences, subscriber
from runners.engines.status import Status
from runners.process.ending import temporary_folder
from runners.process.watching import stopping, watch

_TURN: Final = 0.2
_LONGEST_STOP: Final = 30.0
"""Seconds in which what was read should have become durable."""


def run_stream(settings: StreamSettings) -> None:
    """Runs a stream on the runner that its settings name.

    Raises:
        TrueupError: there is no such subscription, no runner, or the folder is not for it.
    """
    if settings.runner == "DataflowRunner":
        from runners.engines.dataflow.options import check_options

        check_options(settings.runner_options, settings.output)
    check_subscription(settings.subscription)
    if settings.dead_letter is not None:
        with sentences(settings.dead_letter):
            publisher().get_topic(topic=settings.dead_letter, timeout=10.0, retry=None)
    store = Store(settings.output)
    store.check_grid(settings.policy.grid)
    store.open(settings.policy)
    store.keep_groups(settings.groups)
    if settings.runner == "FlinkRunner":
        from runners.engines.flink.job import run_on_flink

        # Its workers stand elsewhere: a relative path would be another one there.
        store = replace(store, root=absolute(store.root))
        run_on_flink(replace(settings, output=store.root), store)
    elif settings.runner == "DataflowRunner":
        from runners.engines.dataflow.job import run_on_dataflow

        run_on_dataflow(settings, store)
    else:
        run_on_prism(settings, store)


def check_subscription(name: str) -> None:
    """Makes sure that the subscription is there before anything starts.

    Raises:
        RunError: it is not, or there are no credentials, or no server answers.
    """
    with sentences(name):
        subscriber().get_subscription(request={"subscription": name}, timeout=10.0, retry=None)


def run_on_prism(settings: StreamSettings, store: Store) -> None:
    """Runs a stream on this machine until a signal stops it."""
    every = None if settings.compact_every is None else settings.compact_every / 1e6
    deliver = None if settings.alerts is None else to_topic(settings.alerts)
    with (
        StreamProcess(settings, store) as process,
        stopping() as stopped,
        temporary_folder() as folder,
        prism(folder, settings.runner_options) as options,
        Status(process) as status,
        compacting(settings.output, every),
        alarming(settings.output, deliver, settings.alert_after),
        _scraped(settings, process),
    ):
        pipeline = beam.Pipeline(runner=create_runner("PrismRunner"), options=PipelineOptions(options))
        Stream(settings, ProcessSink(process.name), process.name, process.recalls).build(pipeline)
        result = pipeline.run()
        ended = watch(result)
        while not stopped.wait(_TURN) and not ended:
            status.show()
        if ended and not stopped.is_set():
            raise RunError(f"PrismRunner: a job that runs is required, it ended: {ended[0]}.")
        process.stop(_LONGEST_STOP)
        status.end()
        result.cancel()
        # The worker's threads find Prism gone, and would each say so at length.
        threading.excepthook = lambda _: None


@contextmanager
def _scraped(settings: StreamSettings, process: StreamProcess) -> Iterator[None]:
    """Answers Prometheus while the block runs, if there is a port for it."""
    if settings.metrics_port is None:
        yield
        return
    try:
        from runners.engines.metrics import scraped
    except ModuleNotFoundError as error:
        raise RunError(f"--metrics-port: the extra trueup[metrics] is required, got no module {error.name}.") from None
    with scraped(process.reader, settings.metrics_host, settings.metrics_port) as address:
        click.echo(f"metrics at {address}", err=True)
        yield
