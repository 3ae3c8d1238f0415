"""A stream as a job of a Flink cluster: handed over, watched, and stopped with a savepoint from which the next run goes on."""

import hashlib
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import fields
from typing import Final, NamedTuple

import apache_beam as beam
import click
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import create_runner

from pipelines.failures import RunError
from pipelines.record.standing_files import find_standings
from pipelines.record.store import Store
from pipelines.stream.backfilled import BackfilledSets
from pipelines.stream.stream import Stream, StreamSettings
from runners.engines.flink.cluster import ENDED, FORGOTTEN, Cluster, FlinkCheckpoint, Job
from runners.engines.flink.job_server import job_server
from runners.engines.flink.options import flink_options, master_of, savepoint_of, storage_of
from runners.engines.flink.trail import LastJob, Trail
from runners.engines.runner_options import name_of
from runners.process.ending import temporary_folder
from runners.process.lease import ProgramLease
from runners.process.watching import stopping, watch
from transforms.subscription.recalled import NothingRecalled, Recalled

_NOT_OF_STREAM: Final = frozenset(
    {"output", "policy", "inventory", "resume", "runner_options", "detach", "dead_letter", "id_attribute", "time_attribute"}
)
"""Settings that do not tell two streams apart, are compared by what they hold, or are none of Flink's."""
_OF_HAND_OVER: Final = ("--savepoint_path", "--job_endpoint", "--flink_job_server_jar")
_TURN: Final = 1.0
_EVERY: Final = 30.0
"""Seconds between two lines about the job."""
_SILENT: Final = 120.0
"""Seconds for which a JobManager may be away: it is started again elsewhere."""
_RECOVERED: Final = 30.0
"""Seconds in which a JobManager that was started again must know its jobs, where it keeps them at all."""
_SAVEPOINT: Final = 600.0
"""Seconds that a savepoint may take."""


class RunningJob(NamedTuple):
    """A job that the cluster has."""

    cluster: Cluster
    job: Job
    trail: Trail
    left: LastJob
    """What the trail says of it."""
    folder: str
    """Where its savepoint goes."""


def run_on_flink(settings: StreamSettings, store: Store) -> None:
    """Hands a stream to a Flink cluster, or finds it there; unless detached, watches it until a signal stops it with a savepoint.

    Raises:
        UsageError: an option would lose data.
        RunError: the cluster does not answer, such a job of another stream runs already, or it failed.
    """
    cluster, trail = Cluster(master_of(settings.runner_options)), Trail(settings.output, settings.subscription)
    with stopping() as stopped, ProgramLease(trail.root, f"{trail.path}.lease", stopped) as lease:
        running = _found(settings, cluster, trail) or _handed_over(settings, store, cluster, trail, stopped)
        if settings.detach:
            return
        JobWatch(running, lease).watch(stopped)
        if stopped.is_set():
            _stop(running)


def stream_digest(settings: StreamSettings) -> str:
    """What tells whether two programs run the same stream: all that it is told, but whether they wait for it."""
    inventory = None if settings.inventory is None else settings.inventory.digest
    own = {each.name: getattr(settings, each.name) for each in fields(settings) if each.name not in _NOT_OF_STREAM}
    told = sorted(option for option in settings.runner_options if not option.startswith(_OF_HAND_OVER))
    return hashlib.sha256(repr((own, settings.policy.hash, settings.policy.lateness, inventory, told)).encode()).hexdigest()[:16]


def _found(settings: StreamSettings, cluster: Cluster, trail: Trail) -> RunningJob | None:
    """The job of this stream that runs already, since an earlier program has handed it over and left it.

    Raises:
        RunError: one of its name runs that is not this stream's.
    """
    name, left = name_of(settings.runner_options, settings.subscription), trail.last()
    others = [job for job in cluster.jobs() if job.name == name and job.state not in ENDED]
    own = None if left is None or left.stopped else left.is_one_of(others)
    if left is None or own is None:
        if others:
            raise RunError(
                f"{cluster.address}: no running job named {name} is required, got {others[0].id} ({_ending(others[0])})."
            )
        return None
    if left.stream != stream_digest(settings) or savepoint_of(settings.runner_options) is not None:
        raise RunError(
            f"{cluster.address}: the options with which job {own.id} runs are required, got others ({_ending(own)} first)."
        )
    running = RunningJob(cluster, own, trail, left._replace(job=own.id), _folder(settings, cluster))
    trail.note(running.left)
    click.echo(f"streaming from {settings.subscription}: found job {own.id} ({name}) on {cluster.address}", err=True)
    return running


def _ending(job: Job) -> str:
    return f"flink stop {job.id}"


def _handed_over(settings: StreamSettings, store: Store, cluster: Cluster, trail: Trail, stopped: threading.Event) -> RunningJob:
    given, configuration = settings.runner_options, cluster.configuration()
    name, said = name_of(given, settings.subscription), savepoint_of(given)
    savepoint = trail.resumed(cluster, name) if said is None else said or None
    if savepoint is not None:
        click.echo(f"going on from {savepoint}", err=True)
    options = flink_options(given, configuration, name, savepoint if said is None else None)
    left = LastJob(
        None,
        savepoint,
        stopped=False,
        stream=stream_digest(settings),
        earlier=tuple(job.id for job in cluster.jobs() if job.name == name),
        recalled=_mark(settings, trail, savepoint),
    )
    with temporary_folder() as folder, job_server(options, folder) as served:
        pipeline = beam.Pipeline(runner=create_runner("FlinkRunner"), options=PipelineOptions(served))
        Stream(settings, store, recalled=_recalled(settings, left)).build(pipeline)
        # Before the cluster has it: a program that is killed in between leaves a job that the next one finds by its name.
        trail.note(left)
        began = _submitted(pipeline, cluster, left, name, stopped)
    running = RunningJob(cluster, began, trail, left._replace(job=began.id, earlier=()), _folder(settings, cluster))
    trail.note(running.left)
    click.echo(f"streaming from {settings.subscription}: job {began.id} ({name}) on {cluster.address}", err=True)
    return running


