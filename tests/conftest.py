"""Hypothesis profiles, the two evaluators, and the emulator.

Profiles: `dev` for a quick answer, `ci` for a thorough one; HYPOTHESIS_PROFILE names another choice.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, settings

from tests.support.emulator import Emulator, emulator
from tests.support.evaluators import EVALUATORS
from tests.support.judging import Judged
from tests.support.judging import judge as judge_events

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("dev", max_examples=200, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", max_examples=2000, deadline=None, suppress_health_check=_SLOW, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(params=EVALUATORS)
def judge(request: pytest.FixtureRequest) -> Callable[..., Judged]:
    """`tests.support.judging.judge` by each evaluator in turn: the kernel, and what it is compared with."""
    return partial(judge_events, request.param)


@pytest.fixture(scope="session")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The Pub/Sub emulator: one for all tests, since PUBSUB_EMULATOR_HOST can name but one."""
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running
