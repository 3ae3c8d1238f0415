"""The summary of a run: what came in, what became of it, what was written (steps: Accounts)."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.correction.findings import Findings
from pipelines.glance_json import glance_json
from schemas.time import format_time
from transforms.counters import total, unaccounted

_SHOWN_SETS = 3


@dataclass(frozen=True)
class Summary:
    """A finished run."""

    counts: Counter[str]
    findings: Findings
    end: int
    """T, in microseconds."""
    policy: str
    files: int
    skipped: int = 0
    """Files that a GLOB matched and whose names are of no input."""
    dry_run: bool = False
    known_before: int | None = None
    """T of the state with which the run began; None: it began with none."""
    partitions: int = 1
    """In how many parts the scale sets were evaluated, for the sake of memory."""
    too_large: tuple[str, ...] = ()
    """Scale sets of which each alone needs more than the memory that was allowed."""
    changes: tuple[pa.RecordBatch, ...] = field(default=(), repr=False)
    """REVISIONS that a dry run would have written."""

    def check(self) -> None:
        """Makes sure that every record is accounted for.

        Raises:
            AssertionError: one is not: a mistake of this program.
        """
        if unaccounted(self.counts):
            raise AssertionError(f"{unaccounted(self.counts)} records are unaccounted for among {dict(self.counts)}")

    @property
    def rejected(self) -> int:
        """Records rejected, whatever the reason."""
        return total(self.counts, "rejected")

    @property
    def cells(self) -> int:
        """Cells written, or that a dry run would have written."""
        return total(self.counts, "cells")

    @property
    def left_out(self) -> list[str]:
        """Scale sets of which nothing was published, since a cold start would have replaced what is known."""
        ids: list[str] = self.findings.left_out.column("scale_set_id").to_pylist()
        return ids

    @property
    def since(self) -> int | None:
        """The first event of the input, in microseconds."""
        first: int | None = pc.min(self.findings.facts.column("first")).as_py()
        return first

    def as_json(self) -> dict[str, Any]:
        """Counts and times as one JSON object."""
        families = {name: _family(self.counts, name) for name in ("ignored", "rejected")}
        return {
            "records": {"in": self.counts["in"], "used": self.counts["used"], "duplicate": self.counts["duplicate"], **families},
            "unplaced_records": self.counts["ignored/unplaced_vm"],
            "unplaced_health_records": self.counts["unplaced"],
            "health_records": self.counts["health"],
            "files": self.files,
            "skipped_files": self.skipped,
            "scale_sets": len(self.findings.facts),
            "left_out_scale_sets": self.left_out,
            "events_since": None if self.since is None else format_time(self.since),
            "resumed_from": None if self.known_before is None else format_time(self.known_before),
            "until": format_time(self.end),
            "cells": {"would_write" if self.dry_run else "written": self.cells, "unchanged": self.counts["unchanged"]},
            "rejects_written": self.counts["rejects_written"],
            **glance_json(self.findings.glance, self.known_before),
            "partitions": self.partitions,
            "too_large_scale_sets": list(self.too_large),
            "policy": self.policy,
        }


def _family(counts: Counter[str], family: str) -> dict[str, int]:
    prefix = f"{family}/"
    return {name.removeprefix(prefix): number for name, number in sorted(counts.items()) if name.startswith(prefix)}


def named_sets(sets: list[str]) -> str:
    """A few of many scale sets, for a sentence.

    >>> named_sets(["/subscriptions/s/a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown, more = ", ".join(one.rpartition("/")[2] for one in sets[:_SHOWN_SETS]), len(sets) - _SHOWN_SETS
    return f"{shown} and {more:,} more" if more > 0 else shown


def what_else(resume: bool) -> str:
    """What to give so that a run need not begin cold in the middle of what is known."""
    beside = "a snapshot of all states beside the files"
    return f"{beside} (--resume finds nothing of them to go on from)" if resume else f"{beside}, or --resume"