def _mark(settings: StreamSettings, trail: Trail, savepoint: str | None) -> str | None:
    """A new mark for a stream that begins with what backfills have left, that of the last job for one that goes on.

    Raises:
        UsageError: what was left was made with another policy.
    """
    if savepoint is not None:
        last = trail.last()
        return None if last is None else last.recalled
    if not settings.resume:
        return None
    find_standings(settings.output, settings.policy.hash)
    return trail.path.removesuffix(".json") + f"-{uuid.uuid4().hex[:12]}.recalled"


def _recalled(settings: StreamSettings, left: LastJob) -> Recalled:
    if left.recalled is None:
        return NothingRecalled()
    return BackfilledSets(settings.output, settings.policy.hash, settings.policy.grid, settings.groups, left.recalled)


def _folder(settings: StreamSettings, cluster: Cluster) -> str:
    configuration = cluster.configuration()
    return configuration.savepoints or f"{storage_of(settings.runner_options, configuration).rstrip('/')}/savepoints"


def _submitted(pipeline: beam.Pipeline, cluster: Cluster, left: LastJob, name: str, stopped: threading.Event) -> Job:
    """The job when the cluster has it.

    Raises:
        RunError: it ended, or a signal came first.
    """
    ended = watch(pipeline.run())
    while not stopped.is_set():
        if (job := left.is_one_of([job for job in cluster.jobs() if job.name == name])) is not None:
            # The job server is no longer needed; Beam's threads that listen to it would each say at length that it has gone.
            threading.excepthook = lambda _: None
            return job
        if ended:
            raise RunError(f"FlinkRunner: a job that runs is required, it ended: {ended[0]}.")
        stopped.wait(_TURN)
    raise RunError(f"{cluster.address}: a job is required before a signal comes; the next run finds it if it starts as {name}.")


class JobWatch:
    """Looks after a job until a signal comes or it has ended. The cluster says so: the job server may go away."""

    def __init__(self, running: RunningJob, lease: ProgramLease) -> None:
        self._running, self._lease = running, lease
        self._checkpoint: FlinkCheckpoint | None = None
        """The newest one, as it was last seen."""
        self._answered = self._known = time.monotonic()
        """When the cluster last answered, and when it last knew the job."""
        self._due = self._answered + _EVERY

    def watch(self, stopped: threading.Event) -> None:
        """Looks again and again.

        Raises:
            RunError: the job has failed or is forgotten, the cluster is silent, or another program has taken over.
        """
        while not stopped.wait(_TURN):
            self._lease.check()
            try:
                state = self._state()
            except RunError:
                if time.monotonic() - self._answered > _SILENT:
                    raise
                continue
            if state == FORGOTTEN:
                self._wait_for_recovery()
            elif state in ENDED:
                return self._tell_end(state)
            elif self._answered >= self._due:
                self._due += _EVERY
                click.echo(f"job {self._running.job.id}: {state}, {self._last()}", err=True)
        return None

    def _state(self) -> str:
        state, self._answered = self._running.cluster.state(self._running.job.id), time.monotonic()
        if state != FORGOTTEN:
            self._known = self._answered
        if state == "RUNNING":
            self._see(self._running.cluster.newest(self._running.job.id))
        return state

    def _see(self, newest: FlinkCheckpoint | None) -> None:
        """Notes each checkpoint: a JobManager that is started again may know none."""
        if newest is not None and newest.path is not None and (self._checkpoint is None or newest.path != self._checkpoint.path):
            self._running.trail.note(self._running.left._replace(checkpoint=newest.path))
        self._checkpoint = newest or self._checkpoint

    def _last(self) -> str:
        return "no checkpoint yet" if self._checkpoint is None else f"last checkpoint {self._checkpoint.age:.0f} s ago"

    def _wait_for_recovery(self) -> None:
        """Notes where the next run goes on. The last checkpoint but one would do, too: what it holds is acknowledged one late.

        Raises:
            RunError: the cluster has had time enough to know the job again.
        """
        if self._answered - self._known < _RECOVERED:
            return
        running, seen = self._running, None if self._checkpoint is None else self._checkpoint.path
        path = seen or running.left.savepoint
        running.trail.note(running.left._replace(savepoint=path, stopped=True))
        state = f"its last checkpoint is {path}; the same command goes on from it" if path else "it had no checkpoint"
        raise RunError(
            f"{running.cluster.address}: job {running.job.id} is required, its JobManager was started again without it: {state}."
        )

    def _tell_end(self, state: str) -> None:
        job = self._running.job.id
        if state == "FINISHED":
            return click.echo(f"job {job} was stopped in the cluster; the next run goes on from where it was", err=True)
        reason = _or_unknown(lambda: self._running.cluster.failure(job)) if state == "FAILED" else "not by this program"
        raise RunError(f"FlinkRunner: a job that runs is required, job {job} is {state}: {reason}.")


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
        raise RunError(f"{error} Job {running.job.id} was not stopped ({_ending(running.job)}).") from None
    running.trail.note(running.left._replace(savepoint=path, stopped=True))
    click.echo(f"stopped; the next run goes on from {path}", err=True)
