"""Records that are explained, and what `trueup explain` prints of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.time import format_time
from tests.support import build
from tests.support.build import Event
from tests.support.files import PAST, Finished, at, trueup, write_events

GROUP = "/subscriptions/s/resourcegroups/{}/providers/microsoft.compute/virtualmachinescalesets/{}"


def past(*events: Event | Iterable[Event], of: str) -> list[Event]:
    """Events of a timeline that begins on a Monday that is past, of one scale set."""
    flat = [one for event in events for one in ([event] if isinstance(event, dict) else event)]
    return [{**event, "time": event["time"] - PAST, "scale_set_id": GROUP.format("g", of)} for event in flat]


def restart(start: float, end: float, **more: Any) -> list[Event]:
    return build.spanning(start, end, "restart", "1", **more)


def backfilled(folder: Path, events: Iterable[Event], *more: str) -> Path:
    path = write_events(folder / f"in{len(list(folder.glob('in*')))}.jsonl", events)
    done = trueup("backfill", "--input", path, "--output", folder / "out", *more)
    assert done.status == 0, done.err
    return folder / "out"


def explained(root: Path, name: str, seconds: float | None = None, *more: str) -> Finished:
    moment = () if seconds is None else ("--at", format_time(at(seconds)))
    return trueup("explain", "--data", root, "--scale-set", name, *moment, *more)


def said(root: Path, name: str, seconds: float | None = None, *more: str) -> str:
    """What is printed, without the ends of lines."""
    done = explained(root, name, seconds, *more)
    assert (done.status, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if len(line) > 80 and "trueup explain" not in line] == []
    assert [line for line in done.out.splitlines() if line != line.rstrip()] == []
    return " ".join(done.out.split())
