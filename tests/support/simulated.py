"""Simulated scale sets for tests: small, and where all that is random but what a test is about is left out."""

from typing import Any

from pipelines.simulate.draws import Draws
from pipelines.simulate.fleet import STEADY, ScaleSet
from pipelines.simulate.history import History
from pipelines.simulate.machines import Machine, Spell
from schemas.time import DAY, HOUR, SECOND

START = 20_000 * DAY
END = START + DAY


def scale_set(**fields: Any) -> ScaleSet:
    """A Uniform set of four machines that nobody scales."""
    same = {"number": 0, "kind": STEADY, "size": 4, "flexible": False, "spot": False, "deletes_evicted": True}
    same |= {
        "reports_itself": True,
        "peak": 14.0,
        "subscription": "5e1f0000-0000-4000-8000-00000000000a",
        "subscription_number": 0,
    }
    return ScaleSet(**{**same, **fields})


def history(machines: int = 4, seed: int = 0, **fields: Any) -> History:
    """A day of a set with machines that have been there for an hour."""
    made = History(scale_set(**fields), START, END, Draws("test", seed), 2)
    for _ in range(machines):
        made.new_machine(START - HOUR)
    return made


def spell(start: float, end: float, truth: str, cause: str, asked: float | None = None) -> Spell:
    """A spell in seconds from START."""
    more = {} if asked is None else {"asked": at(asked)}
    return Spell(at(start), at(end), truth, cause, **more)


def machine(*spells: Spell, gone: float | None = None) -> Machine:
    """A machine with spells."""
    made = Machine("0", 0, START - HOUR, spells=list(spells))
    if gone is not None:
        made.gone = at(gone)
    return made


def at(seconds: float) -> int:
    """Microseconds of a second, counted from START."""
    return START + round(seconds * SECOND)
