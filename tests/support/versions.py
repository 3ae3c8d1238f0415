"""Versions of the same cells, one after the other."""

from schemas.policy import Policy
from schemas.time import HOUR
from tests.support.build import Event, at, signal, to_batch
from transforms.core.columns.arrow import no_rows
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.ledger.changes import PUBLISHED, Changes, Publication, changed_cells, published_after
from transforms.core.ledger.decisions import first_multiple_after

EVENTS = [
    signal(0, "1", "Available"),
    signal(60, "1", "Unavailable"),
    signal(120, "1", "Available"),
    signal(3_700, "1", "Degraded"),
]


def versions(events: list[Event], final: int | None = None) -> list[Changes]:
    """What is published when the events come one after the other."""
    known, published = no_rows(PUBLISHED), []
    for number in range(1, len(events) + 1):
        T = first_multiple_after(max(event["time"] for event in events[:number]), HOUR)
        publication = Publication("p", HOUR, at(0), None, T, backfill=False, final=final if number == len(events) else None)
        changes = changed_cells(evaluate(to_batch(events[:number]), Policy(), T), known, publication).changes
        known = published_after(known, changes.revisions, HOUR)
        published.append(changes)
    return published


def told(changes: Changes) -> list[tuple[float, int, str]]:
    """(hour, revision, cause) of each version."""
    rows = changes.revisions.to_pylist()
    return [((row["cell"].timestamp() * 1e6 - at(0)) / HOUR, row["revision"], row["cause"]) for row in rows]
