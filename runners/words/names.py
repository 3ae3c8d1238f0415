"""Names as people see them: short, distinct, and harmless whatever an id contains."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Final

_CONSTANT: Final = {"", "subscriptions", "resourcegroups", "providers", "microsoft.compute", "virtualmachinescalesets"}
_FORMULA: Final = ("=", "+", "-", "@")
_MARKDOWN: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"} | {c: f"\\{c}" for c in "\\`*_[]#~$"})
_ISOLATED: Final = "\u2068{}\u2069"


def labels(ids: Iterable[str]) -> dict[str, str]:
    """A label for each scale set: the shortest ending of its id that no other id has (its name, or group and name, and so on).

    An id that is no path (it does not begin with a slash) stays whole.

    >>> labels(["/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachinescalesets/web"]).popitem()[1]
    'web'
    """
    waiting = {one: _parts(one) for one in ids}
    found: dict[str, str] = {}
    size = 1
    while waiting:
        tails = {one: "/".join(parts[-size:]) for one, parts in waiting.items()}
        often = Counter(tails.values())
        alone = {one: tail for one, tail in tails.items() if often[tail] == 1}
        alone |= {one: one for one, parts in waiting.items() if one not in alone and size >= len(parts)}
        found |= alone
        waiting = {one: parts for one, parts in waiting.items() if one not in alone}
        size += 1
    return found


def _parts(scale_set_id: str) -> list[str]:
    parts = scale_set_id.split("/") if scale_set_id.startswith("/") else []
    return [part for part in parts if part not in _CONSTANT] or [scale_set_id]


def harmless(text: str) -> str:
    r"""The text with invisible characters spelled out: control characters, escape sequences, marks of writing direction.

    >>> print(harmless("a\x1b[31m\u202eb"))
    a\x1b[31m\u202eb
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def shortened(text: str, width: int) -> str:
    """Text of at most `width` characters, with an ellipsis in its middle where it was longer.

    >>> shortened("abcdefgh", 5)
    'ab…gh'
    """
    half = (width - 1) // 2
    return text if len(text) <= width else f"{text[: width - 1 - half]}…{text[len(text) - half :]}"


def isolated(text: str) -> str:
    """The text, isolated if any of it is written from right to left, so that the text around it keeps its direction."""
    turns = any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text)
    return _ISOLATED.format(text) if turns else text


def for_markdown(text: str) -> str:
    """The text escaped for Markdown and HTML.

    >>> for_markdown("<b>|*")
    '&lt;b&gt;&#124;\\\\*'
    """
    return isolated(harmless(text).translate(_MARKDOWN))


def for_spreadsheet(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula.

    >>> for_spreadsheet("=cmd"), for_spreadsheet("/a")
    ("'=cmd", '/a')
    """
    plain = harmless(text)
    return f"'{plain}" if plain.lstrip(" ").startswith(_FORMULA) or text[:1] in ("\t", "\r", "\n") else plain
