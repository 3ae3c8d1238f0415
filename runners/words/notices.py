"""What a run says at its end about records that it did not read, and about what is missing (contract: Commands)."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Final, NamedTuple

from runners.words.names import harmless, shortened
from runners.words.quantity import quantity
from schemas.time import DAY, HOUR, MINUTE, format_time
from transforms.core.decode.glance import Glance, gaps
from transforms.core.decode.terms.unread import Shape, Sighting

WIDTH: Final = 80
_TIED: Final = "\xa0"
"""A blank at which no line ends."""
_NARROWEST: Final = 40
_WIDEST: Final = 1_000
_KEY: Final = 40
_FILE: Final = 44
_SHAPES: Final = 10
_GAPS: Final = 3
INVENTORY_QUERY: Final = """\
  az graph query --first 1000 --query data --output json --graph-query "
    resources | where type =~ 'microsoft.compute/virtualmachines'
    | extend scale_set_id = tostring(properties.virtualMachineScaleSet.id)
    | where isnotempty(scale_set_id)
    | project vm_id = id, scale_set_id,
              valid_from = tostring(properties.timeCreated)
    | order by vm_id asc" | jq -c '.[]' > inventory.jsonl"""


class FinishedReading(NamedTuple):
    """What a finished run knows about its input."""

    records: int
    health: int
    """Health records of known kinds."""
    unplaced_health: int
    unplaced: int
    """Records of machines that no inventory row places, of any kind."""
    glance: Glance
    inventory: bool
    """Whether one was given."""
    known_before: int | None = None
    """Until when all was known before, of a run that goes on; microseconds."""


def paragraph(text: str, indent: int = 0, behind: int = 2) -> Iterator[str]:
    """The lines of a text that is at most WIDTH wide; those after the first one are indented by `behind` more.

    >>> list(paragraph("word " * 30, 2))[1]
    '    word word word word word word word word word word word word word word word'
    """
    first, then = " " * indent, " " * (indent + behind)
    lines = wrap(text, WIDTH, initial_indent=first, subsequent_indent=then, break_on_hyphens=False, break_long_words=False)
    yield from (line.replace(_TIED, " ") for line in lines)


def notices(of: FinishedReading) -> Iterator[str]:
    """All notices, line by line; none if everything was read and nothing is missing."""
    yield from _unread(of)
    yield from _unplaced(of)
    yield from _missing(of)
    yield from _gaps(of)


def _unread(of: FinishedReading) -> Iterator[str]:
    unread = of.glance.unread
    if not unread.records:
        return
    yield from paragraph(f"Of no format that is known, and not read: {unread.records:,} of {quantity(of.records, 'record')}.")
    found = sorted(unread.shapes.items(), key=lambda item: (-item[1].records, item[0]))
    width = len(f"{found[0][1].records:,}")
    for shape, seen in found[:_SHAPES]:
        yield from paragraph(f"{seen.records:>{width},} with {_told(shape, seen)}", 2, width + 1)
    rest = unread.others + sum(seen.records for _, seen in found[_SHAPES:])
    if rest:
        yield from paragraph(f"{rest:>{width},} of other shapes", 2)


def _told(shape: Shape, seen: Sighting) -> str:
    keys = ", ".join(shortened(harmless(key), _KEY) for key in shape.keys) or "no field"
    file = f"{shortened(harmless(seen.file), _FILE)}{' and others' * seen.elsewhere}"
    return f"{keys} ({file}){': ' * bool(shape.look)}{shape.look}"


def _unplaced(of: FinishedReading) -> Iterator[str]:
    if not of.unplaced:
        return
    most = 2 * of.unplaced_health > of.health
    yield from paragraph(
        f"Of machines that no inventory places, and ignored: {of.unplaced:,} of {quantity(of.records, 'record')}."
    )
    if of.inventory:
        yield from paragraph("Those of scale sets need a row in it that holds at their time; the others are rightly left.", 2, 0)
    else:
        yield from paragraph("Are they of Flexible scale sets? Then give --inventory FILE.", 2, 0)
    if most or not of.inventory:
        yield "  This makes one:"
        yield INVENTORY_QUERY


def _missing(of: FinishedReading) -> Iterator[str]:
    events = of.glance.events
    health = events["signal"] + events["fault"]
    if health and not events["operation"]:
        yield from paragraph("Health was read, but not one operation: so every planned stop counts as an outage.")
        yield from paragraph("Give the Activity Log (category Administrative) of the same time, too.", 2, 0)
    if events["operation"] and not health and not of.unplaced_health:
        yield from paragraph("Operations were read, but no health: so nothing tells how available anything was.")
        yield from paragraph(
            "Give health, too: Event Grid's HealthResources, the Activity Log's category ResourceHealth, or Resource Graph's "
            "healthresources.",
            2,
            0,
        )


def _gaps(of: FinishedReading) -> Iterator[str]:
    found = gaps(of.glance, of.known_before)
    for begin, end in found[:_GAPS]:
        since = "What was known ends at" if begin == of.known_before else "Nothing at all happens from"
        until = "and nothing happens before" if begin == of.known_before else "to"
        yield from paragraph(f"{since} {_moment(begin)} {until} {_moment(end)} ({_length(end - begin)}).")
    if len(found) > _GAPS:
        yield f"  Nor in {quantity(len(found) - _GAPS, 'other gap')} of more than a day."
    if found:
        yield from paragraph(
            "Are files of that time missing? What ended then counts as still there: give them, or leave out what lies before, "
            "and begin with a snapshot of all states.",
            2,
            0,
        )


def _moment(micros: int) -> str:
    """A time, to the second."""
    return format_time(micros // 1_000_000 * 1_000_000)


def _length(micros: int) -> str:
    parts = ((micros // DAY, "d"), (micros % DAY // HOUR, "h"), (micros % HOUR // MINUTE, "min"))
    return _TIED.join(f"{count:,}{_TIED}{unit}" for count, unit in parts if count)


def counts_of(fates: Mapping[str, Mapping[str, int]], most: int | None = None) -> Iterator[str]:
    """Lines of counts by fate and kind of the records, the most frequent first; beyond `most` of a fate, one line for the rest.

    >>> list(counts_of({"ignored": {"a": 3, "b": 1_200, "c": 1}}, most=2))
    ['  ignored   1,200  b', '                3  a', '                1  of 1 other kind']
    """
    shown = {fate: _most_frequent(kinds, most) for fate, kinds in fates.items()}
    width = max((len(f"{count:,}") for rows in shown.values() for _, count in rows), default=0)
    for fate, rows in shown.items():
        for place, (kind, count) in enumerate(rows):
            yield f"  {'' if place else fate:8}  {count:>{width},}  {shortened(kind, _room() - width - 14)}"


def _most_frequent(kinds: Mapping[str, int], most: int | None) -> list[tuple[str, int]]:
    rows = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    rest = rows[len(rows) if most is None else most :]
    return [*rows[:most], *([(f"of {quantity(len(rest), 'other kind')}", sum(count for _, count in rest))] if rest else [])]


def _room() -> int:
    """Columns of the terminal; a pipe gets whole names, so that they can be searched for."""
    return max(shutil.get_terminal_size().columns, _NARROWEST) if sys.stdout.isatty() else _WIDEST
