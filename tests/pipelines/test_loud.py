"""What a run says of what it did not read and of what is missing: backfill and validate alike, readable at 80 columns."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.files import Finished, signal, spanning, trueup, two_days, write_events

DAY = 86_400
MACHINE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"
SCALE_SET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/a"
HEALTH = "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged"


def health(number: int, target: str = MACHINE) -> str:
    """A health event of a machine."""
    told = {"targetResourceId": target, "availabilityState": "Available", "occurredTime": "2024-01-01T00:00:00Z"}
    data = {"resourceInfo": {"properties": told}}
    return json.dumps({"id": str(number), "eventType": HEALTH, "eventTime": "2024-01-01T00:00:00Z", "data": data})


def operation(number: int) -> str:
    """The end of an operation on a machine."""
    data = {"operationName": "Microsoft.Compute/virtualMachines/restart/action", "resourceUri": MACHINE, "correlationId": "c"}
    kind = "Microsoft.Resources.ResourceActionSuccess"
    return json.dumps({"id": f"o{number}", "eventType": kind, "eventTime": "2024-01-01T00:00:00Z", "data": data})


def ran(command: str, folder: Path, *options: object) -> Finished:
    """One of the commands over the files of a folder; every line that is not one of the user's own fits 80 columns."""
    more = ["--output", folder / "out"] if command == "backfill" else []
    done = trueup(command, "--input", folder / "in", *more, *options)
    assert (done.status, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if len(line) > 80 and str(folder) not in line] == []
    return done


def said(command: str, folder: Path, *options: object) -> str:
    """What it says, without the ends of lines."""
    return " ".join(ran(command, folder, *options).out.split())


def told(command: str, folder: Path, *options: object) -> dict[str, Any]:
    more = ["--output", folder / "out"] if command == "backfill" else []
    return trueup(command, "--input", folder / "in", *more, *options, "--json").json


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """A folder whose input has health and operations, and nothing that is missing."""
    write_events(tmp_path / "in" / "e.jsonl", two_days())
    return tmp_path


COMMANDS = pytest.mark.parametrize("command", ["backfill", "validate"])
FORMLESS = ['{"DocumentIncarnation": 2, "Events": []}', '{"user": {"name": "Ada"}, "mail": "ada@example.com", "c": 1, "d": 2}']


@COMMANDS
def test_where_all_is_read_and_nothing_is_missing_nothing_more_is_said(command: str, both: Path) -> None:
    out = ran(command, both).out
    last = out.splitlines()[-1]
    assert last.startswith("The tables are in" if command == "backfill" else "  read ") or "canonical" in last
    assert not any(word in out for word in ("no format", "inventory", "Nothing at all", "was read", "were read"))


@COMMANDS
def test_each_shape_of_no_format_has_a_line(command: str, both: Path) -> None:
    write_events(both / "in" / "a.jsonl", [], [FORMLESS[0]])
    write_events(both / "in" / "b.jsonl", [], [FORMLESS[0], *[FORMLESS[1]] * 3])
    text = said(command, both)
    assert "Of no format that is known, and not read: 5 of 31 records." in text
    assert "/in/b.jsonl) 2 with DocumentIncarnation" in text
    assert "3 with user, mail, c (" in text
    assert "a machine's scheduled events, which tell what is planned, not what was" in text
    assert text.index("3 with user") < text.index("2 with DocumentIncarnation")
    assert "a.jsonl and others)" in text
    assert "ada" not in text.casefold()
    known, other = told(command, both)["no_format"]["shapes"]
    assert (known["keys"], known["records"], known["elsewhere"]) == (["DocumentIncarnation", "Events"], 2, True)
    assert (other["keys"], other["records"], other["looks_like"]) == (["user", "mail", "c"], 3, "")


@COMMANDS
def test_what_a_key_hides_is_spelled_out_and_cut(command: str, both: Path) -> None:
    write_events(both / "in" / "h.jsonl", [], [json.dumps({"\x1b[31mred\u202e\n": 1, "k" * 200: 2})])
    out = ran(command, both).out
    assert "\\x1b[31mred\\u202e\\n, " in out
    assert {c for c in out if not c.isprintable()} == {"\n"}
    assert "k" * 40 in out
    assert "k" * 41 not in out
    write_events(both / "in" / "h.jsonl", [], [json.dumps({"\u202e" * 30: 1, "k" * 39: 2, "l" * 39: 3})])
    ran(command, both)  # fits


@COMMANDS
def test_of_many_shapes_the_most_frequent_are_told_and_the_rest_counted(command: str, both: Path) -> None:
    lines = [json.dumps({f"k{number:04}": 1}) for number in range(1_000) for _ in range(1 + (number == 7))]
    write_events(both / "in" / "m.jsonl", [], lines)
    out = ran(command, both).out
    assert "Of no format that is known, and not read: 1,001 of 1,027 records." in out
    assert out.count(" with k") == 10
    assert out.index("2 with k0007") < out.index("1 with k0000")
    assert "990 of other shapes" in out


