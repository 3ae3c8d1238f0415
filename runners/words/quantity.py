"""A count with its noun."""


def quantity(count: int, noun: str) -> str:
    """A count with its noun, whose plural ends in s.

    >>> quantity(1, "file"), quantity(1_200, "file")
    ('1 file', '1,200 files')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
