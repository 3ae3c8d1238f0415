"""What a stream hands to Flink: safe by default, and never unsafe."""

from typing import Any

import pytest

from pipelines.failures import UsageError
from runners.engines.flink.cluster import Configuration
from runners.engines.flink.options import (
    DEFAULTS,
    FLAGS,
    POOL,
    RETRIES,
    flink_batch_options,
    flink_options,
    savepoint_of,
)
from runners.engines.runner_options import name_of

CLUSTER = "--flink_master=host:8081"
READY = Configuration("1.20.5", "file:///checkpoints", "file:///savepoints", "rocksdb", "failure-rate")
BARE = Configuration("1.20.5", "file:///checkpoints")
JAVA = {
    *("flink_master", "parallelism", "max_parallelism", "checkpointing_interval", "checkpoint_timeout_millis"),
    *("min_pause_between_checkpoints", "finish_bundle_before_checkpointing", "number_of_execution_retries"),
    *("execution_retry_delay", "state_backend", "state_backend_storage_path", "externalized_checkpoints_enabled"),
    *("retain_externalized_checkpoints_on_cancellation", "savepoint_path"),
}
"""Options of the job server that are used here: those of FlinkPipelineOptions, as Python spells them."""
PYTHON = {"environment_type", "environment_config", "flink_version", "streaming", "job_name"}


def options(*given: str, cluster: Configuration = READY, **more: Any) -> list[str]:
    return flink_options([CLUSTER, *given], cluster, "trueup-p-s", **more)


def test_what_a_stream_needs_is_set() -> None:
    found = options()
    assert {"--streaming", "--job_name=trueup-p-s", "--flink_version=1.20", f"--environment_config={POOL}", CLUSTER} <= set(found)
    assert all(f"--{name}={value}" in found for name, value in DEFAULTS.items())
    assert all(f"--{flag}" in found for flag in FLAGS)


@pytest.mark.parametrize("cluster", [READY, BARE], ids=["ready", "bare"])
def test_all_options_are_known_to_the_job_server(cluster: Configuration) -> None:
    found = options("--savepoint_path=file:///s", cluster=cluster)
    names = [option.removeprefix("--").split("=")[0] for option in found]
    assert set(names) <= JAVA | PYTHON
    assert len(set(names)) == len(names)


def test_an_option_of_the_user_goes_over_the_default() -> None:
    found = options("--parallelism=16", "--finish_bundle_before_checkpointing")
    assert [option for option in found if "parallelism" in option and "max" not in option] == ["--parallelism=16"]
    assert found.count("--finish_bundle_before_checkpointing") == 1


@pytest.mark.parametrize("interval", ["-1", "0", "999", "never"])
def test_a_stream_without_checkpoints_is_refused(interval: str) -> None:
    with pytest.raises(UsageError, match="--checkpointing_interval: at least 1000 ms is required") as error:
        options(f"--checkpointing_interval={interval}")
    assert str(error.value).endswith(f"got {interval}.")


@pytest.mark.parametrize("parallelism", ["1", "0", "many"])
def test_a_parallelism_from_which_no_state_can_go_on_is_refused(parallelism: str) -> None:
    with pytest.raises(UsageError, match="--parallelism: at least 2 is required, since at 1 Flink lays the state") as error:
        options(f"--parallelism={parallelism}")
    assert str(error.value).endswith(f"got {parallelism}.")


def test_a_backfill_has_the_workers_of_a_stream_and_none_of_its_checkpoints() -> None:
    found = flink_batch_options([CLUSTER, "--parallelism=1"], BARE, "trueup-backfill-1")
    assert found == [
        CLUSTER,
        "--parallelism=1",
        "--job_name=trueup-backfill-1",
        "--flink_version=1.20",
        "--environment_type=EXTERNAL",
        f"--environment_config={POOL}",
    ]
    with pytest.raises(UsageError, match="a cluster is required"):
        flink_batch_options([], BARE, "trueup-backfill-1")


def test_the_shortest_interval_is_accepted() -> None:
    assert "--checkpointing_interval=1000" in options("--checkpointing_interval=1000")


@pytest.mark.parametrize("flag", FLAGS)
def test_flags_without_which_data_is_lost_cannot_be_taken_away(flag: str) -> None:
    with pytest.raises(UsageError, match="the flag without a value is required"):
        options(f"--{flag}=false")


@pytest.mark.parametrize("given", [[], ["--flink_master=[local]"], ["--flink_master=[auto]"]])
def test_a_cluster_is_required(given: list[str]) -> None:
    with pytest.raises(UsageError, match="a cluster is required"):
        flink_options(given, READY, "name")


def test_a_cluster_that_limits_restarts_and_keeps_state_in_rocksdb_has_its_way() -> None:
    assert not [option for option in options() if "retr" in option or "state_backend" in option]


def test_a_cluster_that_says_nothing_gets_limited_restarts_and_rocksdb() -> None:
    found = options(cluster=BARE)
    assert all(f"--{name}={value}" in found for name, value in RETRIES.items())
    assert {"--state_backend=rocksdb", "--state_backend_storage_path=file:///checkpoints"} <= set(found)


def test_a_folder_of_the_user_goes_over_that_of_the_cluster() -> None:
    found = options("--state_backend_storage_path=s3://b/c")
    assert [option for option in found if "state_backend" in option] == [
        "--state_backend_storage_path=s3://b/c",
        "--state_backend=rocksdb",
    ]


def test_state_without_a_folder_is_refused() -> None:
    with pytest.raises(UsageError, match="a folder for checkpoints is required"):
        options(cluster=Configuration("1.20.5"))


def test_a_version_of_flink_without_a_job_server_is_refused() -> None:
    with pytest.raises(UsageError, match=r"a cluster of Flink 1\.19, .* is required, got 1\.17\.2\."):
        options(cluster=READY._replace(version="1.17.2"))


@pytest.mark.parametrize("given", ["--job_endpoint=localhost:8099", "--flink_job_server_jar=a.jar", "--flink_version=2.0"])
def test_who_names_a_job_server_is_not_told_which(given: str) -> None:
    assert [option for option in options(given) if "flink_version" in option] == ([given] if "version" in given else [])


def test_another_environment_has_no_worker_pool() -> None:
    assert not [option for option in options("--environment_type=LOOPBACK") if "environment_config" in option]
    assert f"--environment_config={POOL}" in options("--environment_type=external")


def test_a_savepoint_is_handed_on_and_an_empty_one_begins_anew() -> None:
    assert "--savepoint_path=file:///s" in options(savepoint="file:///s")
    assert not [option for option in options("--savepoint_path=") if "savepoint" in option]
    assert (savepoint_of(["--savepoint_path="]), savepoint_of([])) == ("", None)


def test_a_job_has_the_name_of_its_subscription_or_the_users() -> None:
    assert name_of([], "projects/P.x/subscriptions/a_b") == "trueup-p-x-a-b"
    assert name_of(["--job_name=mine"], "projects/p/subscriptions/s") == "mine"
