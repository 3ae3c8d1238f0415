"""What a stream hands to Flink: safe by default, and never unsafe."""

import pytest

from pipelines.failures import UsageError
from runners.flink import DEFAULTS, flink_options

CLUSTER = "--flink_master=host:8081"


def test_what_a_stream_needs_is_set() -> None:
    options = flink_options([CLUSTER])
    assert {"--finish_bundle_before_checkpointing", "--streaming", "--checkpointing_interval=10000", CLUSTER} <= set(options)
    assert all(f"--{name}={value}" in options for name, value in DEFAULTS.items())


def test_an_option_of_the_user_goes_over_the_default() -> None:
    options = flink_options([CLUSTER, "--parallelism=16", "--finish_bundle_before_checkpointing"])
    assert [option for option in options if "parallelism" in option and "max" not in option] == ["--parallelism=16"]
    assert options.count("--finish_bundle_before_checkpointing") == 1


@pytest.mark.parametrize("interval", ["-1", "0", "999", "never"])
def test_a_stream_without_checkpoints_is_refused(interval: str) -> None:
    with pytest.raises(UsageError, match="--checkpointing_interval: at least 1000 ms is required") as error:
        flink_options([CLUSTER, f"--checkpointing_interval={interval}"])
    assert str(error.value).endswith(f"got {interval}.")


def test_the_shortest_interval_is_accepted() -> None:
    assert "--checkpointing_interval=1000" in flink_options([CLUSTER, "--checkpointing_interval=1000"])


def test_bundles_that_outlast_a_checkpoint_are_refused() -> None:
    with pytest.raises(UsageError, match="the flag without a value is required"):
        flink_options([CLUSTER, "--finish_bundle_before_checkpointing=false"])


@pytest.mark.parametrize("options", [[], ["--flink_master=[local]"], ["--flink_master=[auto]"]])
def test_a_cluster_is_required(options: list[str]) -> None:
    with pytest.raises(UsageError, match="a cluster is required"):
        flink_options(options)
