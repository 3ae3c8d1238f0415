"""The nightly job: what is new goes on top of what earlier nights have left (contract: trueup nightly).

What a night has read is written down when all that it publishes is there. So a night that was missed or killed is made up for by
the next, and one that runs twice finds nothing new.
"""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipelines.backfill.summary import Summary
from pipelines.correction.settings import BackfillSettings
from pipelines.failures import RunError
from pipelines.inputs import planned
from pipelines.record.folder import put_over, read_all
from schemas.time import floor_to
from transforms.files.shards import FileVersion, Plan

_NOTE: Final = "_trueup/nightly.json"
RunBackfill = Callable[[BackfillSettings, Plan], Summary]
"""Runs a backfill over some files: who does that is the caller's choice."""


@dataclass(frozen=True)
class NightsRead:
    """What the nights so far have read, and until when they have published; times in microseconds."""

    until: int | None = None
    latest: int | None = None
    """The latest event of all that they have read; None: there was none."""
    files: dict[str, FileVersion] = field(default_factory=dict)


class Night(NamedTuple):
    """What a night did."""

    until: int
    """Until when the record is published; microseconds."""
    before: int | None
    """The same of the night before; None: it was the first one."""
    latest: int | None
    """The latest event that this night or an earlier one has read; None: there was none."""
    new: Summary | None
    """Of what was new; None: nothing was."""
    anew: Summary | None = None
    """Of the whole input, which was corrected anew, since records had come too late to go on with."""
    too_late: int = 0
    """Records that are left out all the same: the input no longer has all that came before them."""


@contextmanager
def alone(root: str) -> Iterator[None]:
    """Keeps a second night away from a folder of this machine while the block runs.

    Raises:
        RunError: another night is at work.
    """
    own = Path(root, "_trueup")
    if not own.is_dir():
        yield
        return
    with (own / "nightly.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{root}: one night at a time is required, and another is at work.") from None
        yield


def run_night(settings: BackfillSettings, lag: int, run: RunBackfill) -> Night:
    """Takes in what is new, and publishes until the last grid end that is `lag` ago.

    What comes too late to go on with is not lost: then the whole input is corrected anew, of which only what differs is written.

    Args:
        settings: of the night; `until` and `resume` are set here.
        lag: how long after the fact records may still come, in microseconds.
        run: runs a backfill.

    Raises:
        RunError: no file matches an input, or what the run raises.
    """
    last = _noted(settings.output)
    until = max(floor_to(settings.now - lag, settings.policy.grid), last.until or 0)
    plan = planned(settings.inputs, last.files)
    if not plan.files and until == last.until:
        return Night(until, last.until, last.latest, None)
    night = replace(settings, until=until, resume=True)
    summary = run(night, plan)
    done = Night(until, last.until, _latest(summary, last.latest), summary)
    if late := summary.counts["rejected/late"]:
        # Begun later, so that the next night goes on from what it leaves.
        done = _anew(replace(night, resume=False, now=night.now + 1), done, late, run)
    put_over(settings.output, _NOTE, _as_note(NightsRead(until, done.latest, dict(plan.versions))))
    return done


def _anew(settings: BackfillSettings, done: Night, late: int, run: RunBackfill) -> Night:
    """Corrects the whole input, if it still has all that the record knows: a cold start is refused, and nothing written."""
    try:
        return done._replace(anew=run(settings, planned(settings.inputs)))
    except RunError:
        return done._replace(too_late=late)


def _latest(summary: Summary, before: int | None) -> int | None:
    moments = [last for _, last in summary.findings.glance.days.values()]
    return max(moments if before is None else [before, *moments], default=None)


def _noted(root: str) -> NightsRead:
    for content in read_all(root, _NOTE):
        told: dict[str, Any] = json.loads(content)
        return NightsRead(told["until"], told["latest"], {path: FileVersion(*version) for path, version in told["files"].items()})
    return NightsRead()


def _as_note(read: NightsRead) -> bytes:
    return json.dumps({"until": read.until, "latest": read.latest, "files": read.files}, indent=0, sort_keys=True).encode()
