"""A run that is killed leaves nothing that is seen, and a rerun gives the same current rows."""

import os
import signal as signals
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.files import TABLES, current, names, table, trueup, two_days, write_events

ROOT = Path(__file__).parents[2]
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


def killed(
    last: int | str, events: Path, out: Path, name: str = "SIGKILL", moment: str = "before"
) -> subprocess.CompletedProcess[str]:
    """Runs a backfill that is killed when it is about to write the file of a number or table (or to give it its name)."""
    command = [sys.executable, "-c", PROGRAM, str(last), name, moment, "backfill", "--input", str(events), "--output", str(out)]
    temporary = out.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return write_events(tmp_path / "in" / "events.jsonl", two_days(), extra=["{broken"])


@pytest.fixture
def expected(tmp_path: Path, events: Path) -> dict[str, list[dict[str, object]]]:
    trueup("backfill", "--input", events, "--output", tmp_path / "whole")
    return current(tmp_path / "whole")


@pytest.mark.parametrize("files", [0, 1, 2, 4, 7, 8, 9])
def test_a_rerun_after_kill_9_gives_the_same_current_rows(
    files: int, events: Path, tmp_path: Path, expected: dict[str, list[dict[str, object]]]
) -> None:
    out = tmp_path / "out"
    assert killed(files, events, out).returncode == -signals.SIGKILL
    seen = current(out)
    for name in TABLES:
        assert [row for row in seen[name] if row not in expected[name]] == []
    assert trueup("backfill", "--input", events, "--output", out).status == 0
    assert current(out) == expected
    assert len(table(out, "rejects")) == 1


def test_rows_without_their_revisions_are_not_seen(
    events: Path, tmp_path: Path, expected: dict[str, list[dict[str, object]]]
) -> None:
    out = tmp_path / "out"
    assert killed("revisions", events, out).returncode == -signals.SIGKILL
    assert len(table(out, "availability")) > 0
    assert names(out, "revisions") == set()
    assert current(out) == {name: [] for name in TABLES}
    assert expected["availability"]


def test_a_file_that_was_not_finished_lies_in_no_table(events: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert killed("attributions", events, out, moment="unnamed").returncode == -signals.SIGKILL
    assert len(list((out / "_trueup" / "unfinished").iterdir())) > 0
    assert names(out, "attributions") == set()
    assert len(table(out, "availability")) > 0


def test_sigterm_ends_a_run_with_one_sentence(events: Path, tmp_path: Path, expected: dict[str, list[dict[str, object]]]) -> None:
    out = tmp_path / "out"
    done = killed("attributions", events, out, name="SIGTERM")
    assert done.returncode == 143
    assert done.stderr.splitlines()[-1] == "trueup: Terminated; what was published so far stays."
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "temporary").iterdir()) == []
    trueup("backfill", "--input", events, "--output", out)
    assert current(out) == expected
