"""Policies whose durations are seconds, so that a few events reach every one of them."""

from collections.abc import Callable

from schemas.policy import Policy, parse_policy


def _family(durations: str, deadline: str, **others: str) -> Callable[..., Policy]:
    """Makes policies of these durations, but for lines that are changed, and lines that come first."""
    verbs = "".join(f'[verbs.{name}]\ndeadline = "{others.get(name, deadline)}"\n' for name in Policy().verbs)

    def made(*changes: tuple[str, str], first: str = "") -> Policy:
        return _changed(first + durations + verbs, *changes)

    return made


def _changed(text: str, *changes: tuple[str, str]) -> Policy:
    for old, new in changes:
        text = text.replace(f"\n{old}\n", f"\n{new}\n")
    return parse_policy(text)


_small = _family(
    """
skew = "2s"
unseen = "3s"
settle = "5s"
possible_excuse = "15s"
max_excuse = "30s"
presume_after = "60s"
max_open = "90s"
grid = "1m"
""",
    "20s",
    **{"start": "10s", "restart": "10s", "upgrade": "40s", "maintenance": "40s", "update": "30s"},
)
SMALL = _small()
BRISK = _small(('settle = "5s"', 'settle = "1s"'), ('max_excuse = "30s"', 'max_excuse = "12s"'))
STRICT = _small(('skew = "2s"', 'skew = "0s"'), ('unseen = "3s"', 'unseen = "0s"'), ('settle = "5s"', 'settle = "0s"'))
KEEPING = _small(
    ("[verbs.update]", "[verbs.update]\ngone = false"),
    ('max_open = "90s"', 'max_open = "60s"'),
    ('possible_excuse = "15s"', 'possible_excuse = "55s"'),
    ('grid = "1m"', 'grid = "15s"'),
)
"""An update leaves something behind; the possible excuse is longer than the longest one."""
OTHERS = _small(
    ("[verbs.stop]", '[verbs.pause]\neffect = "may_remove"\ngone = false\ndeadline = "20s"\n[verbs.stop]'),
    first='excused_initiators = ["autoscale", "unknown"]\nalways_excused = ["evict", "maintenance"]\n',
)
"""Another choice of initiators, another verb."""

_tiny = _family(
    """
skew = "1us"
unseen = "2us"
settle = "3us"
possible_excuse = "4us"
max_excuse = "9us"
presume_after = "15us"
max_open = "20us"
grid = "16us"
""",
    "4us",
    **{"start": "3us", "restart": "3us", "upgrade": "8us", "maintenance": "8us", "update": "5us"},
)
TINY = _tiny()
TINY_POLICIES = (
    TINY,
    _tiny(('settle = "3us"', 'settle = "1us"'), ('possible_excuse = "4us"', 'possible_excuse = "8us"')),
    _tiny(('max_open = "20us"', 'max_open = "15us"'), ('max_excuse = "9us"', 'max_excuse = "3us"')),
    _tiny(
        ("[verbs.update]", "[verbs.update]\ngone = false"),
        ('grid = "16us"', 'grid = "5us"'),
        first='excused_initiators = ["customer"]\n',
    ),
)
"""A microsecond is a unit here, so that what meets a boundary meets it exactly or a microsecond beside it."""

SECONDS_POLICIES = (SMALL, BRISK, STRICT, KEEPING, OTHERS)
SMALL_POLICIES = (*TINY_POLICIES, *SECONDS_POLICIES)
