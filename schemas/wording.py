"""Parts of the sentences that tell of errors: the nearest known name, what a name should look like, the gist of another error."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that says which known name is the nearest, whatever its case; nothing where none is near.

    >>> nearest("settel", ["skew", "settle"]), nearest("x", ["skew"])
    ('; the nearest is settle', '')
    """
    by_folded = {one.casefold(): one for one in known}
    found = get_close_matches(name.casefold(), by_folded, n=1)
    return f"; the nearest is {by_folded[found[0]]}" if found else ""


def first_line(error: object) -> str:
    """The first line of what an error says, without the point at its end; its type where it says nothing.

    >>> first_line(ValueError("no number.\\nIt is a text.")), first_line(KeyError())
    ('no number', 'KeyError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def last_line(error: object) -> str:
    """What was raised, of an error that Beam has wrapped in its traceback, without the point at its end; its type for no text."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__


def misnamed(name: str, kind: Literal["topics", "subscriptions"]) -> str | None:
    """What is wrong with the name of a topic or a subscription; None if it is right.

    >>> misnamed("orders", "topics"), misnamed("projects/p/topics/orders", "topics")
    ("a name like projects/P/topics/T is required, got 'orders'", None)
    """
    if re.fullmatch(rf"projects/[^/]+/{kind}/[^/]+", name):
        return None
    return f"a name like projects/P/{kind}/{kind[0].upper()} is required, got {name!r}"
