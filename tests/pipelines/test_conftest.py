"""What the hooks of `tests/conftest.py` do, in a pytest of its own: limits, what runs again, what objects raise as they go."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
CONFTEST = Path(__file__).parents[1] / "conftest.py"
OPTIONS = ("-p", "no:randomly", "-p", "no:cacheprovider")
INI = """
[pytest]
pythonpath = {root}
timeout = 1
timeout_func_only = true
filterwarnings = error
markers =
    depends_on_speed(reason, reruns=2)
    slow
"""
TESTS = """
import gc
import time

import pytest

fails = {"marked": 1, "unmarked": 1}


class Raises:
    def __del__(self):
        (1 + 1) / 0


@pytest.fixture
def slow_to_begin():
    time.sleep(5)


@pytest.fixture
def slow_to_end():
    yield
    time.sleep(5)


def test_begins(slow_to_begin):
    pass


def test_itself():
    time.sleep(5)


def test_ends(slow_to_end):
    pass


@pytest.mark.depends_on_speed("it says why")
def test_marked():
    fails["marked"] -= 1
    assert fails["marked"] < 0


def test_unmarked():
    fails["unmarked"] -= 1
    assert fails["unmarked"] < 0


def test_object():
    Raises()


def test_last():
    gc.disable()
    late = Raises()
    late.itself = late
"""


def test_the_hooks_do_what_they_say(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI.format(root=CONFTEST.parents[1]))
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_subprocess(*OPTIONS)
    done.assert_outcomes(passed=3, failed=3, errors=2)  # `ends` passes, and its end is an error; so do `marked` and `last`
    said = done.stdout.str()
    assert "its fixtures took more than 1 s" in said
    assert "the end of its fixtures took more than 1 s" in said
    assert "Timeout (>1.0s)" in said
    for failed in ("test_itself", "test_unmarked", "test_object"):
        assert f"::{failed} - " in said
    assert "Run again: 1\n" in said
    assert ".py::test_marked: it says why" in said
    assert "ZeroDivisionError" in said
    assert "~^~" not in said + done.stderr.str()
    assert "INTERNALERROR" not in said + done.stderr.str()
    assert pytester.runpytest_subprocess(*OPTIONS, "-k", "test_last").ret == pytest.ExitCode.OK
