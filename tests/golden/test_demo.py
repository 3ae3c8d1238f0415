"""The demo, from its simulated records to what it prints; TRUEUP_UPDATE_GOLDEN=1 rewrites the expected text."""

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc
import pytest

from runners.demo.day import DAY
from schemas.tables.attribution import VERDICTS
from schemas.tables.availability import CLASSES
from schemas.tables.by_name import TABLES
from tests.support.files import current_rows, trueup
from tests.support.files import table as all_rows
from tests.support.plain_report import availabilities
from transforms.core.score.availability import class_times

EXPECTED = Path(__file__).parent / "demo.txt"


class Shown(NamedTuple):
    """A demo that has run."""

    output: Path
    text: str


def show(output: Path) -> str:
    done = trueup("demo", "--output", output)
    assert (done.status, done.err) == (0, "")
    return done.out


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    output = tmp_path_factory.mktemp("demo") / "trueup-demo"
    return Shown(output, show(output))


def contents(output: Path) -> dict[str, bytes]:
    tables = (*TABLES, "simulated")
    return {str(path): path.read_bytes() for name in tables for path in (output / name).rglob("*") if path.is_file()}


def stable(shown: Shown) -> str:
    """The text without what differs from run to run: the folder, and when it was published."""
    return re.sub(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d first", "2026-11-11 11:11:11 first", shown.text.replace(str(shown.output), "trueup-demo")
    )


def test_the_text_is_the_expected_one(shown: Shown) -> None:
    if os.environ.get("TRUEUP_UPDATE_GOLDEN"):
        EXPECTED.write_text(stable(shown))
    assert stable(shown) == EXPECTED.read_text()


def test_every_verdict_and_every_class_is_to_be_seen(shown: Shown) -> None:
    rows, series = current_rows(shown.output, "attributions"), current_rows(shown.output, "availability")
    assert set(rows["verdict"].to_pylist()) == set(VERDICTS)
    times = class_times(series)
    assert [name for name in CLASSES if not pc.sum(times[name]).as_py()] == []
    assert [verdict for verdict in VERDICTS if not re.search(rf"^{verdict} ", shown.text, re.MULTILINE)] == []


def test_the_correction_is_nearer_to_the_truth(shown: Shown) -> None:
    raw, corrected = availabilities(class_times(current_rows(shown.output, "availability")))
    assert raw is not None
    assert corrected is not None
    assert f"raw {100 * raw:.3f} %, corrected {100 * corrected:.3f} %" in shown.text
    scored = trueup("score", "--data", shown.output, "--truth", shown.output / "simulated" / "truth", "--json").json
    assert raw < scored["true_availability"] < corrected
    assert scored["hidden_tellable_seconds"] == 0


def test_a_second_demo_writes_nothing_and_says_so(shown: Shown) -> None:
    before, revisions = contents(shown.output), all_rows(shown.output, "revisions")
    text = show(shown.output)
    assert contents(shown.output) == before
    assert f"{len(revisions)} cells were written" in shown.text
    assert "no cell was written" in text
    assert "no cell was written" not in shown.text


def test_the_page_is_there(shown: Shown) -> None:
    page = (shown.output / "report.html").read_text()
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    assert f"{shown.output}/report.html" in shown.text


def test_commands_that_it_names_answer(shown: Shown) -> None:
    commands = [line.split() for line in shown.text.splitlines() if line.startswith("  trueup ") and "FOLDER" not in line]
    assert {command[1] for command in commands} == {"explain", "score"}
    assert [trueup(*command[1:]).status for command in commands] == [0] * 3
    question = next(command for command in commands if "--at" in command)
    answer = trueup(*question[1:]).out
    assert "It was real" in answer
    assert answer in shown.text


def test_lines_fit_a_terminal(shown: Shown) -> None:
    assert [line for line in stable(shown).splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("held", ["revisions/day=2026-01-01/x.parquet", "notes.txt", "simulated/truth/simulation.json"])
def test_a_folder_with_anything_else_is_refused(held: str, tmp_path: Path) -> None:
    (tmp_path / held).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / held).write_text(json.dumps({"settings": {**asdict(DAY), "seed": 0}}))
    done = trueup("demo", "--output", tmp_path)
    assert (done.status, done.out) == (1, "")
    assert done.err == f"trueup: {tmp_path}: an empty folder, or that of a demo of this version, is required.\n"


def test_what_is_no_folder_of_this_machine_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert trueup("demo", "--output", tmp_path / "file").status == 1
    done = trueup("demo", "--output", "gs://bucket/demo")
    assert (done.status, done.err) == (2, "trueup: --output: a folder of this machine is required, got gs://bucket/demo.\n")


def test_a_demo_that_was_stopped_while_it_simulated_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "simulated.unfinished" / "events").mkdir(parents=True)
    assert "96 cells were written" in show(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("simulated")) == ["simulated"]
