"""The README: its commands run, its queries answer what it says, its options exist; the user has the records of a day."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import click
import duckdb
import pytest

from runners.cli import trueup
from schemas.policy import Policy, parse_policy

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
NOT_THERE_YET = "## What is not there yet"
OF_AZURE = {"--skip-token"}
"""Options of az that the text names."""


class Block(NamedTuple):
    language: str
    text: str


BLOCKS = [Block(*found) for found in re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)]
SETUP, TESTS = (block.text.strip() for block in BLOCKS if block.language == "sh")
COMMANDS = [block.text for block in BLOCKS if block.language == "bash"]


def of(language: str) -> list[str]:
    return [block.text for block in BLOCKS if block.language == language]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: `trueup` on the path, records in `events/`, an inventory, and the demo's tables."""
    folder = tmp_path_factory.mktemp("user")
    shutil.copytree(ROOT / "tests" / "golden" / "day", folder, dirs_exist_ok=True)
    program = folder / "bin" / "trueup"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from runners.cli import main; main()" "$@"\n')
    program.chmod(0o755)
    run(folder, "trueup demo")
    return folder


def run(folder: Path, command: str) -> str:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert {block.language for block in BLOCKS} == {"sh", "shell", "bash", "sql", "text", "azurecli", "toml", "json"}


def test_commands_run_one_after_the_other(folder: Path) -> None:
    corrected, reported, night, watched = (run(folder, command) for command in COMMANDS)
    assert "raw 96.359 %, corrected 99.773 %" in reported
    assert "It was real" in reported
    assert "An upgrade by the customer" in reported
    assert "20:17:22" in reported
    assert "85 records" in corrected
    assert "71 used, 3 duplicate, 10 ignored, 1 rejected" in corrected
    assert re.search(r"^0 cells would be written", corrected, re.MULTILINE)
    assert "cells written" in night
    assert "the target of 99.9 % is " in night
    assert "Compaction is not due." in night
    assert (folder / "summary.md").read_text().startswith("# Availability ")
    assert (folder / "report.html").exists()
    assert len(watched.splitlines()) == 30, "15 begin, and 15 end"


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def test_queries_answer_what_the_text_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    views, *queries = of("sql")
    with duckdb.connect() as database:
        database.execute(views)
        for query, answer in zip(queries, of("text"), strict=True):
            result = database.execute(query)
            names = [column[0] for column in result.description or ()]
            rows = [[str(value) for value in row] for row in result.fetchall()]
            assert [names, *rows] == [cells(line) for line in answer.splitlines()]


def commands_and_options(command: click.Command) -> set[str]:
    own = {name for param in command.params for name in param.opts}
    return own.union(*map(commands_and_options, command.commands.values())) if isinstance(command, click.Group) else own


def test_options_that_the_text_names_exist() -> None:
    of_others = r"^```(sh|azurecli)\n.*?^```$|`python -m [^`]*`"
    text = re.sub(of_others, "", README.split(NOT_THERE_YET)[0], flags=re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) - OF_AZURE
    assert "--since" in named
    assert named - commands_and_options(trueup) == set()


def test_what_is_not_there_yet_is_not_there() -> None:
    missing = re.findall(r"`(--[a-z]+|trueup [a-z]+)`", README.split(NOT_THERE_YET)[1])
    assert set(missing) & (commands_and_options(trueup) | {f"trueup {name}" for name in trueup.commands}) == set()


def test_the_policy_shown_is_the_default_one() -> None:
    (policy,) = of("toml")
    assert parse_policy(policy).hash == Policy().hash


def test_the_canonical_event_shown_is_one(folder: Path) -> None:
    (event,) = of("json")
    (folder / "canonical.jsonl").write_text(event)
    assert '"decoded": [{"format": "canonical", "kind": "signal", "records": 1}]' in run(
        folder, "trueup validate --input canonical.jsonl --json"
    )


def test_files_that_the_text_names_exist() -> None:
    named = re.findall(r"`((?:schemas|transforms|pipelines|runners|tests|core|support)/[\w/]*(?:\.py)?)`", README)
    places = [{"core": "transforms/", "support": "tests/"}.get(name.split("/")[0], "") + name for name in named]
    assert len(places) > 10
    assert [place for place in places if not (ROOT / place).exists() and not (ROOT / f"{place}.py").exists()] == []


def test_ci_runs_the_command_of_the_text_and_no_other() -> None:
    script = (ROOT / ".ci" / "run").read_text().replace(" --quiet", "")
    lines = [line for line in script.splitlines() if line and not line.startswith("#")]
    around = ("set ", "cd ", "export CI=true", "environment=", "trap ")
    commands = [line.replace('"$environment/bin', ".venv/bin").replace('"$environment"', ".venv").rstrip('"') for line in lines]
    assert "`.ci/tools`" in README
    assert [line for line in commands if not line.startswith(around)] == TESTS.split(" && ")


HOW = os.environ.get("TRUEUP_README", "")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not HOW, reason="installs from the network; TRUEUP_README=1 runs it, or TRUEUP_README=wheel")
def test_quick_start_works_from_a_clean_checkout_and_then_needs_it_no_more(tmp_path: Path) -> None:
    clone, elsewhere = tmp_path / "clone", tmp_path / "elsewhere"
    shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info"))
    elsewhere.mkdir()

    def said(command: str, folder: Path) -> str:
        clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        done = subprocess.run(["sh", "-euc", command], cwd=folder, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "96 cells were written" in said(SETUP if HOW == "1" else SETUP.replace("pip install .", WHEEL), clone)
    for folder in ("schemas", "transforms", "pipelines", "runners"):
        shutil.rmtree(clone / folder)
    assert "no cell was written" in said(f"{clone}/.venv/bin/trueup demo --output {clone}/trueup-demo", elsewhere)
    where = said(f"{clone}/.venv/bin/python -c 'import runners; print(runners.__file__)'", elsewhere)
    assert Path(where).is_relative_to(clone / ".venv")


WHEEL = f"pip install --no-deps . && echo {sysconfig.get_path('purelib')} > $(echo .venv/lib/python*/site-packages)/libraries.pth"
"""Installs the program alone, on the libraries of this environment."""


def test_the_text_is_short() -> None:
    assert len(README.splitlines()) <= 340
