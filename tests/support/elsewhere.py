"""Streams and backfills whose workers are other processes, as on a cluster: on Prism, with the worker pool that is shipped."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import psutil
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import create_runner

from pipelines.record.store import Store
from pipelines.stream.stream import Stream, StreamSettings
from runners.engines.prism import local_binary, prism
from schemas.time import SECOND
from tests.support.emulator import missing
from tests.support.flink import worker_pool
from transforms.ledger import LedgerSettings
from transforms.subscription.recalled import NothingRecalled, Recalled


def of_cluster(subscription: str, out: Path) -> StreamSettings:
    """A stream as a cluster runs it, in a hurry."""
    return StreamSettings(subscription, str(out), flush=SECOND, idle=5 * SECOND, lease=10 * SECOND, runner="FlinkRunner")


class Hurried(StreamSettings):
    """A stream whose bundles have time for two scale sets of a grid end."""

    @property
    def ledger(self) -> LedgerSettings:
        return replace(super().ledger, most_sets=2, longest=0.0)


def kill_workers() -> None:
    """Kills the processes that run the steps."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended, and nobody has asked how
            if any("SdkHarness(" in word for word in process.cmdline()):
                process.kill()


@contextmanager
def engine_elsewhere(folder: Path) -> Iterator[list[str]]:
    """Options of a Prism that has its steps run by a worker pool."""
    if local_binary() is None:
        missing("Prism: `go install` it at Beam's version (.ci/tools does), or let TRUEUP_PRISM name it")
    with worker_pool() as port, prism(str(folder), ()) as options:
        here = [option for option in options if not option.startswith("--environment_type")]
        yield [*here, "--environment_type=EXTERNAL", f"--environment_config=localhost:{port}"]


@contextmanager
def streaming_elsewhere(settings: StreamSettings, folder: Path, recalled: Recalled | None = None) -> Iterator[Any]:
    """Runs the graph that Flink gets while the block does: no journal, a sink that writes at once; gives its job.

    But for the sessions: Prism refuses their triggers, so slices go on as they come.
    """
    store = Store(settings.output)
    store.open(settings.policy)
    with engine_elsewhere(folder) as options:
        pipeline = beam.Pipeline(runner=create_runner("PrismRunner"), options=PipelineOptions(options))
        Stream(settings, store, recalled=recalled or NothingRecalled(), sessions=False).build(pipeline)
        job = pipeline.run()
        try:
            yield job
        finally:
            job.cancel()
