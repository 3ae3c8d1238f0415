"""The files of the recipe for Flink: they can be read, and say what the program does."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runners.engines.flink.options import DEFAULTS, FLAGS, POOL, RETRIES

RECIPE = Path(__file__).parents[2] / "runners" / "engines" / "flink"
UNITS = sorted((RECIPE / "systemd").glob("*.service"))
PLACES = {"execution.checkpointing.dir", "execution.checkpointing.savepoint-dir"}


def config() -> dict[str, Any]:
    return dict(yaml.safe_load((RECIPE / "config.yaml").read_text()))


def cluster() -> dict[str, Any]:
    deployment, _ = yaml.safe_load_all((RECIPE / "kubernetes.yaml").read_text())
    return dict(deployment["spec"])


def test_the_configuration_says_what_the_program_sets() -> None:
    told = config()
    assert told["execution.checkpointing.interval"] == f"{DEFAULTS['checkpointing_interval']} ms"
    assert told["execution.checkpointing.timeout"] == f"{DEFAULTS['checkpoint_timeout_millis']} ms"
    assert told["execution.checkpointing.min-pause"] == f"{DEFAULTS['min_pause_between_checkpoints']} ms"
    assert told["execution.checkpointing.externalized-checkpoint-retention"] == "RETAIN_ON_CANCELLATION"
    assert (str(told["parallelism.default"]), str(told["pipeline.max-parallelism"])) == (
        DEFAULTS["parallelism"],
        DEFAULTS["max_parallelism"],
    )
    assert str(told["restart-strategy.failure-rate.max-failures-per-interval"]) == RETRIES["number_of_execution_retries"]
    assert told["restart-strategy.failure-rate.delay"] == f"{int(RETRIES['execution_retry_delay']) // 1000} s"


def test_kubernetes_has_the_same_configuration() -> None:
    told, there = cluster()["flinkConfiguration"], config()
    assert {key for key in there if not re.search(r"address|port|host|memory", key)} == {
        key for key in told if not key.startswith("high-availability")
    }
    assert {key: told[key] for key in told if key in there and key not in PLACES} == {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in there.items()
        if key in told and key not in PLACES
    }
    assert set(told.values()) == {value for value in told.values() if isinstance(value, str)}


def test_worker_pools_listen_where_the_program_looks_for_them() -> None:
    containers = cluster()["taskManager"]["podTemplate"]["spec"]["containers"]
    command = next(each["command"] for each in containers if each["name"] == "workers")
    assert " ".join(command) == f"python -m runners.engines.flink.worker_pool --port {POOL.split(':')[1]}"
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(RECIPE / "systemd" / "trueup-flink-workers.service")
    assert unit["Service"]["ExecStart"].endswith(" ".join(command[1:]))


@pytest.mark.parametrize("path", UNITS, ids=[path.stem for path in UNITS])
def test_units_start_something_and_are_started(path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(path)
    assert unit["Service"]["ExecStart"].startswith("/opt/")
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_all_units_are_there() -> None:
    assert [path.stem for path in UNITS] == [
        "trueup-flink-jobmanager",
        "trueup-flink-taskmanager",
        "trueup-flink-workers",
        "trueup-stream",
    ]


def test_the_text_names_every_option_that_is_set() -> None:
    text = (RECIPE / "README.md").read_text()
    assert [name for name in (*DEFAULTS, *RETRIES, *FLAGS, POOL) if name not in text] == []


def test_stopping_has_the_time_that_a_savepoint_may_take() -> None:
    from runners.engines.flink.job import _SAVEPOINT

    _, stream = yaml.safe_load_all((RECIPE / "kubernetes.yaml").read_text())
    assert stream["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > _SAVEPOINT
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(RECIPE / "systemd" / "trueup-stream.service")
    assert int(unit["Service"]["TimeoutStopSec"]) > _SAVEPOINT
