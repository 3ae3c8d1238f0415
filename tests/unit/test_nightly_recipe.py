"""The files of the nightly job: they can be read, and say what the program does."""

import configparser
import tomllib
from pathlib import Path
from typing import Any

import yaml

from runners.commands.nightly import MISSED
from runners.configuration.file import OPTIONS, configured

RECIPE = Path(__file__).parents[2] / "runners" / "nightly"


def unit(name: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.read(RECIPE / "systemd" / name)
    return found


def cron_job() -> dict[str, Any]:
    return dict(yaml.safe_load((RECIPE / "kubernetes.yaml").read_text())["spec"])


def test_the_example_can_be_read_and_has_every_key_that_goes_with_the_others() -> None:
    told = configured(str(RECIPE / "trueup.toml")).values
    assert set(OPTIONS) - set(told) == {"alerts.command", "alerts.topic"}


def test_the_example_shows_the_defaults_of_the_job() -> None:
    from runners.cli import trueup

    defaults = {param.name: param.default for param in trueup.commands["nightly"].params}
    told = tomllib.loads((RECIPE / "trueup.toml").read_text())["nightly"]
    assert {key: told[key] for key in ("lag", "over", "keep")} == {key: defaults[key] for key in ("lag", "over", "keep")}


def test_the_service_runs_the_job_once_and_counts_a_missed_target_as_done() -> None:
    service = unit("trueup-nightly.service")["Service"]
    assert service["ExecStart"].endswith("trueup --config /etc/trueup/trueup.toml nightly")
    assert (service["Type"], service["SuccessExitStatus"]) == ("oneshot", str(MISSED))


def test_the_timer_starts_the_service_and_makes_up_for_a_night() -> None:
    timer = unit("trueup-nightly.timer")
    assert (timer["Timer"]["Unit"], timer["Timer"]["Persistent"]) == ("trueup-nightly.service", "true")
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_the_cron_job_runs_the_same_command_never_twice_at_a_time() -> None:
    spec = cron_job()
    assert spec["concurrencyPolicy"] == "Forbid"
    (container,) = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert " ".join(container["command"]) == unit("trueup-nightly.service")["Service"]["ExecStart"].removeprefix(
        "/opt/trueup/bin/"
    )


def test_no_try_follows_a_missed_target_or_a_mistake_of_the_user() -> None:
    (rule,) = cron_job()["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [2, MISSED])


def test_both_start_at_the_same_hour() -> None:
    minute, hour, *_ = cron_job()["schedule"].split()
    assert f"{int(hour):02}:{int(minute):02}:00 UTC" in unit("trueup-nightly.timer")["Timer"]["OnCalendar"]
