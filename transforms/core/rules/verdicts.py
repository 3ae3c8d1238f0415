"""Verdicts: what an episode is found to be, and on what grounds (rules: Episodes)."""

from typing import NamedTuple

from schemas.tables.attribution import VERDICTS

EXPLAINED, REMOVED, PRESUMED, OVERRUN, UNEXCUSED, FAULT, UNEXPLAINED = range(len(VERDICTS))
UNDECIDED, NOT_GRANTED, GRANTED, AWAY_FOR_GOOD, GIVEN_UP_FOR_GOOD, OVERRUN_FOR_GOOD = range(-1, 5)
"""Decisions on an episode that goes on behind L: by the count of its operation, or for good, by a standing."""


class BestCandidate(NamedTuple):
    """What steps 2 and 3 find."""

    op: int
    """The explaining operation, or -1."""
    rank: int
    candidates: int
    came_back: bool
    """Whether the instance has come back from any candidate."""


class Judgement(NamedTuple):
    """What an episode is found to be."""

    verdict: int
    op: int
    """Position of the explaining operation, or -1."""
    limit: int
    """L, or NEVER where there is none."""
    candidates: int
    end: int
    """Where the episode's row ends: its own end, or where the instance becomes absent if that is earlier."""
    away: int
    """From here to `back` the instance is absent or removed, as far as can be told, and no episode begins; -1: nowhere."""
    back: int
    absent: bool
    pending: bool
    """All but the count allows the presumption: `decision` is needed."""
