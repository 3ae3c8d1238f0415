"""A scale set that was made to do harm: its own rows are right, and those of others are what they are without it."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.build import Event, op
from tests.support.files import PAST, current, signal, trueup, two_days, write_events
from transforms.core.rules import lines

MANY = 200
LONG = "x" * 1_024
"""An id of a kilobyte, with a number behind it."""


def hostile() -> list[Event]:
    """Many instances that fall while many operations are open, all at once and all with long names."""
    falls = [
        signal(seconds, f"{LONG}{number}", state, scale_set=LONG, event_id=f"{LONG}{state}{number}")
        for number in range(MANY)
        for seconds, state in ((0, "Available"), (3_600, "Unavailable"))
    ]
    records = [op(3_000, "restart", "started", key=f"{LONG}{number}", scale_set=LONG) for number in range(MANY)]
    return falls + [{**event, "time": event["time"] - PAST} for event in records]


def corrected(folder: Path, events: list[Event]) -> dict[str, list[dict[str, Any]]]:
    path = write_events(folder / "events.jsonl", events)
    assert trueup("backfill", "--input", path, "--output", folder / "record").status == 0
    return current(folder / "record")


@pytest.mark.parametrize("most", [MANY - 1, MANY, 5_000])
def test_others_are_what_they_are_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Of an hour's operations so many are looked at: so the work of each fall is bounded."""
    monkeypatch.setattr(lines, "MOST", most)
    plain, beside = (corrected(tmp_path / name, [*two_days("ab"), *more]) for name, more in (("a", []), ("b", hostile())))
    for name, rows in plain.items():
        assert [row for row in beside[name] if row["scale_set_id"] != LONG] == rows
    own = [row for row in beside["attributions"] if row["scale_set_id"] == LONG]
    assert [row["candidates"] for row in own] == [min(MANY, most)] * MANY
    assert len([row for row in beside["operations"] if row["scale_set_id"] == LONG]) == MANY
    assert {row["verdict"] for row in own} == {"overrun"}
