"""The ranked list of outages, and the sentence that says which one to look at first."""

from collections.abc import Callable, Collection
from shlex import quote
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from pipelines.reading.evidence import RankedOutage
from runners.page.cards import link_of, when
from runners.page.places import PageOf, anchor
from runners.report.sections import length
from runners.words.names import harmless
from runners.words.quantity import quantity
from schemas.time import SECOND, format_time, to_micros

LISTED: Final = 15
"""Outages that are listed."""


class ListedOutage(NamedTuple):
    """An outage in words."""

    name: str
    link: str
    """To its evidence, or to the page or the timeline of its scale set; empty if the page shows neither."""
    began: str
    lasted: str
    machines: str
    counted: str
    verdict: str
    why: str
    """What did not explain it."""
    command: str


class OutageWords(NamedTuple):
    """What telling an outage takes."""

    zone: ZoneInfo
    known: int
    """Until when anything is known of the period, in microseconds."""
    name: Callable[[str], str]
    data: str
    exact: bool
    """Whether a name might mean another scale set than it does here: then commands have ids."""
    page: PageOf
    cards: Collection[str]
    """The links of the evidence on this page."""
    drawn: Collection[str]
    """The ids of the scale sets with a timeline on it."""


def listed(outage: RankedOutage, words: OutageWords) -> ListedOutage:
    """One outage in words."""
    mark, zone = outage.mark, words.zone
    one, begin = mark["scale_set_id"], to_micros(mark["counted_from"])
    end = words.known if mark["counted_until"] is None else min(to_micros(mark["counted_until"]), words.known)
    goes_on = " so far" if mark["counted_until"] is None else ""
    return ListedOutage(
        name=words.name(one),
        link=_link(mark, words),
        began=when(mark["counted_from"], zone),
        lasted=f"{length((end - begin) / SECOND)}{goes_on}",
        machines=quantity(mark["machines"], "machine"),
        counted=length(mark["counted_seconds"]),
        verdict=" and ".join(mark["verdicts"]),
        why=harmless(_why(outage, zone)),
        command=f"trueup explain --data {quote(harmless(words.data))} "
        f"--scale-set {quote(harmless(one) if words.exact else words.name(one))} --at {format_time(begin)}",
    )


def _link(mark: dict[str, Any], words: OutageWords) -> str:
    one, link = mark["scale_set_id"], link_of(mark)
    if page := words.page(one):
        return f"{page}#{link}"
    return f"#{link}" if link in words.cards else f"#{anchor(one)}" if one in words.drawn else ""


def _why(outage: RankedOutage, zone: ZoneInfo) -> str:
    mark, before = outage.mark, outage.before
    if mark["verb"] is not None:
        operation = f"the {mark['verb']} by {mark['initiator']} of {when(mark['start'], zone)}"
        if "overrun" in mark["verdicts"]:
            return f"{operation} began it, but excuses it only until {when(mark['counted_from'], zone)}"
        return f"{operation} began it, but excuses nothing"
    if mark["verdict"] == "fault":
        return "the platform reported failing hardware, which no operation explains"
    if before is None:
        return "no operation on the scale set explains it, nor was there any in the day before"
    told = f"the last one before it, {before['verb']} by {before['initiator']}, could excuse until {when(before['limit'], zone)}"
    return f"no operation on the scale set explains it; {told}"
