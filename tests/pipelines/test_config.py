"""`trueup.toml`: commands go by it, the command line goes over it, and mistakes in it are one sentence."""

from pathlib import Path

import pytest

from runners.cli import trueup as program
from runners.configuration.file import OPTIONS
from tests.support.files import names, trueup, two_days, write_events

WHOLE = """
input = ["events/", "more/*.json"]
inventory = "inventory.csv"
output = "record/"
policy = "policy.toml"
target = 99.95
time_zone = "Europe/Berlin"
memory = "4G"
[nightly]
lag = "3h"
over = "week"
html = "report.html"
summary = "summary.md"
keep = "7d"
[alerts]
after = "5m"
webhook = "https://host/hook"
command = "./page-me"
topic = "projects/p/topics/t"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with some events."""
    monkeypatch.chdir(tmp_path)
    write_events(tmp_path / "events" / "events.jsonl", two_days("a"))
    return tmp_path


def test_every_key_stands_for_parameters_that_exist() -> None:
    for key, places in OPTIONS.items():
        for command, parameter in places:
            assert parameter in {param.name for param in program.commands[command].params}, key


def test_config_says_what_is_in_force_and_whence(folder: Path) -> None:
    (folder / "trueup.toml").write_text('target = 99.95\n[nightly]\nlag = "3h"\n')
    told = trueup("config", "--json").json
    assert told["file"] == "trueup.toml"
    assert told["values"]["target"] == {"value": 99.95, "from": "trueup.toml"}
    assert told["values"]["nightly.lag"] == {"value": "3h", "from": "trueup.toml"}
    assert told["values"]["alerts.after"] == {"value": "2m", "from": "default"}
    assert told["values"]["output"] == {"value": None, "from": "not set"}
    said = trueup("config").out.splitlines()
    assert said[0] == "trueup.toml."
    assert [line.split() for line in said if line.startswith("target")] == [["target", "99.95", "trueup.toml"]]


def test_without_a_file_all_is_default_or_not_set(folder: Path) -> None:
    told = trueup("config", "--json").json
    assert told["file"] is None
    assert {value["from"] for value in told["values"].values()} == {"default", "not set"}


def test_every_key_can_be_set(folder: Path) -> None:
    (folder / "trueup.toml").write_text(WHOLE)
    told = trueup("config", "--json").json["values"]
    assert {value["from"] for value in told.values()} == {"trueup.toml"}
    assert told["input"]["value"] == ["events/", "more/*.json"]


def test_paths_are_seen_from_the_folder_of_the_file(folder: Path) -> None:
    (folder / "etc").mkdir()
    text = 'input = ["../events/", "azfs://account/logs/**", "/absolute"]\noutput = "record"\npolicy = "p.toml"\n'
    (folder / "etc" / "other.toml").write_text(text)
    told = trueup("--config", "etc/other.toml", "config", "--json").json["values"]
    assert told["input"]["value"] == ["etc/../events/", "azfs://account/logs/**", "/absolute"]
    assert (told["output"]["value"], told["policy"]["value"]) == ("etc/record", "etc/p.toml")


def test_commands_go_by_it_and_the_command_line_goes_over_it(folder: Path) -> None:
    (folder / "trueup.toml").write_text('input = "events/"\noutput = "record"\ntarget = 50\n')
    assert trueup("backfill").status == 0
    assert "Error budget for 50 %" in trueup("report").out
    assert "Error budget for 98 %" in trueup("report", "--target", "98").out
    assert trueup("backfill", "--output", "other").status == 0
    assert names(folder / "other", "revisions")
    assert "'record/revisions/" in trueup("sql").out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("targets = 99", "trueup.toml: targets is no key; the nearest is target."),
        ('[nightly]\nlug = "2h"', "trueup.toml: nightly.lug is no key; the nearest is lag."),
        ("output = 3", "trueup.toml: output must be a text, got 3."),
        ("target = true", "trueup.toml: target must be a number or a text, got True."),
        ("input = 3", "trueup.toml: input must be a text or a list of texts, got 3."),
        ("input = [3]", "trueup.toml: input.0 must be a text, got 3."),
        ("alerts = 3", "trueup.toml: alerts must be a table, got 3."),
        ("target = ", "trueup.toml: TOML in UTF-8 is required, and it breaks off: "),
    ],
)
def test_a_mistake_is_named_in_one_sentence(content: str, says: str, folder: Path) -> None:
    (folder / "trueup.toml").write_text(content)
    done = trueup("config")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"trueup: {says}")


def test_a_value_that_an_option_refuses_is_named_with_its_file(folder: Path) -> None:
    (folder / "trueup.toml").write_text('output = "record"\ntarget = 120\n')
    done = trueup("report")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("trueup: trueup.toml, --target: a percentage above 0 and below 100")


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    done = trueup("--config", "none.toml", "config")
    assert (done.status, done.err) == (
        2,
        "trueup: --config: a readable file is required, got none.toml: No such file or directory.\n",
    )


def test_a_way_of_the_command_line_stands_for_those_of_the_file(folder: Path) -> None:
    (folder / "trueup.toml").write_text('output = "record"\n[alerts]\nwebhook = "https://host/hook"\n')
    assert trueup("backfill", "--input", "events/").status == 0
    assert trueup("watch", "--dry-run", "--once").status == 0
    refused = trueup("watch", "--once", "--dry-run", "--command", "x")
    assert "got 2" in refused.err


def test_help_shows_what_is_in_force(folder: Path) -> None:
    (folder / "trueup.toml").write_text("target = 99.5\n")
    assert "[default: 99.5]" in " ".join(trueup("report", "--help").out.split())
