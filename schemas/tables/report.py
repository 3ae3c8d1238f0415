"""The report: tables of figures over a period, made of current rows (contract: trueup report).

Times inside are timestamps in UTC; lengths of time are instance seconds: count x duration. Every ratio is one of sums, and null
where its denominator is 0. VALUES says what each column of a FIGURES table means.
"""

from typing import Final

import pyarrow as pa

from schemas.event import TIMESTAMP
from schemas.tables.attribution import VERDICTS
from schemas.tables.availability import CLASSES, RAW

BY: Final = ("hour", "day", "week", "month")
WINDOWS: Final = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
"""Sliding windows of which the worst is looked for, and their seconds."""
VM_YEAR: Final = 365 * 86_400
"""Seconds of the year in "interruptions per VM-year"."""
COUNTED: Final = ("overrun", "unexcused", "fault", "unexplained")
"""Verdicts whose time, or part of it, counts against the availability; of the rest none does."""
assert set(COUNTED) < set(VERDICTS)

VALUES: Final = {
    **{f"{name}_seconds": f"instance seconds reported as {name.removeprefix('raw_')}" for name in RAW},
    **{f"{name}_seconds": f"instance seconds of class {name}" for name in CLASSES},
    "bad_seconds": "instance seconds that count: degraded, unavailable and overrun",
    "outside_up_seconds": "up, while no excusing operation on the scale set was under way or settling (start to limit)",
    "outside_bad_seconds": "bad, while no excusing operation on the scale set was under way or settling (start to limit)",
    "raw_availability": "as reported: available / (available + degraded + unavailable)",
    "availability": "corrected: up / (up + bad); excused time leaves the denominator",
    "availability_excused_up": "excused time counts as up, as in Icinga: (up + excused) / (up + excused + bad)",
    "availability_operations_out": "whole operations leave, healthy time too, as in Zabbix: up / (up + bad) of the time outside",
    "interruptions": "spells of counted time of single instances that began to count in the period",
    "repaired": "spells of counted time that ended in the period",
    "still_open": "spells of counted time that go on when the period ends: mttr_seconds knows nothing of them yet",
    "repair_seconds": "from where they began to count to their end, of the repaired ones, whole",
    "mttr_seconds": "mean time to repair: repair_seconds / repaired",
    "mtbf_seconds": "mean time between failures: up_seconds / interruptions",
    "interruptions_per_vm_year": "interruptions / (up + bad), in years of 365 days",
    "budget_seconds": "error budget: (1 - target) x (up + bad)",
    "budget_spent": "the part of it that is spent: bad_seconds / budget_seconds; more than 1 is overspent",
    "budget_left_seconds": "budget_seconds - bad_seconds",
}
"""The columns of every FIGURES table, and what each means."""

_COUNTS: Final = ("interruptions", "repaired", "still_open")
FIGURES: Final = [pa.field(name, pa.int64() if name in _COUNTS else pa.float64()) for name in VALUES]

WORST: Final = [
    field
    for kind in ("", "raw_")
    for window in WINDOWS
    for field in (pa.field(f"{kind}worst_{window}", pa.float64()), pa.field(f"{kind}worst_{window}_start", TIMESTAMP))
]
"""The lowest availability of any window of that length that lies in the period, and where the earliest such window starts.

The window slides: it starts at any microsecond, not on the hour. A window in which nothing was expected to be up is none, and
so is one that begins before anything is known, or ends after that.
"""

_SET: Final = pa.field("scale_set_id", pa.string())
_PERIOD: Final = [pa.field("period_start", TIMESTAMP), pa.field("period_end", TIMESTAMP)]

FLEET: Final = pa.schema([*FIGURES, *WORST])
"""One row: all scale sets, the whole period."""
SETS: Final = pa.schema([_SET, *FIGURES, *WORST])
"""One row a scale set, the whole period; the most counted time first."""
PERIODS: Final = pa.schema([*_PERIOD, *FIGURES])
"""One row an hour, day, week or month: all scale sets."""
SET_PERIODS: Final = pa.schema([_SET, *_PERIOD, *FIGURES])
"""One row a scale set and period in which it has any time."""

STATES: Final = pa.schema([_SET, ("state", pa.string()), ("reported_seconds", pa.float64()), ("corrected_seconds", pa.float64())])
"""Seconds (not instance seconds) that a scale set as a whole spent in a state, as reported and as corrected."""

CAUSES: Final = pa.schema(
    [
        ("verdict", pa.string()),
        ("verb", pa.string()),
        ("initiator", pa.string()),
        ("episodes", pa.int64()),
        ("scale_sets", pa.int64()),
        ("excused_seconds", pa.float64()),
        ("removed_seconds", pa.float64()),
        ("counted_seconds", pa.float64()),
    ]
)
"""One row a verdict, verb and initiator: instances' episodes (and removed stretches) that began in the period, and what of
any of them lies in it. `scale_sets`: how many they are of. The most counted time first, then the most excused, then removed."""

CHANCE: Final = pa.schema(
    [
        ("verb", pa.string()),
        ("state", pa.string()),
        ("operations", pa.int64()),
        ("window_seconds", pa.float64()),
        ("onsets", pa.int64()),
        ("expected", pa.float64()),
        ("share", pa.float64()),
        ("outside_onsets", pa.int64()),
        ("outside_seconds", pa.float64()),
    ]
)
"""How much of "an operation explains it" chance alone would give; one row a verb and a worst state of the episodes.

`operations` of the verb that have a window in the period; `window_seconds`: instance seconds in their windows; `onsets` that name
the verb; `expected`: onsets that chance alone would put into these windows, at the rate at which the same scale sets have onsets
of this kind outside of every operation's window; `share` = expected / onsets; `outside_onsets` and `outside_seconds`: what that
rate is made of, over all scale sets. Seconds are of instances that are there and not removed: others can have no onset.
"""

COVERAGE: Final = pa.schema(
    [
        _SET,
        ("counted_at_start", pa.int64()),
        ("counted_at_end", pa.int64()),
        ("inventory_at_start", pa.int64()),
        ("inventory_at_end", pa.int64()),
    ]
)
"""Instances of a scale set that the series counts at the first and the last microsecond of the period of which anything is known,
and how many the inventory names then (null where it never names any of that set's, as it need not for a Uniform one)."""
