"""Times, lengths of time, names and operations as an explanation spells them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from runners.words.names import harmless, isolated, shortened
from schemas.time import SECOND, from_micros

MOST_NAMES: Final = 4
"""Instances that a sentence names; the rest it counts."""
TIED: Final = "\u00a0"
"""A blank at which no line ends; printed as any other."""
_WIDTH: Final = 40
_WHO: Final = {"customer": "the customer", "autoscale": "autoscale", "platform": "the platform", "unknown": "someone unknown"}
_NOUNS: Final = {"create": "creation", "deallocate": "deallocation", "delete": "deletion", "evict": "eviction"}
_VOWELS: Final = ("a", "e", "i", "o", "up")


class Clock:
    """Formats times in a time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def moment(self, micros: int) -> str:
        """Date and time, to the second.

        >>> Clock(ZoneInfo("UTC")).moment(3_723_900_000).replace(TIED, " ")
        '1970-01-01 01:02:03'
        """
        return f"{self._local(micros):%Y-%m-%d{TIED}%H:%M:%S}"

    def then(self, micros: int, after: int) -> str:
        """A time that follows another one: without its date where that is the same."""
        local = self._local(micros)
        return f"{local:%H:%M:%S}" if local.date() == self._local(after).date() else self.moment(micros)

    def span(self, start: int, end: int) -> str:
        """From a moment to another one.

        >>> Clock(ZoneInfo("UTC")).span(0, 60_000_000).replace(TIED, " ")
        '1970-01-01 00:00:00 to 00:01:00'
        """
        return f"{self.moment(start)} to {self.then(end, start)}"

    def _local(self, micros: int) -> datetime:
        return from_micros(micros).astimezone(self.zone)


def length(micros: int) -> str:
    """A length of time in its two largest units.

    >>> [length(1_000_000 * n).replace(TIED, " ") for n in (0, 90, 3_600, 200_000)]
    ['less than 1 s', '1 min 30 s', '1 h', '2 d 7 h']
    """
    seconds = micros // SECOND
    if seconds < 1:
        return f"less than 1{TIED}s"
    sizes = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    first = next(k for k, (size, _) in enumerate(sizes) if seconds >= size)
    told = []
    for size, unit in sizes[first : first + 2]:
        number, seconds = divmod(seconds, size)
        told += [f"{number}{TIED}{unit}"] if number else []
    return TIED.join(told)


def seconds(number: float) -> str:
    """A length of time given in seconds."""
    return length(round(number * SECOND)) if number else "nothing"


def name(text: str) -> str:
    """A name, shortened, with control characters spelled out."""
    return isolated(shortened(harmless(text), _WIDTH))


def listed(texts: Sequence[str]) -> str:
    """Texts as a list.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([*([", ".join(texts[:-1])] if len(texts) > 1 else []), *texts[-1:]])


def instances(ids: Sequence[str]) -> str:
    """Names instances; if there are many, the first ones and how many more.

    >>> instances(["1"]), instances(["1", "2"]), instances([*"123456"])
    ('instance 1', 'instances 1 and 2', '6 instances (1, 2, 3, 4 and 2 more)')
    """
    ids = sorted(ids, key=lambda one: (len(one), one))
    if len(ids) == 1:
        return f"instance {name(ids[0])}"
    if len(ids) <= MOST_NAMES:
        return f"instances {listed([name(one) for one in ids])}"
    shown = listed([*(name(one) for one in ids[:MOST_NAMES]), f"{len(ids) - MOST_NAMES:,} more"])
    return f"{len(ids):,} instances ({shown})"


def verb_of(verb: str) -> str:
    """A verb as a noun in a sentence.

    >>> verb_of("scale_in"), verb_of("delete")
    ('scale-in', 'deletion')
    """
    return _NOUNS.get(verb, name(verb.replace("_", "-")))


def operation_phrase(verb: str, initiator: str) -> str:
    """An operation by its verb and its initiator.

    >>> operation_phrase("upgrade", "customer"), operation_phrase("scale_in", "autoscale")
    ('an upgrade by the customer', 'a scale-in by autoscale')
    """
    return f"{with_article(verb)} by {initiator_phrase(initiator)}"


def with_article(verb: str) -> str:
    """A verb as a noun with its article.

    >>> with_article("update"), with_article("stop"), with_article("maintenance")
    ('an update', 'a stop', 'maintenance')
    """
    noun = verb_of(verb)
    if verb == "maintenance":
        return noun
    return f"a{'n' * noun.startswith(_VOWELS)} {noun}"


def initiator_phrase(initiator: str) -> str:
    """An initiator, as it stands after "by"."""
    return _WHO.get(initiator, name(initiator))


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def distinct(texts: Iterable[str]) -> list[str]:
    """Each text once, in order."""
    return list(dict.fromkeys(texts))
