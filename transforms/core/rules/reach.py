"""Reach: the window of time in which an event can matter to the join (rules: Reach)."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.event import KINDS, PHASES, STATES
from schemas.policy import Policy
from schemas.time import MILLISECOND
from transforms.core.columns.arrow import codes_of, micros

Micros = npt.NDArray[np.int64]

_SIGNAL, _OPERATION = KINDS.index("signal"), KINDS.index("operation")
_CONTINUES = (PHASES.index("started"), PHASES.index("progress"))


def reach(events: pa.RecordBatch, policy: Policy) -> tuple[Micros, Micros]:
    """The reach [start, end) of each event of a batch of EVENTS, in microseconds.

    An operation reaches as far as it can explain anything, a turn for the worse as far as clocks differ.
    """
    time = micros(events, "time")
    phase = codes_of(events.column("phase"))
    start = time - np.where(phase == PHASES.index("succeeded"), policy.unseen, 0)
    return start, time + _tail(events, policy, phase) + 1


def reach_window(events: pa.RecordBatch, policy: Policy) -> tuple[int, int]:
    """The window [start, end) in milliseconds that covers the reach of every event of a batch that has rows.

    Rounded outward: Beam keeps whole milliseconds of a window, and one cut inward would not merge with what it overlaps.
    """
    start, end = reach(events, policy)
    return int(start.min()) // MILLISECOND, -(-int(end.max()) // MILLISECOND)


def _tail(events: pa.RecordBatch, policy: Policy, phase: Micros) -> Micros:
    kind = codes_of(events.column("kind"))
    well = (kind == _SIGNAL) & (codes_of(events.column("state")) == STATES.index("Available"))
    closed = max(policy.settle, policy.skew)
    operation = np.where(np.isin(phase, _CONTINUES), _open_tail(events, policy), closed)
    return np.where(kind == _OPERATION, operation, np.where(well, 0, policy.skew)).astype(np.int64)


def _open_tail(events: pa.RecordBatch, policy: Policy) -> Micros:
    verb = events.column("verb")
    tails = [max(policy.verbs[name].deadline + policy.settle, policy.skew) for name in verb.dictionary.to_pylist()]
    by_code = np.array([*tails, 0], np.int64)  # the last one is that of no verb, code -1
    result: Micros = by_code[codes_of(verb)]
    return result
