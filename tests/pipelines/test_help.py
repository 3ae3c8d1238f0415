"""`--help` of every command on a terminal of 80 columns: nothing is wider, and no sentence is cut."""

import os
import re
import subprocess
import sys

import pytest

from runners.cli import trueup as program
from tests.support.files import trueup


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("command", ["", *program.commands])
def test_help_fits_eighty_columns(command: str) -> None:
    done = trueup(*command.split(), "--help")
    assert (done.status, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if len(line) > 80] == []


def test_what_the_list_of_commands_says_is_whole() -> None:
    listed = re.split(r"\n  (?=\w)", trueup("--help").out.partition("\nCommands:")[2].partition("\n\n")[0])[1:]
    assert {line.split()[0] for line in listed} == set(program.commands)
    assert [line for line in listed if not line.endswith(".") or line.endswith("..")] == []


@pytest.mark.parametrize("command", program.commands.values(), ids=lambda command: command.name)
def test_the_commands_of_examples_are_known_with_their_options(command: object) -> None:
    examples = str(getattr(command, "epilog", None) or "").replace("\\\n", "")
    for line in re.findall(r"trueup (\S+) (.*)", examples):
        if line[0] in program.commands:
            known = {name for option in program.commands[line[0]].params for name in option.opts}
            assert set(re.findall(r"--[a-z][\w-]*", line[1].partition(" -- ")[0])) <= known


@pytest.mark.parametrize(("typed", "offered"), [("trueup rep", "report"), ("trueup report --data x --as pr", "prometheus")])
def test_a_shell_completes(typed: str, offered: str) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" ")), "_TRUEUP_COMPLETE": "bash_complete"}
    program = [sys.executable, "-c", "from runners.cli import main; main()"]
    done = subprocess.run(program, env={**os.environ, **words}, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"plain,{offered}\n", "")
