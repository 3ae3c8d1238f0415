"""The canonical events as one Arrow table, which every step between decoding and the ledger carries (rules: Canonical events).

The enumerations are Arrow dictionaries with fixed values, so their indices are codes that mean the same in every batch; ids are
dictionaries of their own batch. A batch is compact (`transforms.core.columns.batches.compact`) before it crosses a stage, so that
it carries no foreign ids.
"""

from typing import Final

import pyarrow as pa

KINDS: Final = ("signal", "fault", "operation")
STATES: Final = ("Available", "Unknown", "Degraded", "Unavailable")
"""In order of badness: on equal times the last of these wins (rules: Reported state)."""
PHASES: Final = ("started", "progress", "announced", "succeeded", "failed")
"""In the order in which records of one time are folded (rules: Folding)."""
INITIATORS: Final = ("customer", "autoscale", "platform", "unknown")
TARGETS: Final = ("named", "all", "unnamed")

ENUMS: Final = {"kind": KINDS, "state": STATES, "phase": PHASES, "initiator": INITIATORS, "target": TARGETS}
IDS: Final = ("scale_set_id", "instance_id", "annotation", "operation_key", "verb")
"""Columns whose values are dictionaries of their own batch."""

TIMESTAMP: Final = pa.timestamp("us", "UTC")
_CODE = pa.dictionary(pa.int8(), pa.string())
_ID = pa.dictionary(pa.int32(), pa.string())

EVENTS: Final = pa.schema(
    [
        pa.field("kind", _CODE, nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("scale_set_id", _ID, nullable=False),
        ("instance_id", _ID),
        pa.field("time", TIMESTAMP, nullable=False),
        ("state", _CODE),
        ("annotation", _ID),
        ("operation_key", _ID),
        ("verb", _ID),
        ("phase", _CODE),
        ("initiator", _CODE),
        ("target", _CODE),
        ("instance_ids", pa.list_(pa.string())),
        ("count", pa.int64()),
        pa.field("second", pa.bool_(), nullable=False),
    ]
)
"""The canonical columns (contract: Canonical fields), and `second`: whether it is the second event of one record, for counts
are of records."""

COMPARED: Final = (
    "instance_id", "state", "annotation", "operation_key", "verb", "phase", "initiator", "target", "instance_ids", "count",
)  # fmt: skip
"""The fields that may differ between copies, in the order in which they decide (rules: Copies)."""

CANONICAL: Final = pa.schema(
    [
        (field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
        for field in EVENTS
        if field.name != "second"
    ]
)
"""The same as users read and write it in Parquet: plain strings."""


def enum_array(codes: pa.Array, column: str) -> pa.DictionaryArray:
    """An enumeration column of EVENTS from int8 codes (nulls stay null)."""
    return pa.DictionaryArray.from_arrays(codes, pa.array(ENUMS[column], pa.string()))


def empty_events() -> pa.RecordBatch:
    """A batch of EVENTS without rows."""
    return pa.RecordBatch.from_arrays(
        [
            enum_array(pa.array([], pa.int8()), field.name) if field.name in ENUMS else pa.array([], field.type)
            for field in EVENTS
        ],
        schema=EVENTS,
    )
