"""The command line: what it refuses, in one sentence and with which status, and what it shows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runners.process.imports import UNCALLED
from schemas.time import format_time
from tests.support.files import at, signal, trueup, two_days, write_events

ROOT = Path(__file__).parents[2]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return write_events(tmp_path / "in" / "events.jsonl", two_days())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["backfil"], "backfil is no command; the nearest is backfill."),
        (["REPORT", "--data", "x"], "REPORT is no command; the nearest is report."),
        (["xyz"], "xyz is no command; there are backfill, collect, compact, config, demo, "),
        (["backfill", "--inptu", "x"], "--input"),
        (["backfill", "--output", "x"], "--input is required"),
        (["backfill", "--input", "x", "--output", "y", "--retain"], "--retain is no option"),
        (["backfill", "--input", "x", "--output", "y", "stray"], "stray"),
        (["backfill", "--input", "x", "--output", "y", "--since", "yesterday"], "--since: a time like"),
        (["backfill", "--input", "x", "--output", "y", "--since", "2024-01-01T00:00:01Z"], "--since: a multiple of the grid"),
        (["backfill", "--input", "x", "--output", "y", "--until", "2999-01-01T00:00:00Z"], "--until: at most now"),
        (
            ["backfill", "--input", "x", "--output", "y", "--since", "2024-01-01T00:00:00Z", "--until", "2024-01-01T00:00:00Z"],
            "later than --since",
        ),
        (["backfill", "--input", "x", "--output", "y", "--grid", "7h"], "divide a day"),
        (["backfill", "--input", "x", "--output", "y", "--grid", "soon"], '"15m"'),
        (["backfill", "--input", "x", "--output", "y", "--memory", "lots"], "512M"),
        (["backfill", "--input", "x", "--output", "y", "--max-rejects", "-1"], "--max-rejects"),
        (["backfill", "--input", "x", "--output", "y", "--format", "xml"], "eventgrid"),
        (["backfill", "--input", "x", "--output", "y", "--policy", "/nowhere/p.toml"], "/nowhere/p.toml"),
        (["backfill", "--input", "x", "--output", "y", "--inventory", "/nowhere/i.csv"], "/nowhere/i.csv"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_answered_in_one_sentence(arguments: list[str], says: str) -> None:
    done = trueup(*arguments)
    assert (done.status, done.out) == (2, "")
    assert says in done.err
    assert done.err.startswith("trueup: ")
    assert done.err.count("\n") == 1
    assert done.err.endswith(".\n")


@pytest.mark.parametrize(
    ("content", "says"),
    [('skew = "soon"', "skew"), ('settel = "1m"', "settel"), ("skew = ", "TOML"), ('grid = "7h"', "grid")],
)
def test_a_wrong_policy_is_named_with_its_key(content: str, says: str, events: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(content)
    done = trueup("backfill", "--input", events, "--output", tmp_path / "out", "--policy", policy)
    assert done.status == 2
    assert f"{policy}: " in done.err
    assert says in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_inventory_with_a_mistake_is_refused(events: Path, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.csv"
    inventory.write_text("vm,scale_set_id\na,b\n")
    done = trueup("backfill", "--input", events, "--output", tmp_path / "out", "--inventory", inventory)
    assert (done.status, done.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("command", ["backfill", "validate"])
@pytest.mark.parametrize("given", ["/nowhere/*.json", ""])
def test_an_input_that_matches_no_file_fails(command: str, given: str, tmp_path: Path) -> None:
    more = ["--output", tmp_path / "out"] if command == "backfill" else []
    done = trueup(command, "--input", given, *more)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_no_folder_fails(events: Path) -> None:
    done = trueup("backfill", "--input", events, "--output", events)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert str(events) in done.err
    assert "folder" in done.err


def test_a_summary_says_what_came_in_and_what_was_written(events: Path, tmp_path: Path) -> None:
    done = trueup("backfill", "--input", events, "--output", tmp_path / "out")
    assert "26 records in 1 file: 26 used, 0 duplicate, 0 ignored, 0 rejected." in done.out
    said = " ".join(done.out.split())
    assert "2 scale sets, with events since 2024-01-01T00:00:00Z; known until 2024-01-02T23:00:00Z." in said
    assert done.err == ""


def test_health_records_that_no_inventory_places_are_answered_with_the_query_for_one(tmp_path: Path) -> None:
    machine = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"
    record = (
        '{"id": "1", "eventType": "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged", '
        '"eventTime": "2024-01-01T00:00:00Z", '
        f'"data": {{"resourceInfo": {{"properties": {{"targetResourceId": "{machine}", "availabilityState": "Available", '
        '"occurredTime": "2024-01-01T00:00:00Z"}}}}'
    )
    path = write_events(tmp_path / "e.jsonl", [signal(0, "1", "Available")], extra=[record] * 3)
    done = trueup("backfill", "--input", path, "--output", tmp_path / "out")
    assert "Of machines that no inventory places, and ignored: 3 of 4 records." in done.out
    assert "give --inventory FILE" in done.out
    assert "az graph query" in done.out


def test_validate_counts_and_shows_every_reject_and_writes_nothing(tmp_path: Path) -> None:
    path = write_events(tmp_path / "e.jsonl", two_days("a"), extra=["{broken", '{"eventType": "Other", "id": "1"}'])
    done = trueup("validate", "--input", path)
    assert done.status == 0
    assert "15 records" in done.out
    assert "canonical" in done.out
    assert f"{path}, line 14: not_json: " in done.out
    counts = trueup("validate", "--input", path, "--json").json
    assert (counts["records"], sum(counts["rejected"].values()), sum(counts["ignored"].values())) == (15, 1, 1)
    assert sum(row["records"] for row in counts["decoded"]) == 13
    assert list(tmp_path.iterdir()) == [path]


def test_help_reads_like_a_manual_with_examples() -> None:
    done = trueup("backfill", "--help")
    assert done.status == 0
    assert "Examples:" in done.out
    assert trueup("--version").out.startswith("trueup ")
    assert trueup().status == 2


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    write_events(folder / "in" / "events.jsonl", two_days())
    assert trueup("backfill", "--input", folder / "in", "--output", folder / "out").status == 0
    return folder


def imported(*arguments: object) -> set[str]:
    """The modules that a process holds after a command."""
    program = (
        "import sys; from runners.cli import run; status = run(sys.argv[1:]); "
        "print(status, *sys.modules, file=sys.stderr); sys.exit(status not in (0, 2))"
    )
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--help"], ["backfill", "--help"], ["backfill", "--inptu", "x"]])
def test_light_commands_import_neither_beam_nor_arrow(arguments: list[str]) -> None:
    assert not {"apache_beam", "pyarrow", "numba"} & imported(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "--data", "out"],
        ["explain", "--data", "out", "--scale-set", "a", "--at", format_time(at(3600))],
        ["sql", "--data", "out"],
        ["watch", "--data", "out", "--once", "--command", "cat"],
        ["compact", "--data", "out"],
        ["validate", "--input", "in", "--json"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_whoever_reads_this_machines_files_imports_no_beam(arguments: list[str], record: Path) -> None:
    placed = [record / word if word in ("in", "out") else word for word in arguments]
    assert "apache_beam" not in imported(*placed)


def test_a_watch_that_goes_on_imports_no_beam() -> None:
    program = "import sys, runners.engines.alarming; sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_a_backfill_in_memory_imports_no_client_of_another_service(record: Path, tmp_path: Path) -> None:
    modules = imported("backfill", "--input", record / "in", "--output", tmp_path)
    assert "apache_beam" in modules
    assert not {*UNCALLED, "google.cloud.pubsub_v1", "azure.storage"} & modules


def test_progress_is_for_terminals_only(events: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "from runners.cli import main; main()",
        "backfill",
        "--input",
        events,
        "--output",
        tmp_path / "out",
        "--json",
    ]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1


def test_flags_of_the_runner_follow_two_dashes(events: Path, tmp_path: Path) -> None:
    assert trueup("backfill", "--input", events, "--output", tmp_path / "out", "--", "--job_name=nightly").status == 0


def test_an_unknown_runner_is_one_sentence(events: Path, tmp_path: Path) -> None:
    done = trueup("backfill", "--input", events, "--output", tmp_path / "out", "--runner", "NoSuchRunner")
    assert (done.status, done.err.count("\n")) == (2, 1)


def test_the_second_of_the_fixture_is_past() -> None:
    assert at(0) % 86_400_000_000 == 0