@pytest.mark.parametrize("more", [("--memory", "1M"), ()], ids=["in parts", "by a crew"])
def test_it_is_the_same_in_parts_and_from_a_crew(more: tuple[str, ...], both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        gone = signal(5 * DAY + number, "1", "Available")
        write_events(both / "in" / f"n{number}.jsonl", [gone], [*FORMLESS, operation(number), health(number)])
    keys = ("no_format", "events", "gaps", "unplaced_records")
    once = {key: told("backfill", both, "--dry-run")[key] for key in keys}
    assert once["no_format"]["records"] == 10
    assert (once["unplaced_records"], len(once["gaps"])) == (10, 1)
    if not more:
        monkeypatch.setattr("pipelines.backfill.memory.MUCH_TEXT", 0)
    assert {key: told("backfill", both, "--dry-run", *more)[key] for key in keys} == once
    validated = told("validate", both)
    assert {key: validated[key] for key in keys[:3]} == {key: once[key] for key in keys[:3]}


@COMMANDS
def test_health_without_any_operation_is_told_and_what_to_give(command: str, tmp_path: Path) -> None:
    write_events(tmp_path / "in" / "e.jsonl", [event for event in two_days() if event["kind"] == "signal"])
    assert (
        "Health was read, but not one operation: so every planned stop counts as an outage. "
        "Give the Activity Log (category Administrative) of the same time, too."
    ) in said(command, tmp_path)
    write_events(tmp_path / "in" / "one.jsonl", spanning(5, 9, "stop", "1"))
    assert "not one operation" not in said(command, tmp_path)


@COMMANDS
def test_operations_without_any_health_are_told_and_what_to_give(command: str, tmp_path: Path) -> None:
    write_events(tmp_path / "in" / "e.jsonl", spanning(5, 9, "stop", "1"))
    text = said(command, tmp_path)
    assert "Operations were read, but no health: so nothing tells how available anything was. Give health, too: " in text
    write_events(tmp_path / "in" / "one.jsonl", [signal(0, "1", "Available")])
    assert "but no health" not in said(command, tmp_path)


@COMMANDS
def test_machines_that_no_inventory_places_are_counted_of_any_kind(command: str, both: Path) -> None:
    write_events(both / "in" / "v.jsonl", [], [operation(1), health(1), health(2)])
    out = ran(command, both).out
    assert "Of machines that no inventory places, and ignored: 3 of 29 records." in out
    assert "Then give --inventory FILE." in out
    assert out.count("az graph query") == 1


@COMMANDS
def test_with_an_inventory_the_query_comes_only_where_it_misses_most(command: str, both: Path) -> None:
    inventory = both / "inventory.csv"
    inventory.write_text(f"vm_id,scale_set_id\n{MACHINE}2,{SCALE_SET}\n")
    write_events(both / "in" / "v.jsonl", [], [health(1)])
    text = said(command, both, "--inventory", inventory)
    assert "Of machines that no inventory places, and ignored: 1 of 27 records." in text
    assert "az graph query" not in text
    write_events(both / "in" / "w.jsonl", [], [health(number) for number in range(2, 40)])
    text = said(command, both, "--inventory", inventory)
    assert "ignored: 39 of 65 records. Those of scale sets need a row in it that holds at their time" in text
    assert "az graph query" in text


@COMMANDS
def test_a_gap_is_told_with_its_length(command: str, tmp_path: Path) -> None:
    write_events(tmp_path / "in" / "snapshot.jsonl", [signal(0, i, "Available") for i in "12"])
    days = [signal((5 + day / 2) * DAY, "1", "Available") for day in range(10)]
    write_events(tmp_path / "in" / "days.jsonl", [*days, *spanning(6 * DAY, 6 * DAY + 60, "stop", "2")])
    assert (
        "Nothing at all happens from 2024-01-01T00:00:00Z to 2024-01-06T00:00:00Z (5 d). Are files of that time missing? "
        "What ended then counts as still there"
    ) in said(command, tmp_path)
    assert told(command, tmp_path)["gaps"] == [{"from": "2024-01-01T00:00:00Z", "to": "2024-01-06T00:00:00Z"}]


def test_a_night_that_is_missing_before_a_run_that_goes_on_is_told(both: Path) -> None:
    ran("backfill", both)
    (both / "in" / "e.jsonl").unlink()
    write_events(both / "in" / "next.jsonl", [signal(2 * DAY, "1", "Available"), *two_days()[:5]])
    assert "Nothing" not in said("backfill", both, "--resume", "--dry-run")
    write_events(both / "in" / "next.jsonl", [signal(4 * DAY, "1", "Available"), *two_days()[:5]])
    text = said("backfill", both, "--resume", "--dry-run")
    assert "What was known ends at 2024-01-02T23:00:00Z and nothing happens before 2024-01-05T00:00:00Z (2 d 1 h)." in text


def columns(out: str) -> Sequence[str]:
    return [line for line in out.splitlines() if line.startswith("  ")]


def test_validate_lists_counts_one_below_the_other_the_most_frequent_first(both: Path) -> None:
    write_events(both / "in" / "x.jsonl", [], [*FORMLESS, operation(1), "{broken"])
    out = ran("validate", both).out
    assert "30 records in 2 files: 26 read, 3 ignored, 1 rejected." in out
    assert [line for line in columns(out) if "with" not in line and len(line) < 40][:5] == [
        "  read      18  canonical signal",
        "             8  canonical operation",
        "  ignored    2  no_format",
        "             1  unplaced_vm",
        "  rejected   1  not_json",
    ]
    assert out.index("x.jsonl, line 4: not_json: ") < out.index("30 records"), "counts come last, where they are seen"


def test_backfill_lists_the_most_frequent_kinds_and_counts_the_rest(both: Path) -> None:
    kinds = [json.dumps({"eventType": f"Kind{number}", "id": str(number)}) for number in range(20)]
    write_events(both / "in" / "x.jsonl", [], [*kinds, kinds[11]])
    lines = [line for line in columns(ran("backfill", both).out) if "kind" in line]
    assert lines[0] == "  ignored    2  type:kind11"
    assert lines[-1] == "            12  of 12 other kinds"
    assert len(lines) == 9
