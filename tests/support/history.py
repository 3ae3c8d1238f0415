"""A record of several versions, days apart."""

from schemas.policy import Policy
from schemas.time import DAY, HOUR
from tests.support.build import to_batch
from tests.support.files import two_days
from transforms.core.columns.arrow import no_rows
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.ledger.changes import PUBLISHED, Publication, changed_cells, published_after
from transforms.core.ledger.decisions import first_multiple_after
from transforms.publish import Sink

NOW = 1_800_000_000_000_000
VERSIONS = 6
STEP = 10 * DAY
"""Between two versions."""


def publish_history(sink: Sink) -> None:
    """One version after the other of two sets, each with more events than the one before; the last one 10 days before NOW."""
    events = sorted(two_days(), key=lambda event: event["time"])
    known, policy = no_rows(PUBLISHED), Policy()
    for number in range(1, VERSIONS + 1):
        some = events[: len(events) * number // VERSIONS]
        T = first_multiple_after(max(event["time"] for event in some), HOUR)
        now = NOW - (VERSIONS - number + 1) * STEP
        publication = Publication(policy.hash, HOUR, now, None, T, backfill=False, final=None)
        changes = changed_cells(evaluate(to_batch(some), policy, T), known, publication).changes
        sink.publish([changes])
        known = published_after(known, changes.revisions, HOUR)
