"""A stream that compacts its folder meanwhile: files become few, rows stay, and a failure is a line."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.record.store import Store
from runners.engines import compacting
from tests.support.files import current, names
from tests.support.history import publish_history


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not until():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def is_compact(folder: Path) -> bool:
    """Whether there is one file a day."""
    files = names(folder, "revisions")
    return len(files) == len({Path(file).parent for file in files})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of several versions, and no time for readers."""
    monkeypatch.setattr(compacting, "GRACE", 0.0)
    publish_history(Store(str(tmp_path)))
    return tmp_path


def test_it_compacts_again_and_again_while_others_write(folder: Path) -> None:
    before = current(folder)
    assert not is_compact(folder)
    with compacting.compacting(str(folder), 0.01):
        wait(lambda: is_compact(folder))
        publish_history(Store(str(folder)))
        wait(lambda: is_compact(folder))
    assert current(folder) == before


def test_without_a_time_nothing_is_compacted(folder: Path) -> None:
    before = names(folder, "revisions")
    with compacting.compacting(str(folder), None):
        time.sleep(0.1)
    assert names(folder, "revisions") == before


def test_a_failure_is_one_line_and_the_next_one_comes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []

    def full(root: str, *more: object) -> None:
        calls.append(root)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(compacting, "compact", full)
    with compacting.compacting("x", 0.01):
        wait(lambda: len(calls) > 2)
    said = "trueup: x: it was not compacted, and the stream goes on: [Errno 28] No space left on device.\n"
    assert capsys.readouterr().err == said
