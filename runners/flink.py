"""Flink: the options without which a stream would lose data or state, and a job that goes on when this program has left."""

import time
from collections.abc import Sequence
from typing import Final

import apache_beam as beam
import click
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import create_runner

from pipelines.failures import RunError, UsageError
from pipelines.store import Store
from pipelines.stream import Stream, StreamSettings

DEFAULTS: Final = {
    # Without it nothing is ever acknowledged, and sources end at once.
    "checkpointing_interval": "10000",
    "checkpoint_timeout_millis": "120000",
    # A worker that survived a restart must not acknowledge, in a new checkpoint, what the old one had read.
    "min_pause_between_checkpoints": "5000",
    # A step that fails would be started again for ever, also when nobody looks any more.
    "number_of_execution_retries": "10",
    "execution_retry_delay": "10000",
    "parallelism": "2",
    # State is laid out by it: it can never be changed.
    "max_parallelism": "128",
    "state_backend": "rocksdb",
    "environment_type": "EXTERNAL",
    "environment_config": "localhost:50000",
}
"""Options that a user may give otherwise."""
_FINISH: Final = "--finish_bundle_before_checkpointing"
"""Measured without it: a checkpoint inside the first bundle lets the watermark pass everything, and a run loses all its data."""
_LEAST_INTERVAL: Final = 1000
_TURN: Final = 0.5


def flink_options(given: Sequence[str]) -> list[str]:
    """The user's options and those that a stream needs beside them.

    Raises:
        UsageError: an option would lose data, or there is no cluster.
    """
    named = dict(option.removeprefix("--").split("=", 1) for option in given if "=" in option)
    interval = named.get("checkpointing_interval", DEFAULTS["checkpointing_interval"])
    if not interval.isdigit() or int(interval) < _LEAST_INTERVAL:
        raise UsageError(
            f"--checkpointing_interval: at least {_LEAST_INTERVAL} ms is required, since without checkpoints nothing is safe, "
            f"got {interval}."
        )
    if _FINISH.removeprefix("--") in named:
        raise UsageError(f"{_FINISH}: the flag without a value is required (it is always set), got one with a value.")
    if named.get("flink_master", "[auto]").startswith("["):
        raise UsageError("FlinkRunner: a cluster is required (-- --flink_master=host:8081), got none that outlives this program.")
    own = [f"--{name}={value}" for name, value in DEFAULTS.items() if name not in named]
    return [*(option for option in given if option != _FINISH), *own, _FINISH, "--streaming"]


def run_on_flink(settings: StreamSettings, store: Store) -> None:
    """Hands a stream to a Flink cluster and watches it; Ctrl-C leaves the job running.

    Raises:
        UsageError: an option would lose data.
        RunError: the job ended by itself.
    """
    from runners.streaming import stopping, watch

    options = PipelineOptions(flink_options(settings.runner_options))
    with stopping() as stopped:
        pipeline = beam.Pipeline(runner=create_runner("FlinkRunner"), options=options)
        Stream(settings, store).build(pipeline)
        ended = watch(pipeline.run())
        while not stopped.is_set() and not ended:
            time.sleep(_TURN)
    if not stopped.is_set():
        raise RunError(f"FlinkRunner: a job that runs is required, it ended: {ended[0]}.")
    click.echo("The job goes on in the cluster: stop it there, with a savepoint (flink stop JOB).", err=True)
