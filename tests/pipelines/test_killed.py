"""A run that is killed leaves nothing that is seen, and a rerun gives the same current rows."""

import json
import signal as signals
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.files import TABLES, current, names, table, trueup, two_days, write_events

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, os, signal, sys, threading, time
import pipelines.record.folder, pipelines.record.store, pipelines.record.tables
import runners.engines.local
from runners.cli import main

# Each line is a run, in a process that has all of this imported: to do that for each would take longer than the runs.
for line in sys.stdin:
    last, sent, moment, folder = json.loads(line)
    if not (run := os.fork()):
        break
    print(os.waitstatus_to_exitcode(os.waitpid(run, 0)[1]), flush=True)
else:
    sys.exit()

os.environ["TMPDIR"] = folder + "/temporary"
for stream, path in ((1, os.devnull), (2, folder + "/err")):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
replace, written = os.replace, []
beside = threading.Event()  # tables are written side by side: another is there before the run is killed at this one

def die():
    os.kill(os.getpid(), getattr(signal, sent))
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
main(["backfill", "--input", sys.argv[1], "--output", folder + "/out"])
"""


class Ended(NamedTuple):
    status: int
    err: str


class Killed:
    """Runs backfills that are killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def __call__(self, folder: Path, last: int | str, signal: str = "SIGKILL", moment: str = "before") -> Ended:
        """A run into `folder / "out"`, killed when it is about to write the file of a number or table (or to name it)."""
        (folder / "temporary").mkdir()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([str(last), signal, moment, str(folder)]), file=self.process.stdin, flush=True)
        return Ended(int(self.process.stdout.readline()), (folder / "err").read_text())


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_events(tmp_path_factory.mktemp("in") / "events.jsonl", two_days(), extra=["{broken"])


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, events: Path) -> dict[str, list[dict[str, object]]]:
    folder = tmp_path_factory.mktemp("whole")
    trueup("backfill", "--input", events, "--output", folder)
    return current(folder)


@pytest.fixture(scope="module")
def killed(events: Path) -> Iterator[Killed]:
    command = [sys.executable, "-c", PROGRAM, str(events)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        yield Killed(process)


@pytest.mark.parametrize("files", [0, 1, 2, 4, 7, 8, 9])
def test_a_rerun_after_kill_9_gives_the_same_current_rows(
    files: int, killed: Killed, events: Path, tmp_path: Path, expected: dict[str, list[dict[str, object]]]
) -> None:
    out = tmp_path / "out"
    assert killed(tmp_path, files).status == -signals.SIGKILL
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
    assert killed(tmp_path, "revisions").status == -signals.SIGKILL
    assert len(table(out, "availability")) > 0
    assert names(out, "revisions") == set()
    assert current(out) == {name: [] for name in TABLES}
    assert expected["availability"]


def test_a_file_that_was_not_finished_lies_in_no_table(killed: Killed, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert killed(tmp_path, "attributions", moment="unnamed").status == -signals.SIGKILL
    assert len(list((out / "_trueup" / "unfinished").iterdir())) > 0
    assert names(out, "attributions") == set()
    assert len(table(out, "availability")) > 0


def test_sigterm_ends_a_run_with_one_sentence(
    killed: Killed, events: Path, tmp_path: Path, expected: dict[str, list[dict[str, object]]]
) -> None:
    out = tmp_path / "out"
    done = killed(tmp_path, "attributions", signal="SIGTERM")
    assert done.status == 143
    assert done.err.splitlines()[-1] == "trueup: Terminated; what was published so far stays."
    assert "Traceback" not in done.err
    assert list((tmp_path / "temporary").iterdir()) == []
    trueup("backfill", "--input", events, "--output", out)
    assert current(out) == expected
