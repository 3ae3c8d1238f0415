"""What a stream, or a backfill, hands to Flink: safe by default, and never unsafe."""

from collections.abc import Mapping, Sequence
from typing import Final

from apache_beam.options.pipeline_options import FlinkRunnerOptions

from pipelines.failures import UsageError
from runners.engines.flink.cluster import Configuration
from runners.engines.runner_options import named_options

DEFAULTS: Final = {
    # Without it nothing is ever acknowledged, and sources end at once.
    "checkpointing_interval": "10000",
    # A worker that died while it started leaves a checkpoint that never completes.
    "checkpoint_timeout_millis": "120000",
    # A worker that survived a restart must not acknowledge, in a new checkpoint, what the old one had read.
    "min_pause_between_checkpoints": "5000",
    "parallelism": "2",
    # State is laid out by it: it can never be changed.
    "max_parallelism": "128",
}
"""Options that a user may give otherwise."""
RETRIES: Final = {"number_of_execution_retries": "10", "execution_retry_delay": "10000"}
"""Where the cluster limits no restarts: a step that fails would be started again for ever, also when nobody looks any more."""
POOL: Final = "localhost:50000"
"""Where the worker pool of each TaskManager listens."""
FLAGS: Final = (
    # Measured without it: a checkpoint inside the first bundle lets the watermark pass everything, and a run loses all its data.
    "finish_bundle_before_checkpointing",
    # Otherwise the state of a job goes with it: what is in it has been acknowledged, and does not come again.
    "externalized_checkpoints_enabled",
    "retain_externalized_checkpoints_on_cancellation",
)
"""Flags that are always set."""
_LEAST_INTERVAL: Final = 1000
_LEAST_PARALLELISM: Final = 2


def master_of(given: Sequence[str]) -> str:
    """The address of the cluster among the user's options.

    Raises:
        UsageError: there is none.
    """
    master = named_options(given).get("flink_master", "[auto]")
    if master.startswith("["):
        raise UsageError("FlinkRunner: a cluster is required (-- --flink_master=host:8081), got none that outlives this program.")
    return master if "://" in master else f"http://{master}"


def flink_batch_options(given: Sequence[str], cluster: Configuration, name: str) -> list[str]:
    """The user's options and those that a backfill needs beside them: workers from the pools, as for a stream.

    Args:
        given: the user's.
        cluster: what the cluster has been told.
        name: of the job, where the user gives none.

    Raises:
        UsageError: there is no cluster that Beam knows.
    """
    master_of(given)
    named = named_options(given)
    return _with(
        given, {"job_name": name, "parallelism": DEFAULTS["parallelism"], **_job_server(cluster, named), **_workers(named)}
    )


def flink_options(given: Sequence[str], cluster: Configuration, name: str, savepoint: str | None = None) -> list[str]:
    """The user's options and those that a stream needs beside them.

    Args:
        given: the user's.
        cluster: what the cluster has been told.
        name: of the job, where the user gives none.
        savepoint: the state from which it goes on.

    Raises:
        UsageError: an option would lose data, or there is no cluster that Beam knows.
    """
    master_of(given)
    named = named_options(given)
    _check(named)
    restarts = {} if cluster.restarts else RETRIES
    own = {**DEFAULTS, "job_name": name, **_job_server(cluster, named), **restarts, **_workers(named), **_state(cluster, named)}
    if savepoint is not None:
        own["savepoint_path"] = savepoint
    flags = [f"--{flag}" for flag in (*FLAGS, "streaming")]
    kept = [option for option in given if option not in flags and option != "--savepoint_path="]
    return [*_with(kept, own), *flags]


def storage_of(given: Sequence[str], cluster: Configuration) -> str:
    """The folder of checkpoints.

    Raises:
        UsageError: there is none, so that state would be lost with the JobManager.
    """
    path = named_options(given).get("state_backend_storage_path") or cluster.checkpoints
    if path is None:
        raise UsageError(
            "FlinkRunner: a folder for checkpoints is required (execution.checkpointing.dir of the cluster, "
            "or -- --state_backend_storage_path=URI), got none."
        )
    return path


def savepoint_of(given: Sequence[str]) -> str | None:
    """The savepoint that the user names; empty to begin anew; None if nothing is said."""
    return named_options(given).get("savepoint_path")


def _check(named: dict[str, str]) -> None:
    interval = named.get("checkpointing_interval", DEFAULTS["checkpointing_interval"])
    if not interval.isdigit() or int(interval) < _LEAST_INTERVAL:
        raise UsageError(
            f"--checkpointing_interval: at least {_LEAST_INTERVAL} ms is required, since without checkpoints nothing is safe, "
            f"got {interval}."
        )
    parallelism = named.get("parallelism", DEFAULTS["parallelism"])
    if not parallelism.isdigit() or int(parallelism) < _LEAST_PARALLELISM:
        raise UsageError(
            f"--parallelism: at least {_LEAST_PARALLELISM} is required, since at 1 Flink lays the state of the source out "
            f"otherwise, and what was begun so cannot go on with more, nor the other way round, got {parallelism}."
        )
    for flag in FLAGS:
        if flag in named:
            raise UsageError(f"--{flag}: the flag without a value is required (it is always set), got one with a value.")


def _with(given: Sequence[str], own: Mapping[str, str]) -> list[str]:
    named = named_options(given)
    return [*given, *(f"--{name}={value}" for name, value in own.items() if not named.get(name))]


def _workers(named: dict[str, str]) -> dict[str, str]:
    kind = named.get("environment_type", "EXTERNAL")
    return {"environment_type": kind} | ({"environment_config": POOL} if kind.upper() == "EXTERNAL" else {})


def _job_server(cluster: Configuration, named: dict[str, str]) -> dict[str, str]:
    told = {"job_endpoint", "flink_job_server_jar", "flink_version"} & named.keys()
    return {} if told else {"flink_version": _version(cluster.version)}


def _version(full: str) -> str:
    """The version of which Beam has a job server."""
    known = FlinkRunnerOptions.PUBLISHED_FLINK_VERSIONS
    version = ".".join(full.split(".")[:2])
    if version not in known:
        raise UsageError(f"--flink_master: a cluster of Flink {', '.join(known[:-1])} or {known[-1]} is required, got {full}.")
    return version


def _state(cluster: Configuration, named: dict[str, str]) -> dict[str, str]:
    """RocksDB, unless the cluster or the user says otherwise. The job server refuses a backend without a folder."""
    storage = storage_of([f"--{name}={value}" for name, value in named.items()], cluster)
    if cluster.backend is not None and not {"state_backend", "state_backend_storage_path"} & named.keys():
        return {}
    return {"state_backend": "rocksdb", "state_backend_storage_path": storage}
