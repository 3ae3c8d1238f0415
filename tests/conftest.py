"""Hypothesis profiles, the two evaluators, and the emulator.

Profiles: `dev` for a quick answer, `ci` for a thorough one, `nightly` for a night; HYPOTHESIS_PROFILE names another choice.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, settings

from tests.support.emulator import Emulator, emulator
from tests.support.evaluators import EVALUATORS
from tests.support.judging import Judge
from tests.support.judging import judge as judge_events

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("dev", max_examples=200, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", max_examples=600, deadline=None, suppress_health_check=_SLOW, print_blob=True)
settings.register_profile("nightly", max_examples=20_000, deadline=None, suppress_health_check=_SLOW, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_configure(config: pytest.Config) -> None:
    """Compiles the kernels before there are workers: each would compile them for itself, in the time of its first test."""
    if getattr(config.option, "numprocesses", None):
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-c",
                "import sys; from runners.cli import main; sys.exit(main())",
                "demo",
                "--output",
                folder,
            ]
            subprocess.run(command, cwd=config.rootpath, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(params=EVALUATORS)
def judge(request: pytest.FixtureRequest) -> Judge:
    """`tests.support.judging.judge` by each evaluator in turn: the kernel, and what it is compared with."""
    return partial(judge_events, request.param)


@pytest.fixture(scope="session")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The Pub/Sub emulator: one for all tests, since PUBSUB_EMULATOR_HOST can name but one."""
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running
