"""The truth of a simulated fleet: what each instance really was, beside what was reported (contract: trueup simulate)."""

from typing import Final

import pyarrow as pa

from schemas.event import TIMESTAMP

TRUTHS: Final = ("up", "planned", "outage", "gone")
"""up: it serves. planned: it does not, and that is an operation's doing, as long as that may be expected to take. outage: it
should serve and does not, or the platform rebooted it for its own ends. gone: it is no more."""

TRUE_INSTANCES: Final = pa.schema(
    [
        ("scale_set_id", pa.string()),
        ("instance_id", pa.string()),
        ("start", TIMESTAMP),
        ("end", TIMESTAMP),
        ("truth", pa.string()),
        ("cause", pa.string()),
        ("reported", pa.string()),
    ]
)
"""One row an interval [start, end) of an instance in which nothing changes; `reported` is the latest state that was reported,
null before the first; `cause` is null where the truth is up or gone."""

TRUE_OPERATIONS: Final = pa.schema(
    [
        ("scale_set_id", pa.string()),
        ("verb", pa.string()),
        ("initiator", pa.string()),
        ("target", pa.string()),
        ("instance_ids", pa.list_(pa.string())),
        ("start", TIMESTAMP),
        ("end", TIMESTAMP),
        ("outcome", pa.string()),
        ("opened", pa.bool_()),
        ("accepted", pa.bool_()),
    ]
)
"""One row an operation, as far as its records tell: `start` is the time of the first one, `end` and `outcome` are null if none
closes it, `opened` is false if the first one tells of the end, `accepted` if it was refused at once."""

TRUE_FAULTS: Final = pa.schema(
    [("scale_set_id", pa.string()), ("instance_id", pa.string()), ("time", TIMESTAMP), ("annotation", pa.string())]
)
"""One row an annotation of a fault."""
