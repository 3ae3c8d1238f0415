"""A run that is killed leaves nothing that is seen, and a rerun gives the same current rows."""

import signal as signals
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.files import TABLES, current, names, table, trueup, two_days, write_events
from tests.support.forks import Ended, Run, forks

PROGRAM = """
import os, signal, sys, threading, time
import pipelines.record.folder, pipelines.record.store, pipelines.record.tables

last, sent, moment = sys.argv[1], getattr(signal, sys.argv[2]), sys.argv[3]
replace, written = os.replace, []
beside = threading.Event()  # tables are written side by side: another is there before the run is killed at this one

def die():
    os.kill(os.getpid(), sent)
    time.sleep(60)

def dying(write):
    def written_or_dead(root, path, content):
        written.append(path)
        if moment == "before" and (path.startswith(last) or str(len(written) - 1) == last):
            die()
        return write(root, path, content)
    return written_or_dead

def rename(source, target):
    if moment == "unnamed" and last in target:
        beside.wait(60)
        die()
    replace(source, target)
    if "availability" in target:
        beside.set()

for module, name in (("tables", "put"), ("store", "put"), ("store", "put_over"), ("store", "claim")):
    setattr(getattr(pipelines.record, module), name, dying(getattr(pipelines.record.folder, name)))
os.replace = rename
from runners.cli import main
main(sys.argv[4:])
"""


Killed = Callable[..., Ended]


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_events(tmp_path_factory.mktemp("in") / "events.jsonl", two_days(), extra=["{broken"])


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, events: Path) -> dict[str, list[dict[str, object]]]:
    folder = tmp_path_factory.mktemp("whole")
    trueup("backfill", "--input", events, "--output", folder)
    return current(folder)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with forks("import runners.cli, runners.engines.local") as run:
        yield run


@pytest.fixture
def killed(run: Run, events: Path, tmp_path: Path) -> Killed:
    """Runs a backfill that is killed when it is about to write the file of a number or table (or to give it its name)."""
    (tmp_path / "temporary").mkdir()

    def killed(last: int | str, name: str = "SIGKILL", moment: str = "before") -> Ended:
        command = ("backfill", "--input", events, "--output", tmp_path / "out")
        return run(PROGRAM, last, name, moment, *command, TMPDIR=str(tmp_path / "temporary"))

    return killed


@pytest.mark.parametrize("files", [0, 1, 2, 4, 7, 8, 9])
def test_a_rerun_after_kill_9_gives_the_same_current_rows(
    files: int, killed: Killed, events: Path, tmp_path: Path, expected: dict[str, list[dict[str, object]]]
) -> None:
    out = tmp_path / "out"
    assert killed(files).status == -signals.SIGKILL
    seen = current(out)
    for name in TABLES:
        assert [row for row in seen[name] if row not in expected[name]] == []
    assert trueup("backfill", "--input", events, "--output", out).status == 0
    assert current(out) == expected
    assert len(table(out, "rejects")) == 1


def test_rows_without_their_revisions_are_not_seen(
    killed: Killed, tmp_path: Path, expected: dict[str, list[dict[str, object]]]
) -> None:
    out = tmp_path / "out"
    assert killed("revisions").status == -signals.SIGKILL
    assert len(table(out, "availability")) > 0
    assert names(out, "revisions") == set()
    assert current(out) == {name: [] for name in TABLES}
    assert expected["availability"]


def test_a_file_that_was_not_finished_lies_in_no_table(killed: Killed, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert killed("attributions", moment="unnamed").status == -signals.SIGKILL
    assert len(list((out / "_trueup" / "unfinished").iterdir())) > 0
    assert names(out, "attributions") == set()
    assert len(table(out, "availability")) > 0


def test_sigterm_ends_a_run_with_one_sentence(
    killed: Killed, events: Path, tmp_path: Path, expected: dict[str, list[dict[str, object]]]
) -> None:
    out = tmp_path / "out"
    done = killed("attributions", name="SIGTERM")
    assert done.status == 143
    assert done.err.splitlines()[-1] == "trueup: Terminated; what was published so far stays."
    assert "Traceback" not in done.err
    assert list((tmp_path / "temporary").iterdir()) == []
    trueup("backfill", "--input", events, "--output", out)
    assert current(out) == expected
