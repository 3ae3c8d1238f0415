"""A machine of a scale set: when it exists, and the spells in which it is not up."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from schemas.time import NEVER

PLANNED: Final = "planned"
"""An operation's doing, as long as the operation can be expected to take."""
OUTAGE: Final = "outage"
"""Counts: the machine should be up."""
OFF: Final = "off"
DELETE: Final = "delete"
CREATE: Final = "create"
OVERSTAY: Final = "overstay"
"""Cause of an outage: the machine did not come back from an operation."""
LEAVING: Final = (OFF, DELETE)
"""Causes of spells in which nothing can fail any more."""


class Spell(NamedTuple):
    """Time [start, end) in which a machine is not up, and why."""

    start: int
    end: int
    truth: str
    cause: str
    asked: int = NEVER
    """Of a spell in which it leaves: when that was asked for; from then on nobody expects it to be up again."""


@dataclass
class Machine:
    """A machine; it exists in [born, gone)."""

    name: str
    host: int
    born: int
    gone: int = NEVER
    busy: int = 0
    """Until then an operation has it in hand."""
    surplus: bool = False
    """The platform made it beyond what was asked for, and takes it back by itself."""
    spells: list[Spell] = field(default_factory=list)
    """In order, none over another."""

    def is_off(self) -> bool:
        """Whether it was switched off and not started again."""
        return bool(self.spells) and self.spells[-1].cause == OFF and self.spells[-1].end == NEVER

    def is_idle(self, time: int) -> bool:
        """Whether it exists and no operation is working on it."""
        return self.born <= time < self.gone and self.busy <= time and not self.is_off()

    def switch_on(self, time: int) -> None:
        """Ends the spell in which it is off."""
        self.spells[-1] = self.spells[-1]._replace(end=time)


def overlaid(machine: Machine, outages: list[Spell]) -> list[Spell]:
    """The machine's spells merged with outages, in order and without overlaps.

    An outage that began before an operation lasts until that operation brings the machine back. One that begins while an
    operation has the machine down shows only from the moment at which it would have been up again. A machine that is off or
    leaving cannot fail.
    """
    spells = list(machine.spells)
    for outage in sorted(outages):
        if machine.born <= outage.start < machine.gone:
            spells = _with_outage(spells, outage)
    return spells


def _with_outage(spells: list[Spell], outage: Spell) -> list[Spell]:
    before = [spell for spell in spells if spell.start <= outage.start]
    after = spells[len(before) :]
    around = before[-1] if before and outage.start < before[-1].end else None
    if around is not None:
        if around.cause in LEAVING or around.truth == OUTAGE or outage.end <= around.end or _follows(after, around.end):
            return spells
        outage = outage._replace(start=around.end)
    if not after or outage.end < min(after[0].start, after[0].asked):
        return [*before, outage, *after]
    if after[0].cause not in LEAVING:
        return [*before, outage._replace(end=after[0].start), after[0]._replace(truth=OUTAGE), *after[1:]]
    return _lasting_until_asked(before, outage, after)


def _lasting_until_asked(before: list[Spell], outage: Spell, after: list[Spell]) -> list[Spell]:
    """A machine that is in an outage when it leaves: the outage lasts until its leaving is asked for."""
    asked = min(after[0].asked, after[0].start)
    if outage.start >= asked:
        return [*before, *after]
    return [*before, outage._replace(end=asked), after[0]._replace(start=asked), *after[1:]]


def _follows(after: list[Spell], end: int) -> bool:
    return bool(after) and after[0].start == end
