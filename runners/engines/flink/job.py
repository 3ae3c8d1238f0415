"""A stream as a job of a Flink cluster: handed over, watched, and stopped with a savepoint from which the next run goes on."""

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import apache_beam as beam
import click
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import create_runner

from pipelines.failures import RunError
from pipelines.record.store import Store
from pipelines.stream.stream import Stream, StreamSettings
from runners.engines.flink.cluster import ENDED, Cluster, Job
from runners.engines.flink.options import flink_options, master_of, name_of, savepoint_of, storage_of
from runners.engines.flink.trail import LastJob, Trail
from runners.process.watching import stopping, watch

_TURN: Final = 1.0
_EVERY: Final = 30.0
"""Seconds between two lines about the job."""
_SILENT: Final = 120.0
"""Seconds for which a JobManager may be away: it is started again elsewhere."""
_SAVEPOINT: Final = 600.0
"""Seconds that a savepoint may take."""


class RunningJob(NamedTuple):
    """A job that has been handed over."""

    cluster: Cluster
    job: Job
    trail: Trail
    savepoint: str | None
    """The state from which it went on."""
    folder: str
    """Where its savepoint goes."""


def run_on_flink(settings: StreamSettings, store: Store) -> None:
    """Hands a stream to a Flink cluster; without `--detach` watches it there, and a signal stops it with a savepoint.

    Raises:
        UsageError: an option would lose data.
        RunError: the cluster does not answer, such a job runs already, or it failed.
    """
    cluster = Cluster(master_of(settings.runner_options))
    with stopping() as stopped:
        running = _hand_over(settings, store, cluster, stopped)
        if settings.detach:
            return
        _watch(running, stopped)
        if stopped.is_set():
            _stop(running)


def _hand_over(settings: StreamSettings, store: Store, cluster: Cluster, stopped: threading.Event) -> RunningJob:
    given, configuration = settings.runner_options, cluster.configuration()
    name = name_of(given, settings.subscription)
    if (other := cluster.running(name)) is not None:
        raise RunError(f"{cluster.address}: no running job named {name} is required, got {other.id} (flink stop {other.id}).")
    trail, said = Trail(settings.output, settings.subscription), savepoint_of(given)
    savepoint = trail.resumed(cluster) if said is None else said or None
    if savepoint is not None:
        click.echo(f"going on from {savepoint}", err=True)
    options = flink_options(given, configuration, name, savepoint if said is None else None)
    pipeline = beam.Pipeline(runner=create_runner("FlinkRunner"), options=PipelineOptions(options))
    Stream(settings, store).build(pipeline)
    began = _submitted(pipeline, cluster, name, stopped)
    trail.note(LastJob(began.id, savepoint, stopped=False))
    click.echo(f"streaming from {settings.subscription}: job {began.id} ({name}) on {cluster.address}", err=True)
    folder = configuration.savepoints or f"{storage_of(given, configuration).rstrip('/')}/savepoints"
    return RunningJob(cluster, began, trail, savepoint, folder)


def _submitted(pipeline: beam.Pipeline, cluster: Cluster, name: str, stopped: threading.Event) -> Job:
    """The job when the cluster has it.

    Raises:
        RunError: it ended, or a signal came first.
    """
    ended = watch(pipeline.run())
    while not stopped.is_set():
        if (job := cluster.running(name)) is not None:
            return job
        if ended:
            raise RunError(f"FlinkRunner: a job that runs is required, it ended: {ended[0]}.")
        stopped.wait(_TURN)
    raise RunError(f"{cluster.address}: a job is required before a signal comes; it may start as {name} (flink list).")


def _watch(running: RunningJob, stopped: threading.Event) -> None:
    """Looks after a job until a signal comes or it has ended. The cluster says so: the job server may go away."""
    due, answered = time.monotonic() + _EVERY, time.monotonic()
    while not stopped.wait(_TURN):
        try:
            state, answered = running.cluster.state(running.job.id), time.monotonic()
            line = _line(running, state) if answered >= due else None
        except RunError:
            if time.monotonic() - answered > _SILENT:
                raise
            continue
        if state in ENDED:
            _tell_end(running, state)
            return
        if line is not None:
            due += _EVERY
            click.echo(line, err=True)


def _line(running: RunningJob, state: str) -> str:
    newest = running.cluster.newest(running.job.id)
    last = "no checkpoint yet" if newest is None else f"last checkpoint {newest.age:.0f} s ago"
    return f"job {running.job.id}: {state}, {last}"


def _tell_end(running: RunningJob, state: str) -> None:
    if state == "FINISHED":
        return click.echo(f"job {running.job.id} was stopped in the cluster; the next run goes on from where it was", err=True)
    reason = _or_unknown(lambda: running.cluster.failure(running.job.id)) if state == "FAILED" else "not by this program"
    raise RunError(f"FlinkRunner: a job that runs is required, job {running.job.id} is {state}: {reason}.")


def _or_unknown(ask: Callable[[], str]) -> str:
    try:
        return ask().rstrip(".")
    except RunError:
        return "unknown"


def _stop(running: RunningJob) -> None:
    click.echo("stopping with a savepoint (once more Ctrl-C leaves the job as it is)", err=True)
    try:
        path = running.cluster.stop(running.job.id, running.folder, _SAVEPOINT)
    except RunError as error:
        raise RunError(f"{error} Job {running.job.id} was not stopped (flink stop {running.job.id}).") from None
    running.trail.note(LastJob(running.job.id, path, stopped=True))
    click.echo(f"stopped; the next run goes on from {path}", err=True)
