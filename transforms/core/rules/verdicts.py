"""Verdicts: how an episode is judged, and on what grounds (rules: Episodes)."""

from typing import NamedTuple

from schemas.tables.attribution import VERDICTS

EXPLAINED, REMOVED, PRESUMED, OVERRUN, UNEXCUSED, FAULT, UNEXPLAINED = range(len(VERDICTS))
UNDECIDED, NOT_GRANTED, GRANTED, AWAY_FOR_GOOD, GIVEN_UP_FOR_GOOD, OVERRUN_FOR_GOOD = range(-1, 5)
"""Decisions on an episode that goes on behind L. The count of its operation grants a presumption or does not (*refused*
operations are something else); the last three are made for good, by a standing."""


class BestCandidate(NamedTuple):
    """The result of steps 2 and 3: the best candidate, if there is any."""

    op: int
    """The explaining operation, or -1."""
    rank: int
    candidates: int
    came_back: bool
    """Whether the instance has come back from any candidate."""


class Judgement(NamedTuple):
    """The judgement on one episode."""

    verdict: int
    op: int
    """Position of the explaining operation, or -1."""
    limit: int
    """L, or NEVER where there is none."""
    candidates: int
    end: int
    """Where the episode's row ends: its own end, or where the instance becomes absent if that is earlier."""
    away: int
    """From here to `back` the instance is taken to be absent or removed, and no episode begins. -1: it is not."""
    back: int
    absent: bool
    pending: bool
    """Everything but the count allows the presumption, so that a decision on the count is needed."""
