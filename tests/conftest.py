"""Hypothesis profiles, limits of time, what runs again, the two evaluators, and the emulator.

Profiles: `dev` for a quick answer, `ci` for a thorough one that is the same each time, `nightly` for a night of new examples;
HYPOTHESIS_PROFILE names another choice.
"""

import os
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings

from runners.process.kernels import compiling_note
from tests.support.emulator import Emulator, emulator
from tests.support.evaluators import EVALUATORS
from tests.support.judging import Judge
from tests.support.judging import judge as judge_events

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("dev", max_examples=200, deadline=None, suppress_health_check=_SLOW)
settings.register_profile(
    "ci", max_examples=300, deadline=None, suppress_health_check=_SLOW, print_blob=True, derandomize=True, database=None
)
settings.register_profile("nightly", max_examples=20_000, deadline=None, suppress_health_check=_SLOW, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_configure(config: pytest.Config) -> None:
    """Compiles the kernels, if they are not there, before there are workers: each would compile them for itself, in the time of
    its first test."""
    if getattr(config.option, "numprocesses", None) and compiling_note():
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


def pytest_sessionstart() -> None:
    """Has what an object raises as it goes told without carets below its lines: `traceback` parses each line for them, and where
    garbage is collected while Python 3.11 parses, that breaks the outer parse (SystemError, "recursion depth mismatch"), which
    is often pytest's own: of a test file, or of a failure's source."""
    tell = sys.unraisablehook

    def tell_without_carets(args: "sys.UnraisableHookArgs") -> None:
        with mock.patch.object(traceback, "_extract_caret_anchors_from_line_segment", create=True, return_value=None):
            tell(args)

    sys.unraisablehook = tell_without_carets


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Shows what threads and objects raise after the last test: as an error it would end pytest, and name no test."""
    for late in (pytest.PytestUnhandledThreadExceptionWarning, pytest.PytestUnraisableExceptionWarning):
        warnings.filterwarnings("default", category=late)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Limits the fixtures; pytest-timeout limits the test itself (`timeout_func_only`)."""
    with _limited(item.config, "its fixtures"):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Limits the ends of fixtures."""
    with _limited(item.config, "the end of its fixtures"):
        return (yield)


@contextmanager
def _limited(config: pytest.Config, what: str) -> Iterator[None]:
    """An alarm within one phase of a test, whose failure it then is. One over all phases may go off between them, or while
    pytest waits to run a test again, and what it raises there ends pytest with INTERNALERROR, without the test's name."""
    given = config.getoption("timeout")
    seconds = float(config.getini("timeout") if given is None else given)

    def over(*_: object) -> None:
        pytest.fail(f"{what} took more than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Has tests run again that depend on the machine's speed, and no others. Where there are workers, what takes longest begins
    first, so that in the end none waits for another. Refuses what is `alone` where `.ci/check` does not look for it."""
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)
    for item in items:
        if mark := item.get_closest_marker("depends_on_speed"):
            _runs_again(item, *mark.args, **mark.kwargs)
        if item.get_closest_marker("alone") and not {"integration", "flink"} & {*item.path.parts}:
            raise pytest.UsageError(f"{item.nodeid}: what is `alone` lies in tests/integration or tests/flink.")


def _rank(item: pytest.Item) -> int:
    """The less, the longer: minutes, then folders of many seconds a test, and of few. Within a rank the order stays."""
    if item.get_closest_marker("slow"):
        return 0
    return next((rank for rank, names in enumerate(_LONGEST, 1) if names & {*item.path.parts}), len(_LONGEST) + 1)


_LONGEST = ({"properties", "integration"}, {"pipelines", "transforms", "golden"})


def _runs_again(item: pytest.Item, reason: str, reruns: int = 2) -> None:
    item.add_marker(pytest.mark.flaky(reruns=reruns, reruns_delay=5))
    item.user_properties.append(("depends_on_speed", reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how often tests were run again, and which."""
    again = terminalreporter.stats.get("rerun", [])
    terminalreporter.write_line(f"Run again: {len(again)}")
    for report in again:
        terminalreporter.write_line(f"  {report.nodeid}: {dict(report.user_properties).get('depends_on_speed', '?')}")


@pytest.fixture(params=EVALUATORS)
def judge(request: pytest.FixtureRequest) -> Judge:
    """`tests.support.judging.judge` by each evaluator in turn: the kernel, and what it is compared with."""
    return partial(judge_events, request.param)


@pytest.fixture(scope="session")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The Pub/Sub emulator: one for all tests, since PUBSUB_EMULATOR_HOST can name but one."""
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running
