"""The nearest known name of one that is unknown: what most errors of spelling need."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that says which known name is the nearest, whatever its case; nothing where none is near.

    >>> nearest("settel", ["skew", "settle"]), nearest("x", ["skew"])
    ('; the nearest is settle', '')
    """
    by_folded = {one.casefold(): one for one in known}
    found = get_close_matches(name.casefold(), by_folded, n=1)
    return f"; the nearest is {by_folded[found[0]]}" if found else ""
